//! The sum of many runs.

use super::{Ending, Failure, Run, Speeds};
use std::collections::BTreeMap;

/// What many runs came to.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Runs that ended, in whatever way.
    pub runs: u64,
    /// Runs by stack.
    pub by_stack: BTreeMap<String, u64>,
    /// Simulated seconds.
    pub virtual_s: f64,
    /// Seconds of a core that the runs took.
    pub core_s: f64,
    /// Entries committed and applied.
    pub commits: u64,
    /// What happened, by stack and name.
    pub counts: BTreeMap<String, BTreeMap<String, u64>>,
    /// Speeds.
    pub speeds: Speeds,
    /// What was broken, in the order in which runs ended.
    pub failures: Vec<Failure>,
}

impl Totals {
    /// Takes a run; whether it broke something is the answer.
    pub fn add(&mut self, run: &Run) -> Option<&Failure> {
        self.runs += 1;
        *self.by_stack.entry(run.case.stack_name()).or_default() += 1;
        if let Ending::Reported(report) = &run.ending {
            self.virtual_s += report.virtual_s;
            self.core_s += report.core_s;
            self.commits += report.commits;
            let counts = self.counts.entry(run.case.stack_name()).or_default();
            for (name, count) in &report.counts {
                *counts.entry(name.clone()).or_default() += count;
            }
            self.speeds.add(report);
        }
        let failure = Failure::of(run)?;
        self.failures.push(failure);
        self.failures.last()
    }

    /// What happened, by name.
    #[must_use]
    pub fn summed_counts(&self) -> BTreeMap<String, u64> {
        let mut sum = BTreeMap::new();
        for (name, count) in self.counts.values().flatten() {
            *sum.entry(name.clone()).or_default() += count;
        }
        sum
    }

    /// Simulated hours.
    #[must_use]
    pub fn virtual_hours(&self) -> f64 {
        self.virtual_s / 3_600.0
    }

    /// Simulated seconds per real second of one core, over all runs.
    #[must_use]
    pub fn speed(&self) -> f64 {
        if self.core_s > 0.0 { self.virtual_s / self.core_s } else { 0.0 }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{Case, Hung};
    use super::*;
    use crate::commands::Overrides;
    use crate::plan::{Plan, StackKind};
    use crate::report::{Broken, Report};
    use std::time::Duration;

    /// A run of 60 simulated seconds within one.
    pub fn run(seed: u64, stack: StackKind, counts: &[(&str, u64)], broken: Option<&str>) -> Run {
        let mut report = Report::new(&Plan::draw(seed, stack));
        (report.nodes, report.rate) = (3, 5.0);
        (report.virtual_s, report.real_s, report.core_s, report.commits) = (60.0, 3.0, 1.0, 100);
        report.counts = counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        report.broken = broken
            .map(|promise| Broken {
                promise: promise.to_owned(),
                at_ms: 1_500,
                seen: "seen".to_owned(),
                before: Vec::new(),
            })
            .into_iter()
            .collect();
        let case = Case { seed, stack, overrides: Overrides::default() };
        Run { case, ending: Ending::Reported(Box::new(report)), took: Duration::from_secs(1) }
    }

    #[test]
    fn runs_are_summed() {
        let mut totals = Totals::default();
        assert!(totals.add(&run(1, StackKind::Fast, &[("offers", 3), ("fault.crash", 1)], None)).is_none());
        assert!(totals.add(&run(2, StackKind::Full, &[("offers", 4)], None)).is_none());
        let failure = totals.add(&run(3, StackKind::Full, &[], Some("R-3"))).unwrap();
        assert_eq!((failure.seed, failure.promise.as_str()), (3, "R-3"));
        assert_eq!((totals.runs, totals.commits), (3, 300));
        assert_eq!((totals.counts["fast"]["offers"], totals.counts["full"]["offers"]), (3, 4));
        let sum = BTreeMap::from([("fault.crash".to_owned(), 1), ("offers".to_owned(), 7)]);
        assert_eq!(totals.summed_counts(), sum);
        assert!((totals.virtual_hours() - 0.05).abs() < 1e-9);
        assert!((totals.speed() - 60.0).abs() < 1e-9);
        assert_eq!(totals.by_stack, BTreeMap::from([("fast".to_owned(), 1), ("full".to_owned(), 2)]));
        let speeds = totals.speeds.quantiles();
        assert_eq!((speeds["fast"]["5"].runs, speeds["full"]["5"].runs), (1, 2));
    }

    #[test]
    fn a_hang_counts_as_a_run_that_failed() {
        let mut totals = Totals::default();
        let mut hung = run(4, StackKind::Fast, &[], None);
        hung.ending = Ending::Hung(Hung::Computing(Duration::from_secs(9)));
        assert_eq!(totals.add(&hung).unwrap().promise, "hang");
        assert_eq!((totals.runs, totals.failures.len(), totals.commits), (1, 1, 0));
    }
}
