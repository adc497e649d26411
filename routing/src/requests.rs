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
use crate::paged::Fifo;
use crate::settings::limits::EXPIRIES_PER_ENTRY_MAX;
use crate::{LogTime, RequestId, Span};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

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

/// What is known of an id, in the order of first sight.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Met<C, A> {
    since: LogTime,
    id: u128,
    known: Known<C, A>,
}

/// Where an id's answer is.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// In the order of first sight, under this number.
    Order(u64),
    /// Among those far ahead, under this time.
    Ahead(LogTime),
}

/// The answers (`A`) of commands (`C`, or what stands for one) by request id, at most `MAX`.
#[derive(Debug, Clone)]
pub struct Requests<C, A, const MAX: usize> {
    /// Where each known id is: derived.
    places: FixedMap<u128, Place>,
    /// Ids with the time of their first sight, in that order.
    order: Fifo<Met<C, A>>,
    /// Ids that were far ahead at first sight, with the log time from which on their window counts.
    ahead: BTreeMap<(LogTime, u128), Known<C, A>>,
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
            places: FixedMap::default(),
            order: Fifo::default(),
            ahead: BTreeMap::new(),
            clock: None,
            floor_ms: None,
        }
    }
}

impl<C: PartialEq, A: PartialEq, const MAX: usize> PartialEq for Requests<C, A, MAX> {
    fn eq(&self, other: &Self) -> bool {
        (self.clock, self.floor_ms) == (other.clock, other.floor_ms)
            && self.order.iter().eq(other.order.iter())
            && self.ahead == other.ahead
    }
}

impl<C: Eq, A: Eq, const MAX: usize> Eq for Requests<C, A, MAX> {}

impl<C: Clone, A: Clone, const MAX: usize> Requests<C, A, MAX> {
    /// As it is now, to be stored and for nothing else: answers cannot be looked up in it.
    pub(crate) fn frozen(&self) -> Self {
        let (order, ahead) = (self.order.clone(), self.ahead.clone());
        Self { places: FixedMap::default(), order, ahead, clock: self.clock, floor_ms: self.floor_ms }
    }
}

impl<C: PartialEq + Clone, A: Clone, const MAX: usize> Requests<C, A, MAX> {
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
        match self.known(id.0) {
            Some(known) if known.content == *content => Seen::Answered(known.answer.clone()),
            Some(_) => Seen::Reused,
            None if good_until_ms < reference_ms => Seen::TooOld,
            None if self.floor_ms.is_some_and(|floor_ms| made_ms <= floor_ms) => Seen::TooOld,
            None => Seen::New,
        }
    }

    fn known(&self, id: u128) -> Option<&Known<C, A>> {
        match *self.places.get(&id)? {
            Place::Order(number) => self.order.get(number).map(|met| &met.known),
            Place::Ahead(since) => self.ahead.get(&(since, id)),
        }
    }

    /// Remembers the answer to an id that was just met and new.
    pub fn remember(&mut self, id: RequestId, content: C, now: LogTime, answer: A) {
        let reference_ms = self.clock.map_or(0, |clock| clock.ms());
        if self.places.len() >= MAX {
            self.make_room(reference_ms);
        }
        let ahead_ms = id.made_at_ms().saturating_sub(reference_ms);
        let since =
            if ahead_ms <= SLACK_MS { now } else { now + Span::millis(ahead_ms.min(AHEAD_MAX.0 / 1_000)) };
        let (id, known) = (id.0, Known { content, answer });
        let place = if ahead_ms <= SLACK_MS {
            Place::Order(self.order.push_back(Met { since, id, known }))
        } else {
            self.ahead.insert((since, id), known);
            Place::Ahead(since)
        };
        self.places.insert(id, place);
    }

    fn forget(&mut self, now: LogTime, reference_ms: u64, window: Span) {
        let is_due = |since: LogTime, id: u128| {
            let until = since + window;
            // Forgotten before the reference has passed it, it would be new again.
            until <= now && (RequestId(id).made_at_ms() <= reference_ms || until + AHEAD_MAX <= now)
        };
        for _ in 0..EXPIRIES_PER_ENTRY_MAX {
            if self.order.front().is_some_and(|met| is_due(met.since, met.id)) {
                self.forget_first(reference_ms);
            } else if self.ahead.first_key_value().is_some_and(|((since, id), _)| is_due(*since, *id)) {
                self.forget_ahead(reference_ms);
            } else {
                return;
            }
        }
    }

    /// Makes room for one: clocks that are far ahead must not push out the answers of others.
    fn make_room(&mut self, reference_ms: u64) {
        if self.ahead.len() > MAX / AHEAD_PART || self.order.is_empty() {
            self.forget_ahead(reference_ms);
        } else {
            self.forget_first(reference_ms);
        }
    }

    fn forget_first(&mut self, reference_ms: u64) {
        let Some(id) = self.order.front().map(|met| met.id) else { return };
        self.order.pop_front();
        self.forgotten(id, reference_ms);
    }

    fn forget_ahead(&mut self, reference_ms: u64) {
        let Some(((_, id), _)) = self.ahead.pop_first() else { return };
        self.forgotten(id, reference_ms);
    }

    fn forgotten(&mut self, id: u128, reference_ms: u64) {
        self.places.remove(&id);
        let made_ms = RequestId(id).made_at_ms();
        // A floor above the reference would shut out everybody until that time has come.
        if made_ms <= reference_ms {
            self.floor_ms = self.floor_ms.max(Some(made_ms));
        }
    }
}

/// What is stored, piece by piece.
impl<C, A, const MAX: usize> Requests<C, A, MAX> {
    pub(crate) fn clock_and_floor(&self) -> (Option<ReferenceClock>, Option<u64>) {
        (self.clock, self.floor_ms)
    }

    /// How many are in order, and how many far ahead.
    pub(crate) fn lens(&self) -> [usize; 2] {
        [self.order.len(), self.ahead.len()]
    }

    pub(crate) fn in_order(&self) -> impl Iterator<Item = (LogTime, u128, &C, &A)> {
        self.order.iter().map(|met| (met.since, met.id, &met.known.content, &met.known.answer))
    }

    pub(crate) fn far_ahead(&self) -> impl Iterator<Item = (LogTime, u128, &C, &A)> {
        self.ahead.iter().map(|((since, id), known)| (*since, *id, &known.content, &known.answer))
    }
}

/// For a domain that moves.
impl<C, A, const MAX: usize> Requests<C, A, MAX> {
    pub(crate) fn set_clock_and_floor(&mut self, clock: Option<ReferenceClock>, floor_ms: Option<u64>) {
        (self.clock, self.floor_ms) = (clock, floor_ms);
    }
}

/// For a domain that moves.
impl<C: Clone, A: Clone, const MAX: usize> Requests<C, A, MAX> {
    /// The next answer as it was stored: those in order, then those far ahead.
    pub(crate) fn put(&mut self, ahead: bool, since: LogTime, id: u128, content: C, answer: A) {
        let known = Known { content, answer };
        let place = if ahead {
            self.ahead.insert((since, id), known);
            Place::Ahead(since)
        } else {
            Place::Order(self.order.push_back(Met { since, id, known }))
        };
        self.places.insert(id, place);
    }
}

/// What is stored: answers in the order in which they are forgotten.
type Listed<C, A> = Vec<(LogTime, u128, C, A)>;

impl<C: Serialize, A: Serialize, const MAX: usize> Serialize for Requests<C, A, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let order: Listed<&C, &A> = self.in_order().collect();
        let ahead: Listed<&C, &A> = self.far_ahead().collect();
        (self.clock, self.floor_ms, order, ahead).serialize(serializer)
    }
}

impl<'de, C: Clone + Deserialize<'de>, A: Clone + Deserialize<'de>, const MAX: usize> Deserialize<'de>
    for Requests<C, A, MAX>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        type Stored<C, A> = (Option<ReferenceClock>, Option<u64>, Listed<C, A>, Listed<C, A>);
        let (clock, floor_ms, order, ahead) = Stored::<C, A>::deserialize(deserializer)?;
        let mut requests = Self { clock, floor_ms, ..Self::default() };
        for (since, id, content, answer) in order {
            requests.put(false, since, id, content, answer);
        }
        for (since, id, content, answer) in ahead {
            requests.put(true, since, id, content, answer);
        }
        Ok(requests)
    }
}
