//! The folder a node keeps its data in.

use crate::api::NodeId;
use crate::disk::{FolderLock, OpenMode, SharedDisk};
use crate::env::Entropy;
use bytes::Bytes;
use proto::codec::{self, CodecError};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// Name of the file that says whose data a folder holds.
const IDENTITY_FILE: &str = "identity";
const IDENTITY_TEMPORARY: &str = "identity.tmp";

/// Longest identity file that is read.
const IDENTITY_BYTES_MAX: usize = 64 << 10;

/// Version of the folder's layout; a folder of another one is refused.
const LAYOUT_VERSION: u32 = 1;

/// Whose data a folder holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The cluster's id: any text that differs between clusters.
    pub cluster: String,
    /// The node.
    pub node: NodeId,
}

/// The identity file's content.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    layout: u32,
    identity: Identity,
    salt: u64,
}

/// Why a data folder is not opened. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process has it.
    #[error(
        "the data folder {folder} is in use by another process: stop that one, or give this one another folder",
        folder = .0.display()
    )]
    InUse(PathBuf),
    /// It holds another cluster's or node's data.
    #[error(
        "the data folder {folder} holds {found_node} of cluster {found_cluster:?}, not {wanted_node} of cluster \
         {wanted_cluster:?}: correct the configuration, or use an empty folder",
        folder = folder.display(), found_node = found.node, found_cluster = found.cluster,
        wanted_node = wanted.node, wanted_cluster = wanted.cluster
    )]
    Foreign {
        /// The folder.
        folder: PathBuf,
        /// Whose data it holds.
        found: Identity,
        /// Whose it should be.
        wanted: Identity,
    },
    /// Written by another version.
    #[error(
        "the data folder {folder} has format {found}, this build reads format {supported}: run the build that \
         wrote it, or restore a copy that this one reads",
        folder = folder.display()
    )]
    Version {
        /// The folder.
        folder: PathBuf,
        /// Its format.
        found: u32,
        /// The format of this build.
        supported: u32,
    },
    /// The identity file cannot be read, or is missing though there is data.
    #[error(
        "the data folder {folder} is damaged: {what}. Restore it from a copy; or, in a cluster whose other \
         members are well, remove this member, empty the folder and let it join again",
        folder = folder.display()
    )]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The disk's.
    #[error("the data folder cannot be used: {0}")]
    Disk(#[from] io::Error),
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
    /// In use, another cluster's or node's, another format version, damaged, or the disk's.
    pub async fn open(
        disk: &SharedDisk,
        path: &Path,
        identity: &Identity,
        entropy: &dyn Entropy,
    ) -> Result<DataFolder, FolderError> {
        disk.create_dir_all(path).await?;
        let lock = match disk.lock(path).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(FolderError::InUse(path.to_owned()));
            }
            lock => lock?,
        };
        let mut folder = DataFolder { path: path.to_owned(), salt: 0, _lock: lock };
        let names = disk.list(path).await?;
        folder.salt = if names.iter().any(|name| name == IDENTITY_FILE) {
            folder.check(disk, identity).await?
        } else {
            folder.write(disk, identity, entropy.next_u64(), &names).await?
        };
        Ok(folder)
    }

    /// Checks whose the folder is; returns its salt.
    async fn check(&self, disk: &SharedDisk, wanted: &Identity) -> Result<u64, FolderError> {
        let file = disk.open(&self.path.join(IDENTITY_FILE), OpenMode::Existing).await?;
        let bytes = file.read_at(0, IDENTITY_BYTES_MAX).await?;
        let version =
            |found| FolderError::Version { folder: self.path.clone(), found, supported: LAYOUT_VERSION };
        let stored: Stored = codec::decode(&bytes).map_err(|error| match error {
            CodecError::Version { found } => version(u32::from(found)),
            other => self.damaged(format!("{IDENTITY_FILE}: {other}")),
        })?;
        if stored.layout != LAYOUT_VERSION {
            return Err(version(stored.layout));
        }
        if stored.identity != *wanted {
            let (folder, found, wanted) = (self.path.clone(), stored.identity, wanted.clone());
            return Err(FolderError::Foreign { folder, found, wanted });
        }
        // The process before this one may have died before it made the name durable, and what is
        // written from now on is data without an identity if the name is lost.
        disk.sync_dir(&self.path).await?;
        Ok(stored.salt)
    }

    /// Writes whose the folder is; returns its salt.
    async fn write(
        &self,
        disk: &SharedDisk,
        identity: &Identity,
        salt: u64,
        names: &[String],
    ) -> Result<u64, FolderError> {
        // The file is durable before anything else is written, so data without it is not ours.
        let log = self.log();
        disk.create_dir_all(&log).await?;
        if let Some(name) = disk.list(&log).await?.first() {
            return Err(self.damaged(format!("there is no file {IDENTITY_FILE}, but log/{name}")));
        }
        let temporary = self.path.join(IDENTITY_TEMPORARY);
        if names.iter().any(|name| name == IDENTITY_TEMPORARY) {
            disk.remove(&temporary).await?;
        }
        let stored = Stored { layout: LAYOUT_VERSION, identity: identity.clone(), salt };
        let file = disk.open(&temporary, OpenMode::CreateNew).await?;
        file.write_at_and_sync(0, Bytes::from(codec::encode(&stored))).await?;
        disk.rename(&temporary, &self.path.join(IDENTITY_FILE)).await?;
        disk.sync_dir(&self.path).await?;
        Ok(salt)
    }

    fn damaged(&self, what: String) -> FolderError {
        FolderError::Damaged { folder: self.path.clone(), what }
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
