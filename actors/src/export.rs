//! A group's log as a file: the snapshot if it is needed, the entries, and hashes of the state by
//! which whoever applies it again can tell that it came out the same.

use crate::Engine;
use crate::meta::{MetaState, hash_of};
use bytes::Bytes;
use consensus::{Batch, BatchPosition, Export, Exported, Group, GroupId};
use futures::StreamExt;
use futures::stream::BoxStream;
use proto::codec;
use proto::log_file::{self, Header, LoggedBatch, PART_BYTES, Record, SnapshotHead};
use routing::{Shard, ShardId};
use std::io;
use std::sync::PoisonError;

/// Bytes handed out at a time, about: what an export costs in memory besides the snapshot.
const CHUNK_BYTES: usize = 256 << 10;

/// The cluster's own group, where a shard is asked for.
pub const META: ShardId = ShardId(0);

/// Why a shard's log cannot be exported here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// This cluster has no such shard.
    #[error("this cluster has no {0}")]
    UnknownShard(ShardId),
    /// Other nodes have replicas of it. Ask one of them.
    #[error("this node has no replica of {0}: ask one that has (centralita ctl cluster)")]
    NotHere(ShardId),
    /// Nothing was applied here yet, or the log was cut while it was read. Try again.
    #[error("{0}: try again")]
    TryAgain(String),
    /// What was asked for is in a snapshot alone by now.
    #[error("{group}: its log begins at {first} here, not at {wanted}: begin with a snapshot")]
    Gone {
        /// Whose log.
        group: GroupId,
        /// The first entry that is still there.
        first: u64,
        /// The first one asked for.
        wanted: u64,
    },
    /// A snapshot or the log cannot be read; a person must look.
    #[error("{0}")]
    Damaged(String),
}

/// From where on a log is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFrom {
    /// The log's beginning, as long as that is still there, else the replica's last snapshot.
    Beginning,
    /// The replica's last snapshot; the log's beginning if there is none.
    Snapshot,
    /// After this index, going on from another file.
    After(u64),
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

/// A group's state now.
struct Present {
    group: Group,
    end: Hashed,
    level: u32,
}

impl Engine {
    /// Exports a shard's log, or with [`ShardId`] 0 that of the cluster's own group, as this node's
    /// replica has it, up to now.
    ///
    /// # Errors
    /// See [`ExportError`].
    pub async fn export_log(&self, shard: ShardId, from: ExportFrom) -> Result<LogExport, ExportError> {
        let log = self.group_of(shard)?.export();
        let snapshot = match from {
            ExportFrom::After(_) => None,
            _ => stored(&log, shard).await?,
        };
        // After the snapshot was read: the replica is not behind it.
        let Present { group, end, level } = self.present(shard)?;
        let log_begins = log.first_index().map_err(unreadable)?;
        let begins = match from {
            ExportFrom::Beginning if log_begins == 0 => None,
            _ => snapshot.as_ref(),
        };
        let first = match (from, begins) {
            (ExportFrom::After(after), _) => after.saturating_add(1),
            (_, Some(snapshot)) => snapshot.at.index + 1,
            (_, None) => 0,
        };
        if first < log_begins {
            return Err(ExportError::Gone { group: group.id(), first: log_begins, wanted: first });
        }
        if first > end.index.saturating_add(1) {
            let message = format!("{shard} has nothing after {} on this node yet", first - 1);
            return Err(ExportError::TryAgain(message));
        }
        let header = Header {
            cluster: self.inner.consensus_config.cluster_id.clone(),
            node: self.inner.consensus_config.node.0,
            shard: shard.0,
            level,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            exported_ms: self.inner.clock.wall_ms(),
            first,
        };
        let mut out = Vec::new();
        log_file::begin(&mut out);
        log_file::write(&mut out, &Record::Header(header));
        if let ExportFrom::After(after) = from {
            log_file::write(&mut out, &Record::GoesOn { after });
        }
        let hashed = snapshot.as_ref().map(|one| Hashed { index: one.at.index, hash: one.hash });
        let on_the_way = hashed.filter(|one| one.index >= first && one.index < end.index);
        let phase = match begins {
            None => Phase::Entries(entries(&log, first, end)),
            Some(Stored { at, data, hash }) => {
                let head =
                    SnapshotHead { index: at.index, term: at.term, bytes: data.len() as u64, hash: *hash };
                log_file::write(&mut out, &Record::Snapshot(head));
                Phase::Snapshot(data.clone())
            }
        };
        Ok(LogExport { phase, log, out, first, end, on_the_way })
    }

    fn group_of(&self, shard: ShardId) -> Result<Group, ExportError> {
        if shard == META {
            return Ok(self.inner.router.leader.meta_group.clone());
        }
        if shard.0 > self.inner.consensus_config.shards {
            return Err(ExportError::UnknownShard(shard));
        }
        let runtime = self.inner.replica_here(shard).ok_or(ExportError::NotHere(shard))?;
        Ok(runtime.group.clone())
    }

    fn present(&self, shard: ShardId) -> Result<Present, ExportError> {
        let group = self.group_of(shard)?;
        let (index, hash, level) = match self.inner.shards.get(shard) {
            _ if shard == META => {
                let meta =
                    self.inner.router.leader.meta.read().unwrap_or_else(PoisonError::into_inner).clone();
                (meta.index(), meta.hash(), 0)
            }
            None => return Err(ExportError::NotHere(shard)),
            Some(runtime) => {
                let (index, state) = runtime.replica.freeze();
                (index, state.state_hash(), state.level())
            }
        };
        let nothing = || ExportError::TryAgain(format!("{} has nothing on this node yet", group.id()));
        let end = Hashed { index: index.ok_or_else(nothing)?, hash };
        Ok(Present { group, end, level })
    }
}

/// No entries at all where the last is the one before the first.
fn entries(log: &Export, first: u64, end: Hashed) -> BoxStream<'static, io::Result<Exported>> {
    if first > end.index {
        return futures::stream::empty().boxed();
    }
    log.entries(first..=end.index).boxed()
}

async fn stored(log: &Export, shard: ShardId) -> Result<Option<Stored>, ExportError> {
    let Some((at, data)) = log.snapshot().await.map_err(unreadable)? else { return Ok(None) };
    let damaged = |error: codec::CodecError| ExportError::Damaged(format!("the snapshot: {error}"));
    let hash = if shard == META {
        MetaState::decode(&data).map_err(damaged)?;
        hash_of(&data)
    } else {
        codec::decode::<Shard>(&data).map_err(damaged)?.state_hash()
    };
    Ok(Some(Stored { at, hash, data }))
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
                self.phase = Phase::Entries(entries(&self.log, self.first, self.end));
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
