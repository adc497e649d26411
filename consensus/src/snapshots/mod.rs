//! Snapshot files.
//!
//! A file is written under a temporary name, synced, renamed, and the folder synced: under its
//! final name it is always whole, so a damaged one means a damaged disk and is refused. Layout:
//! magic, version, lengths of meta and data, their checksum, checksum of all that; meta; data.
//!
//! What comes of a snapshot in parts is a file of its own until it is whole.

mod error;
mod file;
mod incoming;

#[cfg(test)]
mod incoming_tests;
#[cfg(test)]
mod tests;

pub use error::SnapshotError;
pub use incoming::{Came, Incoming, Part, Whole};

use crate::api::GroupId;
use crate::disk::{DiskFile, OpenMode, SharedDisk};
use crate::seeded::{Seeded, SeededBug};
use bytes::Bytes;
use file::{HEADER_BYTES, Header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use tokio::sync::Mutex;

/// Bytes written between two syncs, and read at once, so that others get at the disk in between.
const CHUNK_BYTES: usize = 1 << 20;

/// The snapshots of one group; keeps the last one. `M` is what a snapshot covers (openraft's
/// `SnapshotMeta`).
pub struct SnapshotStore<M> {
    disk: SharedDisk,
    folder: PathBuf,
    group: GroupId,
    /// Number of the current snapshot, if there is one.
    current: Mutex<Option<u64>>,
    seeded: Seeded,
    meta: PhantomData<fn() -> M>,
}

impl<M: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> SnapshotStore<M> {
    /// Opens a group's snapshots in a folder that all groups share; removes unfinished and
    /// superseded files.
    ///
    /// # Errors
    /// The disk's. Whether the current snapshot is whole is checked by [`SnapshotStore::load`].
    pub async fn open(
        disk: SharedDisk,
        folder: &Path,
        group: GroupId,
    ) -> Result<SnapshotStore<M>, SnapshotError> {
        disk.create_dir_all(folder).await?;
        let mut numbers = Vec::new();
        let mut superseded = Vec::new();
        for name in disk.list(folder).await? {
            if name == incoming::file_name(group) {
                superseded.push(folder.join(name));
                continue;
            }
            match parse_name(&name, group) {
                Some((number, true)) => numbers.push(number),
                Some((_, false)) => superseded.push(folder.join(name)),
                None => {}
            }
        }
        numbers.sort_unstable();
        let current = numbers.pop();
        superseded.extend(numbers.into_iter().map(|number| folder.join(file_name(group, number))));
        for path in &superseded {
            // What was coming may go by itself just now, where a group closes.
            remove_if_there(&disk, path).await?;
        }
        // The process before this one may have died before it made the current name durable.
        if current.is_some() || !superseded.is_empty() {
            disk.sync_dir(folder).await?;
        }
        let folder = folder.to_owned();
        let (current, seeded) = (Mutex::new(current), Seeded::default());
        Ok(SnapshotStore { disk, folder, group, current, seeded, meta: PhantomData })
    }

    /// The same store, perhaps with a mistake on purpose.
    pub(crate) fn seeded(self, seeded: Seeded) -> Self {
        Self { seeded, ..self }
    }

    /// Removes what there is, durably.
    ///
    /// # Errors
    /// The disk's; some may be left then.
    pub async fn clear(&self) -> io::Result<()> {
        let mut current = self.current.lock().await;
        if let Some(number) = *current {
            self.disk.remove(&self.folder.join(file_name(self.group, number))).await?;
            self.disk.sync_dir(&self.folder).await?;
            *current = None;
        }
        Ok(())
    }

    /// Makes a snapshot durable and the current one, then removes the former one.
    ///
    /// # Errors
    /// The disk's; the former snapshot is then still the current one.
    pub async fn save(&self, meta: &M, data: Bytes) -> io::Result<()> {
        let mut current = self.current.lock().await;
        let former = *current;
        let number = former.map_or(1, |number| number + 1);
        let path = self.folder.join(file_name(self.group, number));
        let temporary = self.folder.join(format!("{}.tmp", file_name(self.group, number)));
        self.write(&temporary, meta, data).await?;
        self.disk.rename(&temporary, &path).await?;
        self.disk.sync_dir(&self.folder).await?;
        *current = Some(number);
        if let Some(former) = former {
            let former = self.folder.join(file_name(self.group, former));
            if let Err(error) = self.disk.remove(&former).await {
                tracing::warn!(file = %former.display(), %error, "an old snapshot cannot be removed; the next start tries again");
            }
        }
        Ok(())
    }

    async fn write(&self, path: &Path, meta: &M, data: Bytes) -> io::Result<()> {
        // Left by an attempt that failed.
        remove_if_there(&self.disk, path).await?;
        let meta = Bytes::from(proto::codec::encode(meta));
        let header = Header::of(&meta, &data).encode();
        let file = self.disk.open(path, OpenMode::CreateNew).await?;
        let mut offset = 0;
        for mut part in [Bytes::from(header), meta, data] {
            while !part.is_empty() {
                let chunk = part.split_to(part.len().min(CHUNK_BYTES));
                let len = chunk.len() as u64;
                if self.seeded.has(SeededBug::SnapshotNotSynced) {
                    file.write_at(offset, chunk).await?;
                } else {
                    file.write_at_and_sync(offset, chunk).await?;
                }
                offset += len;
            }
        }
        Ok(())
    }

    /// The current snapshot.
    ///
    /// # Errors
    /// Damage, another version (each says what to do), or the disk's.
    pub async fn load(&self) -> Result<Option<(M, Bytes)>, SnapshotError> {
        let current = self.current.lock().await;
        let Some(number) = *current else { return Ok(None) };
        let path = self.folder.join(file_name(self.group, number));
        let file = self.disk.open(&path, OpenMode::Existing).await?;
        let bytes = Bytes::from(read_all(file.as_ref()).await?);
        let damaged = |what: String| SnapshotError::Damaged { file: path.clone(), what };
        let header = Header::decode(&bytes).ok_or_else(|| damaged("its header is not whole".into()))?;
        header.check_version(&path)?;
        let content = bytes.slice(HEADER_BYTES..);
        if !header.matches(&content) {
            return Err(damaged("its length or checksum differs".into()));
        }
        let meta = proto::codec::decode(&content[..header.meta_bytes as usize])
            .map_err(|error| damaged(error.to_string()))?;
        Ok(Some((meta, content.slice(header.meta_bytes as usize..))))
    }
}

async fn read_all(file: &dyn DiskFile) -> io::Result<Vec<u8>> {
    let len = file.size().await?;
    let mut bytes = Vec::with_capacity(len as usize);
    while (bytes.len() as u64) < len {
        let part = file.read_at(bytes.len() as u64, CHUNK_BYTES).await?;
        if part.is_empty() {
            break;
        }
        bytes.extend(part);
    }
    Ok(bytes)
}

async fn remove_if_there(disk: &SharedDisk, path: &Path) -> io::Result<()> {
    match disk.remove(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn file_name(group: GroupId, number: u64) -> String {
    format!("group_{}.{number:010}.snapshot", group.0)
}

/// Number of one of the group's snapshot files, and whether it is finished.
fn parse_name(name: &str, group: GroupId) -> Option<(u64, bool)> {
    let (name, finished) = name.strip_suffix(".tmp").map_or((name, true), |name| (name, false));
    let rest = name.strip_suffix(".snapshot")?.strip_prefix("group_")?;
    let (of, number) = rest.split_once('.')?;
    (of.parse() == Ok(group.0)).then_some((number.parse().ok()?, finished))
}
