//! What `swarm --json` writes.

use super::{Failure, Quantiles, Seeds, Totals};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// A swarm's result.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Runs that ended; each has a seed of its own.
    pub seeds: u64,
    /// The seeds that were asked for, as `first..=last`.
    pub range: String,
    /// Runs by stack.
    pub by_stack: BTreeMap<String, u64>,
    /// Simulated hours.
    pub virtual_hours: f64,
    /// Real seconds from the first start to the last end.
    pub wall_s: f64,
    /// Runs at a time.
    pub jobs: u64,
    /// Entries committed and applied.
    pub commits: u64,
    /// What was broken; empty is good.
    pub broken: Vec<Failure>,
    /// What should have happened in so many runs and never did; empty is good.
    pub never: Vec<String>,
    /// Simulated seconds per real second of one core, over all runs.
    pub speed_per_core: f64,
    /// The same by stack and by conversations per second, of clusters with three nodes.
    pub speeds: BTreeMap<String, BTreeMap<String, Quantiles>>,
    /// What happened, by name.
    pub counts: BTreeMap<String, u64>,
}

impl Summary {
    /// Of some runs.
    #[must_use]
    pub fn of(totals: &Totals, range: Seeds, jobs: usize, wall: Duration, never: Vec<String>) -> Self {
        Self {
            seeds: totals.runs,
            range: range.to_string(),
            by_stack: totals.by_stack.clone(),
            virtual_hours: totals.virtual_hours(),
            wall_s: wall.as_secs_f64(),
            jobs: jobs as u64,
            commits: totals.commits,
            broken: totals.failures.clone(),
            never,
            speed_per_core: totals.speed(),
            speeds: totals.speeds.quantiles(),
            counts: totals.summed_counts(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::totals::tests::run;
    use super::*;
    use crate::plan::StackKind;
    use serde_json::json;

    #[test]
    fn its_shape() {
        let mut totals = Totals::default();
        totals.add(&run(1, StackKind::Fast, &[("offers", 3)], None));
        totals.add(&run(2, StackKind::Full, &[("offers", 4)], Some("R-3")));
        let range = "1..3".parse().unwrap();
        let summary = Summary::of(&totals, range, 2, Duration::from_secs(4), vec!["fault.loss".to_owned()]);
        let written = serde_json::to_value(summary).unwrap();
        assert_eq!(
            written,
            json!({
                "seeds": 2,
                "range": "1..=2",
                "by_stack": {"fast": 1, "full": 1},
                "virtual_hours": 120.0 / 3_600.0,
                "wall_s": 4.0,
                "jobs": 2,
                "commits": 200,
                "broken": [{
                    "seed": 2, "stack": "full", "promise": "R-3", "at_ms": 1_500, "seen": "seen",
                    "command": "cargo sim cluster --seed 2 --stack full",
                }],
                "never": ["fault.loss"],
                "speed_per_core": 60.0,
                "speeds": {
                    "fast": {"5": {"runs": 1, "p10": 60.0, "median": 60.0, "p90": 60.0}},
                    "full": {"5": {"runs": 1, "p10": 60.0, "median": 60.0, "p90": 60.0}},
                },
                "counts": {"offers": 7},
            })
        );
    }
}
