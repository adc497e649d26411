//! The history checker: judges the promises of the routing contract from what clients and desks
//! saw, apart from the code it checks.
//!
//! Input is a [`History`]: the domain's event record read to its end, every attempt of every call
//! with its outcome (unknown is never absent), and what desks were shown. [`check`] replays the
//! record on a picture of its own and says which promises do not hold, and why.

mod blocks;
mod calls;
mod core;
mod entities;
mod lines;
pub mod model;
mod replay;
mod standing;
#[cfg(test)]
mod tests;
mod violation;
mod wire;

pub use model::{Event, Facts, History};
pub use violation::{Promise, Verdict, Violation};
pub use wire::{Unreadable, from_wire};

/// Judges one domain's history.
#[must_use]
pub fn check(history: &History) -> Verdict {
    let mut replay = replay::Replay::new(history);
    replay.run(history.first_sequence);
    calls::judge(history, &mut replay);
    replay.verdict
}
