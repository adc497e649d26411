//! What is stored of opening hours beside a domain, from level 10 on.

use super::hours::QueueHours;
use super::{Domain, QueueNo};
use crate::hours::Schedule;
use serde::{Deserialize, Serialize, Serializer};
use std::iter::once;
use std::sync::Arc;

/// A move sends so many queues at once.
const PART: usize = 500;

/// What there is of opening hours beside a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HoursBeside {
    schedules: Vec<(String, Schedule)>,
    queues: Vec<(QueueNo, QueueHours)>,
    /// Each part of a move has it.
    looked_ms: u64,
}

impl HoursBeside {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Some of what [`HoursBeside`] is stored as: its fields, in order.
#[derive(Debug)]
pub(crate) enum HoursPiece<'a> {
    Count(usize),
    Schedule(&'a str, &'a Schedule),
    Queue(QueueNo, &'a QueueHours),
    Looked(u64),
}

impl Serialize for HoursPiece<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => (*count as u64).serialize(serializer),
            Self::Schedule(name, schedule) => (name, schedule).serialize(serializer),
            Self::Queue(no, hours) => (no, hours).serialize(serializer),
            Self::Looked(wall_ms) => wall_ms.serialize(serializer),
        }
    }
}

impl Domain {
    fn with_hours(&self) -> impl Iterator<Item = (QueueNo, &QueueHours)> {
        self.queues.iter().filter_map(|queue| Some((queue.no, queue.hours.as_deref()?)))
    }

    /// Whether there is anything of opening hours beside the domain.
    pub(crate) fn has_hours(&self) -> bool {
        !self.schedules.is_empty() || self.looked_ms != 0 || self.with_hours().next().is_some()
    }

    /// All that is stored of opening hours beside the domain.
    pub(crate) fn hours_beside(&self) -> HoursBeside {
        let schedules = self.schedules.iter();
        HoursBeside {
            schedules: schedules.map(|(name, schedule)| (name.clone(), schedule.clone())).collect(),
            queues: self.with_hours().map(|(no, hours)| (no, hours.clone())).collect(),
            looked_ms: self.looked_ms,
        }
    }

    /// The same in small pieces, to be written one after the other.
    pub(crate) fn hours_pieces(&self) -> impl Iterator<Item = HoursPiece<'_>> {
        once(HoursPiece::Count(self.schedules.len()))
            .chain(self.schedules.iter().map(|(name, schedule)| HoursPiece::Schedule(name, schedule)))
            .chain(once(HoursPiece::Count(self.with_hours().count())))
            .chain(self.with_hours().map(|(no, hours)| HoursPiece::Queue(no, hours)))
            .chain(once(HoursPiece::Looked(self.looked_ms)))
    }

    /// The same in parts that a move sends: each schedule by itself.
    pub(crate) fn hours_parts(&self) -> Vec<HoursBeside> {
        let HoursBeside { schedules, queues, looked_ms } = self.hours_beside();
        let none = || HoursBeside { looked_ms, ..HoursBeside::default() };
        let schedules = schedules.into_iter().map(|one| HoursBeside { schedules: vec![one], ..none() });
        let queues = queues.chunks(PART).map(|part| HoursBeside { queues: part.to_vec(), ..none() });
        let mut parts: Vec<HoursBeside> = schedules.chain(queues).collect();
        if parts.is_empty() && looked_ms != 0 {
            parts.push(none());
        }
        parts
    }

    /// Puts what is beside the domain, or a part of it, in its place; the domain is indexed after it.
    pub(crate) fn put_hours(&mut self, beside: HoursBeside) {
        if !beside.schedules.is_empty() {
            Arc::make_mut(&mut self.schedules).extend(beside.schedules);
        }
        for (no, hours) in beside.queues {
            if let Some(queue) = self.queues.get_mut(no.0) {
                queue.hours = Some(Box::new(hours));
            }
        }
        self.looked_ms = beside.looked_ms;
    }
}
