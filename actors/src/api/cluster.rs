//! The cluster as one node sees it.

use consensus::{GroupId, Leads, NodeId};
use routing::{AccountId, DomainId, LogTime, ShardId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One customer of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its name.
    pub name: String,
}

/// Where a domain lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedDomain {
    /// The domain.
    pub domain: DomainId,
    /// Whose it is.
    pub account: AccountId,
    /// The shard that holds it.
    pub shard: ShardId,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeState {
    /// Its id.
    pub id: NodeId,
    /// Where the others reach it.
    pub address: String,
    /// Whether this node has a stream with it (always for itself).
    pub reachable: bool,
    /// How far it belongs to the cluster.
    pub stage: NodeStage,
    /// The highest feature level that it knows, as it says; none where this node has no stream with it.
    pub knows: Option<u32>,
    /// What it shares its fate with; empty where that was not said.
    pub zone: String,
    /// What it does as a leader, as it said last; none where this node has no stream with it.
    pub leads: Option<Leads>,
}

/// How far a node belongs to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeStage {
    /// It is not a member of the meta group yet, or of a shard that every node has a replica of.
    Joining,
    /// It is.
    Member,
    /// It is to leave all groups.
    Leaving,
    /// It is a member and leads nothing, as long as others can.
    Drained,
}

/// What a node is told that joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Its id, for ever.
    pub node: NodeId,
    /// The cluster's id.
    pub cluster: String,
    /// Shards of the cluster.
    pub shards: u32,
    /// Log time per real time.
    pub speed: u32,
    /// All nodes with their addresses, itself included.
    pub members: BTreeMap<NodeId, String>,
}

/// A member of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replica {
    /// Which node.
    pub node: NodeId,
    /// It votes; otherwise it learns.
    pub voter: bool,
    /// Last applied index there; `None` where the node was not asked or does not answer.
    pub applied: Option<u64>,
}

/// A group; 0 is the meta group. Where this node has no replica of it, what its leader says, if that is
/// asked ([`Engine::cluster_with_lag`](crate::Engine::cluster_with_lag)) and answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardState {
    /// Which.
    pub group: GroupId,
    /// Raft term.
    pub term: u64,
    /// The leader this node knows of.
    pub leader: Option<NodeId>,
    /// Whether this node leads and may answer.
    pub leading: bool,
    /// Last applied index on this node.
    pub applied: u64,
    /// Log time after it.
    pub log_time: LogTime,
    /// Log time now, as the leader would stamp; on other nodes that of the last entry.
    pub now: LogTime,
    /// Domains placed on it.
    pub domains: u64,
    /// Its members, in the order of ids, as this node's log names them.
    pub replicas: Vec<Replica>,
}

/// A domain on its way to another shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoveState {
    /// Which.
    pub domain: DomainId,
    /// From there.
    pub from: ShardId,
    /// There.
    pub to: ShardId,
    /// How far it has come.
    pub progress: MoveProgress,
}

/// How far a move of a domain has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveProgress {
    /// It rests, or will in a moment, and is sent.
    Sent,
    /// It has its new place.
    Placed,
    /// It was given up and stays where it was.
    GivenUp,
}

/// A condition a person must look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmNote {
    /// Wall time at this node, Unix milliseconds.
    pub wall_ms: u64,
    /// What it is, with the remedy.
    pub text: String,
}

/// What this node carries now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Desks connected at this node.
    pub sessions_here: u64,
    /// Desks attached to shards led by this node.
    pub desks_led: u64,
    /// Leases watched over by this node as a leader.
    pub leases_led: u64,
    /// Actors awake.
    pub actors: u64,
    /// Proposals refused because too many were waiting.
    pub overloaded: u64,
    /// Leases lost because the desk was silent.
    pub agents_silent: u64,
    /// Leases lost because the node that carried the desk was unreachable.
    pub nodes_unreachable: u64,
}

/// The cluster as this node sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterState {
    /// The cluster's id.
    pub cluster: String,
    /// This node.
    pub this: NodeId,
    /// All nodes, in the order of ids.
    pub nodes: Vec<NodeState>,
    /// All groups, the meta group first.
    pub shards: Vec<ShardState>,
    /// Alarms, newest last, bounded.
    pub alarms: Vec<AlarmNote>,
    /// Replicas that every shard should have, as far as there are nodes.
    pub replicas: usize,
    /// The feature level that the cluster runs at.
    pub level: u32,
    /// Whether it stays at it though all nodes know a higher one.
    pub level_held: bool,
    /// Domains on their way to other shards.
    pub moves: Vec<MoveState>,
    /// How many such moves have begun since the cluster did.
    pub moves_begun: u64,
    /// Faults planted for tests.
    pub planted: Option<String>,
    /// Log time runs this many times as fast as real time.
    pub speed: f64,
    /// What this node carries.
    pub figures: Figures,
}
