//! Faults, done to tasks of one runtime.

use super::door::Door;
use super::fabric::Fabric;
use super::peers::FabricDial;
use crate::determinism::elapsed;
use crate::machine::{Life, Machine, SimClock, boot};
use crate::run::Parts;
use crate::world::{Order, Place, World};
use actors::{ClusterState, Engine};
use consensus::NodeId;
use consensus::disk::MemDisk;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// The nodes' tasks, the fabric between them, and what is known about them.
pub(super) struct FastWorld {
    parts: Parts,
    fabric: Arc<Fabric>,
    running: BTreeMap<NodeId, JoinHandle<()>>,
    crashes: u64,
}

impl FastWorld {
    pub(super) fn new(parts: &Parts, fabric: Arc<Fabric>) -> Self {
        Self { parts: parts.clone(), fabric, running: BTreeMap::new(), crashes: 0 }
    }

    fn machine(&self, node: NodeId) -> &Machine {
        &self.parts.machines[&node]
    }

    /// Ends what is left of a process that is gone.
    fn bury(&mut self, node: NodeId, engine: Option<Engine>) {
        self.fabric.set_door(node, None);
        if let Some(process) = self.running.remove(&node) {
            process.abort();
        }
        if let Some(engine) = engine {
            // It can do nothing any more: its disk, its connections and its probe are dead.
            tokio::spawn(async move { engine.kill().await });
        }
    }
}

/// A process from its start to its end, unless it is crashed.
async fn live(parts: Parts, machine: Machine, life: Life, fabric: Arc<Fabric>) {
    let node = machine.node;
    let dial = FabricDial { fabric: Arc::clone(&fabric), node, life: life.clone() };
    let why = match boot(&parts, &machine, &life, Arc::new(dial)).await {
        Ok(served) => {
            let door = Door { routes: served.routes.clone(), peers: served.engine.transport_service() };
            fabric.set_door(node, Some(door));
            served.run(std::future::pending::<Result<(), String>>()).await
        }
        Err(why) => Some(why),
    };
    fabric.set_door(node, None);
    life.end(why);
}

impl World for FastWorld {
    fn now(&self) -> Duration {
        elapsed()
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
        if self.is_up(node) {
            return;
        }
        let machine = self.machine(node).clone();
        let life = machine.begin();
        let process = live(self.parts.clone(), machine, life, Arc::clone(&self.fabric));
        self.running.insert(node, tokio::spawn(process));
    }

    fn disk(&self, node: NodeId) -> MemDisk {
        self.machine(node).disk.clone()
    }

    fn clock(&self, node: NodeId) -> Arc<SimClock> {
        self.machine(node).clock.clone()
    }

    fn cut(&mut self, from: Place, to: Place) {
        self.fabric.cut(from, to);
    }

    fn mend(&mut self, from: Place, to: Place) {
        self.fabric.mend(from, to);
    }

    fn delay(&mut self, a: Place, b: Place, extra: Duration) {
        self.fabric.delay(a, b, extra);
    }

    fn drop_connections(&mut self, a: Place, b: Place) {
        self.fabric.break_connections(a, b);
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
