//! A shard as it was at one entry, to be stored while the next ones are applied.

use super::Shard;
use super::moves::MovesPiece;
use crate::blocks::ChannelRule;
use crate::domain::{
    BesidePiece, CallbackPiece, Domain, DomainPiece, HandlingPiece, HoursPiece, PacePiece, PoliciesPiece,
    RingPiece,
};
use crate::{DomainId, LogTime, ShardId, level};
use serde::{Serialize, Serializer};
use std::iter::once;

/// A shard as it was when it was frozen ([`Shard::freeze`]): to be stored, and for nothing else,
/// because what serves decisions alone is left out. It shares its memory with the shard; what the
/// shard changes meanwhile is in memory twice.
#[derive(Debug)]
pub struct Frozen(Shard);

impl Shard {
    /// A copy to be stored. It costs as much as there are queues, and pages of agents, conversations
    /// and answers; not as much as there are agents and conversations.
    #[must_use]
    pub fn freeze(&mut self) -> Frozen {
        let domains = self.domains.iter_mut().map(|(id, domain)| (*id, domain.frozen())).collect();
        Frozen(Self {
            now: self.now,
            level: self.level,
            domains,
            moves: self.moves.frozen(),
            ..Self::new(self.id)
        })
    }
}

impl Frozen {
    /// Hash of the state as it was: see [`Shard::state_hash`].
    #[must_use]
    pub fn state_hash(&self) -> u64 {
        self.0.state_hash()
    }

    /// The level that was applied by.
    #[must_use]
    pub fn level(&self) -> u32 {
        self.0.level()
    }

    /// What is stored beside those domains that have some, in the order of their ids.
    fn beside<'a, P: Iterator<Item = Part<'a>>>(
        &'a self,
        has: impl Fn(&Domain) -> bool,
        pieces: impl Fn(&'a Domain) -> P + 'a,
    ) -> impl Iterator<Item = Part<'a>> {
        let mut sorted: Vec<&Domain> = self.0.all_domains().filter(|domain| has(domain)).collect();
        sorted.sort_unstable_by_key(|domain| domain.id);
        let count = once(Part::Count(sorted.len()));
        count.chain(
            sorted.into_iter().flat_map(move |domain| once(Part::Key(domain.id)).chain(pieces(domain))),
        )
    }

    /// The stored form of the shard in small pieces, to be written one after the other. They are
    /// what the shard itself is written as where a sequence is its length and its elements, and a
    /// tuple or structure its elements alone; bincode is such an encoding.
    pub fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let Shard { id, now, level, domains, moves, index: _ } = &self.0;
        let head = [Part::Shard(*id, *now, *level), Part::Count(domains.len())];
        let domains = domains
            .iter()
            .flat_map(|(id, domain)| once(Part::Key(*id)).chain(domain.pieces().map(Part::Domain)));
        let moves = (*level >= level::MOVES).then(|| moves.pieces().map(Part::Moves));
        let beside = (*level >= level::SKILLS)
            .then(|| self.beside(Domain::has_beside, |domain| domain.beside_pieces().map(Part::Beside)));
        let policies = (*level >= level::POLICIES).then(|| {
            self.beside(Domain::has_policies, |domain| domain.policies_pieces().map(Part::Policies))
        });
        let ruled = |domain: &Domain| domain.ruled().is_some();
        let channel_rules = (*level >= level::BLOCKS)
            .then(|| self.beside(ruled, |domain| domain.ruled().into_iter().map(Part::ChannelRules)));
        let handling = (*level >= level::HANDLING).then(|| {
            self.beside(Domain::has_handling, |domain| domain.handling_pieces().map(Part::Handling))
        });
        let pace = (*level >= level::PACE)
            .then(|| self.beside(Domain::has_pace, |domain| domain.pace_pieces().map(Part::Pace)));
        let hours = (*level >= level::HOURS)
            .then(|| self.beside(Domain::has_hours, |domain| domain.hours_pieces().map(Part::Hours)));
        let callbacks = (*level >= level::CALLBACK).then(|| {
            self.beside(Domain::has_callbacks, |domain| domain.callback_pieces().map(Part::Callbacks))
        });
        let ring = (*level >= level::RING)
            .then(|| self.beside(Domain::has_ring, |domain| domain.ring_pieces().map(Part::Ring)));
        head.into_iter()
            .chain(domains)
            .chain(moves.into_iter().flatten())
            .chain(beside.into_iter().flatten())
            .chain(policies.into_iter().flatten())
            .chain(channel_rules.into_iter().flatten())
            .chain(handling.into_iter().flatten())
            .chain(pace.into_iter().flatten())
            .chain(hours.into_iter().flatten())
            .chain(callbacks.into_iter().flatten())
            .chain(ring.into_iter().flatten())
            .map(Piece)
    }
}

/// Some of what a shard is stored as.
#[derive(Debug)]
pub struct Piece<'a>(Part<'a>);

#[derive(Debug)]
enum Part<'a> {
    Shard(ShardId, LogTime, u32),
    Count(usize),
    Key(DomainId),
    Domain(DomainPiece<'a>),
    Moves(MovesPiece<'a>),
    Beside(BesidePiece<'a>),
    Policies(PoliciesPiece<'a>),
    ChannelRules(&'a [ChannelRule]),
    Handling(HandlingPiece<'a>),
    Pace(PacePiece<'a>),
    Hours(HoursPiece<'a>),
    Callbacks(CallbackPiece<'a>),
    Ring(RingPiece<'a>),
}

impl Serialize for Piece<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Part::Shard(id, now, level) => (id, now, level).serialize(serializer),
            Part::Count(count) => (*count as u64).serialize(serializer),
            Part::Key(id) => id.serialize(serializer),
            Part::Domain(piece) => piece.serialize(serializer),
            Part::Moves(piece) => piece.serialize(serializer),
            Part::Beside(piece) => piece.serialize(serializer),
            Part::Policies(piece) => piece.serialize(serializer),
            Part::ChannelRules(rules) => rules.serialize(serializer),
            Part::Handling(piece) => piece.serialize(serializer),
            Part::Pace(piece) => piece.serialize(serializer),
            Part::Hours(piece) => piece.serialize(serializer),
            Part::Callbacks(piece) => piece.serialize(serializer),
            Part::Ring(piece) => piece.serialize(serializer),
        }
    }
}
