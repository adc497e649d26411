//! What a fault sees and can do.

use super::clocks::Clocks;
use super::disks::Disks;
use super::links::Links;
use super::notes::Notes;
use super::outages::Outages;
use crate::determinism::Draw;
use crate::plan::FaultKind;
use crate::world::{Order, Place, World};
use consensus::disk::MemDisk;
use consensus::{GroupId, NodeId};
use std::time::Duration;

/// What all faults share. Several of them may want the same thing (a node down, a direction cut):
/// it ends with the last of them.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) links: Links,
    pub(super) outages: Outages,
    pub(super) disks: Disks,
    pub(super) clocks: Clocks,
    pub(super) notes: Notes,
    /// A spare machine whose node has asked to join.
    pub(super) asking: Option<NodeId>,
}

/// The world in the hands of one fault.
pub(super) struct Stage<'a> {
    pub(super) world: &'a mut dyn World,
    pub(super) shared: &'a mut Shared,
    /// The fault's own draws.
    pub(super) draw: &'a mut Draw,
    pub(super) kind: FaultKind,
}

impl Stage<'_> {
    pub(super) fn now(&self) -> Duration {
        self.world.now()
    }

    /// A moment after about this long; the least is a millisecond.
    pub(super) fn after(&mut self, mean: Duration) -> Duration {
        self.now() + self.draw.exponential(mean).max(Duration::from_millis(1))
    }

    /// The fault was done: it counts from here.
    pub(super) fn done(&mut self, text: &str) {
        self.shared.notes.done(self.world.now(), self.kind, text);
    }

    /// A line in the history.
    pub(super) fn note(&mut self, text: &str) {
        self.shared.notes.add(self.world.now(), format!("{}: {text}", self.kind.name()));
    }

    /// Counts a variant of the fault, `fault.KIND.NAME`.
    pub(super) fn count(&mut self, name: &str) {
        self.shared.notes.count(format!("{}.{name}", self.kind.name()));
    }

    /// Every node, as a place.
    pub(super) fn node_places(&self) -> Vec<Place> {
        self.world.nodes().into_iter().map(Place::Node).collect()
    }

    /// Every place of clients.
    pub(super) fn site_places(&self) -> Vec<Place> {
        self.world.sites().into_iter().map(Place::Site).collect()
    }

    /// Nodes that run and have not failed.
    pub(super) fn up(&self) -> Vec<NodeId> {
        let runs = |node: &NodeId| self.world.is_up(*node) && self.world.failure(*node).is_none();
        self.world.nodes().into_iter().filter(runs).collect()
    }

    pub(super) fn is_up(&self, node: NodeId) -> bool {
        self.world.is_up(node) && self.world.failure(node).is_none()
    }

    /// One of several, if there are any.
    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        if of.is_empty() { None } else { Some(*self.draw.pick(of)) }
    }

    /// A drawn number of several, in drawn order.
    pub(super) fn some<T: Copy>(&mut self, of: &[T], count: usize) -> Vec<T> {
        let mut left = of.to_vec();
        let mut taken = Vec::new();
        while taken.len() < count && !left.is_empty() {
            let last = left.len() as u64 - 1;
            let place = usize::try_from(self.draw.range(0, last)).unwrap_or(0);
            taken.push(left.remove(place));
        }
        taken
    }

    /// A drawn node that runs.
    pub(super) fn up_node(&mut self) -> Option<NodeId> {
        let up = self.up();
        self.pick(&up)
    }

    /// A drawn group and who leads it, as a drawn node sees it.
    pub(super) fn leader(&mut self) -> Option<(GroupId, NodeId)> {
        let witness = self.up_node()?;
        let seen = self.world.seen_by(witness)?;
        let led: Vec<(GroupId, NodeId)> =
            seen.shards.iter().filter_map(|shard| Some((shard.group, shard.leader?))).collect();
        self.pick(&led)
    }

    /// A node that runs: often one that leads.
    pub(super) fn victim(&mut self) -> Option<NodeId> {
        if self.draw.chance(0.5)
            && let Some((_, leader)) = self.leader()
            && self.is_up(leader)
        {
            return Some(leader);
        }
        self.up_node()
    }

    /// Power off; the node stays down until [`Stage::release`].
    pub(super) fn crash(&mut self, node: NodeId) {
        self.shared.outages.hold(node);
        self.world.crash(node);
        // A disk forgets its faults with the power; what is full stays full.
        self.shared.disks.show(self.world, node);
    }

    /// The process is killed; the node stays down until [`Stage::release`].
    pub(super) fn kill(&mut self, node: NodeId) {
        self.shared.outages.hold(node);
        self.world.kill(node);
    }

    /// Tells a node to stop; it stays down until [`Stage::release`].
    pub(super) fn stop(&mut self, node: NodeId) {
        self.shared.outages.hold(node);
        self.shared.outages.stopping(node);
        self.world.order(node, Order::Stop);
    }

    /// The node starts, unless another fault wants it down.
    pub(super) fn release(&mut self, node: NodeId) {
        self.shared.outages.release(node, self.world.now());
    }

    pub(super) fn cut(&mut self, from: Place, to: Place) {
        self.shared.links.cut(self.world, from, to);
    }

    pub(super) fn mend(&mut self, from: Place, to: Place) {
        self.shared.links.mend(self.world, from, to);
    }

    pub(super) fn delay(&mut self, a: Place, b: Place, extra: Duration) {
        self.shared.links.delay(self.world, a, b, extra);
    }

    pub(super) fn undelay(&mut self, a: Place, b: Place, extra: Duration) {
        self.shared.links.undelay(self.world, a, b, extra);
    }

    /// A node's disk, with a fault that excuses its node from now on until its next start after
    /// [`Stage::disk_recovers`].
    pub(super) fn hurt_disk(&mut self, node: NodeId) -> MemDisk {
        self.shared.outages.excuse(node);
        self.world.disk(node)
    }

    /// A fault of the disk is over.
    pub(super) fn disk_recovers(&mut self, node: NodeId) {
        self.shared.outages.excuse_ends(node);
    }
}
