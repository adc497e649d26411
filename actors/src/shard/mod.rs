//! One shard on this node: its replica of the state, and what the leader adds around it.

mod desks;
mod leases;
mod machine;
mod reads;
mod replicas;
mod runtime;
mod subscribers;
mod table;

pub(crate) use desks::{DeskFound, Desks, Outgoing};
pub(crate) use leases::{Leases, Silence};
pub(crate) use machine::{Parts, ShardMachine, SharedReplica, unreadable};
pub(crate) use reads::read;
pub(crate) use replicas::Replicas;
pub(crate) use runtime::{Counters, ShardRuntime};
pub(crate) use subscribers::{Heard, Subscribers};
pub(crate) use table::ShardTable;
