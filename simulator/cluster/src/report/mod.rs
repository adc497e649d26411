//! What a run says in the end.

mod page;

pub use page::{page, this_command};

use crate::plan::{Plan, StackKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A broken promise, or something else that must not happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// `R-1` to `R-20`, or `node` (did not start, failed without a fault of its disk), `stuck`,
    /// `alarm`, `panic`.
    pub promise: String,
    /// Simulated milliseconds since the beginning.
    pub at_ms: u64,
    /// What was seen.
    pub seen: String,
    /// The last events of the entities concerned, and the last faults, oldest first.
    pub before: Vec<String>,
}

/// A run's result; the last line of `cluster --json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// `full` or `fast`.
    pub stack: String,
    /// Members.
    pub nodes: u64,
    /// New conversations per second.
    pub rate: f64,
    /// The planted fault, if any.
    pub bug: Option<String>,
    /// What was broken; empty is good.
    pub broken: Vec<Broken>,
    /// Simulated seconds.
    pub virtual_s: f64,
    /// Real seconds.
    pub real_s: f64,
    /// Seconds of a core: the real seconds, if the machine does nothing else.
    pub core_s: f64,
    /// Entries committed and applied, each counted once.
    pub commits: u64,
    /// What happened, by name: faults, elections, snapshots, offers, transfers, redeliveries, ...
    /// Names with a `fault.` in front are faults that were done.
    pub counts: BTreeMap<String, u64>,
    /// Hash of everything that was applied and seen, in hexadecimal.
    pub hash: String,
}

impl Report {
    /// An empty report of a plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        Self {
            seed: plan.seed,
            stack: match plan.stack {
                StackKind::Full => "full".to_owned(),
                StackKind::Fast => "fast".to_owned(),
            },
            nodes: plan.nodes,
            rate: plan.load.rate,
            bug: plan.bug.map(|bug| bug.to_string()),
            broken: Vec::new(),
            virtual_s: 0.0,
            real_s: 0.0,
            core_s: 0.0,
            commits: 0,
            counts: BTreeMap::new(),
            hash: String::new(),
        }
    }
}
