//! One group's view of the shared log, as openraft wants it.

use crate::api::GroupId;
use crate::type_config::TypeConfig;
use crate::type_config::types::{Entry, LogId, Vote};
use crate::wal::Wal;
use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use openraft::alias::LeaderIdOf;
use openraft::entry::RaftEntry;
use openraft::errors::LeaderChanged;
use openraft::storage::{
    IOFlushed, LeaderBoundedStreamError, LeaderBoundedStreamResult, LogState, RaftLogStorage,
};
use openraft::{OptionalSend, RaftLogReader};
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::io;
use std::ops::{Bound, Range, RangeBounds};

/// Encoded entries read at a time, in bytes: what a lagging follower costs in memory.
const READ_BYTES: usize = 1 << 20;

/// One group's view of the shared log: openraft's `RaftLogStorage` and `RaftLogReader`. Cheap to
/// clone, nothing to open.
#[derive(Clone)]
pub struct LogStore {
    wal: Wal,
    group: GroupId,
}

impl LogStore {
    /// A group's view of a log.
    #[must_use]
    pub fn new(wal: &Wal, group: GroupId) -> LogStore {
        LogStore { wal: wal.clone(), group }
    }

    /// Whose log this is.
    #[must_use]
    pub fn group(&self) -> GroupId {
        self.group
    }

    fn decode<T: DeserializeOwned>(&self, what: &str, body: &Bytes) -> io::Result<T> {
        proto::codec::decode(body).map_err(|error| {
            let message = format!("the log's {what} of {}: {error}", self.group);
            io::Error::new(io::ErrorKind::InvalidData, message)
        })
    }

    async fn read(&self, range: Range<u64>, bytes_max: usize) -> io::Result<Vec<Entry>> {
        let entries = self.wal.read(self.group, range, bytes_max).await?;
        entries.iter().map(|(_, body)| self.decode("entry", body)).collect()
    }

    /// Index of the first entry that is not purged.
    ///
    /// # Errors
    /// A damaged log.
    pub fn first_index(&self) -> io::Result<u64> {
        Ok(self.purged()?.map_or(0, |purged| purged.index + 1))
    }

    fn vote(&self) -> io::Result<Option<Vote>> {
        self.wal.vote(self.group).map(|body| self.decode("vote", &body)).transpose()
    }

    fn purged(&self) -> io::Result<Option<LogId>> {
        self.wal.purged(self.group).map(|body| self.decode("purged log id", &body)).transpose()
    }

    /// The next entries of a range, which then begins after them; at the end of the log, none.
    async fn next_part(&self, range: &mut Range<u64>) -> io::Result<Vec<Entry>> {
        let part = self.read(range.clone(), READ_BYTES).await?;
        range.start = part.last().map_or(range.end, |entry| entry.index() + 1);
        Ok(part)
    }

    /// [`LogStore::next_part`], as long as this leader's vote stands.
    async fn next_of_leader(
        &self,
        leader: &LeaderIdOf<TypeConfig>,
        range: &mut Range<u64>,
    ) -> Result<Vec<Entry>, LeaderBoundedStreamError<TypeConfig>> {
        self.check_leader(leader)?;
        let part = self.next_part(range).await?;
        // It may have changed, and entries with it, while the disk was read.
        self.check_leader(leader)?;
        Ok(part)
    }

    fn check_leader(
        &self,
        leader: &LeaderIdOf<TypeConfig>,
    ) -> Result<(), LeaderBoundedStreamError<TypeConfig>> {
        match self.vote()? {
            Some(vote) if vote.leader_id() == leader && vote.is_committed() => Ok(()),
            vote => Err(LeaderChanged::new(*leader, vote).into()),
        }
    }
}

fn to_range(bounds: &impl RangeBounds<u64>) -> Range<u64> {
    let start = match bounds.start_bound() {
        Bound::Included(index) => *index,
        Bound::Excluded(index) => index + 1,
        Bound::Unbounded => 0,
    };
    let end = match bounds.end_bound() {
        Bound::Included(index) => index + 1,
        Bound::Excluded(index) => *index,
        Bound::Unbounded => u64::MAX,
    };
    start..end
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> io::Result<Vec<Entry>> {
        self.read(to_range(&range), usize::MAX).await
    }

    async fn read_vote(&mut self) -> io::Result<Option<Vote>> {
        self.vote()
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        self.read(start..end, READ_BYTES).await
    }

    async fn entries_stream<RB>(&mut self, range: RB) -> impl Stream<Item = io::Result<Entry>> + OptionalSend
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let parts = stream::unfold((self.clone(), to_range(&range)), |(log, mut range)| async move {
            match log.next_part(&mut range).await {
                Ok(part) if part.is_empty() => None,
                Ok(part) => Some((part.into_iter().map(Ok).collect(), (log, range))),
                Err(error) => Some((vec![Err(error)], (log, 0..0))),
            }
        });
        parts.flat_map(stream::iter).boxed()
    }

    async fn leader_bounded_stream<RB>(
        &mut self,
        leader: LeaderIdOf<TypeConfig>,
        range: RB,
    ) -> impl Stream<Item = LeaderBoundedStreamResult<TypeConfig>> + OptionalSend
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let start = (self.clone(), to_range(&range), true);
        let parts = stream::unfold(start, move |(log, mut range, first)| async move {
            // An empty range still says whether the leader has changed.
            if range.is_empty() && !first {
                return None;
            }
            match log.next_of_leader(&leader, &mut range).await {
                Ok(part) if part.is_empty() => None,
                Ok(part) => Some((part.into_iter().map(Ok).collect(), (log, range, false))),
                Err(error) => Some((vec![Err(error)], (log, 0..0, false))),
            }
        });
        parts.flat_map(stream::iter).boxed()
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = LogStore;

    async fn get_log_state(&mut self) -> io::Result<LogState<TypeConfig>> {
        let purged = self.purged()?;
        let range = self.wal.range(self.group);
        let last = match range.end.checked_sub(1) {
            Some(last) if range.contains(&last) => self.read(last..range.end, usize::MAX).await?,
            _ => Vec::new(),
        };
        let last_log_id = last.last().map(RaftEntry::log_id).or(purged);
        Ok(LogState { last_purged_log_id: purged, last_log_id })
    }

    async fn get_log_reader(&mut self) -> LogStore {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> io::Result<()> {
        self.wal.save_vote(self.group, proto::codec::encode(vote)).await
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> io::Result<()> {
        let committed = committed.map(|log_id| (log_id.index, proto::codec::encode(&log_id)));
        self.wal.save_committed(self.group, committed)
    }

    async fn read_committed(&mut self) -> io::Result<Option<LogId>> {
        self.wal.committed(self.group).map(|body| self.decode("committed log id", &body)).transpose()
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> io::Result<()>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<(u64, Vec<u8>)> =
            entries.into_iter().map(|entry| (entry.index(), proto::codec::encode(&entry))).collect();
        self.wal.append(self.group, entries, Box::new(|result| callback.io_completed(result))).await
    }

    async fn truncate_after(&mut self, last_log_id: Option<LogId>) -> io::Result<()> {
        self.wal.truncate(self.group, last_log_id.map_or(0, |log_id| log_id.index + 1))
    }

    async fn purge(&mut self, log_id: LogId) -> io::Result<()> {
        self.wal.purge(self.group, log_id.index, proto::codec::encode(&log_id))
    }
}
