//! A write fails, or another change of what is on the disk.

use super::disk_failure::DiskFailure;
use super::{Begun, Stage};
use consensus::disk::{Area, Operation};
use std::time::Duration;

pub(super) fn begin(stage: &mut Stage<'_>, lasts: Duration) -> Begun {
    let (operation, area) = match stage.draw.range(0, 9) {
        0 => (Operation::Write, Some(Area::Snapshots)),
        1 => (Operation::Write, Some(Area::Events)),
        2 => (Operation::Create, None),
        3 => (Operation::Rename, None),
        4 => (Operation::Remove, None),
        _ => (Operation::Write, Some(Area::Log)),
    };
    DiskFailure::begin(stage, lasts, operation, area)
}
