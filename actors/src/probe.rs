//! An onlooker's view of what every replica of a shard applies, for checkers and simulators.
//!
//! A probe looks and never acts: it is told while the replica is held, from the task that applies,
//! so it must be quick and must not call back into the engine. A node in production has none.

use consensus::NodeId;
use routing::{DomainId, Entry, Event, Outcome, Sequence, Shard, ShardId};
use std::fmt::Debug;

/// One command that a replica has just applied.
#[derive(Debug, Clone, Copy)]
pub struct Applied<'a> {
    /// Whose replica.
    pub node: NodeId,
    /// Raft term of the log entry.
    pub term: u64,
    /// The entry, with its position: the index of the log entry, and the place in its batch.
    pub entry: &'a Entry,
    /// What the command answered.
    pub outcome: &'a Outcome,
    /// The events of this command alone, in order.
    pub events: &'a [Event],
    /// The state right after this command.
    pub shard: &'a Shard,
    /// Commands in the batch, at least 1.
    pub batch_len: usize,
    /// Whether this is the last command of its batch: the state is then the state at that index.
    pub last_of_batch: bool,
}

/// Where something other than a command happened to a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// Whose replica.
    pub node: NodeId,
    /// Of which shard.
    pub shard: ShardId,
    /// Index of the log entry; the first is 0.
    pub index: u64,
    /// Raft term of the log entry.
    pub term: u64,
}

/// Looks on while shards are replicated. Told by every replica of every shard of a node.
///
/// Of one replica the calls come in the order of its log, each index once: [`Probe::began`], then
/// for every index either one [`Probe::applied`] per command of its batch or one
/// [`Probe::passed`]; after [`Probe::restored`] the indexes go on behind the snapshot's. A node
/// that starts again begins again.
pub trait Probe: Send + Sync + Debug {
    /// A replica was made, empty. Its snapshot, if it has one, follows as restored.
    fn began(&self, node: NodeId, shard: &Shard) {
        let _ = (node, shard);
    }

    /// A command was applied.
    fn applied(&self, seen: &Applied<'_>);

    /// A command does not decode: the node stops before it.
    fn undecodable(&self, spot: Spot, ordinal: u32, error: &str) {
        let _ = (spot, ordinal, error);
    }

    /// An index without commands: the first entry of a term, a change of members, or the empty
    /// batch of a leader without work (which moves the log's clock and nothing else).
    fn passed(&self, spot: Spot, shard: &Shard) {
        let _ = (spot, shard);
    }

    /// A snapshot of the state at this index is being taken.
    fn snapshot(&self, spot: Spot, shard: &Shard) {
        let _ = (spot, shard);
    }

    /// At its start a node finds that it lacks events of a domain, from and to these sequences, that are part of its
    /// snapshot's state.
    fn events_lacking(&self, node: NodeId, shard: ShardId, domain: DomainId, range: (Sequence, Sequence)) {
        let _ = (node, shard, domain, range);
    }

    /// The state was replaced by a snapshot's: the node's own when it starts, or one that the
    /// leader sent.
    fn restored(&self, spot: Spot, shard: &Shard);
}
