//! Reading what a group has on this node's disk, for a copy that is applied again elsewhere.

use crate::api::{Batch, BatchPosition, GroupId};
use crate::snapshots::SnapshotStore;
use crate::store::LogStore;
use crate::type_config::types::{Entry, LogId, SnapshotMeta};
use bytes::Bytes;
use futures::stream::{self, BoxStream, Stream, StreamExt};
use openraft::entry::RaftEntry;
use openraft::{EntryPayload, RaftLogReader};
use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// One entry of a group's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exported {
    /// A batch of commands, perhaps an empty one.
    Batch(BatchPosition, Batch),
    /// An entry without a batch: the first of a term, or a change of members.
    Passed(BatchPosition),
}

impl Exported {
    /// Where it stands.
    #[must_use]
    pub fn at(&self) -> BatchPosition {
        match self {
            Exported::Batch(at, _) | Exported::Passed(at) => *at,
        }
    }
}

/// What a group has on this node's disk: its last snapshot and its log. Cheap to clone.
#[derive(Clone)]
pub struct Export {
    pub(super) group: GroupId,
    pub(super) log: LogStore,
    pub(super) snapshots: Arc<SnapshotStore<SnapshotMeta>>,
}

impl Export {
    /// Index of the first entry that is still there; the ones before it are in the snapshot alone.
    ///
    /// # Errors
    /// A damaged log.
    pub fn first_index(&self) -> io::Result<u64> {
        self.log.first_index()
    }

    /// The last snapshot, with the entry after which it was taken. All of it is in memory.
    ///
    /// # Errors
    /// Damage, or the disk's.
    pub async fn snapshot(&self) -> io::Result<Option<(BatchPosition, Bytes)>> {
        let Some((meta, data)) = self.snapshots.load().await? else { return Ok(None) };
        let Some(last) = meta.last_log_id else { return Ok(None) };
        Ok(Some((position(self.group, last), data)))
    }

    /// The entries of a range, in order and all of them. Pass only indexes that were applied here:
    /// what comes after may still be replaced. A part of the log is in memory at a time.
    ///
    /// # Errors
    /// `NotFound` when entries of the range are gone, because a snapshot was taken meanwhile;
    /// otherwise damage, or the disk's.
    pub fn entries(
        &self,
        range: RangeInclusive<u64>,
    ) -> impl Stream<Item = io::Result<Exported>> + Send + use<> {
        let (next, end) = (*range.start(), range.end().saturating_add(1));
        let parts = stream::unfold((self.clone(), next), move |(mut this, next)| async move {
            if next >= end {
                return None;
            }
            let (part, next) = match this.part(next, end).await {
                Ok(part) => {
                    let next = next + part.len() as u64;
                    (part.into_iter().map(Ok).collect(), next)
                }
                Err(error) => (vec![Err(error)], end),
            };
            Some((part, (this, next)))
        });
        let entries: BoxStream<'static, _> = parts.flat_map(stream::iter).boxed();
        entries
    }

    /// The next entries of a range, at least one.
    async fn part(&mut self, next: u64, end: u64) -> io::Result<Vec<Exported>> {
        let entries = self.log.limited_get_log_entries(next, end).await?;
        let dense = entries.iter().zip(next..).all(|(entry, index)| entry.index() == index);
        if entries.is_empty() || !dense {
            let message = format!("entry {next} of {} is gone: a snapshot was taken meanwhile", self.group);
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        }
        Ok(entries.into_iter().map(|entry| exported(self.group, entry)).collect())
    }
}

fn position(group: GroupId, id: LogId) -> BatchPosition {
    BatchPosition { group, index: id.index, term: id.committed_leader_id().term }
}

fn exported(group: GroupId, entry: Entry) -> Exported {
    let at = position(group, entry.log_id);
    match entry.payload {
        EntryPayload::Normal(batch) => Exported::Batch(at, batch),
        EntryPayload::Blank | EntryPayload::Membership(_) => Exported::Passed(at),
    }
}
