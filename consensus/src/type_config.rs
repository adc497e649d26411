//! The types openraft is instantiated with. Crate-private: openraft is not in the public interface.

use crate::api::Batch;
use crate::runtime::Runtime;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What membership entries say about a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Where its peers reach it, `host:port`.
    pub address: String,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "batch of {} at {} us", self.commands.len(), self.time_us)
    }
}

openraft::declare_raft_types!(
    /// One leader per term, as in the Raft paper, so that a term names its leader: the layers
    /// above use it as the epoch of what the leader sends.
    pub TypeConfig:
        D = Batch,
        R = Vec<Vec<u8>>,
        NodeId = u64,
        Node = Member,
        Term = u64,
        LeaderId = openraft::impls::leader_id_std::LeaderId<u64, u64>,
        Vote = openraft::impls::Vote<Self::LeaderId>,
        Payload = openraft::EntryPayload<Self::D, Self::NodeId, Self::Node>,
        Entry = openraft::Entry<<Self::LeaderId as openraft::vote::RaftLeaderId>::Committed, Self::Payload>,
        AsyncRuntime = Runtime,
);

/// Names for the instantiated types.
pub mod types {
    use super::TypeConfig;
    use openraft::type_config::alias;

    /// Term and index of an entry.
    pub type LogId = alias::LogIdOf<TypeConfig>;
    /// The leader of a term, in the identity of entries.
    pub type CommittedLeaderId = alias::CommittedLeaderIdOf<TypeConfig>;
    /// A log entry.
    pub type Entry = alias::EntryOf<TypeConfig>;
    /// A vote, granted or asked for.
    pub type Vote = alias::VoteOf<TypeConfig>;
    /// A membership and the entry that set it.
    pub type StoredMembership = alias::StoredMembershipOf<TypeConfig>;
    /// What a snapshot covers.
    pub type SnapshotMeta = alias::SnapshotMetaOf<TypeConfig>;
    /// A snapshot with its bytes.
    pub type Snapshot = alias::SnapshotOf<TypeConfig, bytes::Bytes>;
    /// Entries for a follower, or a heartbeat.
    pub type AppendRequest = openraft::raft::AppendEntriesRequest<TypeConfig>;
    /// What a follower says to them.
    pub type AppendResult = openraft::raft::StreamAppendResult<TypeConfig>;
    /// A call to another node that failed.
    pub type RpcError = openraft::errors::RPCError<TypeConfig>;
    /// One group's openraft instance.
    pub type Raft = openraft::Raft<TypeConfig, crate::group::Machine>;
}
