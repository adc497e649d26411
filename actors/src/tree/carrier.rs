//! Carries what a shard owes to other domains: conversations on their way, and recalls. What is owed
//! is in the state alone (ADR 0014); here is only what this leader has under way.

use crate::router::Router;
use crate::shard::ShardRuntime;
use proto::codec;
use routing::entry::Request;
use routing::outcome::{DoneWhat, Landing};
use routing::{Command, ConversationId, LogTime, Owed};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Messages under way at once.
const AT_ONCE: usize = 64;
/// For one message to be answered.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// Wait before a message is sent again that was not answered; doubled each time.
const PAUSE_FIRST_US: u64 = 50_000;
const PAUSE_MAX_US: u64 = 2_000_000;

/// A conversation and the number of its transfer.
pub(crate) type Key = (ConversationId, u64);

#[derive(Debug, Clone, Copy)]
enum Try {
    UnderWay { pause_us: u64 },
    Waits { until_us: u64, pause_us: u64 },
}

/// What is under way. Bounded by what the domains' outboxes may hold.
#[derive(Debug, Default)]
pub(crate) struct Carrier {
    tries: BTreeMap<Key, Try>,
}

impl Carrier {
    /// Takes what may be sent now.
    pub(crate) fn take(&mut self, shard: &ShardRuntime, now_us: u64) -> Vec<Owed> {
        let under_way = self.tries.values().filter(|one| matches!(one, Try::UnderWay { .. })).count();
        let leave_out =
            |conversation: ConversationId, number: u64| match self.tries.get(&(conversation, number)) {
                Some(Try::UnderWay { .. }) => true,
                Some(Try::Waits { until_us, .. }) => *until_us > now_us,
                None => false,
            };
        let log_time = LogTime(shard.group.log_time_us());
        let most = AT_ONCE.saturating_sub(under_way);
        let owed = shard.replica.read().shard.owed(log_time, most, &leave_out);
        for owed in &owed {
            let pause_us = match self.tries.get(&key(owed)) {
                Some(Try::Waits { pause_us, .. } | Try::UnderWay { pause_us }) => *pause_us,
                None => PAUSE_FIRST_US,
            };
            self.tries.insert(key(owed), Try::UnderWay { pause_us });
        }
        // What is due and was not taken is owed no more, or is one too many for now.
        self.tries.retain(|_, one| match one {
            Try::UnderWay { .. } => true,
            Try::Waits { until_us, .. } => *until_us > now_us,
        });
        owed
    }

    /// Takes what is owed for under way for ever.
    pub(crate) fn forget(&mut self, shard: &ShardRuntime, now_us: u64) {
        self.take(shard, now_us);
    }

    /// A message was answered and that is settled, or not.
    pub(crate) fn carried(&mut self, key: Key, settled: bool, now_us: u64) {
        let Some(Try::UnderWay { pause_us }) = self.tries.remove(&key) else { return };
        if !settled {
            let waits = Try::Waits {
                until_us: now_us.saturating_add(pause_us),
                pause_us: PAUSE_MAX_US.min(pause_us.saturating_mul(2)),
            };
            self.tries.insert(key, waits);
        }
    }

    /// When a message may be sent again that was not answered.
    pub(crate) fn next_us(&self) -> Option<u64> {
        let waits = self.tries.values().filter_map(|one| match one {
            Try::Waits { until_us, .. } => Some(*until_us),
            Try::UnderWay { .. } => None,
        });
        waits.min()
    }
}

/// Names a message.
pub(crate) fn key(owed: &Owed) -> Key {
    (owed.crossing.from, owed.crossing.number)
}

/// Sends a message and settles its answer, in this term or not at all. False: to be tried again.
pub(crate) async fn carry(router: Router, shard: Arc<ShardRuntime>, term: u64, owed: Owed) -> bool {
    let Some(landing) = send(&router, &owed).await else { return false };
    let (conversation, number) = key(&owed);
    let command = Command::Settle { conversation, number, recall: owed.recall, landing };
    let request = Request { id: None, domain: conversation.domain, expected_version: None, command };
    shard.group.propose_in_term(term, codec::encode(&request)).await.is_ok()
}

/// What the other domain answers; none where that is not known.
async fn send(router: &Router, owed: &Owed) -> Option<Landing> {
    let place = router.place(owed.to, ANSWER_MAX).await.ok()?;
    let request =
        Request { id: None, domain: owed.to, expected_version: None, command: owed.command.clone() };
    match router.execute(place.shard, request, ANSWER_MAX).await {
        Ok(done) => match done.what {
            DoneWhat::Landed(landing) => Some(landing),
            other => {
                tracing::error!(to = %owed.to, ?other, "a transfer was answered with something else");
                None
            }
        },
        // Quarantined, unknown, overloaded or unreachable: none of it says where the conversation is.
        Err(error) => {
            tracing::debug!(from = %owed.crossing.from, to = %owed.to, %error, "a transfer goes on later");
            None
        }
    }
}
