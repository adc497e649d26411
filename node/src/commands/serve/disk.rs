//! The disk a node runs on: the real one, or one with faults.

use super::faults::Faults;
use consensus::disk::{LossyDisk, RealDisk, SharedDisk};
use std::io;
use std::sync::Arc;

/// Ending of the log's segments, whose flushes `--skip-sync` leaves out.
const LOG_SEGMENTS: &str = ".wal";

/// The disk these faults leave.
pub(super) fn open(faults: &Faults) -> io::Result<SharedDisk> {
    let real = RealDisk::new()?;
    Ok(match faults.lossy_disk {
        Some(seed) if faults.skip_sync => Arc::new(LossyDisk::new(real, seed).skip_syncs_of(LOG_SEGMENTS)),
        Some(seed) => Arc::new(LossyDisk::new(real, seed)),
        None => Arc::new(real),
    })
}
