//! Events of a domain, from a sequence on, then live.

use crate::WatchError;
use crate::events::EventStore;
use crate::far;
use crate::router::Router;
use routing::{DomainId, Event, Sequence, ShardId};
use std::fmt;
use std::sync::Arc;
use tokio::sync::watch;

/// A reader of a domain's events. It pulls: a slow reader costs nothing but its own delay.
pub struct Watch {
    source: Source,
    domain: DomainId,
    next: Sequence,
    present: Sequence,
}

/// Where the events are read.
enum Source {
    /// In this node's store, when that says that there is something.
    Here { store: EventStore, changes: watch::Receiver<Sequence> },
    /// At the leader of the domain's shard.
    There { router: Router, shard: ShardId },
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("domain", &self.domain)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl Watch {
    pub(crate) fn new(
        store: EventStore,
        domain: DomainId,
        next: Sequence,
        present: Sequence,
        changes: watch::Receiver<Sequence>,
    ) -> Self {
        Self { source: Source::Here { store, changes }, domain, next, present }
    }

    /// A watch of a domain that this node has no replica of.
    ///
    /// # Errors
    /// See [`WatchError`].
    pub(crate) async fn far(
        router: Router,
        shard: ShardId,
        domain: DomainId,
        from: Sequence,
    ) -> Result<Self, WatchError> {
        let begin = far::events(&router, (shard, domain), from, false).await?;
        let source = Source::There { router, shard };
        Ok(Self { source, domain, next: begin.next, present: begin.present })
    }

    /// The next one to be read.
    pub(crate) fn next_sequence(&self) -> Sequence {
        self.next
    }

    /// Last sequence stored when the watch began, for readers that end at the present.
    #[must_use]
    pub fn present(&self) -> Sequence {
        self.present
    }

    /// The domain.
    #[must_use]
    pub fn domain(&self) -> DomainId {
        self.domain
    }

    /// The next events in order, without a gap; waits until there is at least one. Safe to drop
    /// while it waits.
    ///
    /// # Errors
    /// See [`WatchError`]; a reader that fell behind the retention gets `Compacted`.
    pub async fn next(&mut self) -> Result<Vec<Arc<Event>>, WatchError> {
        loop {
            let events = match &mut self.source {
                Source::Here { store, changes } => {
                    changes.mark_unchanged();
                    store.read(self.domain, self.next).await?
                }
                Source::There { router, shard } => {
                    let part = far::events(router, (*shard, self.domain), self.next, true).await?;
                    part.events.into_iter().map(Arc::new).collect()
                }
            };
            if let Some(last) = events.last() {
                self.next = Sequence(last.sequence.0 + 1);
                return Ok(events);
            }
            if let Source::Here { changes, .. } = &mut self.source
                && changes.changed().await.is_err()
            {
                return Err(WatchError::Stopping);
            }
        }
    }
}
