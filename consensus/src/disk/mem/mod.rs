//! A disk in memory that can crash and fail on demand.

mod faults;
mod file;
mod halt;
mod mount;
mod step;

#[cfg(test)]
mod tests;

pub use halt::{HaltPoint, Moment};
pub use step::{Area, Operation, Step};

use super::SharedDisk;
use super::model::{FileId, Model, NameChange};
use bytes::Bytes;
use faults::Faults;
use halt::Halt;
use mount::Mount;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// The disk itself, which outlives the node that uses it. A node gets it by [`MemDisk::mount`].
///
/// Everything it does follows from what is asked of it and the seeds it is given. What is set to
/// go wrong ends with [`MemDisk::crash`].
#[derive(Clone, Default)]
pub struct MemDisk {
    state: Arc<Mutex<State>>,
    crashed: Arc<Notify>,
}

#[derive(Default)]
struct State {
    model: Model,
    mount: u64,
    locks: BTreeSet<PathBuf>,
    /// Open files of this mount, and how often each is open.
    handles: BTreeMap<FileId, u32>,
    operations: u64,
    steps: BTreeMap<Step, u64>,
    crash_at: Option<u64>,
    halt: Halt,
    faults: Faults,
}

impl State {
    /// Makes the names of a folder durable and drops what no name and no reader needs any more.
    fn sync_folder(&mut self, folder: &Path) {
        let changes = self.model.sync_folder(folder);
        if changes.iter().any(|change| !matches!(change, NameChange::Create(..))) {
            self.model.drop_removed(|file| self.handles.contains_key(&file));
        }
    }

    /// An open file is closed.
    fn release(&mut self, file: FileId) {
        let Some(count) = self.handles.get_mut(&file) else { return };
        *count -= 1;
        if *count == 0 {
            self.handles.remove(&file);
            self.model.drop_unnamed(file);
        }
    }
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
        Arc::new(Mount { disk: self.clone(), number: self.state().mount })
    }

    /// Everything not flushed is lost, except for what the seed saves: some of the changes in
    /// order, the last of them torn. Whoever mounted the disk before gets errors from now on, also
    /// for what stood still. Ends all that was set to go wrong.
    pub fn crash(&self, seed: u64) {
        let mut state = self.state();
        state.model.crash(&mut ChaCha8Rng::seed_from_u64(seed));
        state.faults = Faults::default();
        self.unmount(state);
    }

    /// The process that uses the disk is killed, and the machine runs on: what was written is seen
    /// by the next process, flushed or not. Whoever mounted the disk before gets errors from now on.
    /// What was to stand still does not any more; the disk's other faults stay.
    pub fn kill(&self) {
        self.unmount(self.state());
    }

    fn unmount(&self, mut state: MutexGuard<'_, State>) {
        state.mount += 1;
        state.locks.clear();
        state.handles.clear();
        state.crash_at = None;
        state.halt = Halt::default();
        drop(state);
        self.crashed.notify_waiters();
    }

    /// A second disk that durably holds what this one durably holds.
    #[must_use]
    pub fn fork(&self) -> MemDisk {
        let state = State { model: self.state().model.durable_copy(), ..State::default() };
        MemDisk { state: Arc::new(Mutex::new(state)), crashed: Arc::default() }
    }

    /// A file's durable bytes.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn durable(&self, path: &Path) -> io::Result<Bytes> {
        let state = self.state();
        Ok(state.model.durable(state.model.find(path)?))
    }

    /// Bytes of all files, also of those without a name that are still open; what of them is not
    /// durable counts as well.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.state().model.bytes()
    }

    /// Operations done so far, of all kinds.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// How often each step was done so far, over all crashes; failed ones count.
    #[must_use]
    pub fn operations_by_step(&self) -> BTreeMap<Step, u64> {
        self.state().steps.clone()
    }

    /// Lets this many more operations happen; those after fail, as if the machine stood still.
    /// [`MemDisk::crash`] must follow.
    pub fn stop_after(&self, operations: u64) {
        let mut state = self.state();
        state.crash_at = Some(state.operations + operations);
    }

    /// Plans where the machine stands still, instead of what was planned before: from there on no
    /// operation of any kind is answered, and none happens, so nothing that waits for the disk ends,
    /// stopping the node among it. [`MemDisk::halted`] tells when it has come to that;
    /// [`MemDisk::crash`] must follow.
    pub fn halt_at(&self, point: HaltPoint) {
        self.state().halt.plan(point);
    }

    /// Where the machine stands still, and the step that it stands still in.
    #[must_use]
    pub fn halted(&self) -> Option<(HaltPoint, Step)> {
        self.state().halt.halted()
    }

    /// The next operation of this kind fails, in this area if one is given. What a sync should have
    /// flushed is never flushed; other operations then do nothing. Several add up.
    pub fn fail_next(&self, operation: Operation, area: Option<Area>) {
        self.state().faults.fail_next(operation, area);
    }

    /// The next sync of a file fails, and what it should have flushed is never flushed.
    pub fn fail_next_sync(&self) {
        self.fail_next(Operation::Sync, None);
    }

    /// The next read fails.
    pub fn fail_next_read(&self) {
        self.fail_next(Operation::Read, None);
    }

    /// Forgets the operations that were to fail and were not asked for yet.
    pub fn cancel_failures(&self) {
        self.state().faults.cancel();
    }

    /// Forgets where the machine was to stand still, if it does not stand still already.
    pub fn cancel_halt(&self) {
        self.state().halt.cancel();
    }

    /// Of every so many reads, 1 at least, the last fails; `None` ends it.
    pub fn fail_reads(&self, every: Option<u32>) {
        self.state().faults.fail_reads(every);
    }

    /// Writes and new files fail for lack of space while this is set.
    pub fn set_full(&self, full: bool) {
        self.state().faults.full = full;
    }

    /// Every operation takes this long, in tokio's time, whose timers round up to milliseconds.
    pub fn set_delay(&self, delay: Duration) {
        self.set_latency(delay, delay, 0);
    }

    /// Every operation takes some time between these, as the seed draws it, in tokio's time, whose
    /// timers round up to milliseconds. Operations that overlap may end in any order. Both zero:
    /// as fast as can be.
    pub fn set_latency(&self, min: Duration, max: Duration, seed: u64) {
        self.state().faults.set_latency(min, max, seed);
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
