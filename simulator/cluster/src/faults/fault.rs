//! A fault that is under way.

use super::Stage;
use std::time::Duration;

/// What a kind of fault is once it began. It holds what it must undo.
pub(super) trait Fault {
    /// Called at every step after the one in which it began. True when it is over and has undone
    /// everything that it did.
    fn step(&mut self, stage: &mut Stage<'_>) -> bool;
}

/// What `begin` of every kind answers: `None` when the cluster is in no state for it now, so that
/// it is tried again soon.
pub(super) type Begun = Option<Box<dyn Fault>>;

/// A fault of one moment.
pub(super) struct Over;

impl Fault for Over {
    fn step(&mut self, _stage: &mut Stage<'_>) -> bool {
        true
    }
}

/// Begins one fault of a kind that lasts about so long.
pub(super) type Begin = fn(&mut Stage<'_>, Duration) -> Begun;
