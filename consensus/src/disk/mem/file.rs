//! Open files and locked folders of a disk in memory.

use super::State;
use super::mount::Mount;
use super::step::{Area, Operation, Step};
use crate::disk::model::{Change, FileId};
use crate::disk::{DiskFile, FolderLock};
use async_trait::async_trait;
use bytes::Bytes;
use std::io;
use std::path::{Path, PathBuf};

/// An open file.
pub(super) struct MemFile {
    mount: Mount,
    file: FileId,
    area: Area,
}

impl MemFile {
    pub(super) fn new(mount: &Mount, state: &mut State, file: FileId, area: Area) -> MemFile {
        *state.handles.entry(file).or_default() += 1;
        MemFile { mount: mount.clone(), file, area }
    }

    fn step(&self, operation: Operation) -> Step {
        Step { area: self.area, operation }
    }
}

impl Drop for MemFile {
    fn drop(&mut self) {
        let mut state = self.mount.disk.state();
        if state.mount == self.mount.number {
            state.release(self.file);
        }
    }
}

#[async_trait]
impl DiskFile for MemFile {
    async fn write_at(&self, offset: u64, data: Bytes) -> io::Result<()> {
        let step = self.step(Operation::Write);
        self.mount
            .perform(Some(step), |state| {
                state.faults.check(step)?;
                state.model.change(self.file, Change::Write { offset, data });
                Ok(())
            })
            .await
    }

    async fn sync_data(&self) -> io::Result<()> {
        let step = self.step(Operation::Sync);
        self.mount
            .perform(Some(step), |state| {
                let checked = state.faults.check(step);
                if checked.is_err() {
                    state.model.fail_sync(self.file);
                } else {
                    state.model.sync(self.file);
                }
                checked
            })
            .await
    }

    async fn read_at(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let step = self.step(Operation::Read);
        self.mount
            .perform(Some(step), |state| {
                state.faults.check(step)?;
                Ok(state.model.read(self.file, offset, len))
            })
            .await
    }

    async fn size(&self) -> io::Result<u64> {
        self.mount.perform(None, |state| Ok(state.model.len(self.file))).await
    }

    async fn truncate(&self, len: u64) -> io::Result<()> {
        let step = self.step(Operation::Truncate);
        self.mount
            .perform(Some(step), |state| {
                state.faults.check(step)?;
                state.model.change(self.file, Change::Truncate(len));
                Ok(())
            })
            .await
    }
}

/// A locked folder.
pub(super) struct MemLock {
    mount: Mount,
    folder: PathBuf,
}

impl MemLock {
    pub(super) fn new(mount: &Mount, folder: &Path) -> MemLock {
        MemLock { mount: mount.clone(), folder: folder.to_owned() }
    }
}

impl FolderLock for MemLock {}

impl Drop for MemLock {
    fn drop(&mut self) {
        let mut state = self.mount.disk.state();
        if state.mount == self.mount.number {
            state.locks.remove(&self.folder);
        }
    }
}
