//! Answers remembered by request id. Used by every domain and by the meta group.
//!
//! Three clocks are at work: the client's, whose time an id bears; the leader's wall clock; and log
//! time. Only log time is trusted: either of the others may be an hour off, and nothing may be
//! carried out twice for it, nor may what others ask for be refused.

mod reference;
#[cfg(test)]
mod tests;

pub use reference::ReferenceClock;

use crate::fixed::FixedMap;
use crate::settings::limits::EXPIRIES_PER_ENTRY_MAX;
use crate::{LogTime, RequestId, Span};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeSet, VecDeque};

/// Ids ahead of the reference clock by no more than this stand in the order of their arrival.
const SLACK_MS: u64 = 10_000;

/// For so long at most an answer is kept beyond its window because its id is ahead, and once more
/// for so long because the reference clock has not reached it.
const AHEAD_MAX: Span = Span::seconds(3_600);

/// The part of the room that ids far ahead may take from others.
const AHEAD_PART: usize = 4;

/// What is known of a request id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen<A> {
    /// Nothing: carry it out.
    New,
    /// It had this answer.
    Answered(A),
    /// It was used for another command.
    Reused,
    /// Its answer is no longer known, or would not be.
    TooOld,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Known<C, A> {
    content: C,
    answer: A,
}

/// The answers (`A`) of commands (`C`, or what stands for one) by request id, at most `MAX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requests<C, A, const MAX: usize> {
    known: FixedMap<u128, Known<C, A>>,
    /// Ids with the time of their first sight, in that order.
    order: VecDeque<(LogTime, u128)>,
    /// Ids that were far ahead at first sight, with the log time from which on their window counts.
    ahead: BTreeSet<(LogTime, u128)>,
    clock: Option<ReferenceClock>,
    /// Unknown ids made at this moment or before may have been forgotten. Never above the reference.
    floor_ms: Option<u64>,
}

impl<C, A, const MAX: usize> Requests<C, A, MAX> {
    /// What the reference clock shows, Unix milliseconds; nothing before the first id.
    #[must_use]
    pub fn reference_ms(&self) -> Option<u64> {
        self.clock.map(|clock| clock.ms())
    }

    /// The next entry sets the reference clock anew: the log goes on at another time and place. What
    /// was answered stays known for its window.
    pub fn forget_clock(&mut self) {
        self.clock = None;
    }
}

impl<C, A, const MAX: usize> Default for Requests<C, A, MAX> {
    fn default() -> Self {
        Self {
            known: FixedMap::default(),
            order: VecDeque::new(),
            ahead: BTreeSet::new(),
            clock: None,
            floor_ms: None,
        }
    }
}

impl<C: PartialEq, A: Clone, const MAX: usize> Requests<C, A, MAX> {
    /// An entry with this id is met: moves the reference clock, forgets some of what is older than
    /// the window, and says what is known of the id.
    pub fn meet(&mut self, id: RequestId, content: &C, now: LogTime, wall_ms: u64, window: Span) -> Seen<A> {
        let made_ms = id.made_at_ms();
        let good_until_ms = made_ms.saturating_add(window.0 / 1_000);
        let clock = match &mut self.clock {
            Some(clock) => {
                clock.follow(wall_ms, now, window);
                *clock
            }
            // An id refused here leaves no trace: the leader may be the one that is wrong.
            None if good_until_ms < wall_ms => return Seen::TooOld,
            // Two clocks are known of, and one that is behind does less harm.
            None => *self.clock.insert(ReferenceClock::start(wall_ms.min(made_ms), now)),
        };
        let reference_ms = clock.ms();
        self.forget(now, reference_ms, window);
        match self.known.get(&id.0) {
            Some(known) if known.content == *content => Seen::Answered(known.answer.clone()),
            Some(_) => Seen::Reused,
            None if good_until_ms < reference_ms => Seen::TooOld,
            None if self.floor_ms.is_some_and(|floor_ms| made_ms <= floor_ms) => Seen::TooOld,
            None => Seen::New,
        }
    }

    /// Remembers the answer to an id that was just met and new.
    pub fn remember(&mut self, id: RequestId, content: C, now: LogTime, answer: A) {
        let reference_ms = self.clock.map_or(0, |clock| clock.ms());
        if self.known.len() >= MAX {
            self.make_room(reference_ms);
        }
        if self.known.insert(id.0, Known { content, answer }).is_some() {
            return;
        }
        let ahead_ms = id.made_at_ms().saturating_sub(reference_ms);
        if ahead_ms <= SLACK_MS {
            self.order.push_back((now, id.0));
        } else {
            self.ahead.insert((now + Span::millis(ahead_ms.min(AHEAD_MAX.0 / 1_000)), id.0));
        }
    }

    fn forget(&mut self, now: LogTime, reference_ms: u64, window: Span) {
        let is_due = |(since, id): &(LogTime, u128)| {
            let until = *since + window;
            // Forgotten before the reference has passed it, it would be new again.
            until <= now && (RequestId(*id).made_at_ms() <= reference_ms || until + AHEAD_MAX <= now)
        };
        for _ in 0..EXPIRIES_PER_ENTRY_MAX {
            let gone = if self.order.front().is_some_and(is_due) {
                self.order.pop_front()
            } else if self.ahead.first().is_some_and(is_due) {
                self.ahead.pop_first()
            } else {
                return;
            };
            self.drop_answer(gone, reference_ms);
        }
    }

    /// Makes room for one: clocks that are far ahead must not push out the answers of others.
    fn make_room(&mut self, reference_ms: u64) {
        let gone = if self.ahead.len() > MAX / AHEAD_PART || self.order.is_empty() {
            self.ahead.pop_first()
        } else {
            self.order.pop_front()
        };
        self.drop_answer(gone, reference_ms);
    }

    fn drop_answer(&mut self, gone: Option<(LogTime, u128)>, reference_ms: u64) {
        let Some((_, id)) = gone else { return };
        self.known.remove(&id);
        let made_ms = RequestId(id).made_at_ms();
        // A floor above the reference would shut out everybody until that time has come.
        if made_ms <= reference_ms {
            self.floor_ms = self.floor_ms.max(Some(made_ms));
        }
    }
}

/// What is stored: answers in the order in which they are forgotten.
type Listed<C, A> = Vec<(LogTime, u128, C, A)>;

impl<C: Serialize, A: Serialize, const MAX: usize> Serialize for Requests<C, A, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let with_answer = |(since, id): &(LogTime, u128)| {
            let known = &self.known[id];
            (*since, *id, &known.content, &known.answer)
        };
        let order: Listed<&C, &A> = self.order.iter().map(with_answer).collect();
        let ahead: Listed<&C, &A> = self.ahead.iter().map(with_answer).collect();
        (self.clock, self.floor_ms, order, ahead).serialize(serializer)
    }
}

impl<'de, C: Deserialize<'de>, A: Deserialize<'de>, const MAX: usize> Deserialize<'de>
    for Requests<C, A, MAX>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        type Stored<C, A> = (Option<ReferenceClock>, Option<u64>, Listed<C, A>, Listed<C, A>);
        let (clock, floor_ms, order, ahead) = Stored::<C, A>::deserialize(deserializer)?;
        let mut requests = Self { clock, floor_ms, ..Self::default() };
        for (since, id, content, answer) in order {
            requests.order.push_back((since, id));
            requests.known.insert(id, Known { content, answer });
        }
        for (since, id, content, answer) in ahead {
            requests.ahead.insert((since, id));
            requests.known.insert(id, Known { content, answer });
        }
        Ok(requests)
    }
}
