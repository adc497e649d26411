//! What has come of a snapshot that a leader sends in parts: kept over broken links.

use super::CHUNK_BYTES;
use super::{read_all, remove_if_there};
use crate::api::GroupId;
use crate::disk::{DiskFile, OpenMode, SharedDisk};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which snapshot of a group: where this is the same, the bytes are the same, whoever sends them. The log
/// position in `M` alone says so for nodes of one release, which write the same state as the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whole<M> {
    /// What it covers.
    pub meta: M,
    /// Length of its data in bytes.
    pub bytes: u64,
    /// CRC-32 of its data.
    pub checksum: u32,
}

impl<M> Whole<M> {
    /// Of a snapshot; others get their turn while it is read through.
    pub async fn of(meta: M, data: &Bytes) -> Whole<M> {
        Whole { meta, bytes: data.len() as u64, checksum: checksum(data).await }
    }
}

/// CRC-32 of many bytes, with turns for others in between.
async fn checksum(data: &Bytes) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for chunk in data.chunks(CHUNK_BYTES) {
        hasher.update(chunk);
        tokio::task::yield_now().await;
    }
    hasher.finalize()
}

/// A part of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Length of the whole, by which it is known whose part this is.
    pub whole_bytes: u64,
    /// Checksum of the whole, for the same.
    pub whole_checksum: u32,
    /// Where it begins.
    pub offset: u64,
    /// CRC-32 of its data.
    pub checksum: u32,
    /// The bytes.
    pub data: Bytes,
}

impl Part {
    /// The part of a whole that begins at an offset and has up to `most` bytes.
    pub fn of<M>(whole: &Whole<M>, data: &Bytes, offset: u64, most: usize) -> Part {
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(data.len());
        let data = data.slice(from..from.saturating_add(most).min(data.len()));
        let checksum = crc32fast::hash(&data);
        Part { whole_bytes: whole.bytes, whole_checksum: whole.checksum, offset, checksum, data }
    }

    /// Where the next one begins.
    pub fn end(&self) -> u64 {
        self.offset + self.data.len() as u64
    }
}

/// What became of a part.
#[derive(Debug, PartialEq, Eq)]
pub enum Came<M> {
    /// So much is there now, in bytes from the beginning: what comes next begins here.
    Upto(u64),
    /// That was the last one, and all of it is what was meant to be sent.
    Whole(M, Bytes),
    /// It is of another snapshot than the one that is being received: offer that first.
    Other,
}

/// What has come of one group's snapshot; of one at a time, in a file beside the snapshots. It does not
/// outlive the process.
pub struct Incoming<M> {
    disk: SharedDisk,
    path: PathBuf,
    bytes_max: u64,
    partial: Option<Partial<M>>,
}

struct Partial<M> {
    whole: Whole<M>,
    file: Arc<dyn DiskFile>,
    /// Bytes that have come; up to `bytes` of the whole.
    have: u64,
    /// Bytes since the last sync.
    unsynced: u64,
}

impl<M: Clone + PartialEq> Incoming<M> {
    /// Nothing has come yet. `folder`: of the group's [`SnapshotStore`](super::SnapshotStore), which exists;
    /// `bytes_max`: the largest snapshot.
    pub fn new(disk: SharedDisk, folder: &Path, group: GroupId, bytes_max: u64) -> Incoming<M> {
        let path = folder.join(file_name(group));
        Incoming { disk, path, bytes_max, partial: None }
    }

    /// Whether a part of something is kept.
    pub fn is_begun(&self) -> bool {
        self.partial.is_some()
    }

    /// A leader has this one to send: how many bytes of it are here already. What there was of another one
    /// goes.
    ///
    /// # Errors
    /// [`io::ErrorKind::FileTooLarge`], or the disk's.
    pub async fn offer(&mut self, whole: Whole<M>) -> io::Result<u64> {
        if whole.bytes > self.bytes_max {
            let text = format!("a snapshot of {} bytes, above {}", whole.bytes, self.bytes_max);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        if let Some(partial) = self.partial.as_ref().filter(|partial| partial.whole == whole) {
            return Ok(partial.have);
        }
        self.clear().await?;
        let file = self.disk.open(&self.path, OpenMode::CreateNew).await?;
        self.partial = Some(Partial { whole, file, have: 0, unsynced: 0 });
        Ok(0)
    }

    /// Takes a part if it is the next one. One that comes again, one behind a gap and one that is damaged
    /// change nothing.
    ///
    /// # Errors
    /// The disk's; what has come is given up then.
    pub async fn part(&mut self, part: Part) -> io::Result<Came<M>> {
        let Some(partial) = &mut self.partial else { return Ok(Came::Other) };
        let Whole { bytes, checksum, .. } = partial.whole;
        if (part.whole_bytes, part.whole_checksum) != (bytes, checksum) {
            return Ok(Came::Other);
        }
        let sound = part.end() <= bytes && crc32fast::hash(&part.data) == part.checksum;
        if part.offset != partial.have || !sound {
            return Ok(Came::Upto(partial.have));
        }
        if let Err(error) = partial.write(part).await {
            let _ = self.clear().await;
            return Err(error);
        }
        if partial.have < bytes {
            return Ok(Came::Upto(partial.have));
        }
        self.finish().await
    }

    /// All has come: reads it back, and lets it go if it is not what was meant to be sent.
    async fn finish(&mut self) -> io::Result<Came<M>> {
        let Some(partial) = self.partial.take() else { return Ok(Came::Other) };
        let read = read_all(partial.file.as_ref()).await;
        // If this fails, the next offer or the next start does it.
        let _ = remove_if_there(&self.disk, &self.path).await;
        let data = Bytes::from(read?);
        let good =
            data.len() as u64 == partial.whole.bytes && checksum(&data).await == partial.whole.checksum;
        if good {
            return Ok(Came::Whole(partial.whole.meta, data));
        }
        tracing::warn!(file = %self.path.display(), "a snapshot came whole and is damaged; it begins anew");
        Ok(Came::Other)
    }

    /// Lets go what has come.
    ///
    /// # Errors
    /// The disk's; the file may be there then, and is used by nobody.
    pub async fn clear(&mut self) -> io::Result<()> {
        self.partial = None;
        remove_if_there(&self.disk, &self.path).await
    }
}

impl<M> Partial<M> {
    async fn write(&mut self, part: Part) -> io::Result<()> {
        let len = part.data.len() as u64;
        self.file.write_at(self.have, part.data).await?;
        self.have += len;
        self.unsynced += len;
        // Nothing needs it to be durable; but what piles up unwritten would hold up the log's next sync.
        if self.unsynced >= CHUNK_BYTES as u64 {
            self.unsynced = 0;
            self.file.sync_data().await?;
        }
        Ok(())
    }
}

/// The file's name: one a group.
pub(super) fn file_name(group: GroupId) -> String {
    format!("group_{}.incoming", group.0)
}
