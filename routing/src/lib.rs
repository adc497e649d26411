//! The pure routing core: every decision is a function of the replicated log.
//!
//! No clock, entropy, threads, files, network or hash order in this crate. Time comes from
//! entries alone; randomness does not exist; every map is ordered or has a fixed hasher.
//!
//! Start at [`Shard::apply`].

pub mod command;
pub mod effects;
pub mod entry;
pub mod event;
pub mod ids;
pub mod invariants;
pub mod outcome;
pub mod settings;
mod shard;
pub mod units;
pub mod view;

pub use command::Command;
pub use effects::{Alarm, Effects};
pub use entry::{Entry, Position, RequestId};
pub use event::{Event, EventKind};
pub use ids::*;
pub use outcome::{Done, Outcome, Rejected};
pub use shard::{PlantedBug, Shard};
pub use units::*;
