//! Actors around the core: shards, agents, queues, conversations; sessions of desks, leases,
//! delivery, admission and the event store. Nothing here decides about routing.
//!
//! [`Engine`] is the whole interface: one per node, cheap to clone.

mod alarms;
pub mod api;
mod beside;
mod callback_beside;
mod cluster;
mod config;
mod engine;
mod events;
mod export;
mod far;
mod front;
mod handler;
mod handling_beside;
mod hours_beside;
mod leader;
mod membership;
mod meta;
mod pace_beside;
mod policies_beside;
mod post;
mod probe;
mod restore;
mod ring_beside;
mod router;
mod rules_beside;
mod seeded;
mod shard;
mod start;
mod tree;
mod wire;

pub use api::*;
pub use config::EngineConfig;
pub use engine::Engine;
pub use events::EventLimits;
pub use export::{ExportError, ExportFrom, LogExport, META};
pub use probe::{Applied, Probe, Spot};
pub use restore::{MetaReplay, MetaReplayError};
#[cfg(feature = "seeded-bugs")]
pub use seeded::SeededBug;
