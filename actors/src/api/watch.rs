//! Events of a domain, from a sequence on, then live.

use crate::WatchError;
use crate::events::EventStore;
use routing::{DomainId, Event, Sequence};
use std::sync::Arc;
use tokio::sync::watch;

/// A reader of a domain's events. It pulls: a slow reader costs nothing but its own delay.
#[derive(Debug)]
pub struct Watch {
    store: EventStore,
    domain: DomainId,
    next: Sequence,
    present: Sequence,
    changes: watch::Receiver<Sequence>,
}

impl Watch {
    pub(crate) fn new(
        store: EventStore,
        domain: DomainId,
        next: Sequence,
        present: Sequence,
        changes: watch::Receiver<Sequence>,
    ) -> Self {
        Self { store, domain, next, present, changes }
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
            self.changes.mark_unchanged();
            let events = self.store.read(self.domain, self.next).await?;
            if let Some(last) = events.last() {
                self.next = Sequence(last.sequence.0 + 1);
                return Ok(events);
            }
            if self.changes.changed().await.is_err() {
                return Err(WatchError::Stopping);
            }
        }
    }
}
