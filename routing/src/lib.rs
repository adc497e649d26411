//! The pure routing core: every decision is a function of the replicated log.
//!
//! No clock, entropy, threads, files, network or hash order in this crate. Time comes from
//! entries alone; randomness does not exist; every map is ordered or has a fixed hasher.
//!
//! Start at [`Shard::apply`].

pub mod blocks;
pub mod callback;
pub mod command;
mod commands;
pub mod criteria;
mod deadlines;
mod digest;
mod domain;
pub mod effects;
pub mod entry;
pub mod event;
mod expect;
pub mod expected;
mod expiry;
mod explain;
mod explain_queue;
#[cfg(test)]
mod failures_test;
mod fixed;
#[cfg(test)]
mod fuzz_test;
pub mod handling;
pub mod hours;
pub mod ids;
pub mod invariants;
pub mod level;
mod likeness;
mod matching;
pub mod outcome;
pub mod pace;
mod paged;
pub mod picked;
mod pictures;
pub mod policy;
pub mod requests;
#[cfg(test)]
mod scene;
pub mod settings;
mod shard;
#[cfg(test)]
mod testing;
mod tree;
pub mod units;
pub mod view;
mod views;

pub use command::Command;
pub use digest::fingerprint;
pub use domain::MovePiece;
pub use domain::crossings::Owed;
pub use effects::{Alarm, Effects};
pub use entry::{Entry, Position, RequestId};
pub use event::{Event, EventKind};
pub use ids::*;
pub use outcome::{Done, Outcome, Rejected};
pub use pictures::{Look, Pictures};
pub use shard::{
    Frozen, Gathered, Leaving, Picture, Piece, PlantedBug, Reconciled, Shard, UnknownBug, Whereabouts,
};
pub use units::*;
