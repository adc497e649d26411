//! Which nodes are meant to run, and what becomes of those that stop by themselves.

use super::notes::Notes;
use crate::determinism::Draw;
use crate::report::Broken;
use crate::world::World;
use consensus::NodeId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What a node says that hears that it was removed.
const REMOVED: &str = "was removed from the cluster";

/// A node's outages.
#[derive(Debug, Default)]
struct Outage {
    /// Faults that keep it down; it is started when there are none.
    held: u32,
    /// When it is started, if it is down and not held.
    start_at: Option<Duration>,
    /// Its present failure was looked at.
    seen: bool,
    /// It was told to stop, so that stopping breaks nothing.
    stopping: bool,
    /// Its disk misbehaved since its last start, so that it may fail.
    excused: bool,
}

/// Starts nodes as a Kubernetes would, and notes those that had no reason to stop.
#[derive(Debug, Default)]
pub(super) struct Outages {
    nodes: BTreeMap<NodeId, Outage>,
    /// Nodes that were told to leave; they may say that they were removed.
    leaving: BTreeSet<NodeId>,
    /// Disk faults under way, by node.
    disk_faults: BTreeMap<NodeId, u32>,
    pub(super) broken: Vec<Broken>,
}

impl Outages {
    fn node(&mut self, node: NodeId) -> &mut Outage {
        self.nodes.entry(node).or_default()
    }

    /// These nodes are started by the stack itself.
    pub(super) fn know(&mut self, founders: &[NodeId]) {
        for founder in founders {
            self.node(*founder);
        }
    }

    /// One more fault wants the node down.
    pub(super) fn hold(&mut self, node: NodeId) {
        self.node(node).held += 1;
    }

    /// One fault less does. When it was the last one, the node starts at once.
    pub(super) fn release(&mut self, node: NodeId, now: Duration) {
        let outage = self.node(node);
        outage.held = outage.held.saturating_sub(1);
        outage.start_at = Some(now);
    }

    /// The node is to leave the cluster.
    pub(super) fn leaves(&mut self, node: NodeId) {
        self.leaving.insert(node);
    }

    /// Whether the node is to leave the cluster.
    pub(super) fn is_leaving(&self, node: NodeId) -> bool {
        self.leaving.contains(&node)
    }

    /// Switches nodes off that say that they were removed, if they were to be.
    fn retire(&self, world: &mut dyn World, notes: &mut Notes) {
        for node in world.nodes() {
            let removed = world.failure(node).is_some_and(|why| why.contains(REMOVED));
            if removed && self.leaving.contains(&node) {
                world.retire(node);
                notes.count("leave.left".to_owned());
                notes.add(world.now(), format!("{node} was removed, its machine is switched off"));
            }
        }
    }

    /// The node was told to stop.
    pub(super) fn stopping(&mut self, node: NodeId) {
        self.node(node).stopping = true;
    }

    /// A fault of the node's disk begins: until its next start after the fault's end it may fail.
    pub(super) fn excuse(&mut self, node: NodeId) {
        *self.disk_faults.entry(node).or_default() += 1;
        self.node(node).excused = true;
    }

    /// A fault of the node's disk is over.
    pub(super) fn excuse_ends(&mut self, node: NodeId) {
        if let Some(faults) = self.disk_faults.get_mut(&node) {
            *faults = faults.saturating_sub(1);
        }
    }

    /// Starts a node.
    pub(super) fn start(&mut self, world: &mut dyn World, node: NodeId) {
        let excused = self.disk_faults.get(&node).is_some_and(|faults| *faults > 0);
        let held = self.node(node).held;
        self.nodes.insert(node, Outage { held, excused, ..Outage::default() });
        world.start(node);
    }

    /// Forgets who held which node.
    pub(super) fn let_go(&mut self) {
        self.disk_faults.clear();
        for outage in self.nodes.values_mut() {
            outage.held = 0;
            outage.start_at = None;
        }
    }

    /// Starts what is due, and judges what stopped by itself. Of `only`, if given; the others are
    /// judged alone.
    pub(super) fn step(
        &mut self,
        world: &mut dyn World,
        draw: &mut Draw,
        notes: &mut Notes,
        only: Option<&BTreeSet<NodeId>>,
    ) {
        let now = world.now();
        self.retire(world, notes);
        for node in world.nodes() {
            self.judge(world, notes, node);
            if only.is_some_and(|only| !only.contains(&node)) {
                continue;
            }
            let failed = world.failure(node).is_some();
            let up = world.is_up(node);
            let outage = self.node(node);
            if outage.held > 0 || (up && !failed) {
                continue;
            }
            let due = *outage.start_at.get_or_insert_with(|| now + draw.millis(1_000, 3_000));
            if due > now {
                continue;
            }
            if up {
                // What is left of a process that failed inside.
                world.crash(node);
            }
            self.start(world, node);
            notes.add(now, format!("{node} starts"));
        }
    }

    /// Whether the node was told to stop and has not been started since.
    pub(super) fn is_stopping(&self, node: NodeId) -> bool {
        self.nodes.get(&node).is_some_and(|outage| outage.stopping)
    }

    /// Looks at a node that has stopped or failed, once.
    pub(super) fn judge(&mut self, world: &mut dyn World, notes: &mut Notes, node: NodeId) {
        let now = world.now();
        let failure = world.failure(node);
        let up = world.is_up(node);
        if !up && failure.is_none() && !self.nodes.contains_key(&node) {
            // It has just joined, and was never started: founders are known from the beginning.
            return;
        }
        let outage = self.node(node);
        if outage.seen || (up && failure.is_none()) {
            return;
        }
        let planned = outage.held > 0 || outage.stopping || outage.start_at.is_some();
        let seen = match failure {
            Some(failure) => format!("{node} failed: {failure}"),
            None if planned => return,
            None => format!("{node} stopped by itself and does not say why"),
        };
        outage.seen = true;
        let excused = outage.excused;
        notes.add(now, seen.clone());
        if excused {
            notes.count("failed-with-its-disk".to_owned());
            return;
        }
        // The last faults are added by whoever reports.
        let at_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.broken.push(Broken { promise: "node".to_owned(), at_ms, seen, before: Vec::new() });
    }
}
