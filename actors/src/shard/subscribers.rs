//! Conversations of a shard that somebody at this node watches, one by one.

use crate::tree::ConversationMessage;
use ractor::{ActorId, ActorRef};
use routing::event::Subject;
use routing::{ConversationId, DomainId, Event};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Events of one conversation that wait for its actor; more, and its watchers must begin again.
const EVENTS_MAX: usize = 256;

struct Watched {
    actor: ActorRef<ConversationMessage>,
    events: Vec<Arc<Event>>,
    /// The state jumped, so that events are missing.
    skipped: bool,
}

/// What a conversation's actor takes.
pub(crate) enum Heard {
    /// These happened, in order.
    Events(Vec<Arc<Event>>),
    /// Too much happened, or a snapshot took its place: nothing can be told without a gap.
    TooMuch,
}

/// On every replica, not only on the leader.
#[derive(Default)]
pub(crate) struct Subscribers {
    watched: Mutex<BTreeMap<ConversationId, Watched>>,
}

impl Subscribers {
    fn watched(&self) -> MutexGuard<'_, BTreeMap<ConversationId, Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Events of this conversation go to this actor from now on.
    pub(crate) fn watch(&self, conversation: ConversationId, actor: ActorRef<ConversationMessage>) {
        self.watched().insert(conversation, Watched { actor, events: Vec::new(), skipped: false });
    }

    /// Whether a live actor takes this conversation's events.
    pub(crate) fn watches(&self, conversation: ConversationId) -> bool {
        self.watched().contains_key(&conversation)
    }

    /// This actor ended.
    pub(crate) fn ended(&self, conversation: ConversationId, id: ActorId) {
        let mut watched = self.watched();
        if watched.get(&conversation).is_some_and(|watched| watched.actor.get_id() == id) {
            watched.remove(&conversation);
        }
    }

    /// Hands committed events on; an actor is woken once until it has taken them.
    pub(super) fn deliver(&self, events: &[Event]) {
        let mut watched = self.watched();
        if watched.is_empty() {
            return;
        }
        for event in events {
            let Subject::Conversation(conversation) = event.kind.subject(event.domain) else { continue };
            let Some(watched) = watched.get_mut(&conversation) else { continue };
            if watched.events.is_empty() && !watched.skipped {
                // If it is gone, so are its watchers.
                let _ = watched.actor.cast(ConversationMessage::Happened);
            }
            if watched.events.len() <= EVENTS_MAX {
                watched.events.push(Arc::new(event.clone()));
            }
        }
    }

    /// The state was replaced by a snapshot's, which comes without events: every watcher must begin again.
    pub(super) fn skipped(&self) {
        for watched in self.watched().values_mut() {
            watched.skipped = true;
            let _ = watched.actor.cast(ConversationMessage::Happened);
        }
    }

    /// A domain has gone to another shard, where its events are from now on.
    pub(super) fn depart(&self, domain: DomainId) {
        for (_, watched) in self.watched().iter_mut().filter(|(id, _)| id.domain == domain) {
            watched.skipped = true;
            let _ = watched.actor.cast(ConversationMessage::Happened);
        }
    }

    pub(crate) fn take(&self, conversation: ConversationId) -> Heard {
        let mut watched = self.watched();
        let Some(watched) = watched.get_mut(&conversation) else { return Heard::Events(Vec::new()) };
        let events = std::mem::take(&mut watched.events);
        if watched.skipped || events.len() > EVENTS_MAX { Heard::TooMuch } else { Heard::Events(events) }
    }

    pub(crate) fn len(&self) -> usize {
        self.watched().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EngineConfig;
    use crate::alarms::Alarms;
    use crate::events::EventStore;
    use crate::seeded::Seeded;
    use crate::shard::{Desks, Leases, Parts, ShardMachine, SharedReplica};
    use consensus::disk::MemDisk;
    use consensus::{BatchPosition, Clock, GroupId, NodeId, StateMachine};
    use ractor::{Actor, ActorProcessingErr};
    use routing::{DomainId, EventKind, LogTime, Position, Sequence, Shard, ShardId, Version};
    use tokio::sync::mpsc;

    /// Says how often it was woken.
    struct Woken;

    impl Actor for Woken {
        type Msg = ConversationMessage;
        type State = mpsc::UnboundedSender<()>;
        type Arguments = mpsc::UnboundedSender<()>;

        async fn pre_start(
            &self,
            _myself: ActorRef<ConversationMessage>,
            woken: mpsc::UnboundedSender<()>,
        ) -> Result<Self::State, ActorProcessingErr> {
            Ok(woken)
        }

        async fn handle(
            &self,
            _myself: ActorRef<ConversationMessage>,
            _message: ConversationMessage,
            woken: &mut Self::State,
        ) -> Result<(), ActorProcessingErr> {
            Ok(woken.send(())?)
        }
    }

    const ID: ConversationId = ConversationId::new(DomainId(1), 7);

    fn happened() -> Event {
        Event {
            domain: DomainId(1),
            sequence: Sequence(1),
            position: Position { index: 1, ordinal: 0 },
            at: LogTime(1),
            wall_ms: 1,
            version: Version(1),
            kind: EventKind::TransferFailed { conversation: ID },
        }
    }

    struct Still;

    impl Clock for Still {
        fn monotonic_us(&self) -> u64 {
            0
        }
        fn wall_ms(&self) -> u64 {
            0
        }
    }

    /// A replica of a shard, and who watches it.
    fn replica() -> (ShardMachine, Arc<Subscribers>) {
        let (config, clock) = (EngineConfig::default(), Arc::new(Still));
        let alarms = Alarms::new(clock.clone());
        let disk = MemDisk::new().mount();
        let parts = Parts {
            replica: SharedReplica::new(Shard::new(ShardId(1)), config.planted),
            events: EventStore::begin(
                disk,
                "/data/events/shard_1".into(),
                config.events.clone(),
                alarms.clone(),
            ),
            desks: Arc::new(Desks::new(Seeded::of(&config), 0)),
            leases: Arc::new(Leases::new(1)),
            subscribers: Arc::default(),
        };
        let machine = ShardMachine::new(NodeId(1), &parts, clock, alarms, &config);
        (machine, parts.subscribers)
    }

    #[tokio::test]
    async fn whoever_watches_when_a_snapshot_comes_must_begin_again() {
        let (mut machine, subscribers) = replica();
        let snapshot = machine.snapshot().await.unwrap();
        let (woken, mut wakes) = mpsc::unbounded_channel();
        let (actor, _) = Actor::spawn(None, Woken, woken).await.unwrap();
        subscribers.watch(ID, actor.clone());
        subscribers.deliver(&[happened()]);
        wakes.recv().await.unwrap();
        assert!(matches!(subscribers.take(ID), Heard::Events(events) if events.len() == 1));

        subscribers.deliver(&[happened()]);
        wakes.recv().await.unwrap();
        machine.restore(BatchPosition { group: GroupId(1), index: 9, term: 1 }, &snapshot).unwrap();
        let heard = subscribers.take(ID);
        assert!(matches!(heard, Heard::TooMuch), "what came before the jump is not told either");
        wakes.recv().await.unwrap();
        actor.stop(None);
    }
}
