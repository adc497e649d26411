//! A queue: tells the desks of its agents that its inbox changed.

use crate::shard::ShardRuntime;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use routing::QueueId;
use std::sync::Arc;
use std::sync::atomic::Ordering;

#[derive(Debug)]
pub(crate) enum QueueMessage {
    /// Something came into the inbox or left it.
    InboxChanged,
}

pub(crate) struct QueueActor;

pub(crate) struct QueueState {
    queue: QueueId,
    shard: Arc<ShardRuntime>,
}

impl Drop for QueueState {
    fn drop(&mut self) {
        self.shard.counters.actors.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Actor for QueueActor {
    type Msg = QueueMessage;
    type State = QueueState;
    type Arguments = (QueueId, Arc<ShardRuntime>);

    async fn pre_start(
        &self,
        _myself: ActorRef<QueueMessage>,
        (queue, shard): Self::Arguments,
    ) -> Result<QueueState, ActorProcessingErr> {
        shard.counters.actors.fetch_add(1, Ordering::Relaxed);
        Ok(QueueState { queue, shard })
    }

    async fn handle(
        &self,
        myself: ActorRef<QueueMessage>,
        message: QueueMessage,
        state: &mut QueueState,
    ) -> Result<(), ActorProcessingErr> {
        let QueueMessage::InboxChanged = message;
        if !state.shard.desks.tell_watchers(state.queue) {
            myself.stop(None);
        }
        Ok(())
    }
}
