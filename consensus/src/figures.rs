//! What happened in a node's replication, counted for those who look: tests, the simulator.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters; clones of their `Arc` count together.
#[derive(Debug, Default)]
pub struct Figures {
    snapshots_resumed: AtomicU64,
    leaders_balanced: AtomicU64,
}

impl Figures {
    /// Snapshots that came on from where they had broken off.
    #[must_use]
    pub fn snapshots_resumed(&self) -> u64 {
        self.snapshots_resumed.load(Ordering::Relaxed)
    }

    /// Groups that a leader gave to a node with less to do.
    #[must_use]
    pub fn leaders_balanced(&self) -> u64 {
        self.leaders_balanced.load(Ordering::Relaxed)
    }

    pub(crate) fn leader_balanced(&self) {
        self.leaders_balanced.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn snapshot_resumed(&self) {
        self.snapshots_resumed.fetch_add(1, Ordering::Relaxed);
    }
}
