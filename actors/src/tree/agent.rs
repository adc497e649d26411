//! An agent: the other end of its desk's session, for as long as there is something to deliver.

use crate::SessionEnd;
use crate::post::{Post, Unsent};
use crate::shard::{DeskFound, Outgoing, ShardRuntime};
use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorProcessingErr, ActorRef, MessagingErr};
use routing::AgentId;
use routing::command::Intent;
use routing::view::{DeskView, Lease};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// An agent's actor without work stops after this long.
const IDLE: Duration = Duration::from_secs(30);
/// How long to wait while too much waits for the desk's node.
const FULL_WAIT: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(crate) enum AgentMessage {
    /// There is something to deliver.
    Flush,
    /// Nothing happened for a while.
    Rest,
}

pub(crate) struct AgentActor;

pub(crate) struct AgentArguments {
    pub(crate) agent: AgentId,
    pub(crate) shard: Arc<ShardRuntime>,
    pub(crate) post: Post,
}

pub(crate) struct AgentState {
    agent: AgentId,
    shard: Arc<ShardRuntime>,
    post: Post,
    rest: Option<JoinHandle<Result<(), MessagingErr<AgentMessage>>>>,
}

impl Drop for AgentState {
    fn drop(&mut self) {
        self.shard.counters.actors.fetch_sub(1, Ordering::Relaxed);
        if let Some(rest) = self.rest.take() {
            rest.abort();
        }
    }
}

/// Why the lease of this desk is not this session's any more.
fn end_of(view: &DeskView) -> SessionEnd {
    let signed_out =
        |intent: &Intent| matches!(intent, Intent::Unavailable { reason } if reason == "signed out");
    match view.agent.lease {
        Lease::Live => SessionEnd::Replaced,
        Lease::None => SessionEnd::LoggedOut,
        Lease::LostSince(_) if signed_out(&view.agent.intent) => SessionEnd::Closed,
        Lease::LostSince(_) => SessionEnd::LeaseLost,
    }
}

impl AgentState {
    /// Sends everything that waits. False if it has to be tried again.
    fn flush(&self) -> bool {
        let shard = &self.shard;
        let desk = |agent: AgentId| {
            let replica = shard.replica.read();
            match replica.shard.desk(agent) {
                Some(mut view) => {
                    // A desk shows none, and they would arrive only where the desk is at this node.
                    view.agent.skills.clear();
                    DeskFound::Yes(Box::new(view))
                }
                None if replica.shard.domain(agent.domain).is_some() => DeskFound::Deleted,
                None => DeskFound::Elsewhere,
            }
        };
        while let Outgoing::Parcel { to, parcel, last } = shard.desks.take(self.agent, desk, end_of) {
            let seat = parcel.seat;
            match self.post.send(to, parcel) {
                Ok(()) => {}
                Err(_) if last => {}
                Err(Unsent::Full) => {
                    shard.desks.unsent(self.agent);
                    return false;
                }
                Err(Unsent::Gone) => shard.desks.detach(seat, to),
            }
        }
        true
    }
}

impl Actor for AgentActor {
    type Msg = AgentMessage;
    type State = AgentState;
    type Arguments = AgentArguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<AgentMessage>,
        AgentArguments { agent, shard, post }: AgentArguments,
    ) -> Result<AgentState, ActorProcessingErr> {
        shard.counters.actors.fetch_add(1, Ordering::Relaxed);
        Ok(AgentState { agent, shard, post, rest: None })
    }

    async fn handle(
        &self,
        myself: ActorRef<AgentMessage>,
        message: AgentMessage,
        state: &mut AgentState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            AgentMessage::Flush => {
                if let Some(rest) = state.rest.take() {
                    rest.abort();
                }
                if state.flush() {
                    state.rest = Some(myself.send_after(IDLE, || AgentMessage::Rest));
                } else {
                    myself.send_after(FULL_WAIT, || AgentMessage::Flush);
                }
            }
            AgentMessage::Rest => {
                if state.shard.desks.may_rest(state.agent) {
                    myself.stop(None);
                }
            }
        }
        Ok(())
    }
}
