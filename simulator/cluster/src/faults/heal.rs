//! The end of the faults.

use super::Director;
use crate::world::{Place, World};
use consensus::NodeId;
use std::time::Duration;

/// Probability that everything is healed, not only a core.
const ALL: f64 = 0.4;
/// Largest drift that a sound clock may have, in parts in a million.
const DRIFT_PPM: u64 = 200;

/// What becomes of a node outside of the core.
#[derive(Debug, Clone, Copy)]
enum Outside {
    /// It runs, and is heard.
    Runs,
    /// It runs, cut off from all others and from clients.
    CutOff,
    /// It runs, and only hears the others.
    Mute,
    /// Without power for good.
    Dead,
}

impl Director {
    /// Ends all faults but those that a minority may keep: a core that can make progress is up and
    /// connected, its disks and clocks are sound.
    pub fn heal(&mut self, world: &mut dyn World) {
        self.kinds.clear();
        self.running.clear();
        self.draw_core(world.nodes());
        self.shared.links.heal(world);
        self.shared.disks.heal(world);
        self.heal_clocks(world);
        for node in world.nodes() {
            self.shared.outages.judge(world, &mut self.shared.notes, node);
        }
        self.shared.outages.let_go();
        let now = world.now();
        for node in world.nodes() {
            if self.core.contains(&node) {
                self.restart(world, node);
            } else {
                self.leave_outside(world, node, now);
            }
        }
        let core: Vec<String> = self.core.iter().map(NodeId::to_string).collect();
        self.shared.notes.add(now, format!("healed: {}", core.join(" ")));
    }

    fn draw_core(&mut self, nodes: Vec<NodeId>) {
        let (quorum, all) = (nodes.len() / 2 + 1, nodes.len());
        let mut core = nodes;
        if !self.whole && !self.draw.chance(ALL) {
            let size = self.draw.range(quorum as u64, all as u64);
            while core.len() as u64 > size {
                let place = self.draw.range(0, core.len() as u64 - 1);
                core.remove(usize::try_from(place).unwrap_or(0));
            }
        }
        self.core = core;
    }

    fn heal_clocks(&mut self, world: &dyn World) {
        self.shared.clocks.forget();
        for node in world.nodes() {
            let clock = world.clock(node);
            let drift = i32::try_from(self.draw.range(0, 2 * DRIFT_PPM)).unwrap_or(0) - 200;
            // A time server has set it right, or nobody noticed that the wall clock is wrong.
            if self.draw.chance(0.5) {
                clock.correct();
            } else {
                clock.set_drift(drift);
            }
        }
    }

    /// The node runs, whatever it was in the middle of.
    fn restart(&mut self, world: &mut dyn World, node: NodeId) {
        let stuck = world.failure(node).is_some() || self.shared.outages.is_stopping(node);
        if world.is_up(node) {
            if !stuck && world.disk(node).halted().is_none() {
                return;
            }
            world.crash(node);
        }
        self.shared.outages.start(world, node);
    }

    fn leave_outside(&mut self, world: &mut dyn World, node: NodeId, now: Duration) {
        let fate =
            *self.draw.pick(&[Outside::Runs, Outside::CutOff, Outside::Mute, Outside::Dead, Outside::Dead]);
        if matches!(fate, Outside::Dead) {
            if world.is_up(node) {
                world.crash(node);
            }
            self.shared.outages.hold(node);
        } else {
            self.restart(world, node);
            let this = Place::Node(node);
            let nodes = world.nodes().into_iter().map(Place::Node);
            let sites = world.sites().into_iter().map(Place::Site);
            let others: Vec<Place> = nodes.chain(sites).filter(|place| *place != this).collect();
            for other in others {
                match fate {
                    Outside::CutOff => {
                        self.shared.links.cut(world, this, other);
                        self.shared.links.cut(world, other, this);
                    }
                    Outside::Mute => self.shared.links.cut(world, this, other),
                    Outside::Runs | Outside::Dead => {}
                }
            }
        }
        self.shared.notes.add(now, format!("outside of the core: {node} {fate:?}"));
    }
}
