//! What the layers above use: groups that replicate commands, and calls between nodes.

use bytes::Bytes;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A node of the cluster, from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u64);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node_{}", self.0)
    }
}

/// A Raft group. Group 0 is the meta group; group N is shard N.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupId(pub u32);

impl GroupId {
    /// The group that holds members, accounts and placement.
    pub const META: GroupId = GroupId(0);
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "group_{}", self.0)
    }
}

/// Who leads a group, as this node knows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Leadership {
    /// Raft term.
    pub term: u64,
    /// The leader, if one is known.
    pub leader: Option<NodeId>,
    /// Whether this node leads, has applied everything up to its own term's first entry, and so
    /// may answer and act. Never true on the word of `leader` alone.
    pub leading: bool,
}

/// Where a batch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchPosition {
    /// The group.
    pub group: GroupId,
    /// Raft log index.
    pub index: u64,
    /// Raft term of the entry.
    pub term: u64,
}

/// One Raft entry's payload: commands that were collected while the former append was under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// The leader's log time in microseconds. Consensus makes it monotonic over entries.
    pub time_us: u64,
    /// The leader's wall time, Unix milliseconds.
    pub wall_ms: u64,
    /// Encoded commands; the state machine knows how to read them.
    #[serde(with = "crate::bytes_list")]
    pub commands: Vec<Vec<u8>>,
}

/// What a group replicates into. Calls come from one task, in log order.
pub trait StateMachine: Send + 'static {
    /// Waits until the machine can take another batch (what it stores beside the log may be
    /// behind). Awaited before each [`StateMachine::apply`], so that nothing queues without bound.
    fn ready(&mut self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Applies one committed batch: one answer per command, in order. Must be deterministic.
    ///
    /// # Errors
    /// When the batch holds what this version cannot apply: to go on without it would part this
    /// replica from the others. The node stops with that message.
    fn apply(&mut self, at: BatchPosition, batch: &Batch) -> Result<Vec<Vec<u8>>, String>;

    /// An entry without a batch was committed here: the first of a term, or a change of members.
    /// It changes nothing; a machine that counts indexes hears of it all the same.
    fn passed(&mut self, at: BatchPosition) {
        let _ = at;
    }

    /// A picture of the state after the last applied batch, in two steps: now, what must happen
    /// while apply is held; the future, encoding and whatever else may take its time. Whatever the
    /// machine stores beside the log (events) must be durable when the future ends.
    fn snapshot(&mut self) -> BoxFuture<'static, std::io::Result<Vec<u8>>>;

    /// Replaces the state by a snapshot's, taken after the entry at this position.
    ///
    /// # Errors
    /// When the bytes are not a snapshot this version can read; the node then stops with that
    /// message.
    fn restore(&mut self, at: BatchPosition, snapshot: &[u8]) -> Result<(), String>;

    /// Log time after the last applied batch, in microseconds.
    fn log_time_us(&self) -> u64;
}

/// Why a proposal has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProposeError {
    /// Certainly not applied: this node does not lead. Ask the leader, if one is known.
    #[error("not the leader (leader: {leader:?})")]
    NotLeader {
        /// Whom to ask.
        leader: Option<NodeId>,
    },
    /// Certainly not applied: too much is waiting already.
    #[error("overloaded: try again after {retry_after_ms} ms")]
    Overloaded {
        /// When to try again.
        retry_after_ms: u64,
    },
    /// Perhaps applied: leadership was lost or the node stopped while it was under way. Try again
    /// with the same request id.
    #[error("unknown outcome: {0}")]
    Unknown(String),
}

/// Why a call to another node has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// Certainly not handled.
    #[error("{0} cannot be reached")]
    Unreachable(NodeId),
    /// Perhaps handled.
    #[error("no answer from {0}: {1}")]
    NoAnswer(NodeId, String),
}

/// What a node does with messages of the layers above that other nodes send it over the shared
/// stream between the two.
pub trait PeerHandler: Send + Sync + 'static {
    /// Answers a call. Dropped when the caller's deadline has passed.
    fn call(&self, from: NodeId, message: Bytes) -> BoxFuture<'static, Bytes>;
    /// Takes a one-way message; must not block. Order per sender is kept, delivery is at most once.
    fn cast(&self, from: NodeId, message: Bytes);
    /// The stream with this node was lost or came back: whatever was tied to it must be redone.
    fn peer_changed(&self, peer: NodeId, connected: bool);
}
