//! Carries what a shard owes to other domains: conversations on their way, and recalls. What is owed
//! is in the state alone (ADR 0014); here is only what this leader has under way.

use crate::router::Router;
use crate::shard::ShardRuntime;
use proto::codec;
use routing::entry::Request;
use routing::outcome::{DoneWhat, Landing};
use routing::{Command, ConversationId, DomainId, LogTime, Owed, Shard};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Messages under way at once.
const AT_ONCE: usize = 256;
/// Of these to one domain: one that does not answer must not hold up what goes to others.
const AT_ONCE_TO_ONE: usize = 16;
/// For one message to be answered.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// Wait before a message is sent again that was not answered; doubled each time.
const PAUSE_FIRST_US: u64 = 50_000;
const PAUSE_MAX_US: u64 = 2_000_000;

/// A conversation and the number of its transfer.
pub(crate) type Key = (ConversationId, u64);

#[derive(Debug, Clone, Copy)]
enum Try {
    UnderWay { to: DomainId, pause_us: u64 },
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
        let log_time = LogTime(shard.group.log_time_us());
        self.pick(&shard.replica.read().shard, log_time, now_us)
    }

    fn pick(&mut self, shard: &Shard, log_time: LogTime, now_us: u64) -> Vec<Owed> {
        let mut to_each: BTreeMap<DomainId, usize> = BTreeMap::new();
        for one in self.tries.values() {
            if let Try::UnderWay { to, .. } = one {
                *to_each.entry(*to).or_default() += 1;
            }
        }
        let room = AT_ONCE.saturating_sub(to_each.values().sum());
        let looked = RefCell::new((to_each, BTreeSet::new()));
        let leave_out = |to: DomainId, conversation: ConversationId, number: u64| {
            let (to_each, known) = &mut *looked.borrow_mut();
            known.insert((conversation, number));
            match self.tries.get(&(conversation, number)) {
                Some(Try::UnderWay { .. }) => return true,
                Some(Try::Waits { until_us, .. }) if *until_us > now_us => return true,
                Some(Try::Waits { .. }) | None => {}
            }
            let to_this = to_each.entry(to).or_default();
            *to_this += 1;
            *to_this > AT_ONCE_TO_ONE
        };
        let owed = shard.owed(log_time, room, &leave_out);
        let (_, known) = looked.into_inner();
        for owed in &owed {
            let pause_us = match self.tries.get(&key(owed)) {
                Some(Try::Waits { pause_us, .. } | Try::UnderWay { pause_us, .. }) => *pause_us,
                None => PAUSE_FIRST_US,
            };
            self.tries.insert(key(owed), Try::UnderWay { to: owed.to, pause_us });
        }
        // Where everything owed was looked at, what was not met is owed no more. A message whose turn has
        // not come keeps its pause: else many that fail at once would be sent without any.
        if owed.len() < room {
            self.tries.retain(|key, one| matches!(one, Try::UnderWay { .. }) || known.contains(key));
        }
        owed
    }

    /// Takes what is owed for under way for ever.
    pub(crate) fn forget(&mut self, shard: &ShardRuntime, now_us: u64) {
        self.take(shard, now_us);
    }

    /// A message was answered and that is settled, or not.
    pub(crate) fn carried(&mut self, key: Key, settled: bool, now_us: u64) {
        let Some(Try::UnderWay { pause_us, .. }) = self.tries.remove(&key) else { return };
        if !settled {
            let waits = Try::Waits {
                until_us: now_us.saturating_add(pause_us),
                pause_us: PAUSE_MAX_US.min(pause_us.saturating_mul(2)),
            };
            self.tries.insert(key, waits);
        }
    }

    /// When a message may be sent again that was not answered. One that may be already waits for a
    /// place, and is looked at when the next message comes back.
    pub(crate) fn next_us(&self, now_us: u64) -> Option<u64> {
        let waits = self.tries.values().filter_map(|one| match one {
            Try::Waits { until_us, .. } => Some(*until_us).filter(|until_us| *until_us > now_us),
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
    match router.execute_in(place.shard, request, ANSWER_MAX).await {
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

#[cfg(test)]
mod tests {
    use super::*;
    use routing::command::{Arrival, By, TransferFallback, TransferTarget};
    use routing::settings::{DomainSettings, QueueSettings, RoutingMode, TouchpointSettings};
    use routing::{AccountId, Channel, Effects, Entry, Position, QueueId, ShardId, TouchpointId};

    const HOME: DomainId = DomainId(1);

    /// A shard whose domain sends so many conversations to each of these domains.
    fn sending(to: &[(u32, usize)]) -> Shard {
        let mut shard = Shard::new(ShardId(1));
        let mut index = 0;
        let mut apply = |command: Command| {
            index += 1;
            let request = Request { id: None, domain: HOME, expected_version: None, command };
            let position = Position { index, ordinal: 0 };
            let entry = Entry { position, time: LogTime(1), wall_ms: 1, request };
            shard.apply(&entry, &mut Effects::default()).expect("done").what
        };
        let settings = DomainSettings { name: "d".to_owned(), ..DomainSettings::default() };
        apply(Command::CreateDomain { account: AccountId(1), settings });
        let settings = QueueSettings { name: "q".to_owned(), ..QueueSettings::default() };
        apply(Command::CreateQueue { settings });
        let mode = RoutingMode::Simplified { queues: vec![QueueId::new(HOME, 1)] };
        let settings = TouchpointSettings { address: "t".to_owned(), channel: Channel::Email, mode };
        apply(Command::CreateTouchpoint { settings });
        for (domain, count) in to {
            for _ in 0..*count {
                let touchpoint = TouchpointId::new(HOME, 1);
                let (customer, reference) = ("c".to_owned(), String::new());
                let arrival = Arrival { touchpoint, customer, reference, priority: None, continues: None };
                let DoneWhat::Conversation { id: conversation, .. } = apply(Command::Start(arrival)) else {
                    panic!("no conversation")
                };
                let target = TransferTarget::Touchpoint(TouchpointId::new(DomainId(*domain), 1));
                let (fallback, by) = (TransferFallback::Source, By::System);
                apply(Command::Transfer { conversation, target, fallback, by });
            }
        }
        shard
    }

    fn to(owed: &[Owed], domain: u32) -> usize {
        owed.iter().filter(|owed| owed.to == DomainId(domain)).count()
    }

    #[test]
    fn one_domain_that_does_not_answer_holds_up_no_other() {
        let shard = sending(&[(2, 3 * AT_ONCE_TO_ONE), (3, 2)]);
        let mut carrier = Carrier::default();
        let first = carrier.pick(&shard, LogTime(1), 0);
        assert_eq!((to(&first, 2), to(&first, 3)), (AT_ONCE_TO_ONE, 2));
        assert!(carrier.pick(&shard, LogTime(1), 1_000).is_empty(), "all that may be is under way");
        // One gave up: its place goes to the next.
        carrier.carried(key(&first[0]), false, 2_000);
        let next = carrier.pick(&shard, LogTime(1), 2_000);
        assert_eq!((next.len(), to(&next, 2)), (1, 1));
        assert_ne!(key(&next[0]), key(&first[0]));
        assert_eq!(carrier.next_us(2_000), Some(2_000 + PAUSE_FIRST_US));
    }

    #[test]
    fn what_was_not_answered_is_sent_again_ever_less_often() {
        let shard = sending(&[(2, 1)]);
        let mut carrier = Carrier::default();
        let (mut now_us, mut pauses) = (0, Vec::new());
        for _ in 0..9 {
            let taken = carrier.pick(&shard, LogTime(1), now_us);
            assert_eq!(taken.len(), 1);
            carrier.carried(key(&taken[0]), false, now_us);
            let next_us = carrier.next_us(now_us).expect("waits");
            assert!(carrier.pick(&shard, LogTime(1), next_us - 1).is_empty());
            pauses.push(next_us - now_us);
            now_us = next_us;
        }
        assert_eq!(pauses[0], PAUSE_FIRST_US);
        assert!(pauses.windows(2).all(|two| two[1] == (2 * two[0]).min(PAUSE_MAX_US)), "{pauses:?}");
        assert_eq!(pauses.last(), Some(&PAUSE_MAX_US));
    }

    /// As a quarantined domain does: every message is refused at once.
    #[test]
    fn many_that_fail_at_once_keep_their_pauses() {
        let many = 3 * AT_ONCE_TO_ONE;
        let shard = sending(&[(2, many)]);
        let mut carrier = Carrier::default();
        let mut pause_us = PAUSE_FIRST_US;
        for time_us in [0, 1_000_000, 2_000_000, 3_000_000] {
            // All are due at once, and go in turns.
            for turn in 0..3 {
                let taken = carrier.pick(&shard, LogTime(1), time_us);
                assert_eq!(taken.len(), AT_ONCE_TO_ONE, "turn {turn} at {time_us}");
                taken.iter().for_each(|owed| carrier.carried(key(owed), false, time_us));
            }
            assert!(carrier.pick(&shard, LogTime(1), time_us).is_empty(), "each once");
            assert_eq!(carrier.next_us(time_us), Some(time_us + pause_us), "the shortest pause of all");
            pause_us *= 2;
        }
    }

    #[test]
    fn what_is_settled_by_somebody_else_leaves_nothing_to_wake_for() {
        let shard = sending(&[(2, 1)]);
        let mut carrier = Carrier::default();
        let taken = carrier.pick(&shard, LogTime(1), 0);
        carrier.carried(key(&taken[0]), false, 0);
        let empty = sending(&[]);
        assert!(carrier.pick(&empty, LogTime(1), PAUSE_FIRST_US).is_empty());
        assert_eq!(carrier.next_us(0), None);
    }
}
