//! Reading what this node has no replica of, at a node that has one.

use crate::api::{Watch, WatchError};
use crate::router::Router;
use crate::wire::{EventsPart, PeerAnswer, PeerCall};
use crate::{CallError, Engine, Query};
use routing::event::Subject;
use routing::{ConversationId, DomainId, Event, EventKind, Sequence, ShardId};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// How long somebody is looked for who has a replica.
const PATIENCE: Duration = Duration::from_secs(10);
/// For how long the other node waits for news before it says that there is none; below what the
/// router gives one try.
pub(crate) const NEWS_MAX: Duration = Duration::from_secs(1);

/// The next events of a domain from a sequence on (0: from the present on), as the leader of its shard
/// has them.
///
/// # Errors
/// See [`WatchError`].
pub(crate) async fn events(
    router: &Router,
    (shard, domain): (ShardId, DomainId),
    from: Sequence,
    wait: bool,
) -> Result<EventsPart, WatchError> {
    let call = PeerCall::Events { shard, domain, from, wait };
    match router.to_leader(shard, call, PATIENCE, true).await {
        Ok(PeerAnswer::Events(part)) => part,
        Ok(other) => Err(WatchError::Damaged(format!("the leader of {shard} answered {other:?}"))),
        Err(CallError::Bug(why)) => Err(WatchError::Damaged(why)),
        // Nobody who has it is reached from here: another node may do better.
        Err(_) => Err(WatchError::Stopping),
    }
}

impl Engine {
    /// [`Engine::changes`] where the domain's shard is elsewhere.
    pub(crate) async fn changes_far(
        &self,
        domain: DomainId,
    ) -> Result<watch::Receiver<Sequence>, WatchError> {
        let mut far = self.watch(domain, Sequence(0)).await?;
        let (told, changes) = watch::channel(far.present());
        self.inner.spawn(async move {
            loop {
                let events = tokio::select! {
                    biased;
                    () = told.closed() => return,
                    events = far.next() => events,
                };
                let Ok(events) = events else { return };
                if let Some(last) = events.last() {
                    told.send_replace(last.sequence);
                }
            }
        });
        Ok(changes)
    }

    /// [`Engine::watch_conversation`] where the domain's shard is elsewhere: all of the domain's events
    /// come here, and the conversation's go on.
    pub(crate) async fn watch_conversation_far(
        &self,
        conversation: ConversationId,
        room: usize,
    ) -> Result<mpsc::Receiver<Arc<Event>>, CallError> {
        // First the watch, then the state: whatever is not in it comes as an event.
        let far = self.watch(conversation.domain, Sequence(0)).await.map_err(|error| {
            CallError::Unavailable { why: error.to_string(), retry_after_ms: crate::engine::RETRY_AFTER_MS }
        })?;
        let known = self.query(Query::Conversation(conversation), PATIENCE).await?;
        crate::engine::refuse_ended(conversation, &known)?;
        let (watcher, events) = mpsc::channel(room);
        self.inner.spawn(pass_on(far, conversation, watcher));
        Ok(events)
    }
}

/// Ends with the conversation, with its watcher, for one that does not keep up, and where the record
/// cannot be read any more.
async fn pass_on(mut far: Watch, conversation: ConversationId, watcher: mpsc::Sender<Arc<Event>>) {
    loop {
        let events = tokio::select! {
            biased;
            () = watcher.closed() => return,
            events = far.next() => events,
        };
        let Ok(events) = events else { return };
        for event in events {
            if event.kind.subject(event.domain) != Subject::Conversation(conversation) {
                continue;
            }
            let over = matches!(event.kind, EventKind::Ended { .. });
            if watcher.try_send(event).is_err() || over {
                return;
            }
        }
    }
}
