//! Replication: openraft groups, the node's shared log, snapshots and the transport between
//! nodes. The only crate that knows openraft; nothing of openraft is in its public interface.
//!
//! It replicates opaque commands for any [`StateMachine`], so it can be tested with a small one.

pub mod api;
mod balance;
mod bootstrap;
mod bytes_list;
mod config;
mod consensus;
pub mod disk;
pub mod env;
mod figures;
mod group;
mod logs;
mod members;
mod restore;
mod runtime;
mod seeded;
pub mod snapshots;
pub mod store;
mod transport;
mod type_config;
pub mod wal;

pub use api::*;
pub use balance::Leads;
pub use config::{
    About, Config, LEVEL_PARTS, Limits, MEMBERS_MAX, NODES_MAX, SHARDS_MAX, SPEED_MAX, StartError, Timing,
    World, is_zone,
};
pub use consensus::Consensus;
pub use env::{Clock, Entropy};
pub use figures::Figures;
pub use group::{Export, Exported, Group, GroupMember, GroupMembers, GroupStatus, MemberChange};
pub use logs::quiet_filter;
pub use restore::{Beginning, restore};
pub use runtime::seed_thread;
#[cfg(feature = "seeded-bugs")]
pub use seeded::SeededBug;
pub use transport::{Dial, PeerService, Peers, Pipe, SharedDial, TcpDial, Wire};
