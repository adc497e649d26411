//! Expected waits, from what stands in line and from what left it lately. Looks at heads, ranks and at most an hour
//! of minutes; never along a line.

use crate::domain::keys::RankKey;
use crate::domain::skills::ClassNo;
use crate::domain::{ConvNo, Domain, PlaceKind, QueueNo, State};
use crate::expected::limits::{EXITS_MIN, MINUTES};
use crate::expected::{Estimate, ExpectedWait, InQueue, Unknown, Way};
use crate::{Channel, LogTime, Priority, Span};

/// Who asks.
struct Asks {
    key: RankKey,
    channel: Channel,
    /// What it requires.
    class: ClassNo,
    /// Whether it is not there yet: a free agent would be its own.
    arrives: bool,
}

impl Domain {
    /// What a conversation may expect; none: there is none of this number.
    pub(crate) fn expected_wait(&self, no: ConvNo, now: LogTime) -> Option<ExpectedWait> {
        let conversation = self.conversations.get(&no)?;
        let mut expected = ExpectedWait {
            conversation: Some(no.id(self.id)),
            now,
            waited: now.since(conversation.arrived_at),
            queues: Vec::new(),
            unknown: None,
        };
        expected.unknown = match conversation.place {
            _ if conversation.state != State::Waiting => Some(Unknown::NotWaiting),
            _ if let Some(until) = conversation.rests_until() => Some(Unknown::Rests(until)),
            PlaceKind::Inbox => Some(Unknown::ToBePulled),
            PlaceKind::Dedicated(_) => Some(Unknown::ForCertainAgents),
            PlaceKind::Queues => None,
        };
        if expected.unknown.is_none() {
            let class = self.index.0.classes.of(conversation.required());
            let asks = Asks { key: self.rank_key(no), channel: conversation.channel, class, arrives: false };
            let named = !conversation.named().is_empty();
            let queues = self.present_queues(&conversation.queues).into_iter();
            expected.queues = queues
                .map(|queue| match named {
                    true => self.nothing_expected(queue, &asks, Unknown::ForCertainAgents),
                    false => self.expected_in(queue, &asks, now),
                })
                .collect();
        }
        Some(expected)
    }

    /// What somebody may expect who arrives now at a queue and requires nothing; none: there is no such queue.
    pub(crate) fn expected_on_arrival(
        &self,
        no: QueueNo,
        channel: Channel,
        priority: Priority,
        now: LogTime,
    ) -> Option<ExpectedWait> {
        self.queues.get(no.0)?;
        let key = self.index.0.ranking.key(priority, now, ConvNo(u64::MAX));
        let asks = Asks { key, channel, class: ClassNo::PLAIN, arrives: true };
        let queues = vec![self.expected_in(no, &asks, now)];
        Some(ExpectedWait { conversation: None, now, waited: Span::ZERO, queues, unknown: None })
    }

    fn nothing_expected(&self, no: QueueNo, asks: &Asks, why: Unknown) -> InQueue {
        let position = self.better_than(&asks.key, &[no], false) + 1;
        InQueue { queue: no.id(self.id), position, estimates: Vec::new(), unknown: Some(why) }
    }

    fn expected_in(&self, no: QueueNo, asks: &Asks, now: LogTime) -> InQueue {
        let queue = self.queue(no);
        let index = &queue.index.0;
        let available = match index.ready.all() {
            _ if queue.paused => return self.nothing_expected(no, asks, Unknown::Paused),
            _ if !self.serves(queue) => {
                let why = Unknown::Closed(queue.closed_until().flatten());
                return self.nothing_expected(no, asks, why);
            }
            None => return self.nothing_expected(no, asks, Unknown::NobodyAvailable),
            Some(available) => available,
        };
        let mut expected = self.nothing_expected(no, asks, Unknown::NothingToGoBy);
        // Whoever waits already could not have this agent, or would have been offered to it.
        if asks.arrives && available.free[asks.channel.index()] >= self.weight(asks.channel).0 {
            expected.estimates.push(Estimate { way: Way::AtOnce, wait: Span::ZERO });
        } else {
            let (exits, time) = queue.policies.busy_exits(MINUTES, now);
            // The exits of all say nothing of the few who can do what this one requires.
            if exits >= EXITS_MIN && asks.class == ClassNo::PLAIN {
                let wait = Span(expected.position.saturating_mul(time.0) / exits);
                expected.estimates.push(Estimate { way: Way::QueueLength, wait });
            }
            let line = index.lines[asks.channel.index()].line(asks.class);
            if let Some(wait) = line.and_then(|line| self.index.0.ranking.behind_head(&asks.key, line)) {
                expected.estimates.push(Estimate { way: Way::HeadOfLine, wait });
            }
        }
        expected.unknown = expected.estimates.is_empty().then_some(Unknown::NothingToGoBy);
        expected
    }
}

#[cfg(test)]
#[path = "expect_test.rs"]
mod tests;
