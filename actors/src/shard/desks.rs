//! What a leading node owes the desks of a shard: bounded, and rebuilt from the state whenever the
//! bound is met.
//!
//! Applying puts events into outlets and wakes the agent's actor, at most once until that actor
//! has taken everything; so mailboxes hold at most one wake-up per actor. An outlet that is full
//! forgets its events and owes the desk a new welcome instead, which says the same and more.

use crate::seeded::{Seeded, SeededBug};
use crate::tree::{AgentMessage, QueueMessage, ShardMessage};
use crate::wire::{Parcel, Seat, Source};
use crate::{SessionEnd, SessionMessage};
use consensus::NodeId;
use ractor::{ActorId, ActorRef};
use routing::event::{How, Place};
use routing::view::DeskView;
use routing::{AgentId, ConversationId, DomainId, Epoch, Event, EventKind, LogTime, QueueId, Sequence};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Events that wait for one desk; more, and it gets a new welcome instead.
const OUTLET_EVENTS_MAX: usize = 256;

/// What waits for one desk, and where that desk is.
struct Outlet {
    epoch: Epoch,
    front: NodeId,
    seat: Seat,
    source: Source,
    /// The next parcel's.
    number: u64,
    /// Events up to here are in the last welcome.
    cursor: Sequence,
    welcome_owed: bool,
    inbox_changed: bool,
    events: VecDeque<Event>,
    ended: Option<SessionEnd>,
    /// Queues whose inboxes it watches.
    queues: Vec<QueueId>,
    /// A wake-up is under way; it ends when everything is taken.
    awake: bool,
    actor: Option<ActorRef<AgentMessage>>,
}

#[derive(Default)]
struct QueueSeat {
    watchers: BTreeSet<AgentId>,
    dirty: bool,
    actor: Option<ActorRef<QueueMessage>>,
}

#[derive(Default)]
struct Table {
    shard: Option<ActorRef<ShardMessage>>,
    /// See [`Source::life`].
    life: u64,
    outlets: BTreeMap<AgentId, Outlet>,
    queues: BTreeMap<QueueId, QueueSeat>,
    /// The shard's actor wakes at this log time by itself.
    armed_for: Option<LogTime>,
    pace_told: bool,
    outbox_told: bool,
}

/// What an agent's actor sends on.
pub(crate) enum Outgoing {
    /// Everything was taken.
    Nothing,
    /// To this node; the session is over after it if `last`.
    Parcel { to: NodeId, parcel: Parcel, last: bool },
}

/// What the state has for a desk.
pub(crate) enum DeskFound {
    Yes(Box<DeskView>),
    Deleted,
    /// Its domain is not on this shard.
    Elsewhere,
}

impl DeskFound {
    fn view(self) -> Option<Box<DeskView>> {
        match self {
            DeskFound::Yes(view) => Some(view),
            DeskFound::Deleted | DeskFound::Elsewhere => None,
        }
    }
}

/// The desks attached to a shard that this node leads; empty elsewhere.
pub(crate) struct Desks {
    table: Mutex<Table>,
    seeded: Seeded,
}

impl Desks {
    /// `life`: drawn for each process, see [`Source::life`].
    pub(crate) fn new(seeded: Seeded, life: u64) -> Self {
        Self { table: Mutex::new(Table { life, ..Table::default() }), seeded }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shard's actor runs from now on.
    pub(crate) fn lead(&self, shard: ActorRef<ShardMessage>) {
        let mut table = self.table();
        let life = table.life.wrapping_add(1);
        *table = Table { shard: Some(shard), life, ..Table::default() };
    }

    /// This node leads no more: what was owed is owed by another node, from its state.
    pub(crate) fn follow(&self) {
        let mut table = self.table();
        *table = Table { life: table.life, ..Table::default() };
    }

    pub(crate) fn leading(&self) -> bool {
        self.table().shard.is_some()
    }

    pub(crate) fn len(&self) -> usize {
        self.table().outlets.len()
    }

    /// Wakes the shard's actor if it would wake too late by itself.
    pub(super) fn pace(&self, next: Option<LogTime>, pending: bool) {
        let mut table = self.table();
        let sooner = match (next, table.armed_for) {
            (Some(next), Some(armed)) => next < armed,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if (sooner || pending) && !table.pace_told {
            table.pace_told = true;
            table.tell_shard(ShardMessage::Pace);
        }
    }

    /// The shard's actor is about to look at the deadlines; whatever is applied from now on tells it.
    pub(crate) fn paced(&self) {
        let mut table = self.table();
        table.pace_told = false;
        table.armed_for = None;
    }

    /// The shard's actor wakes for this deadline by itself.
    pub(crate) fn armed_for(&self, deadline: Option<LogTime>) {
        self.table().armed_for = deadline;
    }

    /// Wakes the shard's actor for what is owed to other domains.
    pub(super) fn owes(&self) {
        let mut table = self.table();
        if !table.outbox_told {
            table.outbox_told = true;
            table.tell_shard(ShardMessage::Owes);
        }
    }

    /// The shard's actor is about to look at what is owed; whatever is applied from now on tells it.
    pub(crate) fn sees_outbox(&self) {
        self.table().outbox_told = false;
    }

    pub(super) fn look_at_leases(&self) {
        self.table().tell_shard(ShardMessage::Leases);
    }

    /// Attaches a desk in this term, in place of a former attachment of the same agent. It is owed a welcome.
    pub(crate) fn attach(&self, seat: Seat, epoch: Epoch, front: NodeId, term: u64) -> bool {
        let mut table = self.table();
        if table.shard.is_none() {
            return false;
        }
        let outlet = Outlet {
            epoch,
            front,
            seat,
            source: Source { term, life: table.life },
            number: 0,
            cursor: Sequence(0),
            welcome_owed: true,
            inbox_changed: false,
            events: VecDeque::new(),
            ended: None,
            queues: Vec::new(),
            awake: false,
            actor: None,
        };
        let of_session =
            |held: &Outlet| held.seat.session == seat.session && held.front == front && held.epoch == epoch;
        // A call that was sent again may arrive after the session's next attachment.
        if table
            .outlets
            .get(&seat.agent)
            .is_some_and(|held| of_session(held) && held.seat.attempt > seat.attempt)
        {
            return true;
        }
        let former = table.outlets.remove(&seat.agent);
        let mut outlet = outlet;
        if let Some(mut former) = former {
            outlet.actor = former.actor.take();
            outlet.awake = former.awake;
            table.unwatch(seat.agent, &former.queues);
            let same = former.seat.session == seat.session && former.front == front;
            // The same attachment asked for twice: its front node counts on from what it has.
            if of_session(&former) && (former.seat, former.source) == (seat, outlet.source) {
                outlet.number = former.number;
            }
            if !same && former.ended.is_none() {
                let messages = vec![SessionMessage::Ended(SessionEnd::Replaced)];
                let parcel =
                    Parcel { seat: former.seat, source: former.source, number: former.number, messages };
                table.tell_shard(ShardMessage::Farewell(former.front, parcel));
            }
        }
        table.outlets.insert(seat.agent, outlet);
        table.wake(seat.agent);
        true
    }

    /// A front node gave a session up; the lease goes on.
    pub(crate) fn detach(&self, seat: Seat, front: NodeId) {
        let mut table = self.table();
        let held = table.outlets.get(&seat.agent);
        let any = self.seeded.has(SeededBug::LateDetachTakesNewSession);
        if held.is_some_and(|outlet| any || outlet.front == front && outlet.seat.session == seat.session) {
            table.remove(seat.agent);
        }
    }

    /// A domain has gone to another shard. Its desks are told of a hole in what they were sent, so that
    /// they attach again, and learn where.
    pub(super) fn depart(&self, domain: DomainId) {
        let mut table = self.table();
        let gone = table.outlets.keys().copied().filter(|agent| agent.domain == domain);
        let gone: Vec<AgentId> = gone.collect();
        for agent in gone {
            if let Some(Outlet { seat, source, front, ended: None, .. }) = table.outlets.get(&agent) {
                let parcel = Parcel { seat: *seat, source: *source, number: u64::MAX, messages: Vec::new() };
                table.tell_shard(ShardMessage::Farewell(*front, parcel));
            }
            table.remove(agent);
        }
    }

    /// The stream with a front node is lost: it attaches its sessions again when it is back.
    pub(crate) fn detach_all(&self, front: NodeId) {
        let mut table = self.table();
        let gone = table.outlets.iter().filter(|(_, outlet)| outlet.front == front);
        let gone: Vec<AgentId> = gone.map(|(agent, _)| *agent).collect();
        for agent in gone {
            table.remove(agent);
        }
    }

    /// Hands committed events to the desks they concern.
    pub(super) fn deliver(&self, events: &[Event], queues_of: impl Fn(ConversationId) -> Vec<QueueId>) {
        let mut table = self.table();
        if table.outlets.is_empty() {
            return;
        }
        for event in events {
            if let Some(agent) = event.kind.desk() {
                table.push(agent, event);
            }
            if table.queues.is_empty() {
                continue;
            }
            match &event.kind {
                EventKind::Waiting { place: Place::Inbox(queues), .. } => table.dirty(queues),
                EventKind::Assigned { conversation, how: How::Pull, .. }
                | EventKind::Ended { conversation, agent: None, .. } => {
                    table.dirty(&queues_of(*conversation))
                }
                _ => {}
            }
        }
    }

    /// The shard's actor started an agent's actor; it is woken at once.
    pub(crate) fn agent_started(&self, agent: AgentId, actor: ActorRef<AgentMessage>) {
        let mut table = self.table();
        if let Some(outlet) = table.outlets.get_mut(&agent) {
            outlet.actor = Some(actor.clone());
            let _ = actor.cast(AgentMessage::Flush);
        } else {
            actor.stop(None);
        }
    }

    /// Whether an agent has an actor; false also if it needs none.
    pub(crate) fn needs_actor(&self, agent: AgentId) -> bool {
        self.table().outlets.get(&agent).is_some_and(|outlet| outlet.actor.is_none())
    }

    /// An agent's actor is about to stop because nothing happens; false if something does.
    pub(crate) fn may_rest(&self, agent: AgentId) -> bool {
        let mut table = self.table();
        let Some(outlet) = table.outlets.get_mut(&agent) else { return true };
        if outlet.awake {
            return false;
        }
        outlet.actor = None;
        true
    }

    /// An agent's actor failed: what it had taken is lost, so the desk is owed everything.
    pub(crate) fn agent_failed(&self, agent: AgentId) {
        let mut table = self.table();
        if let Some(outlet) = table.outlets.get_mut(&agent) {
            outlet.actor = None;
            outlet.awake = false;
            outlet.owe_welcome();
        }
    }

    /// Wakes whoever delivers to this agent.
    pub(crate) fn rouse(&self, agent: AgentId) {
        let mut table = self.table();
        if let Some(outlet) = table.outlets.get_mut(&agent) {
            outlet.awake = false;
            table.wake(agent);
        }
    }

    /// What a parcel could not be sent for: it is lost, and the desk is owed everything.
    pub(crate) fn unsent(&self, agent: AgentId) {
        if let Some(outlet) = self.table().outlets.get_mut(&agent) {
            outlet.owe_welcome();
        }
    }

    /// Takes what is to be sent to a desk now. `desk` reads the present state; `end` says why a
    /// lease was lost.
    pub(crate) fn take(
        &self,
        agent: AgentId,
        desk: impl Fn(AgentId) -> DeskFound,
        end: impl Fn(&DeskView) -> SessionEnd,
    ) -> Outgoing {
        let mut table = self.table();
        let Some(outlet) = table.outlets.get_mut(&agent) else { return Outgoing::Nothing };
        let mut messages = Vec::new();
        let mut watch = None;
        if outlet.welcome_owed {
            outlet.welcome_owed = false;
            outlet.inbox_changed = false;
            match desk(agent) {
                DeskFound::Yes(view) if view.agent.epoch == outlet.epoch => {
                    outlet.cursor = view.sequence;
                    let cursor = outlet.cursor;
                    outlet.events.retain(|event| event.sequence > cursor);
                    watch = Some(view.agent.settings.queues.clone());
                    if view.agent.lease != routing::view::Lease::Live {
                        outlet.ended = Some(end(&view));
                    }
                    messages.push(SessionMessage::Welcome(view));
                }
                DeskFound::Yes(view) => outlet.ended = Some(end(&view)),
                DeskFound::Deleted => outlet.ended = Some(SessionEnd::AgentDeleted),
                // It is told in a moment to attach there.
                DeskFound::Elsewhere => {
                    outlet.owe_welcome();
                    outlet.awake = false;
                    return Outgoing::Nothing;
                }
            }
        }
        for event in outlet.events.drain(..) {
            match &event.kind {
                EventKind::SessionOpened { epoch, .. } if *epoch > outlet.epoch => {
                    outlet.ended = Some(SessionEnd::Replaced);
                }
                EventKind::LeaseLost { epoch, .. } if *epoch >= outlet.epoch => {
                    let view = desk(agent).view();
                    outlet.ended = Some(view.map_or(SessionEnd::AgentDeleted, |view| end(&view)));
                }
                EventKind::AgentDeleted(_) => outlet.ended = Some(SessionEnd::AgentDeleted),
                EventKind::AgentChanged(_) => {
                    watch = desk(agent).view().map(|view| view.agent.settings.queues);
                }
                _ => {}
            }
            messages.push(SessionMessage::Event(Box::new(event)));
        }
        if std::mem::take(&mut outlet.inbox_changed) {
            messages.push(SessionMessage::InboxChanged);
        }
        let last = outlet.ended.is_some();
        messages.extend(outlet.ended.map(SessionMessage::Ended));
        if messages.is_empty() {
            outlet.awake = false;
            return Outgoing::Nothing;
        }
        let parcel = Parcel { seat: outlet.seat, source: outlet.source, number: outlet.number, messages };
        tracing::trace!(%agent, ?parcel, front = %outlet.front, "on its way to the desk");
        outlet.number += 1;
        let to = outlet.front;
        if last {
            table.remove(agent);
        } else if let Some(queues) = watch {
            table.watch(agent, queues);
        }
        Outgoing::Parcel { to, parcel, last }
    }

    /// The shard's actor started a queue's actor.
    pub(crate) fn queue_started(&self, queue: QueueId, actor: ActorRef<QueueMessage>) {
        let mut table = self.table();
        match table.queues.get_mut(&queue) {
            Some(seat) if seat.actor.is_none() => {
                seat.actor = Some(actor.clone());
                let _ = actor.cast(QueueMessage::InboxChanged);
            }
            _ => actor.stop(None),
        }
    }

    /// This actor of a queue ended, for whatever reason.
    pub(crate) fn queue_ended(&self, queue: QueueId, id: ActorId) {
        if let Some(seat) = self.table().queues.get_mut(&queue)
            && seat.actor.as_ref().is_some_and(|actor| actor.get_id() == id)
        {
            seat.actor = None;
            seat.dirty = false;
        }
    }

    /// Tells everybody who watches a queue's inbox. False if nobody does.
    pub(crate) fn tell_watchers(&self, queue: QueueId) -> bool {
        let mut table = self.table();
        let Some(seat) = table.queues.get_mut(&queue) else { return false };
        seat.dirty = false;
        let watchers: Vec<AgentId> = seat.watchers.iter().copied().collect();
        for agent in &watchers {
            if let Some(outlet) = table.outlets.get_mut(agent) {
                outlet.inbox_changed = true;
                table.wake(*agent);
            }
        }
        !watchers.is_empty()
    }
}

impl Outlet {
    fn owe_welcome(&mut self) {
        self.events.clear();
        self.welcome_owed = true;
    }
}

impl Table {
    fn tell_shard(&self, message: ShardMessage) {
        if let Some(shard) = &self.shard {
            // The actor is gone only when this node stops leading.
            let _ = shard.cast(message);
        }
    }

    fn push(&mut self, agent: AgentId, event: &Event) {
        let Some(outlet) = self.outlets.get_mut(&agent) else { return };
        if event.sequence <= outlet.cursor && !outlet.welcome_owed {
            tracing::trace!(%agent, sequence = event.sequence.0, cursor = outlet.cursor.0, "in the welcome already");
            return;
        }
        tracing::trace!(%agent, sequence = event.sequence.0, owed = outlet.welcome_owed, "waits for the desk");
        if outlet.events.len() == OUTLET_EVENTS_MAX {
            outlet.owe_welcome();
        } else {
            outlet.events.push_back(event.clone());
        }
        self.wake(agent);
    }

    fn wake(&mut self, agent: AgentId) {
        let Some(outlet) = self.outlets.get_mut(&agent) else { return };
        if std::mem::replace(&mut outlet.awake, true) {
            return;
        }
        let told = outlet.actor.as_ref().is_some_and(|actor| actor.cast(AgentMessage::Flush).is_ok());
        if !told {
            outlet.actor = None;
            self.tell_shard(ShardMessage::WakeAgent(agent));
        }
    }

    fn dirty(&mut self, queues: &[QueueId]) {
        for queue in queues {
            let Some(seat) = self.queues.get_mut(queue) else { continue };
            if std::mem::replace(&mut seat.dirty, true) {
                continue;
            }
            let told =
                seat.actor.as_ref().is_some_and(|actor| actor.cast(QueueMessage::InboxChanged).is_ok());
            if !told {
                seat.actor = None;
                self.tell_shard(ShardMessage::WakeQueue(*queue));
            }
        }
    }

    fn watch(&mut self, agent: AgentId, queues: Vec<QueueId>) {
        let Some(outlet) = self.outlets.get_mut(&agent) else { return };
        let former = std::mem::replace(&mut outlet.queues, queues.clone());
        self.unwatch(agent, &former);
        for queue in queues {
            self.queues.entry(queue).or_default().watchers.insert(agent);
        }
    }

    fn unwatch(&mut self, agent: AgentId, queues: &[QueueId]) {
        for queue in queues {
            if let Some(seat) = self.queues.get_mut(queue) {
                seat.watchers.remove(&agent);
                if seat.watchers.is_empty()
                    && let Some(seat) = self.queues.remove(queue)
                    && let Some(actor) = seat.actor
                {
                    actor.stop(None);
                }
            }
        }
    }

    fn remove(&mut self, agent: AgentId) {
        if let Some(outlet) = self.outlets.remove(&agent) {
            self.unwatch(agent, &outlet.queues);
            if let Some(actor) = outlet.actor {
                actor.stop(None);
            }
        }
    }
}
