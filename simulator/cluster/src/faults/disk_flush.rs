//! A flush fails: nothing is known about what was written since the last one, so whoever wrote it
//! must not go on as if it were safe.

use super::disk_failure::DiskFailure;
use super::{Begun, Stage};
use consensus::disk::{Area, Operation};
use std::time::Duration;

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let (operation, area) = match stage.draw.range(0, 9) {
        0 => (Operation::Sync, Area::Snapshots),
        1 => (Operation::SyncDir, Area::Snapshots),
        2 => (Operation::Sync, Area::Events),
        _ => (Operation::Sync, Area::Log),
    };
    DiskFailure::begin(stage, lasts, operation, Some(area))
}
