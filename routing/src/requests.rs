//! Answers remembered by request id.

use crate::fixed::FixedMap;
use crate::settings::limits::{EXPIRIES_PER_ENTRY_MAX, REQUESTS_REMEMBERED_MAX};
use crate::{LogTime, Outcome, RequestId, Span};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::VecDeque;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    content: u64,
    at: LogTime,
    /// The id's own stamp, never later than the wall clock of its entry.
    stamp_ms: u64,
    outcome: Outcome,
}

/// What is known of a request id.
pub(crate) enum Seen {
    /// Nothing: carry it out.
    New,
    /// It had this answer.
    Answered(Outcome),
    /// It was used for another command.
    Reused,
    /// Its answer is no longer known, or would not be.
    TooOld,
}

/// The answers, in the order in which they were given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Requests {
    by_id: FixedMap<u128, Remembered>,
    order: VecDeque<u128>,
    /// The largest stamp that was forgotten.
    floor_ms: Option<u64>,
}

impl PartialEq for Requests {
    fn eq(&self, other: &Self) -> bool {
        self.floor_ms == other.floor_ms && self.order == other.order && self.by_id == other.by_id
    }
}

impl Eq for Requests {}

impl Requests {
    /// Forgets what is older than the window, some per entry.
    pub(crate) fn forget(&mut self, now: LogTime, window: Span) {
        for _ in 0..EXPIRIES_PER_ENTRY_MAX {
            let Some(oldest) = self.order.front() else { return };
            if self.by_id[oldest].at + window > now {
                return;
            }
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(gone) = self.order.pop_front().and_then(|id| self.by_id.remove(&id)) {
            self.floor_ms = self.floor_ms.max(Some(gone.stamp_ms));
        }
    }

    /// What is known of this id.
    pub(crate) fn look_up(&self, id: RequestId, content: u64, wall_ms: u64, window: Span) -> Seen {
        match self.by_id.get(&id.0) {
            Some(known) if known.content == content => Seen::Answered(known.outcome.clone()),
            Some(_) => Seen::Reused,
            None => {
                let made = id.made_at_ms();
                let old = made.saturating_add(window.0 / 1_000) < wall_ms;
                let forgotten = self.floor_ms.is_some_and(|floor| made <= floor);
                if old || forgotten { Seen::TooOld } else { Seen::New }
            }
        }
    }

    /// Remembers an answer to an id that was new.
    pub(crate) fn remember(
        &mut self,
        id: RequestId,
        content: u64,
        now: LogTime,
        wall_ms: u64,
        outcome: Outcome,
    ) {
        if self.order.len() >= REQUESTS_REMEMBERED_MAX {
            self.forget_oldest();
        }
        let stamp_ms = id.made_at_ms().min(wall_ms);
        self.by_id.insert(id.0, Remembered { content, at: now, stamp_ms, outcome });
        self.order.push_back(id.0);
    }
}

impl Serialize for Requests {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let list: Vec<(u128, &Remembered)> = self.order.iter().map(|id| (*id, &self.by_id[id])).collect();
        (self.floor_ms, list).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Requests {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (floor_ms, list) = <(Option<u64>, Vec<(u128, Remembered)>)>::deserialize(deserializer)?;
        let order = list.iter().map(|(id, _)| *id).collect();
        Ok(Self { by_id: list.into_iter().collect(), order, floor_ms })
    }
}
