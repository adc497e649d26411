//! The shards that this node has replicas of, as they come and go.

use super::ShardRuntime;
use routing::ShardId;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Cheap to clone; all clones are the same table.
#[derive(Clone, Default)]
pub(crate) struct ShardTable {
    shards: Arc<RwLock<BTreeMap<ShardId, Arc<ShardRuntime>>>>,
}

impl ShardTable {
    /// A shard that there is a replica of here.
    pub(crate) fn get(&self, id: ShardId) -> Option<Arc<ShardRuntime>> {
        self.shards.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// All of them, in the order of ids.
    pub(crate) fn all(&self) -> Vec<Arc<ShardRuntime>> {
        self.shards.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(super) fn insert(&self, shard: Arc<ShardRuntime>) {
        self.shards.write().unwrap_or_else(PoisonError::into_inner).insert(shard.id, shard);
    }

    pub(super) fn remove(&self, id: ShardId) -> Option<Arc<ShardRuntime>> {
        self.shards.write().unwrap_or_else(PoisonError::into_inner).remove(&id)
    }
}
