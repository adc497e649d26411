//! Lasting faults of disks, which several faults may want at once.

use crate::world::World;
use consensus::NodeId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A disk is full while any fault wants it so; of several delays the longest holds.
#[derive(Debug, Default)]
pub(super) struct Disks {
    full: BTreeMap<NodeId, u32>,
    /// Longest time of an operation, and the seed of its draws.
    delays: BTreeMap<NodeId, Vec<(Duration, u64)>>,
    /// Nodes whose disk waits for a step to stand still in.
    pub(super) armed: BTreeSet<NodeId>,
}

impl Disks {
    pub(super) fn fill(&mut self, world: &mut dyn World, node: NodeId) {
        *self.full.entry(node).or_default() += 1;
        self.show(world, node);
    }

    pub(super) fn free(&mut self, world: &mut dyn World, node: NodeId) {
        if let Some(wanted) = self.full.get_mut(&node) {
            *wanted = wanted.saturating_sub(1);
        }
        self.show(world, node);
    }

    pub(super) fn slow(&mut self, world: &mut dyn World, node: NodeId, delay: (Duration, u64)) {
        self.delays.entry(node).or_default().push(delay);
        self.show(world, node);
    }

    pub(super) fn unslow(&mut self, world: &mut dyn World, node: NodeId, delay: (Duration, u64)) {
        if let Some(wanted) = self.delays.get_mut(&node)
            && let Some(place) = wanted.iter().position(|one| *one == delay)
        {
            wanted.swap_remove(place);
        }
        self.show(world, node);
    }

    /// Makes a node's disk what is wanted of it.
    pub(super) fn show(&self, world: &dyn World, node: NodeId) {
        let disk = world.disk(node);
        disk.set_full(self.full.get(&node).is_some_and(|wanted| *wanted > 0));
        let longest = self.delays.get(&node).and_then(|wanted| wanted.iter().max().copied());
        let (most, seed) = longest.unwrap_or_default();
        disk.set_latency(most / 4, most, seed);
    }

    /// All disks are sound.
    pub(super) fn heal(&mut self, world: &dyn World) {
        self.full.clear();
        self.delays.clear();
        self.armed.clear();
        for node in world.nodes() {
            let disk = world.disk(node);
            disk.cancel_failures();
            disk.cancel_halt();
            self.show(world, node);
        }
    }
}
