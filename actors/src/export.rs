//! A shard's log as a file: the snapshot if it is needed, the entries, and hashes of the state by
//! which whoever applies it again can tell that it came out the same.

use crate::Engine;
use bytes::Bytes;
use consensus::{Batch, BatchPosition, Export, Exported};
use futures::StreamExt;
use futures::stream::BoxStream;
use proto::codec;
use proto::log_file::{self, Header, LoggedBatch, PART_BYTES, Record, SnapshotHead};
use routing::{Shard, ShardId};
use std::io;

/// Bytes handed out at a time, about: what an export costs in memory besides the snapshot.
const CHUNK_BYTES: usize = 256 << 10;

/// Why a shard's log cannot be exported here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// This cluster has no such shard.
    #[error("this cluster has no {0}")]
    UnknownShard(ShardId),
    /// Nothing was applied here yet, or the log was cut while it was read. Try again.
    #[error("{0}: try again")]
    TryAgain(String),
    /// A snapshot or the log cannot be read; a person must look.
    #[error("{0}")]
    Damaged(String),
}

/// What comes next.
enum Phase {
    Snapshot(Bytes),
    Entries(BoxStream<'static, io::Result<Exported>>),
    Over,
}

/// A shard's log on its way into a file. Reads only as it is pulled.
pub struct LogExport {
    phase: Phase,
    log: Export,
    /// Encoded and not yet handed out.
    out: Vec<u8>,
    first: u64,
    end: Hashed,
    /// A state inside the entries whose hash is known.
    on_the_way: Option<Hashed>,
}

impl std::fmt::Debug for LogExport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogExport")
            .field("first", &self.first)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// A state's hash.
#[derive(Debug, Clone, Copy)]
struct Hashed {
    index: u64,
    hash: u64,
}

struct Stored {
    at: BatchPosition,
    data: Bytes,
    hash: u64,
}

impl Engine {
    /// Exports a shard's log as this node's replica has it: from its beginning as long as that is
    /// still there, else from the replica's last snapshot; up to now. `from_snapshot` begins at the
    /// last snapshot in any case.
    ///
    /// # Errors
    /// See [`ExportError`].
    pub async fn export_log(&self, shard: ShardId, from_snapshot: bool) -> Result<LogExport, ExportError> {
        let inner = &self.inner;
        let runtime = inner.shards.get(&shard).ok_or(ExportError::UnknownShard(shard))?;
        let log = runtime.group.export();
        let snapshot = stored(&log).await?;
        // After the snapshot was read: the replica is not behind it.
        let (index, state) = {
            let replica = runtime.replica.read();
            (replica.index, replica.shard.clone())
        };
        let index =
            index.ok_or_else(|| ExportError::TryAgain(format!("{shard} has nothing on this node yet")))?;
        let end = Hashed { index, hash: state.state_hash() };
        let whole = log.first_index().map_err(unreadable)? == 0;
        let begins = snapshot.as_ref().filter(|_| from_snapshot || !whole);
        if !whole && begins.is_none() {
            return Err(ExportError::Damaged(format!(
                "{shard}: its log begins late and there is no snapshot"
            )));
        }
        let first = begins.map_or(0, |snapshot| snapshot.at.index + 1);
        let header = Header {
            cluster: inner.consensus_config.cluster_id.clone(),
            node: inner.consensus_config.node.0,
            shard: shard.0,
            level: state.level(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            exported_ms: inner.clock.wall_ms(),
            first,
        };
        let mut out = Vec::new();
        log_file::begin(&mut out);
        log_file::write(&mut out, &Record::Header(header));
        let hashed = snapshot.as_ref().map(|one| Hashed { index: one.at.index, hash: one.hash });
        let on_the_way = hashed.filter(|one| one.index >= first && one.index < end.index);
        let phase = match begins {
            None => Phase::Entries(log.entries(first..=end.index).boxed()),
            Some(Stored { at, data, hash }) => {
                let head =
                    SnapshotHead { index: at.index, term: at.term, bytes: data.len() as u64, hash: *hash };
                log_file::write(&mut out, &Record::Snapshot(head));
                Phase::Snapshot(data.clone())
            }
        };
        Ok(LogExport { phase, log, out, first, end, on_the_way })
    }
}

async fn stored(log: &Export) -> Result<Option<Stored>, ExportError> {
    let Some((at, data)) = log.snapshot().await.map_err(unreadable)? else { return Ok(None) };
    let state: Shard =
        codec::decode(&data).map_err(|error| ExportError::Damaged(format!("the snapshot: {error}")))?;
    Ok(Some(Stored { at, hash: state.state_hash(), data }))
}

fn unreadable(error: io::Error) -> ExportError {
    match error.kind() {
        io::ErrorKind::NotFound => ExportError::TryAgain(error.to_string()),
        _ => ExportError::Damaged(error.to_string()),
    }
}

impl LogExport {
    /// The next bytes of the file, at most 256 KiB; `None` after its end.
    ///
    /// # Errors
    /// See [`ExportError`]; what was handed out before is then not a whole file.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ExportError> {
        while self.out.len() < CHUNK_BYTES && self.more().await? {}
        if self.out.is_empty() {
            return Ok(None);
        }
        let rest = self.out.split_off(self.out.len().min(CHUNK_BYTES));
        Ok(Some(std::mem::replace(&mut self.out, rest).into()))
    }

    /// Encodes what comes next; false when there is no more.
    async fn more(&mut self) -> Result<bool, ExportError> {
        match &mut self.phase {
            Phase::Over => return Ok(false),
            Phase::Snapshot(data) if data.is_empty() => {
                self.phase = Phase::Entries(self.log.entries(self.first..=self.end.index).boxed());
            }
            Phase::Snapshot(data) => {
                let part = data.split_to(data.len().min(PART_BYTES));
                log_file::write(&mut self.out, &Record::SnapshotPart(part));
            }
            Phase::Entries(entries) => match entries.next().await {
                Some(entry) => self.entry(entry.map_err(unreadable)?),
                None => {
                    let Hashed { index, hash } = self.end;
                    log_file::write(&mut self.out, &Record::End { index, hash });
                    self.phase = Phase::Over;
                }
            },
        }
        Ok(true)
    }

    fn entry(&mut self, entry: Exported) {
        let at = entry.at();
        let (index, term) = (at.index, at.term);
        let record = match entry {
            Exported::Passed(_) => Record::Passed { index, term },
            Exported::Batch(_, Batch { time_us, wall_ms, commands }) => {
                let commands = commands.into_iter().map(Bytes::from).collect();
                Record::Batch(LoggedBatch { index, term, time_us, wall_ms, commands })
            }
        };
        log_file::write(&mut self.out, &record);
        if let Some(Hashed { index, hash }) = self.on_the_way.take_if(|known| known.index == index) {
            log_file::write(&mut self.out, &Record::StateHash { index, hash });
        }
    }
}
