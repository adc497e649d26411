//! Signs of life of this node's sessions travel together, one message per shard and beat.

use super::{Front, FrontSession};
use crate::router::Router;
use crate::shard::ShardTable;
use crate::wire::PeerCast;
use consensus::GroupId;
use proto::codec;
use routing::{AgentId, Epoch, ShardId};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// Desks in one message.
const BEAT_DESKS_MAX: usize = 2_000;

impl Front {
    /// A desk was heard of.
    pub(crate) fn hear(&self, session: &Arc<FrontSession>) {
        if session.hear() {
            self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(session.clone());
            self.heard_some.notify_one();
        }
    }

    /// Sends beats for as long as the node runs; sleeps while nothing is heard.
    pub(crate) async fn beat(self: Arc<Self>, router: Router, shards: ShardTable, every: Duration) {
        loop {
            self.heard_some.notified().await;
            tokio::time::sleep(every).await;
            let heard = std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner));
            let mut desks: BTreeMap<ShardId, Vec<(AgentId, Epoch)>> = BTreeMap::new();
            for session in heard {
                if let Some(desk) = session.beat() {
                    desks.entry(session.shard()).or_default().push(desk);
                }
            }
            for (id, desks) in desks {
                let leader = router.consensus.leader(GroupId(id.0)).and_then(|told| told.borrow().leader);
                if leader == Some(router.this) {
                    let Some(shard) = shards.get(id) else { continue };
                    let now_us = router.now_us();
                    for (agent, epoch) in desks {
                        shard.leases.heard(agent, epoch, router.this, now_us);
                    }
                } else if let Some(leader) = leader {
                    for part in desks.chunks(BEAT_DESKS_MAX) {
                        let beats = PeerCast::Beats { shard: id, desks: part.to_vec() };
                        // A lost beat is made good by the next one, well inside the lease.
                        let _ = router.peers.cast(leader, codec::encode(&beats).into());
                    }
                }
            }
        }
    }
}
