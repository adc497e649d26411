//! Everything of one shard on this node, in one place.

use super::{Desks, Leases, SharedReplica, Subscribers};
use crate::events::EventStore;
use crate::seeded::Seeded;
use consensus::Group;
use routing::ShardId;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio_util::sync::CancellationToken;

/// One shard on this node.
pub(crate) struct ShardRuntime {
    pub(crate) id: ShardId,
    pub(crate) group: Group,
    pub(crate) replica: SharedReplica,
    pub(crate) events: EventStore,
    pub(crate) desks: Arc<Desks>,
    pub(crate) leases: Arc<Leases>,
    pub(crate) subscribers: Arc<Subscribers>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) seeded: Seeded,
    /// Ends what goes on as long as the replica is here.
    pub(crate) stop: CancellationToken,
}

/// What a node counts.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) actors: AtomicU64,
    pub(crate) overloaded: AtomicU64,
    pub(crate) agents_silent: AtomicU64,
    pub(crate) nodes_unreachable: AtomicU64,
}
