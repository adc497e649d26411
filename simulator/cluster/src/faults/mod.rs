//! What goes wrong: one file per kind of fault.
//!
//! A kind's file has a function `begin`, which does the fault to the world that it finds on its
//! [`Stage`](stage::Stage) and returns what undoes it in time. [`Director`] calls them, when the
//! plan says so. What several faults may want at once (a node down, a direction cut, a disk full)
//! they ask of parts that they share, so that the last one undoes it. How to add one:
//! docs/simulator/add-a-fault.md.

mod blackout;
mod clock_drift;
mod clock_jump;
mod clocks;
mod crash;
mod cuts;
mod delay;
mod director;
mod disconnect;
mod disk_failure;
mod disk_flush;
mod disk_full;
mod disk_read;
mod disk_slow;
mod disk_step;
mod disk_write;
mod disks;
mod fault;
mod front_cut;
mod heal;
mod join;
mod leader_ahead;
mod leave;
mod links;
mod long_crash;
mod loss;
mod move_domain;
mod move_leader;
mod notes;
mod outages;
mod partition_bridge;
mod partition_half;
mod partition_one;
mod partition_one_way;
mod replicas;
mod restart;
mod site_cut;
mod stage;
mod upgrade;

#[cfg(test)]
mod tests;

pub use director::Director;
use fault::{Begin, Begun, Fault};
use stage::{Shared, Stage};

use crate::plan::FaultKind;
use clap::ValueEnum;

/// What begins a fault of a kind.
fn begin_of(kind: FaultKind) -> Begin {
    match kind {
        FaultKind::Crash => crash::begin,
        FaultKind::LongCrash => long_crash::begin,
        FaultKind::Blackout => blackout::begin,
        FaultKind::Restart => restart::begin,
        FaultKind::DiskStep => disk_step::begin,
        FaultKind::DiskSlow => disk_slow::begin,
        FaultKind::DiskFull => disk_full::begin,
        FaultKind::DiskRead => disk_read::begin,
        FaultKind::DiskWrite => disk_write::begin,
        FaultKind::DiskFlush => disk_flush::begin,
        FaultKind::PartitionHalf => partition_half::begin,
        FaultKind::PartitionOne => partition_one::begin,
        FaultKind::PartitionOneWay => partition_one_way::begin,
        FaultKind::PartitionBridge => partition_bridge::begin,
        FaultKind::FrontCut => front_cut::begin,
        FaultKind::SiteCut => site_cut::begin,
        FaultKind::Loss => loss::begin,
        FaultKind::Disconnect => disconnect::begin,
        FaultKind::Delay => delay::begin,
        FaultKind::ClockJump => clock_jump::begin,
        FaultKind::ClockDrift => clock_drift::begin,
        FaultKind::LeaderAhead => leader_ahead::begin,
        FaultKind::MoveLeader => move_leader::begin,
        FaultKind::Join => join::begin,
        FaultKind::Leave => leave::begin,
        FaultKind::Replicas => replicas::begin,
        FaultKind::Upgrade => upgrade::begin,
        FaultKind::MoveDomain => move_domain::begin,
    }
}

/// Names in [`Director::counts`] that a large swarm must all have: every kind, and every step of
/// the disk.
#[must_use]
pub fn names() -> Vec<String> {
    let kinds = FaultKind::value_variants().iter().map(|kind| kind.name().to_owned());
    let steps = disk_step::points().map(|(_, name)| format!("{}.{name}", FaultKind::DiskStep.name()));
    kinds.chain(steps).map(|name| format!("fault.{name}")).collect()
}
