//! Failures of three kinds: refused by the core, unavailable or unknown, and bugs.

use routing::{DomainId, Rejected, Sequence};
use serde::{Deserialize, Serialize};

/// Why a call has no `Done`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum CallError {
    /// The core refused it; the same on every retry.
    #[error(transparent)]
    Rejected(Rejected),
    /// Certainly not done: no leader was reached in time. Try again.
    #[error("unavailable: {why}; try again after {retry_after_ms} ms")]
    Unavailable {
        /// What was missing.
        why: String,
        /// When to try again, in real milliseconds.
        retry_after_ms: u64,
    },
    /// Perhaps done. Try again with the same request id: it is done once at most.
    #[error("outcome unknown: {why}; try again with the same request id")]
    Unknown {
        /// What happened.
        why: String,
    },
    /// Certainly not done: too much is waiting already.
    #[error("overloaded: try again after {retry_after_ms} ms")]
    Overloaded {
        /// When to try again, in real milliseconds.
        retry_after_ms: u64,
    },
    /// This should not happen; a person must look.
    #[error("bug: {0}")]
    Bug(String),
}

/// Tries at a domain that is on its way between shards come after this many milliseconds.
const MOVING_RETRY_AFTER_MS: u64 = 50;

impl From<Rejected> for CallError {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            // Nothing that a caller did, and over in a moment.
            Rejected::Moving | Rejected::Moved { .. } => {
                Self::Unavailable { why: rejected.to_string(), retry_after_ms: MOVING_RETRY_AFTER_MS }
            }
            rejected => Self::Rejected(rejected),
        }
    }
}

/// Why an engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is out of its range.
    #[error("{0}")]
    Config(String),
    /// The event store cannot be opened.
    #[error("event store: {0}")]
    Events(std::io::Error),
    /// Replication does not start.
    #[error(transparent)]
    Consensus(#[from] consensus::StartError),
}

/// Why a watch ends or cannot begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum WatchError {
    /// This node knows no such domain.
    #[error("unknown domain: {0}")]
    UnknownDomain(DomainId),
    /// The store no longer reaches back so far: take a picture, then watch from the event after it.
    #[error("COMPACTED: the oldest event kept is {}", oldest.0)]
    Compacted {
        /// The oldest sequence that can be read, or the next one to come.
        oldest: Sequence,
    },
    /// This node's replica has not come so far yet, for a picture that must not be older.
    #[error("this node has come to event {} of the domain only", at.0)]
    Behind {
        /// The last event it has.
        at: Sequence,
    },
    /// This node has no replica of the domain's shard, and a picture is taken where there is one.
    #[error("NOT_HERE: this node has no replica of the domain's shard, {} has", ask.as_deref().unwrap_or("another node"))]
    NotHere {
        /// The address of a node that has one.
        ask: Option<String>,
    },
    /// The engine is stopping.
    #[error("this node is stopping: watch at another one")]
    Stopping,
    /// The store cannot be read; a person must look.
    #[error("event store: {0}")]
    Damaged(String),
    /// The domain has gone to another shard: what comes after the last event is told there.
    #[error("the domain has moved to another shard: watch it again, from the event after the last one")]
    Moved,
}
