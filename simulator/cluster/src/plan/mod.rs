//! Everything that a seed draws.

mod bug;
mod draw;
mod fault;
mod load;
mod net;

pub use bug::Bug;
pub use fault::{FaultKind, FaultPlan};
pub use load::LoadPlan;
pub use net::NetPlan;

use consensus::NodeId;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Which of the two stacks runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum StackKind {
    /// Real tonic and HTTP/2 over turmoil's TCP; every host has a runtime of its own.
    Full,
    /// All in one runtime; frames and requests are passed in the process.
    Fast,
}

/// Nodes that may join in a run.
const SPARES: u64 = 2;

/// One run: drawn from the seed, then changed by the options.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The seed of everything.
    pub seed: u64,
    /// The stack.
    pub stack: StackKind,
    /// Founders, 1 to 9; the seed draws 3 or 5.
    pub nodes: u64,
    /// Zones that the nodes are in, in turns; 0: they say none.
    pub zones: u64,
    /// Shards, 1 to 16.
    pub shards: u32,
    /// How long faults happen.
    pub safety: Duration,
    /// How long the healed core may go without any progress before it counts as stuck.
    pub stuck_after: Duration,
    /// Entries between two snapshots.
    pub snapshot_entries: u64,
    /// Bytes of a snapshot that are sent as one part.
    pub snapshot_part_bytes: usize,
    /// Bytes of a file of the log.
    pub log_segment_bytes: u64,
    /// Bytes of a file of the event store.
    pub event_segment_bytes: u64,
    /// What clients do.
    pub load: LoadPlan,
    /// The network without faults.
    pub net: NetPlan,
    /// What goes wrong.
    pub faults: Vec<FaultPlan>,
    /// A fault in the product, to prove that the checks see it.
    pub bug: Option<Bug>,
}

impl Plan {
    /// Nodes that may join, beside the founders.
    pub fn spares(&self) -> impl Iterator<Item = NodeId> + use<> {
        let spares = if self.has(FaultKind::Join) { SPARES } else { 0 };
        (self.nodes + 1..=self.nodes + spares).map(NodeId)
    }

    /// The zone of a node; empty: it says none.
    #[must_use]
    pub fn zone(&self, node: NodeId) -> String {
        if self.zones == 0 { String::new() } else { format!("zone-{}", node.0 % self.zones) }
    }

    /// Whether the members may change.
    #[must_use]
    pub fn changes_members(&self) -> bool {
        self.faults.iter().any(|fault| fault.kind.changes_members())
    }

    /// The founders.
    pub fn members(&self) -> impl Iterator<Item = NodeId> + use<> {
        (1..=self.nodes).map(NodeId)
    }

    /// Members that make a quorum.
    #[must_use]
    pub fn quorum(&self) -> u64 {
        self.nodes / 2 + 1
    }

    /// Whether a kind of fault is planned.
    #[must_use]
    pub fn has(&self, kind: FaultKind) -> bool {
        self.faults.iter().any(|fault| fault.kind == kind)
    }
}
