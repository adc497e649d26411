//! The write-ahead log that all groups of a node share.
//!
//! Whatever groups append while a sync is under way is written together, as one frame: one write,
//! one sync, then the callbacks. One task does that; it lives on the runtime that opened the log,
//! also in simulation. Bodies are opaque here.

mod error;
mod format;
mod read;
mod recover;
mod state;
mod writer;

#[cfg(test)]
mod tests;

pub use error::WalError;

use crate::api::GroupId;
use crate::disk::SharedDisk;
use crate::seeded::{Seeded, SeededBug};
use bytes::Bytes;
use format::Kind;
use state::State;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot, watch};

/// Called once: when what it belongs to is durable, or never will be.
pub type Done = Box<dyn FnOnce(io::Result<()>) + Send>;

/// Largest segment and largest amount that may wait: offsets in a segment have 32 bits.
const BYTES_MAX: usize = 1 << 30;

/// Limits of a log.
#[derive(Debug, Clone)]
pub struct WalOptions {
    /// A segment is closed when it has reached this many bytes; at most 1 GiB.
    pub segment_bytes: u64,
    /// Encoded entries kept in memory for readers, all groups together.
    pub cache_bytes: usize,
    /// Appends wait while this many bytes wait for the disk; at most 1 GiB.
    pub pending_bytes_max: usize,
    /// Skips every sync: for the test that shows that a missing sync is noticed.
    #[doc(hidden)]
    pub skip_sync: bool,
}

impl Default for WalOptions {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, cache_bytes: 64 << 20, pending_bytes_max: 32 << 20, skip_sync: false }
    }
}

/// What the log holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalFigures {
    /// Segments on disk.
    pub segments: usize,
    /// Bytes on disk.
    pub bytes: u64,
    /// Bytes on disk that are entries still needed.
    pub live_bytes: u64,
    /// Encoded entries in memory, in bytes.
    pub cached_bytes: usize,
    /// Frames made durable since the log was born: one sync each.
    pub frames: u64,
}

/// The log of a node. Clones share it; the last one dropped stops its task after what was appended
/// is on disk.
#[derive(Clone)]
pub struct Wal {
    handle: Arc<Handle>,
}

struct Handle {
    inner: Arc<Inner>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.inner.state().closing = true;
        self.inner.work.notify_one();
    }
}

struct Inner {
    disk: SharedDisk,
    folder: PathBuf,
    options: WalOptions,
    seeded: Seeded,
    state: Mutex<State>,
    /// There is something to write.
    work: Notify,
    /// What waited was taken, so there is room again.
    space: Notify,
    failure: watch::Sender<Option<Arc<str>>>,
    stopped: watch::Sender<bool>,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails everything that waits and everything to come; never undone.
    fn fail(&self, error: &io::Error) -> Arc<str> {
        let message: Arc<str> =
            format!("the log in {} failed and the node must stop: {error}", self.folder.display()).into();
        tracing::error!(%message);
        let waiting = {
            let mut state = self.state();
            state.failure = Some(message.clone());
            std::mem::take(&mut state.pending.callbacks)
        };
        for done in waiting {
            done(Err(io::Error::other(message.to_string())));
        }
        self.failure.send_replace(Some(message.clone()));
        self.stopped.send_replace(true);
        self.space.notify_waiters();
        message
    }
}

impl Wal {
    /// Opens the log in a folder of its own, which is created when missing, and starts its task on
    /// the present tokio runtime. The salt is the data folder's.
    ///
    /// # Errors
    /// Damage, another format version, or the disk's.
    pub async fn open(
        disk: SharedDisk,
        folder: &Path,
        salt: u64,
        options: WalOptions,
    ) -> Result<Wal, WalError> {
        Wal::open_seeded(disk, folder, salt, options, Seeded::default()).await
    }

    /// [`Wal::open`], perhaps with a mistake on purpose.
    pub(crate) async fn open_seeded(
        disk: SharedDisk,
        folder: &Path,
        salt: u64,
        options: WalOptions,
        seeded: Seeded,
    ) -> Result<Wal, WalError> {
        let options = WalOptions {
            segment_bytes: options.segment_bytes.min(BYTES_MAX as u64),
            pending_bytes_max: options.pending_bytes_max.min(BYTES_MAX),
            ..options
        };
        let state = recover::recover(&disk, folder, salt, &options, seeded).await?;
        let inner = Arc::new(Inner {
            disk,
            folder: folder.to_owned(),
            options,
            seeded,
            state: Mutex::new(state),
            work: Notify::new(),
            space: Notify::new(),
            failure: watch::Sender::new(None),
            stopped: watch::Sender::new(false),
        });
        tokio::spawn(writer::run(inner.clone()));
        Ok(Wal { handle: Arc::new(Handle { inner }) })
    }

    fn inner(&self) -> &Inner {
        &self.handle.inner
    }

    /// The state, if the log works and takes more.
    fn writable(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.inner().state();
        match &state.failure {
            Some(message) => Err(io::Error::other(message.to_string())),
            None if state.closing => Err(io::Error::other("the log is closed")),
            None => Ok(state),
        }
    }

    /// The state, once there is room for more bytes.
    async fn writable_with_room(&self) -> io::Result<MutexGuard<'_, State>> {
        loop {
            let room = self.inner().space.notified();
            let mut room = std::pin::pin!(room);
            room.as_mut().enable();
            {
                let state = self.writable()?;
                if state.pending.buffer.len() < self.inner().options.pending_bytes_max {
                    return Ok(state);
                }
            }
            room.await;
        }
    }

    /// Appends consecutive entries, readable when this returns and durable when `done` is called.
    /// The first follows the group's last entry; a log without entries of which nothing was purged
    /// may begin anywhere. Waits while too much waits for the disk.
    ///
    /// # Errors
    /// When the log has failed, or an entry does not follow.
    pub async fn append(&self, group: GroupId, entries: Vec<(u64, Vec<u8>)>, done: Done) -> io::Result<()> {
        let mut state = self.writable_with_room().await?;
        Self::check_follows(state.group(group), group, &entries)?;
        if let Some((index, _)) = entries.first() {
            let log = state.group(group);
            if *index != log.end() {
                (log.first, log.start) = (*index, *index);
                state.push(Kind::Start, group, *index, &[]);
            }
        }
        for (index, body) in entries {
            let slot = state.push(Kind::Entry, group, index, &body);
            let frame = state.pending.number;
            state.add_live(slot);
            state.cached_bytes += body.len();
            let log = state.group(group);
            log.slots.push_back(slot);
            log.cache.push_back((body.into(), frame));
        }
        #[cfg(feature = "seeded-bugs")]
        if let Some(from) = state.group(group).late_truncate.take() {
            state.push(Kind::Truncate, group, from, &[]);
        }
        if state.has_pending() {
            state.pending.callbacks.push(done);
            drop(state);
            self.inner().work.notify_one();
        } else {
            drop(state);
            done(Ok(()));
        }
        Ok(())
    }

    /// Only a log that never had an entry removed may begin anywhere.
    fn check_follows(log: &state::Group, group: GroupId, entries: &[(u64, Vec<u8>)]) -> io::Result<()> {
        let Some((first, _)) = entries.first() else { return Ok(()) };
        let begins = log.slots.is_empty() && log.purged.is_none();
        let next = if begins { *first } else { log.end() };
        match entries.iter().zip(next..).find(|((index, _), expected)| index != expected) {
            None => Ok(()),
            Some(((index, _), expected)) => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("entry {index} of {group} does not follow: {expected} is next"),
            )),
        }
    }

    /// Saves a group's vote; durable when this returns.
    ///
    /// # Errors
    /// When the log has failed.
    pub async fn save_vote(&self, group: GroupId, vote: Vec<u8>) -> io::Result<()> {
        let saved = {
            let mut state = self.writable_with_room().await?;
            state.group(group).vote = Some(Bytes::copy_from_slice(&vote));
            if self.inner().seeded.has(SeededBug::VoteNotFlushed) {
                return Ok(());
            }
            state.push(Kind::Vote, group, 0, &vote);
            Self::when_durable(&mut state)
        };
        self.inner().work.notify_one();
        saved.await.unwrap_or_else(|_| Err(io::Error::other("the log's task has ended")))
    }

    fn when_durable(state: &mut State) -> oneshot::Receiver<io::Result<()>> {
        let (saved, is_saved) = oneshot::channel();
        state.pending.callbacks.push(Box::new(move |result| {
            // Whoever asked may have stopped waiting.
            let _ = saved.send(result);
        }));
        is_saved
    }

    /// Notes how far a group is committed. Written with the next append of any group: after a
    /// crash it may be older, never newer than what is durable.
    ///
    /// # Errors
    /// When the log has failed.
    pub fn save_committed(&self, group: GroupId, committed: Option<(u64, Vec<u8>)>) -> io::Result<()> {
        let mut state = self.writable()?;
        if let Some((index, body)) = committed {
            state.group(group).committed = Some((index, body.into()));
            state.committed_unwritten.insert(group);
        }
        Ok(())
    }

    /// Removes a group's entries from an index on. What is appended next is durable only with this.
    ///
    /// # Errors
    /// When the log has failed.
    pub fn truncate(&self, group: GroupId, from: u64) -> io::Result<()> {
        let mut state = self.writable()?;
        if from >= state.group(group).end() {
            return Ok(());
        }
        while state.group(group).end() > from {
            let log = state.group(group);
            let Some(slot) = log.slots.pop_back() else { break };
            let body = log.cache.pop_back();
            state.drop_live(slot);
            state.cached_bytes -= body.map_or(0, |(body, _)| body.len());
        }
        #[cfg(feature = "seeded-bugs")]
        if self.inner().seeded.has(SeededBug::TruncateWrittenLate) {
            state.group(group).late_truncate = Some(from);
            return Ok(());
        }
        if self.inner().seeded.has(SeededBug::TruncateForgotten) {
            return Ok(());
        }
        state.push(Kind::Truncate, group, from, &[]);
        drop(state);
        self.inner().work.notify_one();
        Ok(())
    }

    /// Removes a group's entries up to an index, which may be above the last one; `log_id` is what
    /// [`Wal::purged`] returns from now on. Only what a durable snapshot covers may be purged.
    ///
    /// # Errors
    /// When the log has failed.
    pub fn purge(&self, group: GroupId, upto: u64, log_id: Vec<u8>) -> io::Result<()> {
        let mut state = self.writable()?;
        if state.group(group).purged.as_ref().is_some_and(|(index, _)| *index >= upto) {
            return Ok(());
        }
        while state.group(group).first <= upto {
            let log = state.group(group);
            let Some(slot) = log.slots.pop_front() else { break };
            log.first += 1;
            let body = if log.cache.len() > log.slots.len() { log.cache.pop_front() } else { None };
            state.drop_live(slot);
            state.cached_bytes -= body.map_or(0, |(body, _)| body.len());
        }
        let log = state.group(group);
        log.first = log.first.max(upto + 1);
        log.start = 0;
        log.purged = Some((upto, Bytes::copy_from_slice(&log_id)));
        state.push(Kind::Purge, group, upto, &log_id);
        drop(state);
        self.inner().work.notify_one();
        Ok(())
    }

    /// Says how the node's replica of a group stands; durable when this returns.
    ///
    /// # Errors
    /// When the log has failed.
    pub async fn save_standing(&self, group: GroupId, standing: Vec<u8>) -> io::Result<()> {
        let saved = {
            let mut state = self.writable_with_room().await?;
            state.push(Kind::Standing, group, 0, &standing);
            state.group(group).standing = Some(standing.into());
            Self::when_durable(&mut state)
        };
        self.inner().work.notify_one();
        saved.await.unwrap_or_else(|_| Err(io::Error::other("the log's task has ended")))
    }

    /// Removes all that the log holds of a group except for its vote, and says how the node's replica of
    /// it stands from now on: both or neither, durable when this returns. Entries may begin anywhere then.
    ///
    /// # Errors
    /// When the log has failed.
    pub async fn forget(&self, group: GroupId, standing: Vec<u8>) -> io::Result<()> {
        let saved = {
            let mut state = self.writable_with_room().await?;
            let log = std::mem::take(state.group(group));
            for slot in &log.slots {
                state.drop_live(*slot);
            }
            state.cached_bytes -= log.cache.iter().map(|(body, _)| body.len()).sum::<usize>();
            state.committed_unwritten.remove(&group);
            // A new segment begins with all that is known of each group: so this first.
            let standing = Bytes::from(standing);
            let left = state.group(group);
            (left.vote, left.standing) = (log.vote, Some(standing.clone()));
            state.push(Kind::Forget, group, 0, &[]);
            state.push(Kind::Standing, group, 0, &standing);
            Self::when_durable(&mut state)
        };
        self.inner().work.notify_one();
        saved.await.unwrap_or_else(|_| Err(io::Error::other("the log's task has ended")))
    }

    /// Resolves when the log has failed: a write or a sync went wrong. Everything after fails too;
    /// the node must stop with this message.
    pub async fn failed(&self) -> String {
        let mut failure = self.inner().failure.subscribe();
        let message = failure.wait_for(Option::is_some).await.map(|message| message.clone());
        match message {
            Ok(message) => message.as_deref().unwrap_or_default().to_owned(),
            Err(_) => std::future::pending().await,
        }
    }

    /// Puts everything appended on disk, marks the log as closed cleanly and stops its task.
    ///
    /// # Errors
    /// When the log has failed.
    pub async fn close(&self) -> io::Result<()> {
        let closed = {
            let mut state = self.writable()?;
            state.push(Kind::Close, GroupId::META, 0, &[]);
            state.closing = true;
            Self::when_durable(&mut state)
        };
        self.inner().work.notify_one();
        closed.await.unwrap_or_else(|_| Err(io::Error::other("the log's task has ended")))?;
        // Dead segments may still be on their way out.
        let mut stopped = self.inner().stopped.subscribe();
        stopped.wait_for(|stopped| *stopped).await.map(drop).map_err(io::Error::other)
    }

    /// What the log holds now.
    #[must_use]
    pub fn figures(&self) -> WalFigures {
        let state = self.inner().state();
        WalFigures {
            segments: state.segments.values().filter(|segment| segment.file.is_some()).count(),
            bytes: state.segments.values().map(|segment| segment.bytes).sum(),
            live_bytes: state.segments.values().map(|segment| segment.live_bytes).sum(),
            cached_bytes: state.cached_bytes,
            frames: state.durable_frame,
        }
    }
}
