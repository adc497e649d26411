//! What of a machine outlives a crash, and what is known about its present life.

use super::SimClock;
use crate::determinism::Draw;
use crate::plan::Plan;
use actors::Engine;
use consensus::NodeId;
use consensus::disk::MemDisk;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One machine of the cluster.
#[derive(Clone)]
pub struct Machine {
    /// Its node.
    pub node: NodeId,
    /// Its disk.
    pub disk: MemDisk,
    /// Its clock.
    pub clock: Arc<SimClock>,
    /// Its randomness; every life takes a child of it.
    pub draw: Draw,
    life: Arc<Mutex<Life>>,
}

/// What is known about the process that runs on it, or ran last.
#[derive(Debug, Default)]
pub struct Life {
    /// Starts so far.
    pub number: u64,
    /// The engine, while it runs.
    pub engine: Option<Engine>,
    /// Why it did not start, or stopped by itself.
    pub failure: Option<String>,
}

impl Machine {
    /// A machine with an empty disk.
    #[must_use]
    pub fn new(plan: &Plan, node: NodeId) -> Self {
        let mut draw = Draw::new(plan.seed, "machine").child(&node.to_string());
        let clock = Arc::new(SimClock::new(draw.range(1, 1 << 40)));
        Self { node, disk: MemDisk::new(), clock, draw, life: Arc::default() }
    }

    /// The present or last life.
    ///
    /// # Panics
    /// Never: a poisoned lock is taken all the same.
    pub fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
