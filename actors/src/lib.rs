//! Actors around the core: shards, agents, queues, conversations; sessions of desks, leases,
//! delivery, admission and the event store. Nothing here decides about routing.
//!
//! [`Engine`] is the whole interface: one per node, cheap to clone.

pub mod api;
mod engine;

pub use api::*;
pub use engine::Engine;
