//! Files as the log and the snapshots need them, and nothing more.
//!
//! The logic above is the same everywhere; only what is beneath differs: [`RealDisk`] (a thread of
//! its own), [`LossyDisk`] (real files that lose whatever was not flushed, for crash tests of the
//! real binary) and [`MemDisk`] (in memory, with crashes and faults, for tests and simulation).
//!
//! What every implementation promises, and no more:
//! - Written bytes survive a crash once [`DiskFile::sync_data`] has returned Ok. Before that, any
//!   part of them may survive.
//! - A created, renamed or removed name survives once [`Disk::sync_dir`] of its folder has returned.
//! - After a failed sync nothing is known about the bytes written since the last good one, and
//!   trying again proves nothing.

mod lossy;
mod mem;
mod model;
mod real;

#[cfg(test)]
mod tests;

pub use lossy::LossyDisk;
pub use mem::{Area, HaltPoint, MemDisk, Moment, Operation, Step};
pub use real::RealDisk;

use async_trait::async_trait;
use bytes::Bytes;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A disk that several parts of a node share.
pub type SharedDisk = Arc<dyn Disk>;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// Must exist.
    Existing,
    /// Must not exist; is created empty.
    CreateNew,
}

/// Folders and names.
#[async_trait]
pub trait Disk: Send + Sync + 'static {
    /// Creates a folder and whatever is missing above it, durably.
    async fn create_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Names (without path) of the files in a folder, sorted; folders are left out.
    async fn list(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// Opens a file for reading and writing. A new one is durable after [`Disk::sync_dir`].
    async fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>>;

    /// Gives a file another name in the same folder, replacing what had that name.
    async fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file's name.
    async fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes what happened to the names in a folder durable.
    async fn sync_dir(&self, folder: &Path) -> io::Result<()>;

    /// Takes a folder for this process alone, by the file `LOCK` in it, until the guard is dropped.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when another holder lives.
    async fn lock(&self, folder: &Path) -> io::Result<Box<dyn FolderLock>>;
}

/// Keeps a folder locked while it lives.
pub trait FolderLock: Send + Sync {}

/// An open file.
#[async_trait]
pub trait DiskFile: Send + Sync + 'static {
    /// Writes all bytes at an offset, which is not beyond the end.
    async fn write_at(&self, offset: u64, data: Bytes) -> io::Result<()>;

    /// Makes everything written to this file durable.
    async fn sync_data(&self) -> io::Result<()>;

    /// Writes, then syncs, as one request.
    async fn write_at_and_sync(&self, offset: u64, data: Bytes) -> io::Result<()> {
        self.write_at(offset, data).await?;
        self.sync_data().await
    }

    /// Reads up to `len` bytes at an offset; fewer only at the end of the file.
    async fn read_at(&self, offset: u64, len: usize) -> io::Result<Vec<u8>>;

    /// Length in bytes.
    async fn size(&self) -> io::Result<u64>;

    /// Cuts the file to a length that is not above the present one; durable after a sync.
    async fn truncate(&self, len: u64) -> io::Result<()>;
}
