//! A shard's place in replication.

use super::desks::Desks;
use super::leases::Leases;
use super::subscribers::Subscribers;
use crate::alarms::Alarms;
use crate::events::EventStore;
use crate::seeded::{Seeded, SeededBug};
use crate::wire::ShardAnswer;
use crate::{Applied, EngineConfig, Probe, Spot};
use consensus::env::SharedClock;
use consensus::{Batch, BatchPosition, NodeId, StateMachine};
use futures::FutureExt;
use futures::future::BoxFuture;
use proto::codec;
use routing::command::{MovePart, TransferTarget};
use routing::entry::Request;
use routing::{
    Alarm, Command, DomainId, Effects, Entry, Event, EventKind, Frozen, Leaving, LogTime, Picture,
    PlantedBug, Position, Shard, Whereabouts, level,
};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Bytes of a snapshot that are encoded before others get their turn: some hundred microseconds.
const ENCODED_AT_ONCE: usize = 64 << 10;

/// The state of a shard on this node. Locked shortly: to apply one batch, or to read.
#[derive(Clone)]
pub(crate) struct SharedReplica(Arc<RwLock<Replica>>);

/// A shard's state, and what of it the leader has to act on.
pub(crate) struct Replica {
    pub(crate) shard: Shard,
    /// Index of the last entry it includes; none before the first.
    pub(crate) index: Option<u64>,
    bug: Option<PlantedBug>,
}

impl SharedReplica {
    pub(crate) fn new(mut shard: Shard, bug: Option<PlantedBug>) -> Self {
        if let Some(bug) = bug {
            shard.plant(bug);
        }
        Self(Arc::new(RwLock::new(Replica { shard, index: None, bug })))
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Replica> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state as it is now, and the index of its last entry.
    pub(crate) fn freeze(&self) -> (Option<u64>, Frozen) {
        let mut replica = self.write();
        (replica.index, replica.shard.freeze())
    }

    /// The domain that is to leave the shard, if one rests for that.
    pub(crate) fn leaving(&self) -> Option<Leaving> {
        self.write().shard.leaving()
    }

    /// A domain as it is now, to be read.
    pub(crate) fn picture(&self, domain: DomainId) -> Option<Picture> {
        self.write().shard.picture(domain)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Replica> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A shard before its group runs: what its machine shares with the rest of the node.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) replica: SharedReplica,
    pub(crate) events: EventStore,
    pub(crate) desks: Arc<Desks>,
    pub(crate) leases: Arc<Leases>,
    pub(crate) subscribers: Arc<Subscribers>,
}

pub(crate) struct ShardMachine {
    replica: SharedReplica,
    events: EventStore,
    desks: Arc<Desks>,
    leases: Arc<Leases>,
    subscribers: Arc<Subscribers>,
    clock: SharedClock,
    alarms: Alarms,
    probe: Option<Arc<dyn Probe>>,
    seeded: Seeded,
    /// The highest level that this node knows.
    knows: u32,
    effects: Effects,
    /// The last index that was applied, passed or restored.
    at: Spot,
}

impl ShardMachine {
    /// A machine over an empty replica.
    pub(crate) fn new(
        node: NodeId,
        part: &Parts,
        clock: SharedClock,
        alarms: Alarms,
        config: &EngineConfig,
    ) -> Self {
        let Parts { replica, events, desks, leases, subscribers } = part.clone();
        let (probe, seeded) = (config.probe.clone(), Seeded::of(config));
        let at = Spot { node, shard: replica.read().shard.id(), index: 0, term: 0 };
        if let Some(probe) = &probe {
            probe.began(node, &replica.read().shard);
        }
        let effects = Effects::default();
        let knows = config.level;
        Self { replica, events, desks, leases, subscribers, clock, alarms, probe, seeded, knows, effects, at }
    }

    /// What only the leader does: leases and desks. Both are empty elsewhere.
    fn lead(&self, events: &[Event]) {
        if !self.desks.leading() {
            return;
        }
        let now_us = self.clock.monotonic_us();
        let mut look = false;
        let mut owes = false;
        for event in events {
            match &event.kind {
                EventKind::SessionOpened { agent, epoch } => {
                    look |= self.leases.opened(*agent, *epoch, now_us);
                }
                EventKind::LeaseLost { agent, epoch } => self.leases.closed(*agent, *epoch),
                EventKind::TransferStarted { target: TransferTarget::Touchpoint(_), .. }
                | EventKind::Recalled { .. } => owes = true,
                _ => {}
            }
        }
        if look {
            self.desks.look_at_leases();
        }
        if owes {
            self.desks.owes();
        }
        self.desks.deliver(events, |conversation| {
            let replica = self.replica.read();
            replica.shard.conversation(conversation).map(|view| view.queues).unwrap_or_default()
        });
    }
}

impl ShardMachine {
    /// A move of a domain is over here: it has gone, or goes on.
    fn moved(&self, domain: DomainId) {
        let replica = self.replica.read();
        let (leases, owes) = match replica.shard.whereabouts(domain) {
            Whereabouts::Gone(_) => {
                drop(replica);
                self.events.departed(domain);
                self.subscribers.depart(domain);
                self.leases.depart(domain);
                self.desks.depart(domain);
                return;
            }
            Whereabouts::Here if self.desks.leading() => (replica.shard.leases(), replica.shard.owes()),
            _ => return,
        };
        drop(replica);
        let now_us = self.clock.monotonic_us();
        // Each has a whole lease to be heard of here.
        for (agent, epoch) in leases.into_iter().filter(|(agent, _)| agent.domain == domain) {
            self.leases.opened(agent, epoch, now_us);
        }
        self.desks.look_at_leases();
        if owes {
            self.desks.owes();
        }
    }
}

/// Why a node stops that cannot read what was committed. Others can: to pass over it would part this
/// replica from theirs.
pub(crate) fn unreadable(error: &str) -> String {
    format!("a command that this release cannot read ({error}): start the release that the others run")
}

/// The stored form of a shard. Others get their turn in between: a large one takes a quarter of a second.
async fn encode(frozen: &Frozen) -> Vec<u8> {
    let mut encoder = codec::Encoder::default();
    let mut turn = ENCODED_AT_ONCE;
    for piece in frozen.pieces() {
        encoder.push(&piece);
        if encoder.bytes() >= turn {
            turn = encoder.bytes() + ENCODED_AT_ONCE;
            tokio::task::yield_now().await;
        }
    }
    encoder.finish()
}

impl StateMachine for ShardMachine {
    fn ready(&mut self) -> BoxFuture<'static, ()> {
        let events = self.events.clone();
        async move { events.ready().await }.boxed()
    }

    fn apply(&mut self, at: BatchPosition, batch: &Batch) -> Result<Vec<Vec<u8>>, String> {
        let mut effects = std::mem::take(&mut self.effects);
        effects.clear();
        self.at = Spot { index: at.index, term: at.term, ..self.at };
        let mut replica = self.replica.write();
        replica.index = Some(at.index);
        let (mut moved, mut records) = (Vec::new(), Vec::new());
        let mut apply = |ordinal: usize, command: &Vec<u8>| -> Result<Vec<u8>, String> {
            let last_of_batch = ordinal + 1 == batch.commands.len();
            let ordinal = u32::try_from(ordinal).unwrap_or(u32::MAX);
            let request: Request = codec::decode(command).map_err(|error| {
                let error = error.to_string();
                if let Some(probe) = &self.probe {
                    probe.undecodable(self.at, ordinal, &error);
                }
                unreadable(&error)
            })?;
            level::check_command(&request.command, self.knows).map_err(|error| error.to_string())?;
            let position = Position { index: at.index, ordinal };
            let time = LogTime(batch.time_us);
            let entry = Entry { position, time, wall_ms: batch.wall_ms, request };
            let before = effects.events.len();
            let outcome = replica.shard.apply(&entry, &mut effects);
            if let (Command::Move(part), Ok(_)) = (&entry.request.command, &outcome)
                && let MovePart::End { .. } = **part
            {
                moved.push(entry.request.domain);
            }
            if let Some(probe) = &self.probe {
                probe.applied(&Applied {
                    node: self.at.node,
                    term: at.term,
                    entry: &entry,
                    outcome: &outcome,
                    events: &effects.events[before..],
                    shard: &replica.shard,
                    batch_len: batch.commands.len(),
                    last_of_batch,
                });
            }
            if let Command::Move(_) = entry.request.command {
                // Events of before: they are stored, and nothing follows from them any more.
                records.extend(effects.events.drain(before..));
            }
            Ok(codec::encode(&ShardAnswer::Ok(outcome)))
        };
        let commands = batch.commands.iter().enumerate();
        let answers: Result<_, String> = commands.map(|(ordinal, command)| apply(ordinal, command)).collect();
        let answers = answers?;
        let (next, pending) = (replica.shard.next_deadline(), replica.shard.is_pending());
        if batch.commands.is_empty()
            && let Some(probe) = &self.probe
        {
            probe.passed(self.at, &replica.shard);
        }
        drop(replica);

        self.events.append(&records);
        self.events.append(&effects.events);
        moved.into_iter().for_each(|domain| self.moved(domain));
        self.subscribers.deliver(&effects.events);
        self.lead(&effects.events);
        self.desks.pace(next, pending);
        for alarm in &effects.alarms {
            let Alarm::Quarantined { domain, reason } = alarm;
            self.alarms.raise(format!(
                "{domain} is quarantined after a fault: {reason}; its other commands are refused, \
                 report it with the log around index {}",
                at.index
            ));
        }
        self.effects = effects;
        Ok(answers)
    }

    fn passed(&mut self, at: BatchPosition) {
        self.at = Spot { index: at.index, term: at.term, ..self.at };
        let mut replica = self.replica.write();
        replica.index = Some(at.index);
        if let Some(probe) = &self.probe {
            probe.passed(self.at, &replica.shard);
        }
    }

    fn snapshot(&mut self) -> BoxFuture<'static, std::io::Result<Vec<u8>>> {
        let mut replica = self.replica.write();
        if let Some(probe) = &self.probe {
            probe.snapshot(self.at, &replica.shard);
        }
        let frozen = replica.shard.freeze();
        drop(replica);
        let events = self.events.clone();
        let flushed = !self.seeded.has(SeededBug::EventsAfterSnapshotLost);
        async move {
            if flushed {
                events.flush().await?;
            }
            Ok(encode(&frozen).await)
        }
        .boxed()
    }

    fn restore(&mut self, at: BatchPosition, snapshot: &[u8]) -> Result<(), String> {
        let mut shard: Shard = codec::decode(snapshot).map_err(|error| error.to_string())?;
        level::check(shard.level(), self.knows).map_err(|error| error.to_string())?;
        let domains = shard.domains();
        let mut replica = self.replica.write();
        if shard.id() != replica.shard.id() {
            return Err(format!("the snapshot is of {}, this is {}", shard.id(), replica.shard.id()));
        }
        if let Some(bug) = replica.bug {
            shard.plant(bug);
        }
        replica.shard = shard;
        replica.index = Some(at.index);
        self.at = Spot { index: at.index, term: at.term, ..self.at };
        if let Some(probe) = &self.probe {
            probe.restored(self.at, &replica.shard);
        }
        drop(replica);
        for domain in &domains {
            if let Some(reason) = &domain.quarantined {
                self.alarms.raise(format!("{} is quarantined since an earlier fault: {reason}", domain.id));
            }
        }
        self.events.restored(&domains);
        self.subscribers.skipped();
        Ok(())
    }

    fn log_time_us(&self) -> u64 {
        self.replica.read().shard.now().0
    }
}
