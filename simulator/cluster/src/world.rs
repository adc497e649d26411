//! What faults can do to a cluster, whichever stack it runs on.

use crate::machine::SimClock;
use actors::ClusterState;
use consensus::disk::MemDisk;
use consensus::{GroupId, NodeId};
use routing::{DomainId, ShardId};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Where something runs: a node, or a place where clients are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A node of the cluster.
    Node(NodeId),
    /// A place of clients, from 1.
    Site(u8),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Node(id) => write!(f, "node-{}", id.0),
            Place::Site(id) => write!(f, "site-{id}"),
        }
    }
}

/// Something a running node is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Give the leadership of a group to another node, if it has it.
    Transfer(GroupId, NodeId),
    /// Stop in good order, as on SIGTERM.
    Stop,
    /// Ask the cluster to take this spare machine's node in.
    Join(NodeId),
    /// Ask the cluster to let this node go.
    Remove(NodeId),
    /// Ask the cluster to have so many replicas of every shard.
    Replicas(u8),
    /// Ask the cluster to move a domain to another shard.
    Move(DomainId, ShardId),
    /// Ask the cluster to leave a domain where it is.
    Stay(DomainId),
}

/// A cluster that faults are done to. Everything happens at the present moment of simulated time.
pub trait World {
    /// Simulated time since the beginning.
    fn now(&self) -> Duration;
    /// Spare machines whose nodes are not of the cluster yet.
    fn spares(&self) -> Vec<NodeId>;
    /// A node that was removed: its machine is switched off for good.
    fn retire(&mut self, node: NodeId);
    /// Nodes of the cluster, in order of ids: founders and those that have joined, until retired.
    fn nodes(&self) -> Vec<NodeId>;
    /// Places of clients.
    fn sites(&self) -> Vec<u8>;
    /// Whether a node's process runs (it may still be starting, or have failed inside).
    fn is_up(&self, node: NodeId) -> bool;
    /// Power off: the process and all it had not flushed are gone.
    fn crash(&mut self, node: NodeId);
    /// The process is gone at once, and the machine runs on: what it wrote is there, flushed or not.
    fn kill(&mut self, node: NodeId);
    /// A node's machine runs a release that knows feature levels up to this, from its next start on.
    fn install(&mut self, node: NodeId, level: u32);
    /// Starts a node that does not run.
    fn start(&mut self, node: NodeId);
    /// A node's disk.
    fn disk(&self, node: NodeId) -> MemDisk;
    /// A node's clock.
    fn clock(&self, node: NodeId) -> Arc<SimClock>;
    /// Nothing passes from one place to the other any more, until mended.
    fn cut(&mut self, from: Place, to: Place);
    /// Undoes a cut.
    fn mend(&mut self, from: Place, to: Place);
    /// What passes between two places takes this much longer than usual; zero undoes it.
    fn delay(&mut self, a: Place, b: Place, extra: Duration);
    /// Connections between two places break now; new ones are possible.
    fn drop_connections(&mut self, a: Place, b: Place);
    /// The cluster as a running node sees it; `None` while it starts or is down.
    fn seen_by(&self, node: NodeId) -> Option<ClusterState>;
    /// Why a node that runs or ran stopped by itself or did not start, since its last start.
    fn failure(&self, node: NodeId) -> Option<String>;
    /// Tells a running node to do something.
    fn order(&mut self, node: NodeId, order: Order);
}
