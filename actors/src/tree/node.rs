//! The node: keeps one actor for each shard it leads, and one for each conversation that somebody
//! watches here.

use super::conversation::{ConversationActor, ConversationMessage, Watcher};
use super::restarts::Restarts;
use super::shard::{ShardActor, ShardArguments, ShardMessage};
use crate::alarms::Alarms;
use crate::post::Post;
use crate::router::Router;
use crate::seeded::SeededBug;
use crate::shard::ShardTable;
use consensus::env::SharedClock;
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use routing::{ConversationId, ShardId};
use std::collections::BTreeMap;
use std::time::Duration;

/// Wait before a shard whose actors keep failing is tried again.
const FAILING_WAIT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) enum NodeMessage {
    /// This node leads the shard in this term from now on, or no more.
    Leads(ShardId, Option<u64>),
    /// Start the shard's actor again, if this node still leads it.
    Restart(ShardId),
    /// Somebody watches a conversation of a shard from now on.
    Watch(ShardId, ConversationId, Watcher),
}

pub(crate) struct NodeActor;

pub(crate) struct NodeArguments {
    pub(crate) shards: ShardTable,
    pub(crate) post: Post,
    pub(crate) clock: SharedClock,
    pub(crate) alarms: Alarms,
    pub(crate) speed: u32,
    pub(crate) router: Router,
}

#[derive(Default)]
struct Led {
    term: Option<u64>,
    actor: Option<ActorRef<ShardMessage>>,
    restarts: Restarts,
}

pub(crate) struct NodeState {
    with: NodeArguments,
    led: BTreeMap<ShardId, Led>,
    children: BTreeMap<ActorId, ShardId>,
    conversations: BTreeMap<ConversationId, ActorRef<ConversationMessage>>,
    conversation_ids: BTreeMap<ActorId, (ShardId, ConversationId)>,
}

impl NodeState {
    async fn start(&mut self, myself: &ActorRef<NodeMessage>, id: ShardId) -> Result<(), ActorProcessingErr> {
        let Some(shard) = self.with.shards.get(id) else { return Ok(()) };
        let led = self.led.entry(id).or_default();
        let Some(term) = led.term.filter(|_| led.actor.is_none()) else { return Ok(()) };
        let with = ShardArguments {
            shard: shard.clone(),
            term,
            post: self.with.post.clone(),
            clock: self.with.clock.clone(),
            alarms: self.with.alarms.clone(),
            speed: self.with.speed,
            router: self.with.router.clone(),
        };
        let (actor, _) = ShardActor::spawn_linked(None, ShardActor, with, myself.get_cell()).await?;
        self.children.insert(actor.get_id(), id);
        led.actor = Some(actor);
        Ok(())
    }

    async fn watch(
        &mut self,
        myself: &ActorRef<NodeMessage>,
        id: ShardId,
        conversation: ConversationId,
        watcher: Watcher,
    ) -> Result<(), ActorProcessingErr> {
        let Some(shard) = self.with.shards.get(id) else { return Ok(()) };
        let present = self.conversations.get(&conversation);
        let present = present.filter(|_| shard.subscribers.watches(conversation)).cloned();
        let actor = match present {
            Some(actor) => actor,
            None => {
                let with = (conversation, shard.clone());
                let (actor, _) =
                    ConversationActor::spawn_linked(None, ConversationActor, with, myself.get_cell()).await?;
                self.conversation_ids.insert(actor.get_id(), (id, conversation));
                self.conversations.insert(conversation, actor.clone());
                actor
            }
        };
        // If it ends meanwhile, the watcher's stream ends and it begins again.
        let _ = actor.cast(ConversationMessage::Watch(watcher));
        Ok(())
    }

    /// Forgets a conversation's actor; false if it was none.
    fn conversation_ended(&mut self, actor: ActorId) -> bool {
        let Some((id, conversation)) = self.conversation_ids.remove(&actor) else { return false };
        if self.conversations.get(&conversation).is_some_and(|present| present.get_id() == actor) {
            self.conversations.remove(&conversation);
        }
        if let Some(shard) = self.with.shards.get(id) {
            shard.subscribers.ended(conversation, actor);
        }
        true
    }

    /// Whether this node acts for a shard that it leads no more.
    fn goes_on(&self, id: ShardId) -> bool {
        let shard = self.with.shards.get(id);
        shard.is_some_and(|shard| shard.seeded.has(SeededBug::FollowerDelivers))
    }

    fn stop(&mut self, id: ShardId) {
        let led = self.led.entry(id).or_default();
        if let Some(actor) = led.actor.take() {
            self.children.remove(&actor.get_id());
            actor.stop(None);
        }
        if let Some(shard) = self.with.shards.get(id) {
            shard.desks.follow();
            shard.leases.disarm();
        }
    }
}

impl Actor for NodeActor {
    type Msg = NodeMessage;
    type State = NodeState;
    type Arguments = NodeArguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<NodeMessage>,
        with: NodeArguments,
    ) -> Result<NodeState, ActorProcessingErr> {
        Ok(NodeState {
            with,
            led: BTreeMap::new(),
            children: BTreeMap::new(),
            conversations: BTreeMap::new(),
            conversation_ids: BTreeMap::new(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<NodeMessage>,
        message: NodeMessage,
        state: &mut NodeState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            NodeMessage::Leads(shard, term) => {
                state.led.entry(shard).or_default().term = term;
                // A later term begins anew: what its actors knew is of the former one.
                if term.is_some() || !state.goes_on(shard) {
                    state.stop(shard);
                }
                state.start(&myself, shard).await
            }
            NodeMessage::Restart(shard) => state.start(&myself, shard).await,
            NodeMessage::Watch(shard, conversation, watcher) => {
                state.watch(&myself, shard, conversation, watcher).await
            }
        }
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<NodeMessage>,
        event: SupervisionEvent,
        state: &mut NodeState,
    ) -> Result<(), ActorProcessingErr> {
        let (child, why) = match event {
            SupervisionEvent::ActorFailed(child, why) => (child, why.to_string()),
            SupervisionEvent::ActorTerminated(child, _, why) => (child, why.unwrap_or_default()),
            _ => return Ok(()),
        };
        if state.conversation_ended(child.get_id()) {
            return Ok(());
        }
        let Some(id) = state.children.remove(&child.get_id()) else { return Ok(()) };
        state.stop(id);
        let led = state.led.entry(id).or_default();
        let wait = led.restarts.failed(state.with.clock.monotonic_us());
        if wait.is_none() {
            state.with.alarms.raise(format!(
                "{id}: its actor on this node fails again and again ({why}); sessions and deadlines of the \
                 shard wait, move its leadership to another node and report this"
            ));
        }
        let wait = wait.unwrap_or(FAILING_WAIT);
        tracing::error!(shard = %id, why, ?wait, "a shard's actor ended, it is started again");
        myself.send_after(wait, move || NodeMessage::Restart(id));
        Ok(())
    }
}
