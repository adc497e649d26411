//! What an exported log is made of.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// One record of the file. Variants only grow at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// Whose log it is; the first record.
    Header(Header),
    /// The state that the entries go on from; parts follow.
    Snapshot(SnapshotHead),
    /// The next bytes of the snapshot.
    SnapshotPart(Bytes),
    /// An entry with commands, or the empty one of a leader without work.
    Batch(LoggedBatch),
    /// An entry that holds no batch: the first of a term, or a change of members.
    Passed {
        /// Raft log index.
        index: u64,
        /// Raft term.
        term: u64,
    },
    /// What the state after this index hashed to.
    StateHash {
        /// Raft log index; that of the entry before.
        index: u64,
        /// `routing::Shard::state_hash`; of the cluster's own group, the hash of its encoded state.
        hash: u64,
    },
    /// The last record: the state of the exporting replica.
    End {
        /// Index of the last entry.
        index: u64,
        /// The hash of the replica's own state after it.
        hash: u64,
    },
    /// In the place of a snapshot: the entries go on from the state at the end of another file.
    GoesOn {
        /// Index of the last entry there.
        after: u64,
    },
}

/// Whose log it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The cluster's id.
    pub cluster: String,
    /// The node whose replica was exported.
    pub node: u64,
    /// The shard; 0 is the cluster's own group.
    pub shard: u32,
    /// The apply level the shard runs at, at the end of the log.
    pub level: u32,
    /// Version of the build that exported.
    pub version: String,
    /// When it was exported, Unix milliseconds by the node's clock.
    pub exported_ms: u64,
    /// Index of the first entry in the file.
    pub first: u64,
}

/// A snapshot's place, size and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotHead {
    /// The entry after which it was taken; the file's first entry comes next.
    pub index: u64,
    /// The term of that entry.
    pub term: u64,
    /// Bytes in all parts together.
    pub bytes: u64,
    /// The hash of its state.
    pub hash: u64,
}

/// A batch of commands as the log holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedBatch {
    /// Raft log index.
    pub index: u64,
    /// Raft term.
    pub term: u64,
    /// Log time in microseconds.
    pub time_us: u64,
    /// The leader's wall time, Unix milliseconds.
    pub wall_ms: u64,
    /// The commands, as [`crate::codec`] holds requests.
    pub commands: Vec<Bytes>,
}
