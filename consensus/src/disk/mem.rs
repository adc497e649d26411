//! A disk in memory that can crash and fail on demand.

use super::model::{Change, FileId, Model};
use super::{Disk, DiskFile, FolderLock, OpenMode, SharedDisk};
use async_trait::async_trait;
use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The disk itself, which outlives the node that uses it. A node gets it by [`MemDisk::mount`].
#[derive(Clone, Default)]
pub struct MemDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    model: Model,
    mount: u64,
    locks: BTreeSet<PathBuf>,
    operations: u64,
    crash_at: Option<u64>,
    faults: Faults,
}

#[derive(Default)]
struct Faults {
    next_sync: bool,
    next_read: bool,
    full: bool,
    delay: Duration,
}

impl MemDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> MemDisk {
        MemDisk::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The disk as a node sees it, until the next crash.
    #[must_use]
    pub fn mount(&self) -> SharedDisk {
        Arc::new(Mount { disk: self.clone(), mount: self.state().mount })
    }

    /// Everything not flushed is lost, except for what the seed saves: some of the changes in
    /// order, the last of them torn. Whoever mounted the disk before gets errors from now on.
    pub fn crash(&self, seed: u64) {
        let mut state = self.state();
        state.model.crash(&mut ChaCha8Rng::seed_from_u64(seed));
        state.mount += 1;
        state.locks.clear();
        state.crash_at = None;
        state.faults = Faults::default();
    }

    /// A second disk that durably holds what this one durably holds.
    #[must_use]
    pub fn fork(&self) -> MemDisk {
        let state = State { model: self.state().model.durable_copy(), ..State::default() };
        MemDisk { state: Arc::new(Mutex::new(state)) }
    }

    /// A file's durable bytes.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn durable(&self, path: &Path) -> io::Result<Bytes> {
        let state = self.state();
        Ok(state.model.durable(state.model.find(path)?))
    }

    /// Operations done so far, of all kinds.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Lets this many more operations happen; those after fail, as if the machine stood still.
    /// [`MemDisk::crash`] must follow.
    pub fn stop_after(&self, operations: u64) {
        let mut state = self.state();
        state.crash_at = Some(state.operations + operations);
    }

    /// The next sync fails, and what it should have flushed is never flushed.
    pub fn fail_next_sync(&self) {
        self.state().faults.next_sync = true;
    }

    /// The next read fails.
    pub fn fail_next_read(&self) {
        self.state().faults.next_read = true;
    }

    /// Writes fail for lack of space while this is set.
    pub fn set_full(&self, full: bool) {
        self.state().faults.full = full;
    }

    /// Every operation takes this long, in tokio's time.
    pub fn set_delay(&self, delay: Duration) {
        self.state().faults.delay = delay;
    }

    /// Flips one bit of what a file durably holds.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn flip_bit(&self, path: &Path, bit: u64) -> io::Result<()> {
        let mut state = self.state();
        let file = state.model.find(path)?;
        state.model.flip_bit(file, bit);
        Ok(())
    }
}

struct Mount {
    disk: MemDisk,
    mount: u64,
}

impl Mount {
    /// Waits as long as an operation takes, then counts it.
    async fn begin(&self) -> io::Result<MutexGuard<'_, State>> {
        let delay = self.disk.state().faults.delay;
        if delay.is_zero() {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(delay).await;
        }
        let mut state = self.disk.state();
        if state.mount != self.mount || state.crash_at.is_some_and(|last| state.operations >= last) {
            return Err(io::Error::other("the machine has crashed"));
        }
        state.operations += 1;
        Ok(state)
    }
}

#[async_trait]
impl Disk for Mount {
    async fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.begin().await?.model.add_folder(path);
        Ok(())
    }

    async fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.begin().await?.model.list(folder)
    }

    async fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.begin().await?;
        let file = match mode {
            OpenMode::Existing => state.model.find(path)?,
            OpenMode::CreateNew if state.faults.full => return Err(io::ErrorKind::StorageFull.into()),
            OpenMode::CreateNew => state.model.create(path)?,
        };
        drop(state);
        Ok(Arc::new(MemFile { mount: Mount { disk: self.disk.clone(), mount: self.mount }, file }))
    }

    async fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.begin().await?.model.rename(from, to)
    }

    async fn remove(&self, path: &Path) -> io::Result<()> {
        self.begin().await?.model.remove(path)
    }

    async fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        self.begin().await?.model.sync_folder(folder);
        Ok(())
    }

    async fn lock(&self, folder: &Path) -> io::Result<Box<dyn FolderLock>> {
        if !self.begin().await?.locks.insert(folder.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(MemLock { disk: self.disk.clone(), mount: self.mount, folder: folder.to_owned() }))
    }
}

struct MemLock {
    disk: MemDisk,
    mount: u64,
    folder: PathBuf,
}

impl FolderLock for MemLock {}

impl Drop for MemLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.mount == self.mount {
            state.locks.remove(&self.folder);
        }
    }
}

struct MemFile {
    mount: Mount,
    file: FileId,
}

#[async_trait]
impl DiskFile for MemFile {
    async fn write_at(&self, offset: u64, data: Bytes) -> io::Result<()> {
        let mut state = self.mount.begin().await?;
        if state.faults.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.model.change(self.file, Change::Write { offset, data });
        Ok(())
    }

    async fn sync_data(&self) -> io::Result<()> {
        let mut state = self.mount.begin().await?;
        if std::mem::take(&mut state.faults.next_sync) {
            state.model.fail_sync(self.file);
            return Err(io::Error::other("planned failure of a sync"));
        }
        state.model.sync(self.file);
        Ok(())
    }

    async fn read_at(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut state = self.mount.begin().await?;
        if std::mem::take(&mut state.faults.next_read) {
            return Err(io::Error::other("planned failure of a read"));
        }
        Ok(state.model.read(self.file, offset, len))
    }

    async fn size(&self) -> io::Result<u64> {
        Ok(self.mount.begin().await?.model.len(self.file))
    }

    async fn truncate(&self, len: u64) -> io::Result<()> {
        self.mount.begin().await?.model.change(self.file, Change::Truncate(len));
        Ok(())
    }
}
