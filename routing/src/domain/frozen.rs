//! A domain as it was at one entry, to be stored piece by piece.

use super::crossings::Crossings;
use super::{Agent, Conversation, Counters, Derived, Domain, DomainIndex, Queue, Touchpoint};
use crate::matching::Dirty;
use crate::outcome::Outcome;
use crate::requests::ReferenceClock;
use crate::settings::DomainSettings;
use crate::shard::PlantedBug;
use crate::{AccountId, DomainId, LogTime, Sequence, Version};
use serde::{Serialize, Serializer};
use std::iter::once;

/// Some of what a domain is stored as.
#[derive(Debug)]
pub(crate) enum DomainPiece<'a> {
    Names(DomainId, AccountId, Version, &'a DomainSettings),
    Course(Sequence, &'a Option<String>, Counters),
    Count(usize),
    Queue(&'a Queue),
    Agent(&'a Agent),
    Touchpoint(&'a Touchpoint),
    Conversation(&'a Conversation),
    Clock(Option<ReferenceClock>, Option<u64>),
    Answer((LogTime, u128, &'a u64, &'a Outcome)),
    Work(&'a Crossings, &'a Dirty),
}

impl Serialize for DomainPiece<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Names(id, account, version, settings) => {
                (id, account, version, settings).serialize(serializer)
            }
            Self::Course(sequence, quarantined, counters) => {
                (sequence, quarantined, counters).serialize(serializer)
            }
            Self::Count(count) => (*count as u64).serialize(serializer),
            Self::Queue(queue) => queue.serialize(serializer),
            Self::Agent(agent) => agent.serialize(serializer),
            Self::Touchpoint(touchpoint) => touchpoint.serialize(serializer),
            Self::Conversation(conversation) => conversation.serialize(serializer),
            Self::Clock(clock, floor_ms) => (clock, floor_ms).serialize(serializer),
            Self::Answer(answer) => answer.serialize(serializer),
            Self::Work(crossings, dirty) => (crossings, dirty).serialize(serializer),
        }
    }
}

impl Domain {
    /// A copy to be stored: it has no indexes, and decides nothing.
    pub(crate) fn frozen(&mut self) -> Domain {
        let mut index = DomainIndex::new(&self.settings);
        index.planted = self.index.0.planted;
        let stored = |queue: &Queue| Queue {
            no: queue.no,
            version: queue.version,
            settings: queue.settings.clone(),
            paused: queue.paused,
            policies: queue.policies.clone(),
            hours: queue.hours.clone(),
            ring: queue.ring,
            index: Derived::default(),
        };
        Domain {
            id: self.id,
            account: self.account,
            version: self.version,
            settings: self.settings.clone(),
            sequence: self.sequence,
            quarantined: self.quarantined.clone(),
            counters: self.counters,
            skills: self.skills.clone(),
            // Not shared: a queue's lines are long, and would be copied at its next change.
            queues: self.queues.iter().map(stored).collect(),
            agents: self.agents.share(),
            touchpoints: self.touchpoints.share(),
            conversations: self.conversations.share(),
            requests: self.requests.frozen(),
            crossings: self.crossings.clone(),
            dirty: self.dirty.clone(),
            channel_rules: self.channel_rules.clone(),
            handling: self.handling.clone(),
            pace: self.pace,
            schedules: self.schedules.clone(),
            looked_ms: self.looked_ms,
            callback: self.callback,
            index: Derived(index),
        }
    }

    /// What it is stored as: the fields of [its image](super::image), in their order.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = DomainPiece<'_>> {
        let requests =
            if self.planted(PlantedBug::SnapshotWithoutRequests) { None } else { Some(&self.requests) };
        let (clock, floor_ms) = requests.map_or((None, None), |requests| requests.clock_and_floor());
        let [order, ahead] = requests.map_or([0, 0], |requests| requests.lens());
        let head = [
            DomainPiece::Names(self.id, self.account, self.version, &self.settings),
            DomainPiece::Course(self.sequence, &self.quarantined, self.counters),
        ];
        head.into_iter()
            .chain(once(DomainPiece::Count(self.queues.len())))
            .chain(self.queues.iter().map(DomainPiece::Queue))
            .chain(once(DomainPiece::Count(self.agents.len())))
            .chain(self.agents.iter().map(DomainPiece::Agent))
            .chain(once(DomainPiece::Count(self.touchpoints.len())))
            .chain(self.touchpoints.iter().map(DomainPiece::Touchpoint))
            .chain(once(DomainPiece::Count(self.conversations.len())))
            .chain(self.conversations.values().map(DomainPiece::Conversation))
            .chain([DomainPiece::Clock(clock, floor_ms), DomainPiece::Count(order)])
            .chain(requests.into_iter().flat_map(|requests| requests.in_order()).map(DomainPiece::Answer))
            .chain(once(DomainPiece::Count(ahead)))
            .chain(requests.into_iter().flat_map(|requests| requests.far_ahead()).map(DomainPiece::Answer))
            .chain(once(DomainPiece::Work(&self.crossings, &self.dirty)))
    }
}
