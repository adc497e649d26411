//! The state machine of one Raft group.

mod apply;
#[cfg(test)]
mod apply_test;
mod frozen;
#[cfg(test)]
mod ids_test;
mod picture;
mod planted;
mod reads;
mod reborn;
mod reconcile;

pub use frozen::{Frozen, Piece};
pub use picture::Picture;
pub use planted::{PlantedBug, UnknownBug};
pub use reconcile::Reconciled;

use crate::domain::{Derived, Domain};
use crate::{DomainId, LogTime, ShardId, level};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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
    /// Domains that owe something to others.
    owing: BTreeSet<DomainId>,
    planted: Option<PlantedBug>,
}

impl Shard {
    /// An empty shard.
    #[must_use]
    pub fn new(id: ShardId) -> Self {
        Self {
            id,
            now: LogTime::default(),
            level: level::FIRST,
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
        if domain.crossings.is_leaving() && domain.quarantined.is_none() {
            index.owing.insert(id);
        } else {
            index.owing.remove(&id);
        }
    }

    /// The same without one domain, as if that were on another shard.
    #[cfg(test)]
    pub(crate) fn without(mut self, id: DomainId) -> Self {
        self.domains.remove(&id);
        self.index = Derived(ShardIndex::default());
        let ids: Vec<DomainId> = self.domains.keys().copied().collect();
        ids.into_iter().for_each(|id| self.reindex(id));
        self
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
