//! The event store: every replica's record of what happened, per shard, beside the log.
//!
//! Events are written without a sync and made durable before a snapshot: whatever a crash takes
//! was written after the last snapshot, and replaying the log makes the same events again. What
//! is stored already is recognised by its sequence. So the store costs no sync of its own on the
//! way of a command.
//!
//! Readers pull: from memory near the present, from the files before that. A slow reader costs
//! nothing but its own delay, and one that falls behind the retention is told so.
//!
//! Retention is by size and by age, whole segments at a time and never the newest. Age is measured
//! in log time, by the newest event of the shard: it needs no clock, is the same in every replay, and
//! a shard in which nothing happens keeps what it has, so that whoever was away meanwhile goes on.

mod domain;
mod frame;
mod open;
mod read;
mod segment;
mod table;
mod writer;

#[cfg(test)]
mod tests;

use crate::WatchError;
use crate::alarms::Alarms;
use consensus::disk::SharedDisk;
use routing::view::DomainSummary;
use routing::{DomainId, Event, Sequence, Span};
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use table::Table;
use tokio::sync::{Notify, watch};

/// How a shard's events are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventLimits {
    /// Bytes on disk, per shard; the oldest segments go first.
    pub retained_bytes_max: u64,
    /// Log time after which an event may go, by the newest one of its shard; `None`: at any age it stays.
    pub retained_age_max: Option<Span>,
    /// Bytes after which a new segment begins.
    pub segment_bytes: u64,
    /// Events kept in memory for readers near the present, per shard.
    pub memory_events_max: usize,
    /// Events that may wait to be written before applying waits for them.
    pub backlog_events_max: usize,
}

impl Default for EventLimits {
    fn default() -> Self {
        Self {
            retained_bytes_max: 1 << 30,
            retained_age_max: Some(Span::seconds(7 * 24 * 60 * 60)),
            segment_bytes: 32 << 20,
            memory_events_max: 16_384,
            backlog_events_max: 65_536,
        }
    }
}

/// A segment spans this part of the age at most. Without that a shard that is seldom used would write
/// years into one segment, and as long as its newest event is young, all of it would stay.
const SEGMENTS_PER_AGE: u64 = 8;

impl EventLimits {
    /// How much log time a segment may span.
    fn segment_span(&self) -> Option<Span> {
        self.retained_age_max.map(|age| Span(age.0 / SEGMENTS_PER_AGE))
    }
}

/// One shard's events. Cheap to clone.
#[derive(Clone)]
pub(crate) struct EventStore {
    shared: Arc<Shared>,
}

struct Shared {
    disk: SharedDisk,
    folder: PathBuf,
    limits: EventLimits,
    alarms: Alarms,
    table: Mutex<Table>,
    /// There is something to write, or the store closes.
    work: Notify,
    /// Events written since the store was opened; woken on failure and close too.
    written: watch::Sender<u64>,
}

impl EventStore {
    /// Takes events just applied. Those stored already are skipped; a gap (after a snapshot from
    /// another node was taken) drops what is before it.
    pub(crate) fn append(&self, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        let mut table = self.table();
        if table.failed.is_some() {
            return;
        }
        for event in events {
            table.append(event);
        }
        drop(table);
        self.shared.work.notify_one();
    }

    /// Waits until the files were looked at.
    ///
    /// # Errors
    /// The disk's, and damage that cannot be cut off.
    pub(crate) async fn opened(&self) -> io::Result<()> {
        let mut written = self.shared.written.subscribe();
        loop {
            written.mark_unchanged();
            {
                let table = self.table();
                if let Some(failed) = &table.failed {
                    return Err(io::Error::other(failed.clone()));
                }
                if !table.opening {
                    return Ok(());
                }
            }
            if written.changed().await.is_err() {
                return Err(io::Error::other("the event store is gone"));
            }
        }
    }

    /// Waits until the store cannot be written any more: why, with the remedy. For ever, if it is closed before.
    pub(crate) async fn failed(&self) -> String {
        let mut written = self.shared.written.subscribe();
        loop {
            written.mark_unchanged();
            if let Some(failed) = &self.table().failed {
                return failed.clone();
            }
            if written.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// What the files lacked at opening although the state at the start had it, for good: of a domain, from and to
    /// which sequence. Nothing before [`EventStore::opened`].
    pub(crate) fn lacking(&self) -> Vec<(DomainId, Sequence, Sequence)> {
        self.table().lacking.clone()
    }

    /// Waits until there is room for another batch of events.
    pub(crate) async fn ready(&self) {
        let mut written = self.shared.written.subscribe();
        loop {
            written.mark_unchanged();
            {
                let table = self.table();
                if (table.backlog() < self.shared.limits.backlog_events_max && !table.opening)
                    || table.failed.is_some()
                    || table.closed
                {
                    return;
                }
            }
            if written.changed().await.is_err() {
                return;
            }
        }
    }

    /// The state was replaced by a snapshot's: what the store lacks up to it is gone for good.
    pub(crate) fn restored(&self, domains: &[DomainSummary]) {
        let mut table = self.table();
        for summary in domains {
            table.skip_to(summary.id, summary.sequence);
        }
        let here: BTreeSet<DomainId> = domains.iter().map(|summary| summary.id).collect();
        table.end_watches(|domain| !here.contains(&domain));
    }

    /// A domain has gone to another shard: its events come there. What is here stays as long as any.
    pub(crate) fn departed(&self, domain: DomainId) {
        self.table().end_watches(|other| other == domain);
    }

    /// Waits until a domain may be watched: makes its entry, so that the first event is told.
    pub(crate) fn changes(&self, domain: DomainId) -> watch::Receiver<Sequence> {
        self.table().subscribe(domain)
    }

    /// Stops the writer after what is pending; watchers end.
    pub(crate) async fn close(&self) {
        let flushed = self.flush().await;
        if let Err(error) = flushed {
            tracing::warn!(%error, "the event store was closed without its last events");
        }
        self.table().close();
        self.shared.work.notify_one();
        self.shared.written.send_modify(|_| {});
    }

    /// Makes everything appended so far durable.
    ///
    /// # Errors
    /// The disk's; the store is then closed for writing.
    pub(crate) async fn flush(&self) -> io::Result<()> {
        let target = self.table().request_flush();
        self.shared.work.notify_one();
        let mut written = self.shared.written.subscribe();
        loop {
            written.mark_unchanged();
            {
                let table = self.table();
                if let Some(failed) = &table.failed {
                    return Err(io::Error::other(failed.clone()));
                }
                if table.durable >= target {
                    return Ok(());
                }
                if table.closed {
                    return Err(io::Error::other("the event store is closed"));
                }
            }
            if written.changed().await.is_err() {
                return Err(io::Error::other("the event store is gone"));
            }
        }
    }

    /// Begins to watch; `from` 0 means only what is new.
    pub(crate) fn watch(&self, domain: DomainId, from: Sequence) -> Result<crate::Watch, WatchError> {
        let changes = self.changes(domain);
        let table = self.table();
        let present = table.last(domain);
        let next = if from.0 == 0 { Sequence(present.0 + 1) } else { from };
        let oldest = table.oldest(domain);
        drop(table);
        if next < oldest {
            return Err(WatchError::Compacted { oldest });
        }
        Ok(crate::Watch::new(self.clone(), domain, next, present, changes))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.shared.lock()
    }
}

impl std::fmt::Debug for EventStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventStore").field("folder", &self.shared.folder).finish_non_exhaustive()
    }
}
