//! Attaches sessions to whichever node leads their shard, again and again.

use super::{Front, FrontSession};
use crate::SessionEnd;
use crate::router::Router;
use crate::wire::{Attached, PeerAnswer, PeerCall, Seat};
use routing::{Epoch, ShardId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Sessions in one call.
const ATTACH_MAX: usize = 512;
const WAIT_FIRST: Duration = Duration::from_millis(20);
const WAIT_MAX: Duration = Duration::from_millis(500);

impl Front {
    /// Keeps the sessions of a shard attached, for as long as the node runs. A session that finds
    /// no leader for `give_up` ends.
    pub(crate) async fn keep_attached(self: Arc<Self>, shard: ShardId, router: Router, give_up: Duration) {
        let Some((_, notify)) = self.shards.get(&shard) else { return };
        let give_up_us = u64::try_from(give_up.as_micros()).unwrap_or(u64::MAX);
        loop {
            notify.notified().await;
            let mut wait = WAIT_FIRST;
            // Session number to the time since when it has been waiting.
            let mut since: BTreeMap<u64, u64> = BTreeMap::new();
            loop {
                let waiting = self.unattached(shard, ATTACH_MAX);
                if waiting.is_empty() {
                    break;
                }
                let tried = waiting.len();
                let done = self.attach(shard, &router, waiting.clone(), give_up).await;
                if done == tried {
                    wait = WAIT_FIRST;
                    continue;
                }
                let now_us = router.now_us();
                for (session, ..) in &waiting {
                    let first_us = *since.entry(session.number).or_insert(now_us);
                    if now_us.saturating_sub(first_us) > give_up_us {
                        self.end(session, SessionEnd::Unreachable);
                    }
                }
                tokio::time::sleep(wait).await;
                wait = WAIT_MAX.min(wait * 2);
            }
        }
    }

    /// Attaches these once; how many need no further try.
    async fn attach(
        &self,
        shard: ShardId,
        router: &Router,
        waiting: Vec<(Arc<FrontSession>, Seat, Epoch)>,
        deadline: Duration,
    ) -> usize {
        let seats = waiting.iter().map(|(_, seat, epoch)| (*seat, *epoch)).collect();
        let Ok(PeerAnswer::Attached(answers)) =
            router.to_leader(shard, PeerCall::Attach { shard, seats }, deadline, true).await
        else {
            return 0;
        };
        let mut done = 0;
        for ((session, seat, _), answer) in waiting.iter().zip(answers) {
            self.attached(session, *seat, answer);
            done += usize::from(answer != Attached::TryAgain);
        }
        done
    }
}
