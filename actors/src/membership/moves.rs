//! Carries out the moves of domains from shards that this node leads (docs/adr/0021). Every step may be
//! taken twice, by anybody: what was decided is in the meta group, what rests and what has come is in the
//! shards, and nothing is kept here.

use crate::engine::new_request_id;
use crate::meta::{DomainMove, MetaCommand, MetaRequest, MoveStage, SharedMeta};
use crate::router::Router;
use crate::shard::{ShardRuntime, ShardTable};
use crate::wire::PeerCall;
use crate::{CallError, WatchError};
use consensus::GroupId;
use consensus::env::{SharedClock, SharedEntropy};
use proto::codec;
use routing::command::MovePart;
use routing::entry::Request;
use routing::outcome::DoneWhat;
use routing::{Command, DomainId, Event, Leaving, MovePiece, Rejected, Sequence, ShardId};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Encoded bytes of a part. It is one entry of a log, and no entry may hold a shard up.
const PART_BYTES: usize = 64 << 10;
/// Events of before that come along. Whoever is further behind takes a picture.
const RECORD_EVENTS_MAX: u64 = 4_096;
/// Of these in one entry.
const RECORD_AT_ONCE: usize = 256;
/// For one step to be answered.
const STEP_MAX: Duration = Duration::from_secs(2);
/// A domain that has rested for so long without a new place stays where it is.
const GIVE_UP: Duration = Duration::from_secs(10);
/// Wait before a step is taken again.
const PAUSE: Duration = Duration::from_millis(20);

/// What moves domains.
#[derive(Clone)]
pub(crate) struct Mover {
    pub(crate) router: Router,
    pub(crate) meta: SharedMeta,
    pub(crate) shards: ShardTable,
    pub(crate) clock: SharedClock,
    pub(crate) entropy: SharedEntropy,
    /// What is under way from here.
    pub(crate) moving: Arc<Mutex<BTreeSet<DomainId>>>,
}

/// Why a move does not go on.
enum Halt {
    /// It may in a moment.
    Later(String),
    /// It never will.
    Refused(String),
}

impl From<CallError> for Halt {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Rejected(Rejected::InUse { .. } | Rejected::Level { .. }) => {
                Halt::Later(error.to_string())
            }
            CallError::Rejected(refused) => Halt::Refused(refused.to_string()),
            other => Halt::Later(other.to_string()),
        }
    }
}

impl Mover {
    /// Goes on with every move from a shard that this node leads.
    pub(super) fn look(&self) {
        let ways: Vec<(DomainId, DomainMove)> = {
            let meta = self.meta.read().unwrap_or_else(PoisonError::into_inner);
            meta.moves().iter().map(|(domain, way)| (*domain, *way)).collect()
        };
        for (domain, way) in ways {
            let leads = self.shards.get(way.from).is_some_and(|shard| shard.group.status().leading);
            let mut moving = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
            if leads && moving.insert(domain) {
                let (this, stop) = (self.clone(), self.router.stop.clone());
                tokio::spawn(async move {
                    stop.run_until_cancelled_owned(this.carry_out(domain, way.number)).await;
                    this.moving.lock().unwrap_or_else(PoisonError::into_inner).remove(&domain);
                });
            }
        }
    }

    /// The move as this node's replica of the meta group knows it.
    fn way(&self, domain: DomainId, number: u64) -> Option<DomainMove> {
        let meta = self.meta.read().unwrap_or_else(PoisonError::into_inner);
        meta.moves().get(&domain).copied().filter(|way| way.number == number)
    }

    /// Takes steps until it is over, or another node leads the shard.
    async fn carry_out(&self, domain: DomainId, number: u64) {
        let since_us = self.clock.monotonic_us();
        while let Some(way) = self.way(domain, number) {
            let Some(shard) = self.shards.get(way.from).filter(|shard| shard.group.status().leading) else {
                return;
            };
            let done = match way.stage {
                MoveStage::Begun => self.send_and_place(&shard, domain, way).await,
                MoveStage::Placed => self.end(domain, way, true).await,
                MoveStage::GivenUp => self.end(domain, way, false).await,
            };
            let why = match done {
                Ok(()) => return,
                Err(why) => why,
            };
            let rested_us = self.clock.monotonic_us().saturating_sub(since_us);
            let too_long = u128::from(rested_us) > GIVE_UP.as_micros();
            let gives_up = match (&why, way.stage) {
                (Halt::Refused(_), MoveStage::Begun) => true,
                (Halt::Later(_), MoveStage::Begun) => too_long,
                (_, MoveStage::Placed | MoveStage::GivenUp) => false,
            };
            let (Halt::Later(why) | Halt::Refused(why)) = why;
            tracing::info!(%domain, number, to = %way.to, why, gives_up, "the move does not go on yet");
            if gives_up {
                // It may have its place by now: then it is too late, and goes on.
                let _ = self.decide(MetaCommand::CancelMove { domain }).await;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn send_and_place(
        &self,
        shard: &ShardRuntime,
        domain: DomainId,
        way: DomainMove,
    ) -> Result<(), Halt> {
        let DomainMove { number, from, to, .. } = way;
        tracing::info!(%domain, number, %from, %to, "the domain rests and is sent");
        self.tell(from, domain, MovePart::Freeze { number, to }).await?;
        let leaving = shard.replica.leaving().filter(|leaving| leaving.number == number);
        let Some(leaving) = leaving else {
            return Err(Halt::Later("this node does not have it as it rests".to_owned()));
        };
        self.send(domain, &leaving).await?;
        self.send_record(shard, domain, &leaving).await?;
        self.decide(MetaCommand::PlaceMoved { domain, number }).await?;
        self.end(domain, way, true).await
    }

    async fn send(&self, domain: DomainId, leaving: &Leaving) -> Result<(), Halt> {
        let number = leaving.number;
        let mut pieces = leaving.pieces().peekable();
        let (mut part, mut there) = (0, 0);
        while pieces.peek().is_some() {
            let taken = cut(&mut pieces);
            if part >= there {
                let last = pieces.peek().is_none();
                let take = MovePart::Take { number, part, last, pieces: taken };
                there = match self.tell(leaving.to, domain, take).await? {
                    DoneWhat::Parts(there) if there > part => there,
                    other => return Err(Halt::Later(format!("part {part} was answered with {other:?}"))),
                };
            }
            part += 1;
        }
        Ok(())
    }

    /// Events of before, as far as this node has them.
    async fn send_record(
        &self,
        shard: &ShardRuntime,
        domain: DomainId,
        leaving: &Leaving,
    ) -> Result<(), Halt> {
        let (number, last) = (leaving.number, leaving.sequence.0);
        let mut next = last.saturating_sub(RECORD_EVENTS_MAX - 1).max(1);
        while next <= last {
            let read = match shard.events.read(domain, Sequence(next)).await {
                Err(WatchError::Compacted { oldest }) if oldest.0 > next => {
                    next = oldest.0;
                    continue;
                }
                Err(error) => {
                    tracing::warn!(%domain, %error, "the domain moves without its events of before");
                    return Ok(());
                }
                Ok(read) => read,
            };
            let Some(end) = read.last().map(|event| event.sequence.0) else {
                return Err(Halt::Later(format!("event {next} is not stored yet")));
            };
            for events in read.chunks(RECORD_AT_ONCE) {
                let events: Vec<Event> = events.iter().map(|event| Event::clone(event)).collect();
                self.tell(leaving.to, domain, MovePart::Record { number, events }).await?;
            }
            next = end + 1;
        }
        Ok(())
    }

    /// Tells both shards how it ended: first the one that goes on with the domain.
    async fn end(&self, domain: DomainId, way: DomainMove, placed: bool) -> Result<(), Halt> {
        let DomainMove { number, from, to, .. } = way;
        let first = if placed { [to, from] } else { [from, to] };
        for shard in first {
            self.tell(shard, domain, MovePart::End { number, placed }).await?;
        }
        self.decide(MetaCommand::EndMove { domain, number }).await?;
        tracing::info!(%domain, number, %from, %to, placed, "the move is over");
        Ok(())
    }

    async fn tell(&self, shard: ShardId, domain: DomainId, part: MovePart) -> Result<DoneWhat, Halt> {
        let command = Command::Move(Box::new(part));
        let request = Request { id: None, domain, expected_version: None, command };
        Ok(self.router.execute(shard, request, STEP_MAX).await?.what)
    }

    async fn decide(&self, command: MetaCommand) -> Result<(), Halt> {
        let from_ms = self.meta.read().unwrap_or_else(PoisonError::into_inner).asked_from_ms();
        let id = new_request_id(&self.clock, &self.entropy, from_ms);
        let call = PeerCall::Meta(MetaRequest { id, command });
        self.router.to_leader_of(GroupId::META, call, STEP_MAX, true).await?;
        Ok(())
    }
}

/// The next part.
fn cut(pieces: &mut impl Iterator<Item = MovePiece>) -> Vec<MovePiece> {
    let (mut part, mut bytes) = (Vec::new(), 0);
    for piece in pieces {
        bytes += codec::encode(&piece).len();
        part.push(piece);
        if bytes >= PART_BYTES {
            break;
        }
    }
    part
}
