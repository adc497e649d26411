//! Snapshot files.

use crate::api::GroupId;
use crate::disk::SharedDisk;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

/// The snapshots of one group; keeps the last one. `M` is what a snapshot covers (openraft's
/// `SnapshotMeta`).
pub struct SnapshotStore<M> {
    _disk: SharedDisk,
    folder: PathBuf,
    group: GroupId,
    meta: PhantomData<fn() -> M>,
}

impl<M: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> SnapshotStore<M> {
    /// Opens a group's snapshots in a folder that all groups share; removes unfinished files.
    ///
    /// # Errors
    /// A damaged snapshot, one of another version (both say what to do), or the disk's.
    pub async fn open(disk: SharedDisk, folder: &Path, group: GroupId) -> io::Result<SnapshotStore<M>> {
        Ok(SnapshotStore { _disk: disk, folder: folder.to_owned(), group, meta: PhantomData })
    }

    /// Makes a snapshot durable and the current one, then removes the former one.
    ///
    /// # Errors
    /// The disk's; the former snapshot is then still the current one.
    pub async fn save(&self, meta: &M, data: Bytes) -> io::Result<()> {
        let _ = (meta, data, &self.folder, self.group);
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The current snapshot.
    ///
    /// # Errors
    /// Damage, or the disk's.
    pub async fn load(&self) -> io::Result<Option<(M, Bytes)>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
