//! What can go wrong.

use serde::Serialize;
use std::time::Duration;

/// A kind of fault. Its file in `faults/` has the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A node loses power and comes back soon.
    Crash,
    /// A node stays away for so long that it needs a snapshot.
    LongCrash,
    /// Every node loses power at once.
    Blackout,
    /// A node stops in good order and comes back.
    Restart,
    /// Power is lost inside a step of the disk.
    DiskStep,
    /// A disk is slow.
    DiskSlow,
    /// A disk is full.
    DiskFull,
    /// A read fails.
    DiskRead,
    /// A flush fails.
    DiskFlush,
    /// The nodes fall into two parts.
    PartitionHalf,
    /// One node is cut off from all others.
    PartitionOne,
    /// Nothing passes in one direction between two nodes, or from one node to all.
    PartitionOneWay,
    /// Two parts that share one node.
    PartitionBridge,
    /// A node that clients reach is cut off from the leader, and only from it.
    FrontCut,
    /// Messages are lost: connections stall and break.
    Loss,
    /// Connections break.
    Disconnect,
    /// What passes between two places takes long for a while; other connections overtake it.
    Delay,
    /// A wall clock jumps.
    ClockJump,
    /// A clock runs too fast or too slow.
    ClockDrift,
    /// A leader's clock is an hour ahead.
    LeaderAhead,
    /// Leadership is moved by order.
    MoveLeader,
}

/// A kind of fault, and how hard.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct FaultPlan {
    /// What.
    pub kind: FaultKind,
    /// Mean time between two of them.
    pub every: Duration,
    /// Mean time that one lasts.
    pub lasts: Duration,
}
