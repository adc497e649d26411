//! What can go wrong.

use crate::determinism::Draw;
use serde::Serialize;
use std::time::Duration;

/// A kind of fault. Its file in `faults/` has the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A node loses power, or its process is killed, and comes back soon.
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
    /// A write fails, or another change of what is on the disk.
    DiskWrite,
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
    /// A place of clients is cut off from all nodes, or from all but one.
    SiteCut,
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
    /// A node joins.
    Join,
    /// A node is removed, alive or dead.
    Leave,
    /// The shards are to have more or fewer replicas.
    Replicas,
    /// All nodes are upgraded to the next release, one after the other.
    Upgrade,
    /// A domain is moved to another shard while it works.
    MoveDomain,
}

impl FaultKind {
    /// Its name: as on the command line, in reports and in counts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FaultKind::Crash => "crash",
            FaultKind::LongCrash => "long-crash",
            FaultKind::Blackout => "blackout",
            FaultKind::Restart => "restart",
            FaultKind::DiskStep => "disk-step",
            FaultKind::DiskSlow => "disk-slow",
            FaultKind::DiskFull => "disk-full",
            FaultKind::DiskRead => "disk-read",
            FaultKind::DiskWrite => "disk-write",
            FaultKind::DiskFlush => "disk-flush",
            FaultKind::PartitionHalf => "partition-half",
            FaultKind::PartitionOne => "partition-one",
            FaultKind::PartitionOneWay => "partition-one-way",
            FaultKind::PartitionBridge => "partition-bridge",
            FaultKind::FrontCut => "front-cut",
            FaultKind::SiteCut => "site-cut",
            FaultKind::Loss => "loss",
            FaultKind::Disconnect => "disconnect",
            FaultKind::Delay => "delay",
            FaultKind::ClockJump => "clock-jump",
            FaultKind::ClockDrift => "clock-drift",
            FaultKind::LeaderAhead => "leader-ahead",
            FaultKind::MoveLeader => "move-leader",
            FaultKind::Join => "join",
            FaultKind::Leave => "leave",
            FaultKind::Replicas => "replicas",
            FaultKind::Upgrade => "upgrade",
            FaultKind::MoveDomain => "move-domain",
        }
    }

    /// Whether it changes who the members of the groups are.
    #[must_use]
    pub fn changes_members(self) -> bool {
        matches!(self, FaultKind::Join | FaultKind::Leave | FaultKind::Replicas)
    }

    /// Whether a plan has it beside the kinds that it draws, whichever these are.
    #[must_use]
    pub fn is_drawn_apart(self) -> bool {
        self.changes_members() || matches!(self, FaultKind::Upgrade | FaultKind::MoveDomain)
    }

    /// Bounds in milliseconds of the mean time between two of them, and of the mean time that one
    /// lasts. Between two that stop the cluster there is time for it to work.
    fn bounds_ms(self) -> ((u64, u64), (u64, u64)) {
        match self {
            FaultKind::Crash | FaultKind::Restart => ((5_000, 20_000), (200, 4_000)),
            FaultKind::LongCrash => ((20_000, 40_000), (10_000, 25_000)),
            FaultKind::Blackout => ((20_000, 50_000), (300, 4_000)),
            FaultKind::DiskStep => ((3_000, 12_000), (100, 3_000)),
            FaultKind::DiskSlow => ((8_000, 25_000), (2_000, 12_000)),
            FaultKind::DiskFull => ((12_000, 30_000), (1_000, 8_000)),
            FaultKind::DiskRead | FaultKind::DiskWrite | FaultKind::DiskFlush => {
                ((6_000, 20_000), (200, 4_000))
            }
            FaultKind::PartitionHalf
            | FaultKind::PartitionOne
            | FaultKind::PartitionOneWay
            | FaultKind::PartitionBridge => ((6_000, 25_000), (500, 8_000)),
            FaultKind::FrontCut | FaultKind::SiteCut => ((6_000, 25_000), (500, 12_000)),
            FaultKind::Loss => ((6_000, 20_000), (1_000, 8_000)),
            FaultKind::Delay => ((5_000, 20_000), (1_000, 8_000)),
            FaultKind::Disconnect | FaultKind::MoveLeader => ((1_000, 12_000), (1, 1)),
            FaultKind::ClockJump => ((3_000, 15_000), (1_000, 20_000)),
            FaultKind::ClockDrift => ((5_000, 20_000), (3_000, 20_000)),
            FaultKind::Join => ((4_000, 20_000), (1, 1)),
            FaultKind::Leave => ((10_000, 30_000), (1, 1)),
            FaultKind::Replicas => ((5_000, 25_000), (1, 1)),
            FaultKind::Upgrade => ((8_000, 25_000), (200, 2_000)),
            FaultKind::MoveDomain => ((300, 5_000), (100, 400)),
            FaultKind::LeaderAhead => ((10_000, 30_000), (2_000, 15_000)),
        }
    }
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

impl FaultPlan {
    /// How hard a kind of fault is, as the seed says.
    pub fn draw(kind: FaultKind, draw: &mut Draw) -> FaultPlan {
        let (every, lasts) = kind.bounds_ms();
        FaultPlan { kind, every: draw.millis(every.0, every.1), lasts: draw.millis(lasts.0, lasts.1) }
    }

    /// The same fault, less often: for plans of many kinds.
    #[must_use]
    pub fn rarer(self, factor: f64) -> FaultPlan {
        FaultPlan { every: self.every.mul_f64(factor), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn names_are_those_of_the_command_line() {
        for kind in FaultKind::value_variants() {
            let shown = kind.to_possible_value().unwrap();
            assert_eq!(shown.get_name(), kind.name());
        }
    }
}
