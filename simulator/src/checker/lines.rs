//! Waiting lines in rank order, as the domain's policy has it.

use super::model::Rank;
use routing::{AgentId, ConversationId, QueueId};
use std::collections::{BTreeMap, BTreeSet};

/// A place in the order, smallest first.
pub(super) type Key = (i64, u64, ConversationId);

/// The place of a conversation.
pub(super) fn key(rank: &Rank, arrived_at: u64, priority: u8, id: ConversationId) -> Key {
    let first = match rank {
        Rank::Priority => i64::from(u8::MAX - priority),
        Rank::Aging(credits) => {
            let credit = credits.get(&priority).copied().unwrap_or(0);
            i64::try_from(arrived_at).unwrap_or(i64::MAX) - i64::try_from(credit).unwrap_or(i64::MAX)
        }
    };
    (first, arrived_at, id)
}

/// Where a conversation stands in line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Line {
    Queue(QueueId),
    Dedicated(AgentId),
}

/// All lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    lines: BTreeMap<Line, BTreeSet<Key>>,
    standing: BTreeMap<ConversationId, (Key, Vec<Line>)>,
    /// The event since which each stands so.
    since: BTreeMap<ConversationId, usize>,
}

impl Lines {
    /// Puts a conversation where it belongs now, out of where it was.
    pub(super) fn put(&mut self, id: ConversationId, place: Option<(Key, Vec<Line>)>, now: usize) {
        if self.standing.get(&id) == place.as_ref() {
            return;
        }
        self.since.remove(&id);
        if let Some((key, lines)) = self.standing.remove(&id) {
            for line in lines {
                if let Some(set) = self.lines.get_mut(&line) {
                    set.remove(&key);
                }
            }
        }
        if let Some((key, lines)) = place {
            for line in &lines {
                self.lines.entry(*line).or_default().insert(key);
            }
            self.standing.insert(id, (key, lines));
            self.since.insert(id, now);
        }
    }

    /// A line in rank order.
    pub(super) fn of(&self, line: Line) -> impl Iterator<Item = &Key> {
        self.lines.get(&line).into_iter().flatten()
    }

    /// Where a conversation stands, if it does.
    pub(super) fn standing(&self, id: ConversationId) -> Option<&[Line]> {
        self.standing.get(&id).map(|(_, lines)| lines.as_slice())
    }

    /// The event since which it stands as it does.
    pub(super) fn since(&self, id: ConversationId) -> Option<usize> {
        self.since.get(&id).copied()
    }

    /// Its place in the order, if it stands in line.
    pub(super) fn key_of(&self, id: ConversationId) -> Option<Key> {
        self.standing.get(&id).map(|(key, _)| *key)
    }
}
