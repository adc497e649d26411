//! What happened in a node's replication, counted for those who look: tests, the simulator.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters; clones of their `Arc` count together.
#[derive(Debug, Default)]
pub struct Figures {
    snapshots_resumed: AtomicU64,
}

impl Figures {
    /// Snapshots that came on from where they had broken off.
    #[must_use]
    pub fn snapshots_resumed(&self) -> u64 {
        self.snapshots_resumed.load(Ordering::Relaxed)
    }

    pub(crate) fn snapshot_resumed(&self) {
        self.snapshots_resumed.fetch_add(1, Ordering::Relaxed);
    }
}
