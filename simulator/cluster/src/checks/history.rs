//! What clients did and saw.

use crate::report::Broken;
use std::collections::BTreeMap;

/// Everything clients did and saw, in the order of simulated time.
#[derive(Debug, Default)]
pub struct History {}

impl History {
    /// Acknowledged work that is not finished, as far as clients know: what the liveness phase
    /// waits for. A change of this number is progress.
    #[must_use]
    pub fn unfinished(&self) -> u64 {
        0
    }

    /// What is unfinished, for a person: a few of them.
    #[must_use]
    pub fn describe_unfinished(&self) -> String {
        String::new()
    }

    /// Moves with everything that clients see: the healed core is stuck when it stands still.
    #[must_use]
    pub fn progress(&self) -> u64 {
        0
    }

    /// Judges all that was seen; called once, when the run is over.
    #[must_use]
    pub fn judge(&self) -> Vec<Broken> {
        Vec::new()
    }

    /// What clients did and saw, by name, for coverage.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }

    /// Hash of everything that clients did and saw.
    #[must_use]
    pub fn hash(&self) -> u64 {
        0
    }
}
