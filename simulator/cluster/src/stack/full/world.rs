//! Faults, done to turmoil's hosts.

use super::connections::Connections;
use crate::machine::{Machine, SimClock};
use crate::run::Parts;
use crate::world::{Order, Place, World};
use actors::{ClusterState, Engine};
use consensus::NodeId;
use consensus::disk::MemDisk;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use turmoil::Sim;

/// The hosts, the network between them, and what is known about them.
pub(super) struct FullWorld<'a> {
    sim: Sim<'a>,
    parts: Parts,
    connections: Arc<Connections>,
    crashes: u64,
    /// Extra latency where there is some.
    delays: BTreeMap<(Place, Place), Duration>,
}

impl<'a> FullWorld<'a> {
    pub(super) fn new(sim: Sim<'a>, parts: &Parts, connections: Arc<Connections>) -> Self {
        Self { sim, parts: parts.clone(), connections, crashes: 0, delays: BTreeMap::new() }
    }

    /// Lets every host run for one tick.
    pub(super) fn tick(&mut self) {
        self.sim.step().expect("hosts end well or not at all");
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.sim.elapsed()
    }

    /// Ends everything, nodes first.
    pub(super) fn end(mut self) {
        for node in self.nodes() {
            self.crash(node);
        }
        for site in self.sites() {
            self.sim.crash(Place::Site(site).to_string());
        }
    }

    fn machine(&self, node: NodeId) -> &Machine {
        &self.parts.machines[&node]
    }

    /// Ends a host whose process is gone.
    fn bury(&mut self, node: NodeId, engine: Option<Engine>) {
        // The runtime goes first: tasks are dropped by it, not by the last handle on the engine.
        self.sim.crash(Place::Node(node).to_string());
        drop(engine);
    }
}

impl World for FullWorld<'_> {
    fn now(&self) -> Duration {
        self.sim.elapsed()
    }

    fn nodes(&self) -> Vec<NodeId> {
        self.parts.nodes()
    }

    fn spares(&self) -> Vec<NodeId> {
        self.parts.spares()
    }

    fn install(&mut self, node: NodeId, level: u32) {
        self.machine(node).install(level);
    }

    fn retire(&mut self, node: NodeId) {
        if self.is_up(node) {
            self.crash(node);
        }
        self.machine(node).retire();
    }

    fn sites(&self) -> Vec<u8> {
        self.parts.sites().collect()
    }

    fn is_up(&self, node: NodeId) -> bool {
        self.machine(node).state().running
    }

    fn crash(&mut self, node: NodeId) {
        self.crashes += 1;
        let engine = self.machine(node).power_off(self.parts.plan.seed ^ self.crashes);
        self.bury(node, engine);
    }

    fn kill(&mut self, node: NodeId) {
        let engine = self.machine(node).kill();
        self.bury(node, engine);
    }

    fn start(&mut self, node: NodeId) {
        if !self.is_up(node) {
            self.sim.bounce(Place::Node(node).to_string());
        }
    }

    fn disk(&self, node: NodeId) -> MemDisk {
        self.machine(node).disk.clone()
    }

    fn clock(&self, node: NodeId) -> Arc<SimClock> {
        self.machine(node).clock.clone()
    }

    fn cut(&mut self, from: Place, to: Place) {
        self.sim.partition_oneway(from.to_string(), to.to_string());
    }

    fn mend(&mut self, from: Place, to: Place) {
        self.sim.repair_oneway(from.to_string(), to.to_string());
    }

    fn delay(&mut self, a: Place, b: Place, extra: Duration) {
        let net = &self.parts.plan.net;
        let pair = (a.min(b), a.max(b));
        if extra.is_zero() {
            if self.delays.remove(&pair).is_some() {
                self.sim.set_link_max_message_latency(a.to_string(), b.to_string(), net.latency_max);
            }
        } else {
            self.delays.insert(pair, extra);
            self.sim.set_link_max_message_latency(a.to_string(), b.to_string(), net.latency_max + 4 * extra);
        }
    }

    fn drop_connections(&mut self, a: Place, b: Place) {
        self.connections.cut(a, b);
    }

    fn seen_by(&self, node: NodeId) -> Option<ClusterState> {
        self.machine(node).state().seen()
    }

    fn failure(&self, node: NodeId) -> Option<String> {
        self.machine(node).state().failure.clone()
    }

    fn order(&mut self, node: NodeId, order: Order) {
        self.machine(node).state().order(order);
    }
}
