//! Replication: openraft groups, the node's shared log, snapshots and the transport between
//! nodes. The only crate that knows openraft; nothing of openraft is in its public interface.
//!
//! It replicates opaque commands for any [`StateMachine`], so it can be tested with a small one.

pub mod api;
pub mod disk;
pub mod env;
pub mod snapshots;
pub mod store;
pub mod wal;

pub use api::*;
pub use env::{Clock, Entropy};
