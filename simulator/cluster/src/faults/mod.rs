//! What goes wrong: one file per kind of fault.

use crate::plan::Plan;
use crate::report::Broken;
use crate::world::World;
use consensus::NodeId;
use std::collections::BTreeMap;
use std::time::Duration;

/// Does the planned faults to a world, and undoes them.
pub struct Director {
    counts: BTreeMap<String, u64>,
    core: Vec<NodeId>,
}

impl Director {
    /// A director of this plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        Self { counts: BTreeMap::new(), core: plan.members().collect() }
    }

    /// Called every few simulated milliseconds of the safety phase: starts and ends what is due.
    pub fn step(&mut self, _world: &mut dyn World) {}

    /// Ends all faults but those that a minority may keep: a core that can make progress is up and
    /// connected, its disks and clocks are sound.
    pub fn heal(&mut self, _world: &mut dyn World) {}

    /// Called instead of [`Director::step`] once healed: keeps the core running.
    pub fn keep(&mut self, _world: &mut dyn World) {}

    /// The nodes that were healed: all, before that.
    #[must_use]
    pub fn core(&self) -> &[NodeId] {
        &self.core
    }

    /// Nodes that failed or refused to start without a fault of their disk.
    #[must_use]
    pub fn broken(&self) -> &[Broken] {
        &[]
    }

    /// What was done so far, oldest first, for a report.
    #[must_use]
    pub fn history(&self) -> Vec<(Duration, String)> {
        Vec::new()
    }

    /// How often each kind of fault (and each step of the disk) was done: `fault.crash`,
    /// `fault.disk-step.log.write.after`, ...
    #[must_use]
    pub fn counts(&self) -> &BTreeMap<String, u64> {
        &self.counts
    }
}
