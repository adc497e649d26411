//! A run that did not end well.

use super::{Ending, Hung, Run};
use crate::report::{Broken, Report, page};
use serde::Serialize;

/// What broke in a run, and how to see it again.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// `full` or `fast`.
    pub stack: String,
    /// The promise, or `hang` or `died`, or what else a report names.
    pub promise: String,
    /// Simulated milliseconds since the beginning, where known.
    pub at_ms: Option<u64>,
    /// What was seen.
    pub seen: String,
    /// The command that runs it again.
    pub command: String,
    /// All of it, for people.
    #[serde(skip)]
    pub page: String,
}

impl Failure {
    /// What is wrong with a run; `None`: nothing.
    #[must_use]
    pub fn of(run: &Run) -> Option<Failure> {
        let (promise, at_ms, seen) = match &run.ending {
            Ending::Reported(report) => {
                let first = report.broken.first()?;
                (first.promise.clone(), Some(first.at_ms), first.seen.clone())
            }
            Ending::Hung(hung) => {
                let seen = match hung {
                    Hung::Computing(limit) => format!("no end within {} s of computing", limit.as_secs_f64()),
                    Hung::Waiting(limit) => {
                        format!("no end within {} s, and it was not computing", limit.as_secs_f64())
                    }
                };
                ("hang".to_owned(), None, seen)
            }
            Ending::Died { status, said } => ("died".to_owned(), None, format!("{status}: {said}")),
        };
        let command = run.case.command();
        let page = match &run.ending {
            Ending::Reported(report) => page(report, &command),
            _ => {
                let broken =
                    Broken { promise: promise.clone(), at_ms: 0, seen: seen.clone(), before: Vec::new() };
                page(&Self::unreported(run, broken), &command)
            }
        };
        Some(Failure {
            seed: run.case.seed,
            stack: run.case.stack_name(),
            promise,
            at_ms,
            seen,
            command,
            page,
        })
    }

    /// The report that a run did not make.
    fn unreported(run: &Run, broken: Broken) -> Report {
        Report {
            seed: run.case.seed,
            stack: run.case.stack_name(),
            nodes: run.case.overrides.nodes.unwrap_or(0),
            rate: run.case.overrides.rate.unwrap_or(0.0),
            bug: run.case.overrides.bug.map(|bug| bug.to_string()),
            broken: vec![broken],
            virtual_s: 0.0,
            real_s: run.took.as_secs_f64(),
            core_s: 0.0,
            commits: 0,
            counts: std::collections::BTreeMap::new(),
            hash: String::new(),
        }
    }

    /// One line of a list.
    #[must_use]
    pub fn line(&self) -> String {
        let first = self.seen.lines().next().unwrap_or_default();
        format!("{}\n    {}: {}", self.command, self.promise, shortened(first, 300))
    }
}

fn shortened(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Case;
    use super::*;
    use crate::commands::Overrides;
    use crate::plan::StackKind;
    use std::time::Duration;

    fn run(ending: Ending) -> Run {
        let case = Case { seed: 17, stack: StackKind::Full, overrides: Overrides::default() };
        Run { case, ending, took: Duration::from_secs(180) }
    }

    #[test]
    fn a_hang_is_told_with_its_command() {
        let failure = Failure::of(&run(Ending::Hung(Hung::Computing(Duration::from_secs(180))))).unwrap();
        assert_eq!(failure.promise, "hang");
        assert_eq!(failure.command, "cargo sim cluster --seed 17 --stack full");
        assert!(
            failure
                .line()
                .contains("cargo sim cluster --seed 17 --stack full\n    hang: no end within 180 s")
        );
        assert!(failure.page.contains("cargo sim cluster --seed 17 --stack full"));
    }

    #[test]
    fn a_dead_child_is_told_with_its_last_words() {
        let ending =
            Ending::Died { status: "exit status: 101".to_owned(), said: "index out of bounds".to_owned() };
        let failure = Failure::of(&run(ending)).unwrap();
        assert_eq!(failure.promise, "died");
        assert!(failure.seen.contains("index out of bounds"));
    }

    #[test]
    fn a_good_report_is_no_failure_and_a_bad_one_is() {
        let mut report = Failure::unreported(&run(Ending::Hung(Hung::Computing(Duration::ZERO))), broken());
        let failure = Failure::of(&run(Ending::Reported(Box::new(report.clone())))).unwrap();
        assert_eq!((failure.promise.as_str(), failure.at_ms), ("R-2", Some(1_500)));
        report.broken.clear();
        assert!(Failure::of(&run(Ending::Reported(Box::new(report)))).is_none());
    }

    fn broken() -> Broken {
        Broken {
            promise: "R-2".to_owned(),
            at_ms: 1_500,
            seen: "6 of 5 points".to_owned(),
            before: Vec::new(),
        }
    }
}
