//! The disk as one life of a node sees it.

use super::file::{MemFile, MemLock};
use super::halt::Moment;
use super::step::{Operation, Step};
use super::{MemDisk, State};
use crate::disk::{Disk, DiskFile, FolderLock, OpenMode};
use async_trait::async_trait;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The disk until its next crash.
#[derive(Clone)]
pub(super) struct Mount {
    pub(super) disk: MemDisk,
    pub(super) number: u64,
}

fn crashed() -> io::Error {
    io::Error::other("the machine has crashed")
}

impl Mount {
    /// Does an operation, after as long as one takes; unless the machine stands still in it.
    pub(super) async fn perform<T>(
        &self,
        step: Option<Step>,
        work: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> io::Result<T> {
        let delay = self.disk.state().faults.delay();
        if delay.is_zero() {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(delay).await;
        }
        let done = self.now(step, work);
        match done {
            Some(result) => result,
            None => Err(self.stand_still().await),
        }
    }

    /// Does an operation now; `None` when the machine stands still.
    fn now<T>(
        &self,
        step: Option<Step>,
        work: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> Option<io::Result<T>> {
        let mut state = self.disk.state();
        if state.mount != self.number || state.crash_at.is_some_and(|last| state.operations >= last) {
            return Some(Err(crashed()));
        }
        let stands = state.halt.meet(step);
        if stands == Some(Moment::Before) {
            return None;
        }
        state.operations += 1;
        if let Some(step) = step {
            *state.steps.entry(step).or_default() += 1;
        }
        let result = work(&mut state);
        // An opened file that nobody gets is closed, which needs the state.
        drop(state);
        stands.is_none().then_some(result)
    }

    /// Waits for the crash that must follow.
    async fn stand_still(&self) -> io::Error {
        loop {
            let crash = self.disk.crashed.notified();
            let mut crash = std::pin::pin!(crash);
            crash.as_mut().enable();
            if self.disk.state().mount != self.number {
                return crashed();
            }
            crash.await;
        }
    }
}

#[async_trait]
impl Disk for Mount {
    async fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.perform(None, |state| {
            state.model.add_folder(path);
            Ok(())
        })
        .await
    }

    async fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.perform(None, |state| state.model.list(folder)).await
    }

    async fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let create = Step::new(Operation::Create, path);
        let step = (mode == OpenMode::CreateNew).then_some(create);
        let opened = self.perform(step, |state| {
            let file = match mode {
                OpenMode::Existing => state.model.find(path)?,
                OpenMode::CreateNew => {
                    state.faults.check(create)?;
                    state.model.create(path)?
                }
            };
            Ok(MemFile::new(self, state, file, create.area))
        });
        Ok(Arc::new(opened.await?))
    }

    async fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let step = Step::new(Operation::Rename, to);
        self.perform(Some(step), |state| {
            state.faults.check(step)?;
            state.model.rename(from, to)
        })
        .await
    }

    async fn remove(&self, path: &Path) -> io::Result<()> {
        let step = Step::new(Operation::Remove, path);
        self.perform(Some(step), |state| {
            state.faults.check(step)?;
            state.model.remove(path)
        })
        .await
    }

    async fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        let step = Step::new(Operation::SyncDir, folder);
        self.perform(Some(step), |state| {
            state.faults.check(step)?;
            state.sync_folder(folder);
            Ok(())
        })
        .await
    }

    async fn lock(&self, folder: &Path) -> io::Result<Box<dyn FolderLock>> {
        let locked = self.perform(None, |state| {
            let free = state.locks.insert(folder.to_owned());
            if free { Ok(MemLock::new(self, folder)) } else { Err(io::ErrorKind::WouldBlock.into()) }
        });
        Ok(Box::new(locked.await?))
    }
}
