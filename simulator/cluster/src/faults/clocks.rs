//! Drifts of clocks, which several faults may want at once.

use crate::world::World;
use consensus::NodeId;
use std::collections::BTreeMap;

/// Of several drifts of a clock the last one holds.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    drifts: BTreeMap<NodeId, Vec<i32>>,
}

impl Clocks {
    pub(super) fn drift(&mut self, world: &mut dyn World, node: NodeId, ppm: i32) {
        self.drifts.entry(node).or_default().push(ppm);
        world.clock(node).set_drift(ppm);
    }

    pub(super) fn undrift(&mut self, world: &mut dyn World, node: NodeId, ppm: i32) {
        let Some(wanted) = self.drifts.get_mut(&node) else { return };
        if let Some(place) = wanted.iter().position(|one| *one == ppm) {
            wanted.remove(place);
        }
        world.clock(node).set_drift(wanted.last().copied().unwrap_or(0));
    }

    /// Forgets all drifts; whoever calls this sets the clocks.
    pub(super) fn forget(&mut self) {
        self.drifts.clear();
    }
}
