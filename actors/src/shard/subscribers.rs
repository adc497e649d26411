//! Conversations of a shard that somebody at this node watches, one by one.

use crate::tree::ConversationMessage;
use ractor::{ActorId, ActorRef};
use routing::event::Subject;
use routing::{ConversationId, Event};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Events of one conversation that wait for its actor; more, and its watchers must begin again.
const EVENTS_MAX: usize = 256;

struct Watched {
    actor: ActorRef<ConversationMessage>,
    events: Vec<Arc<Event>>,
}

/// What a conversation's actor takes.
pub(crate) enum Heard {
    /// These happened, in order.
    Events(Vec<Arc<Event>>),
    /// Too much happened: nothing can be told without a gap.
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
        self.watched().insert(conversation, Watched { actor, events: Vec::new() });
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
            if watched.events.is_empty() {
                // If it is gone, so are its watchers.
                let _ = watched.actor.cast(ConversationMessage::Happened);
            }
            if watched.events.len() <= EVENTS_MAX {
                watched.events.push(Arc::new(event.clone()));
            }
        }
    }

    pub(crate) fn take(&self, conversation: ConversationId) -> Heard {
        let mut watched = self.watched();
        let events = watched.get_mut(&conversation).map(|watched| std::mem::take(&mut watched.events));
        match events.unwrap_or_default() {
            events if events.len() > EVENTS_MAX => Heard::TooMuch,
            events => Heard::Events(events),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.watched().len()
    }
}
