//! The state machine of one Raft group.

mod apply;
#[cfg(test)]
mod apply_test;
mod reads;

use crate::domain::{Derived, Domain};
use crate::{DomainId, LogTime, ShardId};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The apply level that this build knows and a new shard starts at.
pub(crate) const LEVEL: u32 = 1;

/// All domains of one Raft group. The same entries make the same state, on every replica and in
/// every replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shard {
    id: ShardId,
    now: LogTime,
    level: u32,
    domains: BTreeMap<DomainId, Domain>,
    #[serde(skip)]
    index: Derived<ShardIndex>,
}

/// What follows from the domains.
#[derive(Debug, Clone, Default)]
struct ShardIndex {
    /// The next deadline of each domain.
    deadlines: BTreeSet<(LogTime, DomainId)>,
    /// Where each domain stands in `deadlines`.
    listed: BTreeMap<DomainId, LogTime>,
    /// Domains with matching left over.
    unmatched: BTreeSet<DomainId>,
    planted: Option<PlantedBug>,
}

impl Shard {
    /// An empty shard.
    #[must_use]
    pub fn new(id: ShardId) -> Self {
        Self {
            id,
            now: LogTime::default(),
            level: LEVEL,
            domains: BTreeMap::new(),
            index: Derived(ShardIndex::default()),
        }
    }

    /// Brings what the shard knows of a domain's deadlines and left-over work up to date.
    fn reindex(&mut self, id: DomainId) {
        let Some(domain) = self.domains.get(&id) else { return };
        let index = &mut self.index.0;
        let next = domain.next_deadline();
        if index.listed.get(&id).copied() != next {
            if let Some(before) = index.listed.remove(&id) {
                index.deadlines.remove(&(before, id));
            }
            if let Some(next) = next {
                index.listed.insert(id, next);
                index.deadlines.insert((next, id));
            }
        }
        if domain.dirty.is_empty() || domain.quarantined.is_some() {
            index.unmatched.remove(&id);
        } else {
            index.unmatched.insert(id);
        }
    }

    /// Switches on a fault for tests of the checkers. Not replicated, not in snapshots.
    #[doc(hidden)]
    pub fn plant(&mut self, bug: PlantedBug) {
        self.index.0.planted = Some(bug);
        for domain in self.domains.values_mut() {
            domain.index.0.planted = Some(bug);
        }
    }
}

impl<'de> Deserialize<'de> for Shard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "Shard")]
        struct Image {
            id: ShardId,
            now: LogTime,
            level: u32,
            domains: BTreeMap<DomainId, Domain>,
        }
        let Image { id, now, level, domains } = Image::deserialize(deserializer)?;
        let mut shard = Self { id, now, level, domains, index: Derived(ShardIndex::default()) };
        let ids: Vec<DomainId> = shard.domains.keys().copied().collect();
        for id in ids {
            shard.reindex(id);
        }
        Ok(shard)
    }
}

/// Faults that can be planted to prove that checkers see them. Never on in production: a node
/// refuses to start with one unless its environment allows it by name.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlantedBug {
    /// A rejected offer leaves the conversation assignable to the rejecting agent and the next.
    OfferTwice,
    /// Points are not released when a contact ends.
    PointsKept,
    /// The newest conversation goes first.
    NewestFirst,
    /// A late accept is taken.
    LateAccept,
    /// Leaving available leaves the agent's offers alive.
    OffersOutliveAvailability,
    /// Freed agents are not matched.
    NoRematch,
    /// A repeated request id is carried out again.
    RequestsForgotten,
    /// Exclusions never end.
    ExclusionForever,
    /// An agent gets offers without a live lease.
    UnleasedOffers,
    /// A queue's figures drift from what is in it.
    FiguresDrift,
    /// A late write changes how a conversation ended.
    EndingRewritten,
    /// An ended conversation leaves its offer alive.
    ZombieOffer,
    /// A requeued conversation is as young as if it had just arrived.
    AgeLost,
    /// A conversation ends twice.
    EndedTwice,
    /// The domain's sequence has gaps.
    SequenceGap,
    /// Waiting has no limit.
    NoWaitLimit,
    /// A stale desk may act.
    StaleEpoch,
    /// One domain's fault takes all domains of the shard.
    FaultSpreads,
    /// An accept is answered and not carried out.
    AnswerWithoutDeed,
}
