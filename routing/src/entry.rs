//! What the log holds, as the core sees it.

use crate::{Command, DomainId, LogTime, Version};
use serde::{Deserialize, Serialize};

/// Where an entry stands in its shard's log: Raft index, then the place in that entry's batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Raft log index.
    pub index: u64,
    /// Place in the batch, from 0.
    pub ordinal: u32,
}

/// A UUIDv7 the client makes once per intent and repeats on every retry. Its first 48 bits are
/// Unix milliseconds, which is how a request too old for the window is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub u128);

impl RequestId {
    /// The wall time at which the client made the id, in Unix milliseconds.
    #[must_use]
    pub const fn made_at_ms(self) -> u64 {
        (self.0 >> 80) as u64
    }
}

/// One committed command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where it stands.
    pub position: Position,
    /// The leader's log time at proposal. Never smaller than an earlier entry's.
    pub time: LogTime,
    /// Wall time in Unix milliseconds, for people, schedules and the age of request ids.
    pub wall_ms: u64,
    /// What was asked for.
    pub request: Request,
}

/// What a caller asks for: the part of an entry that is made before it has a place in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Absent only for entries the cluster makes itself (tick, continue, lease lost, level).
    pub id: Option<RequestId>,
    /// The domain concerned, or [`DomainId::SHARD`].
    pub domain: DomainId,
    /// When set, the command is refused unless the entity it changes has this version.
    pub expected_version: Option<Version>,
    /// The command.
    pub command: Command,
}
