//! The disk a node runs on: the real one, or one with faults.

use super::faults::Faults;
use async_trait::async_trait;
use bytes::Bytes;
use consensus::disk::{Disk, DiskFile, FolderLock, LossyDisk, OpenMode, RealDisk, SharedDisk};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The disk these faults leave.
pub(super) fn open(faults: &Faults) -> io::Result<SharedDisk> {
    let real = RealDisk::new()?;
    let disk: SharedDisk = match faults.lossy_disk {
        Some(seed) => Arc::new(LossyDisk::new(real, seed)),
        None => Arc::new(real),
    };
    Ok(if faults.skip_sync { Arc::new(Unsynced(disk)) } else { disk })
}

/// A disk that says it flushed files and did not.
struct Unsynced(SharedDisk);

#[async_trait]
impl Disk for Unsynced {
    async fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.0.create_dir_all(path).await
    }

    async fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.0.list(folder).await
    }

    async fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(UnsyncedFile(self.0.open(path, mode).await?)))
    }

    async fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to).await
    }

    async fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.remove(path).await
    }

    async fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        self.0.sync_dir(folder).await
    }

    async fn lock(&self, folder: &Path) -> io::Result<Box<dyn FolderLock>> {
        self.0.lock(folder).await
    }
}

struct UnsyncedFile(Arc<dyn DiskFile>);

#[async_trait]
impl DiskFile for UnsyncedFile {
    async fn write_at(&self, offset: u64, data: Bytes) -> io::Result<()> {
        self.0.write_at(offset, data).await
    }

    async fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    async fn read_at(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.0.read_at(offset, len).await
    }

    async fn size(&self) -> io::Result<u64> {
        self.0.size().await
    }

    async fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.truncate(len).await
    }
}
