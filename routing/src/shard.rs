//! The state machine of one Raft group.

mod apply;
#[cfg(test)]
mod apply_test;
mod frozen;
mod gather;
#[cfg(test)]
mod ids_test;
#[cfg(test)]
mod moved_test;
mod moves;
mod picture;
mod planted;
mod reads;
mod reborn;
mod reconcile;

pub use frozen::{Frozen, Piece};
pub use gather::Gathered;
pub use moves::{Leaving, Whereabouts};
pub use picture::Picture;
pub use planted::{PlantedBug, UnknownBug};
pub use reconcile::Reconciled;

use crate::blocks::ChannelRule;
use crate::domain::{
    Beside, CallbackBeside, Derived, Domain, HandlingBeside, HoursBeside, PaceBeside, PoliciesBeside,
    RingBeside, Unindexed,
};
use crate::{DomainId, LogTime, ShardId, level};
use moves::Moves;
use serde::de::{Error, SeqAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// All domains of one Raft group. The same entries make the same state, on every replica and in
/// every replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    id: ShardId,
    now: LogTime,
    level: u32,
    domains: BTreeMap<DomainId, Domain>,
    moves: Moves,
    index: Derived<ShardIndex>,
}

/// What follows from the domains.
#[derive(Debug, Clone, Default)]
struct ShardIndex {
    /// The next deadline of each domain.
    deadlines: BTreeSet<(LogTime, DomainId)>,
    /// Where each domain stands in `deadlines`.
    listed: BTreeMap<DomainId, LogTime>,
    /// When queues of each domain open or their hours end next, in Unix milliseconds.
    changes: BTreeSet<(u64, DomainId)>,
    /// Where each domain stands in `changes`.
    changing: BTreeMap<DomainId, u64>,
    /// Wall time of the last entry of this run, Unix milliseconds; 0: there was none.
    wall_ms: u64,
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
            moves: Moves::default(),
            index: Derived(ShardIndex::default()),
        }
    }

    /// Brings what the shard knows of a domain's deadlines and left-over work up to date.
    fn reindex(&mut self, id: DomainId) {
        let Some(domain) = self.domains.get(&id) else { return };
        if let Whereabouts::Moving = self.whereabouts(id) {
            self.unlist(id);
            return;
        }
        let next = domain.next_deadline().map(|next| self.time_here(id, next));
        let index = &mut self.index.0;
        if index.listed.get(&id).copied() != next {
            if let Some(before) = index.listed.remove(&id) {
                index.deadlines.remove(&(before, id));
            }
            if let Some(next) = next {
                index.listed.insert(id, next);
                index.deadlines.insert((next, id));
            }
        }
        let change = domain.next_change_ms();
        if index.changing.get(&id).copied() != change {
            if let Some(before) = index.changing.remove(&id) {
                index.changes.remove(&(before, id));
            }
            if let Some(change) = change {
                index.changing.insert(id, change);
                index.changes.insert((change, id));
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

    /// All domains that something is stored of here: with one that is on its way here.
    fn all_domains(&self) -> impl Iterator<Item = &Domain> {
        self.domains.values().chain(self.moves.coming())
    }

    /// What is stored beside domains, of those that have some.
    fn beside<'a, T>(&'a self, of: impl Fn(&'a Domain) -> Option<T>) -> BTreeMap<DomainId, T> {
        self.all_domains().filter_map(|domain| Some((domain.id, of(domain)?))).collect()
    }

    /// Puts what was stored beside domains in its place.
    fn put_beside<T, E: Error>(
        &mut self,
        all: BTreeMap<DomainId, T>,
        put: impl Fn(&mut Domain, T),
    ) -> Result<(), E> {
        for (id, beside) in all {
            let domain = self.any_domain_mut(id);
            put(domain.ok_or_else(|| E::custom("of a domain that is not there"))?, beside);
        }
        Ok(())
    }

    fn any_domain_mut(&mut self, id: DomainId) -> Option<&mut Domain> {
        let Self { domains, moves, .. } = self;
        domains.get_mut(&id).or_else(|| moves.coming_mut().filter(|domain| domain.id == id))
    }

    /// Takes a domain that is not in service out of what has to be looked at.
    fn unlist(&mut self, id: DomainId) {
        let index = &mut self.index.0;
        if let Some(before) = index.listed.remove(&id) {
            index.deadlines.remove(&(before, id));
        }
        if let Some(before) = index.changing.remove(&id) {
            index.changes.remove(&(before, id));
        }
        index.unmatched.remove(&id);
        index.owing.remove(&id);
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

    /// The same but for a domain's rules between channels.
    #[cfg(test)]
    pub(crate) fn forget_rules(&mut self, id: DomainId) {
        self.domains.get_mut(&id).expect("here").put_channel_rules(Vec::new());
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

/// Itself, unless there is nothing in it.
fn some<T>(beside: T, is_empty: impl Fn(&T) -> bool) -> Option<T> {
    (!is_empty(&beside)).then_some(beside)
}

impl Serialize for Shard {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { id, now, level, domains, moves, index: _ } = self;
        let (with_moves, with_beside) = (*level >= level::MOVES, *level >= level::SKILLS);
        let (with_policies, with_rules) = (*level >= level::POLICIES, *level >= level::BLOCKS);
        let with_handling = *level >= level::HANDLING;
        let (with_pace, with_hours) = (*level >= level::PACE, *level >= level::HOURS);
        let with_callbacks = *level >= level::CALLBACK;
        let with_ring = *level >= level::RING;
        let later = [
            with_moves,
            with_beside,
            with_policies,
            with_rules,
            with_handling,
            with_pace,
            with_hours,
            with_callbacks,
            with_ring,
        ];
        let fields = 4 + later.into_iter().filter(|with| *with).count();
        let mut image = serializer.serialize_struct("Shard", fields)?;
        image.serialize_field("id", id)?;
        image.serialize_field("now", now)?;
        image.serialize_field("level", level)?;
        image.serialize_field("domains", domains)?;
        if with_moves {
            image.serialize_field("moves", moves)?;
        }
        if with_beside {
            image
                .serialize_field("beside", &self.beside(|domain| some(domain.beside(), Beside::is_empty)))?;
        }
        if with_policies {
            let all = self.beside(|domain| some(domain.policies_beside(), PoliciesBeside::is_empty));
            image.serialize_field("policies", &all)?;
        }
        if with_rules {
            image.serialize_field("channel_rules", &self.beside(Domain::ruled))?;
        }
        if with_handling {
            let all = self.beside(|domain| some(domain.handling_beside(), HandlingBeside::is_empty));
            image.serialize_field("handling", &all)?;
        }
        if with_pace {
            image.serialize_field(
                "pace",
                &self.beside(|domain| some(domain.pace_beside(), PaceBeside::is_empty)),
            )?;
        }
        if with_hours {
            let all = self.beside(|domain| some(domain.hours_beside(), HoursBeside::is_empty));
            image.serialize_field("hours", &all)?;
        }
        if with_callbacks {
            let all = self.beside(|domain| some(domain.callback_beside(), CallbackBeside::is_empty));
            image.serialize_field("callbacks", &all)?;
        }
        if with_ring {
            let all = self.beside(|domain| some(domain.ring_beside(), RingBeside::is_empty));
            image.serialize_field("ring", &all)?;
        }
        image.end()
    }
}

impl<'de> Deserialize<'de> for Shard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const FIELDS: &[&str] = &[
            "id",
            "now",
            "level",
            "domains",
            "moves",
            "beside",
            "policies",
            "channel_rules",
            "handling",
            "pace",
            "hours",
            "callbacks",
            "ring",
        ];
        let (
            id,
            now,
            level,
            domains,
            moves,
            beside,
            policies,
            channel_rules,
            handling,
            pace,
            hours,
            callbacks,
            ring,
        ) = deserializer.deserialize_struct("Shard", FIELDS, Image)?;
        let domains = domains.into_iter().map(|(id, Unindexed(domain))| (id, domain)).collect();
        let mut shard = Self { id, now, level, domains, moves, index: Derived(ShardIndex::default()) };
        shard.put_beside::<_, D::Error>(beside, Domain::put_beside)?;
        shard.put_beside::<_, D::Error>(policies, Domain::put_policies)?;
        shard.put_beside::<_, D::Error>(channel_rules, Domain::put_channel_rules)?;
        shard.put_beside::<_, D::Error>(handling, Domain::put_handling)?;
        shard.put_beside::<_, D::Error>(pace, Domain::put_pace)?;
        shard.put_beside::<_, D::Error>(hours, Domain::put_hours)?;
        shard.put_beside::<_, D::Error>(callbacks, Domain::put_callbacks)?;
        shard.put_beside::<_, D::Error>(ring, Domain::put_ring)?;
        // A quarantined domain may be torn: it is kept as it is, for reading, and never matched again.
        for domain in shard.domains.values_mut().filter(|domain| domain.quarantined.is_none()) {
            domain.index.0.level = level;
            domain.index_anew();
        }
        let ids: Vec<DomainId> = shard.domains.keys().copied().collect();
        for id in ids {
            shard.reindex(id);
        }
        Ok(shard)
    }
}

/// A shard's fields: domains are indexed when all of them is there.
type Fields = (
    ShardId,
    LogTime,
    u32,
    BTreeMap<DomainId, Unindexed>,
    Moves,
    BTreeMap<DomainId, Beside>,
    BTreeMap<DomainId, PoliciesBeside>,
    BTreeMap<DomainId, Vec<ChannelRule>>,
    BTreeMap<DomainId, HandlingBeside>,
    BTreeMap<DomainId, PaceBeside>,
    BTreeMap<DomainId, HoursBeside>,
    BTreeMap<DomainId, CallbackBeside>,
    BTreeMap<DomainId, RingBeside>,
);

/// Reads what a shard is stored as, in the order of its fields: which there are, its level says.
struct Image;

impl<'de> Visitor<'de> for Image {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a shard")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        fn next<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(fields: &mut A) -> Result<T, A::Error> {
            fields.next_element()?.ok_or_else(|| A::Error::custom("a field of a shard is missing"))
        }
        let (id, now, level) = (next(&mut fields)?, next(&mut fields)?, next(&mut fields)?);
        let domains = next(&mut fields)?;
        let moves = if level >= level::MOVES { next(&mut fields)? } else { Moves::default() };
        let beside = if level >= level::SKILLS { next(&mut fields)? } else { BTreeMap::new() };
        let policies = if level >= level::POLICIES { next(&mut fields)? } else { BTreeMap::new() };
        let channel_rules = if level >= level::BLOCKS { next(&mut fields)? } else { BTreeMap::new() };
        let handling = if level >= level::HANDLING { next(&mut fields)? } else { BTreeMap::new() };
        let pace = if level >= level::PACE { next(&mut fields)? } else { BTreeMap::new() };
        let hours = if level >= level::HOURS { next(&mut fields)? } else { BTreeMap::new() };
        let callbacks = if level >= level::CALLBACK { next(&mut fields)? } else { BTreeMap::new() };
        let ring = if level >= level::RING { next(&mut fields)? } else { BTreeMap::new() };
        Ok((
            id,
            now,
            level,
            domains,
            moves,
            beside,
            policies,
            channel_rules,
            handling,
            pace,
            hours,
            callbacks,
            ring,
        ))
    }
}
