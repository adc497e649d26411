//! A shard that this node leads: proposes what time asks for, watches over leases, and supervises
//! the agents and queues that are awake. It decides nothing about routing.

use super::agent::{AgentActor, AgentArguments};
use super::carrier::{self, Carrier, carry};
use super::queue::QueueActor;
use super::restarts::Restarts;
use crate::alarms::Alarms;
use crate::post::Post;
use crate::router::Router;
use crate::seeded::SeededBug;
use crate::shard::{ShardRuntime, Silence};
use crate::wire::Parcel;
use consensus::NodeId;
use consensus::env::SharedClock;
use futures::StreamExt;
use proto::codec;
use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, MessagingErr, SupervisionEvent};
use routing::command::Desk;
use routing::entry::Request;
use routing::{AgentId, Command, DomainId, LogTime, QueueId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Leases of a shard that may be lost in a tenth of a second, so that a node that disappears with thousands
/// of desks neither holds up the work of the others nor has all its agents' work offered elsewhere at once.
const LEASES_PER_WAVE: usize = 50;
/// Of these, at once.
const LEASES_AT_ONCE: usize = 32;
/// Wait after a proposal that was not taken.
const REFUSED_WAIT: Duration = Duration::from_millis(50);
/// `Continue` proposed so often in a row is a fault of the core.
const CONTINUES_MAX: u32 = 100_000;

#[derive(Debug)]
pub(crate) enum ShardMessage {
    /// Look at the deadlines of the state.
    Pace,
    /// A tick or continue was answered; false if it was not taken.
    Proposed(bool),
    /// Look at the leases.
    Leases,
    /// A wave of lost leases was proposed.
    WaveOver,
    /// This agent's desk is owed something and it has no actor.
    WakeAgent(AgentId),
    /// After a failure: as above, even if an actor was on its way.
    RouseAgent(AgentId),
    /// This queue's inbox changed and it has no actor.
    WakeQueue(QueueId),
    /// Look at what is owed to other domains.
    Owes,
    /// A message to another domain was answered and that is settled, or not.
    Carried(carrier::Key, bool),
    /// The last words to a session that was replaced.
    Farewell(NodeId, Parcel),
}

type Timer = JoinHandle<Result<(), MessagingErr<ShardMessage>>>;

#[derive(Debug, Clone, Copy)]
enum Child {
    Agent(AgentId),
    Queue(QueueId),
}

pub(crate) struct ShardActor;

pub(crate) struct ShardArguments {
    pub(crate) shard: Arc<ShardRuntime>,
    /// The term in which this node leads it. All that is proposed here rests on what was seen in it.
    pub(crate) term: u64,
    pub(crate) post: Post,
    pub(crate) clock: SharedClock,
    pub(crate) alarms: Alarms,
    /// Log time per real time.
    pub(crate) speed: u32,
    pub(crate) router: Router,
}

pub(crate) struct ShardState {
    with: ShardArguments,
    proposing: bool,
    continues: u32,
    losing: bool,
    pace_timer: Option<Timer>,
    lease_timer: Option<Timer>,
    carrier: Carrier,
    carry_timer: Option<Timer>,
    children: BTreeMap<ActorId, Child>,
    restarts: Restarts,
}

impl Drop for ShardState {
    fn drop(&mut self) {
        self.with.shard.counters.actors.fetch_sub(1, Ordering::Relaxed);
        for timer in
            [self.pace_timer.take(), self.lease_timer.take(), self.carry_timer.take()].into_iter().flatten()
        {
            timer.abort();
        }
    }
}

fn set(timer: &mut Option<Timer>, new: Option<Timer>) {
    if let Some(old) = std::mem::replace(timer, new) {
        old.abort();
    }
}

/// A command that the cluster makes itself.
fn own(domain: DomainId, command: Command) -> Vec<u8> {
    codec::encode(&Request { id: None, domain, expected_version: None, command })
}

impl ShardState {
    fn pace(&mut self, myself: &ActorRef<ShardMessage>) {
        let shard = &self.with.shard;
        // First: whatever is applied from here on tells again.
        shard.desks.paced();
        if self.proposing {
            return;
        }
        let (next, pending, change_ms) = {
            let replica = shard.replica.read();
            (replica.shard.next_deadline(), replica.shard.is_pending(), replica.shard.next_change_ms())
        };
        // Opening hours go by the wall clock: log time stood still while nobody led.
        let wall_ms = self.with.clock.wall_ms();
        let now = LogTime(shard.group.log_time_us());
        self.continues = if pending { self.continues.saturating_add(1) } else { 0 };
        if self.continues == CONTINUES_MAX {
            self.with.alarms.raise(format!("{}: the state asks to continue without end", shard.id));
        }
        let command = match next {
            _ if pending => Some(Command::Continue),
            Some(next) if next <= now => Some(Command::Tick),
            _ if change_ms.is_some_and(|change_ms| change_ms <= wall_ms) => Some(Command::Tick),
            _ => None,
        };
        if let Some(command) = command {
            self.proposing = true;
            let (group, term, myself) = (shard.group.clone(), self.with.term, myself.clone());
            tokio::spawn(async move {
                let taken = group.propose_in_term(term, own(DomainId::SHARD, command)).await.is_ok();
                let _ = myself.cast(ShardMessage::Proposed(taken));
            });
            return;
        }
        let timer = next.map(|next| {
            let real_us = next.since(now).0.div_ceil(u64::from(self.with.speed.max(1)));
            let wall_us = change_ms.map_or(u64::MAX, |change_ms| 1_000 * change_ms.saturating_sub(wall_ms));
            let real_us = real_us.min(wall_us);
            myself.send_after(Duration::from_micros(real_us.max(500)), || ShardMessage::Pace)
        });
        set(&mut self.pace_timer, timer);
        shard.desks.armed_for(next);
    }

    fn look_at_leases(&mut self, myself: &ActorRef<ShardMessage>) {
        let shard = &self.with.shard;
        let now_us = self.with.clock.monotonic_us();
        if !self.losing {
            let expired = shard.leases.expired(now_us, LEASES_PER_WAVE);
            if !expired.is_empty() {
                self.losing = true;
                let (shard, term, myself) = (shard.clone(), self.with.term, myself.clone());
                tokio::spawn(async move {
                    let losses = futures::stream::iter(expired)
                        .map(|(desk, silence)| lose(&shard, term, desk, silence));
                    losses.buffer_unordered(LEASES_AT_ONCE).collect::<()>().await;
                    let _ = myself.cast(ShardMessage::WaveOver);
                });
            }
        }
        let timer = shard.leases.next_look_us().filter(|_| !self.losing).map(|at_us| {
            let wait_us = at_us.saturating_sub(now_us).max(1_000);
            myself.send_after(Duration::from_micros(wait_us), || ShardMessage::Leases)
        });
        set(&mut self.lease_timer, timer);
    }

    /// Sends what is owed to other domains, and wakes again for what has to wait.
    fn carry(&mut self, myself: &ActorRef<ShardMessage>) {
        let shard = &self.with.shard;
        // First: whatever is applied from here on tells again.
        shard.desks.sees_outbox();
        if !shard.replica.read().shard.owes() {
            self.carrier = Carrier::default();
            return;
        }
        let now_us = self.with.clock.monotonic_us();
        for owed in self.carrier.take(shard, now_us) {
            let key = carrier::key(&owed);
            let work = carry(self.with.router.clone(), shard.clone(), self.with.term, owed);
            let myself = myself.clone();
            tokio::spawn(async move {
                let settled = work.await;
                let _ = myself.cast(ShardMessage::Carried(key, settled));
            });
        }
        let timer = self.carrier.next_us(now_us).map(|at_us| {
            let wait_us = at_us.saturating_sub(now_us).max(1_000);
            myself.send_after(Duration::from_micros(wait_us), || ShardMessage::Owes)
        });
        set(&mut self.carry_timer, timer);
    }

    async fn start_agent(
        &mut self,
        myself: &ActorRef<ShardMessage>,
        agent: AgentId,
    ) -> Result<(), ActorProcessingErr> {
        let shard = self.with.shard.clone();
        if !shard.desks.needs_actor(agent) {
            return Ok(());
        }
        let with = AgentArguments { agent, shard: shard.clone(), post: self.with.post.clone() };
        let (actor, _) = AgentActor::spawn_linked(None, AgentActor, with, myself.get_cell()).await?;
        self.children.insert(actor.get_id(), Child::Agent(agent));
        shard.desks.agent_started(agent, actor);
        Ok(())
    }

    async fn start_queue(
        &mut self,
        myself: &ActorRef<ShardMessage>,
        queue: QueueId,
    ) -> Result<(), ActorProcessingErr> {
        let shard = self.with.shard.clone();
        let (actor, _) =
            QueueActor::spawn_linked(None, QueueActor, (queue, shard.clone()), myself.get_cell()).await?;
        self.children.insert(actor.get_id(), Child::Queue(queue));
        shard.desks.queue_started(queue, actor);
        Ok(())
    }

    fn child_failed(
        &mut self,
        myself: &ActorRef<ShardMessage>,
        id: ActorId,
        why: &str,
    ) -> Result<(), ActorProcessingErr> {
        let Some(child) = self.children.remove(&id) else { return Ok(()) };
        tracing::error!(shard = %self.with.shard.id, ?child, why, "an actor failed");
        let desks = &self.with.shard.desks;
        match child {
            Child::Agent(agent) => desks.agent_failed(agent),
            Child::Queue(queue) => desks.queue_ended(queue, id),
        }
        let Some(wait) = self.restarts.failed(self.with.clock.monotonic_us()) else {
            return Err(format!("its actors fail too often, last: {why}").into());
        };
        if let Child::Agent(agent) = child {
            myself.send_after(wait, move || ShardMessage::RouseAgent(agent));
        }
        Ok(())
    }
}

/// In this term or not at all: a later one gives every desk the time of a whole lease first.
async fn lose(shard: &ShardRuntime, term: u64, desk: Desk, silence: Silence) {
    let counter = match silence {
        Silence::Agent => &shard.counters.agents_silent,
        Silence::Node => &shard.counters.nodes_unreachable,
    };
    let command = Command::LoseLease { desk };
    // Refused or unknown: the lease runs out again after another lease time, if it still stands.
    if shard.group.propose_in_term(term, own(desk.agent.domain, command)).await.is_ok() {
        counter.fetch_add(1, Ordering::Relaxed);
        tracing::info!(agent = %desk.agent, ?silence, "lease lost");
    }
}

impl Actor for ShardActor {
    type Msg = ShardMessage;
    type State = ShardState;
    type Arguments = ShardArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<ShardMessage>,
        with: ShardArguments,
    ) -> Result<ShardState, ActorProcessingErr> {
        with.shard.counters.actors.fetch_add(1, Ordering::Relaxed);
        // In this order nothing is missed: what is applied from now on is noted, and everything
        // before is in the state. Every live lease has its whole time before any is called lost.
        with.shard.leases.arm();
        with.shard.desks.lead(myself.clone());
        let mut live = with.shard.replica.read().shard.leases();
        let mut now_us = with.clock.monotonic_us();
        if with.shard.seeded.has(SeededBug::LeaseNeverLost) {
            live.clear();
        }
        if with.shard.seeded.has(SeededBug::LeaseNotRearmed) {
            now_us = with.shard.leases.long_ago(now_us);
        }
        for (agent, epoch) in live {
            with.shard.leases.opened(agent, epoch, now_us);
        }
        Ok(ShardState {
            with,
            proposing: false,
            continues: 0,
            losing: false,
            pace_timer: None,
            lease_timer: None,
            carrier: Carrier::default(),
            carry_timer: None,
            children: BTreeMap::new(),
            restarts: Restarts::default(),
        })
    }

    async fn post_start(
        &self,
        myself: ActorRef<ShardMessage>,
        state: &mut ShardState,
    ) -> Result<(), ActorProcessingErr> {
        state.pace(&myself);
        state.look_at_leases(&myself);
        if state.with.shard.seeded.has(SeededBug::OutboxForgotten) {
            state.carrier.forget(&state.with.shard, state.with.clock.monotonic_us());
        }
        state.carry(&myself);
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<ShardMessage>,
        message: ShardMessage,
        state: &mut ShardState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ShardMessage::Pace => state.pace(&myself),
            ShardMessage::Proposed(taken) => {
                state.proposing = false;
                if taken {
                    state.pace(&myself);
                } else {
                    let timer = myself.send_after(REFUSED_WAIT, || ShardMessage::Pace);
                    set(&mut state.pace_timer, Some(timer));
                }
            }
            ShardMessage::Leases => state.look_at_leases(&myself),
            ShardMessage::WaveOver => {
                state.losing = false;
                state.look_at_leases(&myself);
            }
            ShardMessage::Owes => state.carry(&myself),
            ShardMessage::Carried(key, settled) => {
                state.carrier.carried(key, settled, state.with.clock.monotonic_us());
                state.carry(&myself);
            }
            ShardMessage::WakeAgent(agent) => state.start_agent(&myself, agent).await?,
            ShardMessage::RouseAgent(agent) => state.with.shard.desks.rouse(agent),
            ShardMessage::WakeQueue(queue) => state.start_queue(&myself, queue).await?,
            ShardMessage::Farewell(to, parcel) => {
                // If its node is gone, so is the session.
                let _ = state.with.post.send(to, parcel);
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<ShardMessage>,
        event: SupervisionEvent,
        state: &mut ShardState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(child, why) => {
                state.child_failed(&myself, child.get_id(), &why.to_string())
            }
            SupervisionEvent::ActorTerminated(child, _, _) => {
                if let Some(Child::Queue(queue)) = state.children.remove(&child.get_id()) {
                    state.with.shard.desks.queue_ended(queue, child.get_id());
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
