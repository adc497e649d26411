//! Replication: openraft groups, the node's shared log, snapshots and the transport between
//! nodes. The only crate that knows openraft; nothing of openraft is in its public interface.
//!
//! It replicates opaque commands for any [`StateMachine`], so it can be tested with a small one.

pub mod api;
pub mod disk;
pub mod env;
mod runtime;
pub mod snapshots;
pub mod store;
mod type_config;
pub mod wal;

pub use api::*;
pub use env::{Clock, Entropy};
pub use runtime::seed_thread;
