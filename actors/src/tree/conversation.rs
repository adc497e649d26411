//! A conversation that somebody watches: tells its watchers what happens to it, until it ends or
//! nobody watches any more.

use crate::shard::{Heard, ShardRuntime};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use routing::{ConversationId, Event, EventKind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{mpsc, oneshot};

/// Watchers of one conversation.
const WATCHERS_MAX: usize = 1_000;

/// Somebody who watches.
#[derive(Debug)]
pub(crate) struct Watcher {
    pub(crate) events: mpsc::Sender<Arc<Event>>,
    /// Told when events go to it; dropped when there are too many watchers.
    pub(crate) ready: oneshot::Sender<()>,
}

#[derive(Debug)]
pub(crate) enum ConversationMessage {
    /// Somebody watches from now on.
    Watch(Watcher),
    /// There are events to take.
    Happened,
}

pub(crate) struct ConversationActor;

pub(crate) struct ConversationState {
    conversation: ConversationId,
    shard: Arc<ShardRuntime>,
    watchers: Vec<mpsc::Sender<Arc<Event>>>,
}

impl Drop for ConversationState {
    fn drop(&mut self) {
        self.shard.counters.actors.fetch_sub(1, Ordering::Relaxed);
    }
}

impl ConversationState {
    /// Tells everybody; who does not keep up ends and begins again. False when it is all over.
    fn tell(&mut self) -> bool {
        let Heard::Events(events) = self.shard.subscribers.take(self.conversation) else { return false };
        for event in events {
            self.watchers.retain(|watcher| watcher.try_send(event.clone()).is_ok());
            if matches!(event.kind, EventKind::Ended { .. }) {
                return false;
            }
        }
        !self.watchers.is_empty()
    }
}

impl Actor for ConversationActor {
    type Msg = ConversationMessage;
    type State = ConversationState;
    type Arguments = (ConversationId, Arc<ShardRuntime>);

    async fn pre_start(
        &self,
        myself: ActorRef<ConversationMessage>,
        (conversation, shard): Self::Arguments,
    ) -> Result<ConversationState, ActorProcessingErr> {
        shard.counters.actors.fetch_add(1, Ordering::Relaxed);
        shard.subscribers.watch(conversation, myself);
        Ok(ConversationState { conversation, shard, watchers: Vec::new() })
    }

    async fn handle(
        &self,
        myself: ActorRef<ConversationMessage>,
        message: ConversationMessage,
        state: &mut ConversationState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ConversationMessage::Watch(Watcher { events, ready }) => {
                state.watchers.retain(|watcher| !watcher.is_closed());
                if state.watchers.len() < WATCHERS_MAX {
                    state.watchers.push(events);
                    let _ = ready.send(());
                }
            }
            ConversationMessage::Happened => {
                if !state.tell() {
                    state.watchers.clear();
                    state.shard.subscribers.ended(state.conversation, myself.get_id());
                    myself.stop(None);
                }
            }
        }
        Ok(())
    }
}
