//! Domains that move from one shard to another while the cluster works (docs/adr/0021).
//!
//! A shard takes part in one move at a time. Moves are numbered by the meta group, and those of one
//! shard begin one after the other: so the number of the last one that is over here is enough to know
//! a message that comes late.

use super::{PlantedBug, Shard};
use crate::command::MovePart;
use crate::commands::checks::invalid;
use crate::domain::{Domain, DomainPiece, MovePiece, Unindexed};
use crate::outcome::{Done, DoneWhat};
use crate::{Alarm, DomainId, Effects, Event, LogTime, Outcome, Rejected, Sequence, ShardId, Version, level};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a shard knows of moves. Stored after the domains from [`level::MOVES`] on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moves {
    /// The last move that is over here.
    pub(super) last: u64,
    /// Where domains went that were here. Bounded by the domains of a cluster.
    pub(super) gone: BTreeMap<DomainId, ShardId>,
    /// By how many microseconds a domain's log time is ahead of its shard's, where it came from
    /// another one: each shard has a log time of its own, and a domain's never jumps.
    pub(super) ahead: BTreeMap<DomainId, i64>,
    /// The move that the shard takes part in.
    pub(super) hold: Option<Hold>,
}

/// One side of a move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hold {
    pub(super) number: u64,
    pub(super) domain: DomainId,
    pub(super) side: Side,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Side {
    /// It is among the domains, and rests since this instant of its log time.
    Leaving { to: ShardId, at: LogTime },
    /// It is here as far as it has come.
    Coming(Box<Coming>),
}

/// A domain that is on its way here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Coming {
    /// Parts that are here.
    pub(super) parts: u32,
    /// Whether that is all of them.
    pub(super) whole: bool,
    /// The domain's log time when it was stopped: it goes on from there.
    pub(super) at: LogTime,
    pub(super) domain: Unindexed,
}

/// Where a domain stands with a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whereabouts {
    /// Here, and in service.
    Here,
    /// On its way from or to this shard: to be asked again.
    Moving,
    /// It was here, and went to this shard.
    Gone(ShardId),
    /// It never was here, as far as this state goes.
    Unknown,
}

/// A domain that rests until it has gone: what is sent of it ([`Shard::leaving`]).
#[derive(Debug)]
pub struct Leaving {
    /// The number of the move.
    pub number: u64,
    /// Where it goes.
    pub to: ShardId,
    /// Its last event.
    pub sequence: Sequence,
    at: LogTime,
    domain: Domain,
}

impl Leaving {
    /// What is sent, in this order; the same on every replica.
    pub fn pieces(&self) -> impl Iterator<Item = MovePiece> {
        self.domain.move_pieces(self.at)
    }
}

/// Some of what [`Moves`] are stored as: their fields and those of what they hold, in order.
#[derive(Debug)]
pub(super) enum MovesPiece<'a> {
    Plain(u64, &'a BTreeMap<DomainId, ShardId>, &'a BTreeMap<DomainId, i64>),
    /// All of it.
    Hold(&'a Option<Hold>),
    /// What is before the domain that comes.
    Coming(u64, DomainId, ComingHead),
    Domain(DomainPiece<'a>),
}

impl Serialize for MovesPiece<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(last, gone, ahead) => (last, gone, ahead).serialize(serializer),
            Self::Hold(hold) => hold.serialize(serializer),
            // Some, its fields, and which side it is.
            Self::Coming(number, domain, head) => Some((number, domain, head)).serialize(serializer),
            Self::Domain(piece) => piece.serialize(serializer),
        }
    }
}

/// As [`Side`] and [`Coming`] begin where there is a domain that comes.
#[derive(Debug, Serialize)]
pub(super) enum ComingHead {
    #[expect(dead_code, reason = "the variants of Side, by their numbers")]
    Leaving,
    Coming(u32, bool, LogTime),
}

impl Moves {
    /// The domain that is on its way here.
    pub(super) fn coming(&self) -> Option<&Domain> {
        match &self.hold.as_ref()?.side {
            Side::Coming(coming) => Some(&coming.domain.0),
            Side::Leaving { .. } => None,
        }
    }

    /// The same, to be changed.
    pub(super) fn coming_mut(&mut self) -> Option<&mut Domain> {
        match &mut self.hold.as_mut()?.side {
            Side::Coming(coming) => Some(&mut coming.domain.0),
            Side::Leaving { .. } => None,
        }
    }

    /// A copy to be stored.
    pub(super) fn frozen(&mut self) -> Self {
        let hold = self.hold.as_mut().map(|hold| {
            let side = match &mut hold.side {
                Side::Leaving { to, at } => Side::Leaving { to: *to, at: *at },
                Side::Coming(coming) => {
                    let domain = Unindexed(coming.domain.0.frozen());
                    Side::Coming(Box::new(Coming {
                        parts: coming.parts,
                        whole: coming.whole,
                        at: coming.at,
                        domain,
                    }))
                }
            };
            Hold { number: hold.number, domain: hold.domain, side }
        });
        Self { last: self.last, gone: self.gone.clone(), ahead: self.ahead.clone(), hold }
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = MovesPiece<'_>> {
        let plain = MovesPiece::Plain(self.last, &self.gone, &self.ahead);
        let (head, domain) = match &self.hold {
            Some(Hold { number, domain, side: Side::Coming(coming) }) => (
                MovesPiece::Coming(
                    *number,
                    *domain,
                    ComingHead::Coming(coming.parts, coming.whole, coming.at),
                ),
                Some(coming.domain.0.pieces().map(MovesPiece::Domain)),
            ),
            hold => (MovesPiece::Hold(hold), None),
        };
        [plain, head].into_iter().chain(domain.into_iter().flatten())
    }

    fn is_held(&self, domain: DomainId) -> bool {
        self.hold.as_ref().is_some_and(|hold| hold.domain == domain)
    }

    pub(super) fn ahead_of(&self, domain: DomainId) -> i64 {
        if self.ahead.is_empty() { 0 } else { self.ahead.get(&domain).copied().unwrap_or(0) }
    }
}

impl Shard {
    /// Where a domain stands with this shard.
    #[must_use]
    pub fn whereabouts(&self, domain: DomainId) -> Whereabouts {
        if self.moves.is_held(domain) {
            Whereabouts::Moving
        } else if self.domains.contains_key(&domain) {
            Whereabouts::Here
        } else {
            self.moves.gone.get(&domain).map_or(Whereabouts::Unknown, |to| Whereabouts::Gone(*to))
        }
    }

    /// Refuses what is asked of a domain that is not in service here.
    ///
    /// # Errors
    /// [`Rejected::Moving`], [`Rejected::Moved`], [`Rejected::UnknownDomain`].
    pub fn check_here(&self, domain: DomainId) -> Result<(), Rejected> {
        match self.whereabouts(domain) {
            Whereabouts::Here => Ok(()),
            Whereabouts::Moving => Err(Rejected::Moving),
            Whereabouts::Gone(to) => Err(Rejected::Moved { to }),
            Whereabouts::Unknown => Err(Rejected::UnknownDomain),
        }
    }

    /// Log time in a domain: that of the last entry, for domains that came from another shard as that
    /// one's went on.
    #[must_use]
    pub fn now_of(&self, domain: DomainId) -> LogTime {
        self.time_in(domain, self.now)
    }

    /// A log time of this shard, as a domain counts it.
    #[must_use]
    pub fn time_in(&self, domain: DomainId, at: LogTime) -> LogTime {
        LogTime(at.0.saturating_add_signed(self.moves.ahead_of(domain)))
    }

    /// A log time of a domain, as this shard counts it.
    pub(super) fn time_here(&self, domain: DomainId, at: LogTime) -> LogTime {
        LogTime(at.0.saturating_add_signed(self.moves.ahead_of(domain).saturating_neg()))
    }

    /// The domain that is to leave this shard, if it rests for that: a copy to be sent. It costs as
    /// much as [`Shard::freeze`].
    #[must_use]
    pub fn leaving(&mut self) -> Option<Leaving> {
        let hold = self.moves.hold.as_ref()?;
        let Side::Leaving { to, at } = hold.side else { return None };
        let (number, id) = (hold.number, hold.domain);
        let domain = self.domains.get_mut(&id)?.frozen();
        Some(Leaving { number, to, sequence: domain.sequence, at, domain })
    }

    pub(super) fn apply_move(&mut self, domain: DomainId, part: &MovePart, effects: &mut Effects) -> Outcome {
        if self.level < level::MOVES {
            return Err(Rejected::Level { level: self.level });
        }
        if domain == DomainId::SHARD {
            return invalid("domain", "moves name a domain");
        }
        let what = match part {
            MovePart::Freeze { number, to } => self.freeze_domain(domain, *number, *to)?,
            MovePart::Take { number, part, last, pieces } => {
                self.take(domain, *number, (*part, *last), pieces)?
            }
            MovePart::Record { number, events } => self.take_record(domain, *number, events, effects)?,
            MovePart::End { number, placed } => self.end_move(domain, *number, *placed, effects)?,
        };
        Ok(Done { what, at: self.now, sequence: Sequence(0), version: Version(0) })
    }

    /// The present move, if this is it; none if the shard takes part in none. What is over is refused.
    fn present(&mut self, domain: DomainId, number: u64) -> Result<Option<&mut Hold>, Rejected> {
        if number <= self.moves.last {
            let problem = format!("move {number} of {domain} is over here: ask where the domain is");
            return invalid("number", problem);
        }
        if let Some(other) =
            self.moves.hold.as_ref().filter(|hold| (hold.number, hold.domain) != (number, domain))
        {
            let why =
                format!("move {} of {} is under way here: wait for its end", other.number, other.domain);
            return Err(Rejected::InUse { why });
        }
        Ok(self.moves.hold.as_mut())
    }

    fn freeze_domain(&mut self, domain: DomainId, number: u64, to: ShardId) -> Result<DoneWhat, Rejected> {
        match self.present(domain, number)? {
            Some(Hold { side: Side::Leaving { .. }, .. }) => return Ok(DoneWhat::Ok),
            Some(_) => return invalid("domain", "it is on its way here"),
            None => {}
        }
        self.check_here(domain)?;
        if self.domains[&domain].quarantined.is_some() {
            return Err(Rejected::Quarantined);
        }
        if to == self.id {
            return invalid("to", "it is here already");
        }
        let side = Side::Leaving { to, at: self.now_of(domain) };
        self.moves.hold = Some(Hold { number, domain, side });
        self.reindex(domain);
        Ok(DoneWhat::Ok)
    }

    fn take(
        &mut self,
        domain: DomainId,
        number: u64,
        (part, last): (u32, bool),
        pieces: &[MovePiece],
    ) -> Result<DoneWhat, Rejected> {
        if self.present(domain, number)?.is_none() {
            if let Whereabouts::Here = self.whereabouts(domain) {
                return invalid("domain", "it is here already");
            }
            if part > 0 {
                return Ok(DoneWhat::Parts(0));
            }
            let Some((bare, at)) = Domain::begin(domain, pieces) else {
                return invalid("pieces", "the first one begins the domain");
            };
            let coming = Coming { parts: 0, whole: false, at, domain: Unindexed(bare) };
            self.moves.hold = Some(Hold { number, domain, side: Side::Coming(Box::new(coming)) });
        }
        let Some(Hold { side: Side::Coming(coming), .. }) = &mut self.moves.hold else {
            return invalid("domain", "it is to leave from here");
        };
        // One that was answered and whose answer was lost comes again.
        if part == coming.parts && !coming.whole {
            pieces.iter().for_each(|piece| coming.domain.0.put(piece));
            coming.parts += 1;
            coming.whole = last;
        }
        Ok(DoneWhat::Parts(coming.parts))
    }

    /// Events of before the move, so that whoever watches the domain goes on here. They are stored as
    /// any are; what is here already is known by its sequence.
    fn take_record(
        &mut self,
        domain: DomainId,
        number: u64,
        events: &[Event],
        effects: &mut Effects,
    ) -> Result<DoneWhat, Rejected> {
        let Some(Hold { side: Side::Coming(coming), .. }) = self.present(domain, number)? else {
            return invalid("domain", "it has not come here");
        };
        let last = coming.domain.0.sequence;
        let dense = events.windows(2).all(|two| two[1].sequence.0 == two[0].sequence.0 + 1);
        if !dense || events.iter().any(|event| event.domain != domain || event.sequence > last) {
            return invalid("events", "they are not of the domain's record");
        }
        effects.events.extend_from_slice(events);
        Ok(DoneWhat::Ok)
    }

    /// What was decided in the meta group. Again, and late: nothing.
    fn end_move(
        &mut self,
        domain: DomainId,
        number: u64,
        placed: bool,
        effects: &mut Effects,
    ) -> Result<DoneWhat, Rejected> {
        if number <= self.moves.last {
            return Ok(DoneWhat::Ok);
        }
        match self.present(domain, number)? {
            Some(Hold { side: Side::Coming(coming), .. }) if placed && !coming.whole => {
                return invalid("placed", "not all of it is here");
            }
            None if placed => return invalid("placed", "nothing of it is here"),
            _ => {}
        }
        let hold = self.moves.hold.take();
        let stays = self.index.0.planted == Some(PlantedBug::MovedAndStayed);
        // Also where nothing has come: what does so from now on is late.
        self.moves.last = number;
        match hold.map(|hold| hold.side) {
            Some(Side::Leaving { to, .. }) if placed && !stays => {
                self.domains.remove(&domain);
                self.moves.ahead.remove(&domain);
                self.moves.gone.insert(domain, to);
                self.unlist(domain);
            }
            Some(Side::Leaving { at, .. }) => self.go_on_from(domain, at),
            Some(Side::Coming(coming)) if placed => {
                self.moves.gone.remove(&domain);
                self.settle_in(*coming, effects);
            }
            Some(Side::Coming(_)) | None => {}
        }
        Ok(DoneWhat::Ok)
    }

    /// A domain that came goes into service.
    pub(super) fn settle_in(&mut self, coming: Coming, effects: &mut Effects) {
        let Coming { parts: _, whole: _, at, domain: Unindexed(mut domain) } = coming;
        let id = domain.id;
        domain.index.0.planted = self.index.0.planted;
        domain.index.0.level = self.level;
        if catch_unwind(AssertUnwindSafe(|| domain.index_anew())).is_err() {
            let reason = "it cannot be put together after its move".to_owned();
            domain.quarantined = Some(reason.clone());
            effects.alarms.push(Alarm::Quarantined { domain: id, reason });
        }
        self.domains.insert(id, domain);
        self.go_on_from(id, at);
    }

    /// A domain that rested goes into service: its time goes on from where it was stopped.
    pub(super) fn go_on_from(&mut self, domain: DomainId, at: LogTime) {
        match at.0.wrapping_sub(self.now.0).cast_signed() {
            0 => self.moves.ahead.remove(&domain),
            ahead => self.moves.ahead.insert(domain, ahead),
        };
        self.reindex(domain);
    }
}
