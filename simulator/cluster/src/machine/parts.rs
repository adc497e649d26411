//! What of a machine outlives a crash, and what is known about its present life.

use super::SimClock;
use crate::determinism::Draw;
use crate::plan::Plan;
use crate::world::Order;
use actors::{ClusterState, Engine, Joined};
use consensus::NodeId;
use consensus::disk::MemDisk;
use routing::level;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

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
    /// The highest feature level that the release on it knows.
    knows: Arc<AtomicU32>,
    state: Arc<Mutex<State>>,
    birth: Arc<Mutex<Birth>>,
}

/// How a machine's node belongs to the cluster; a real node has it in its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Birth {
    /// It is among the founders.
    Founder,
    /// It has not joined yet.
    Spare,
    /// It has joined, and was told this.
    Joined(Joined),
    /// It was removed.
    Retired,
}

/// What is known about the process that runs on it, or ran last.
#[derive(Debug, Default)]
pub struct State {
    /// Starts so far; the number of the present life.
    pub life: u64,
    /// Whether the process runs.
    pub running: bool,
    /// The engine, from when it has started.
    pub engine: Option<Engine>,
    /// Tells the process what to do.
    pub orders: Option<mpsc::Sender<Order>>,
    /// Why it did not start, or stopped by itself.
    pub failure: Option<String>,
}

impl State {
    /// The cluster as the running node sees it.
    #[must_use]
    pub fn seen(&self) -> Option<ClusterState> {
        self.engine.as_ref().filter(|_| self.running).map(Engine::cluster)
    }

    /// Tells the running node to do something. One that is told more than it can take does not
    /// need more.
    pub fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            let _ = orders.try_send(order);
        }
    }
}

impl Machine {
    /// A machine with an empty disk.
    #[must_use]
    pub fn new(plan: &Plan, node: NodeId) -> Self {
        let mut draw = Draw::new(plan.seed, "machine").child(&node.to_string());
        let clock = Arc::new(SimClock::new(draw.range(1, 1 << 40)));
        let birth = if node.0 <= plan.nodes { Birth::Founder } else { Birth::Spare };
        let birth = Arc::new(Mutex::new(birth));
        let knows = Arc::new(AtomicU32::new(level::LATEST));
        Self { node, disk: MemDisk::new(), clock, draw, knows, state: Arc::default(), birth }
    }

    /// How its node belongs to the cluster.
    #[must_use]
    pub fn birth(&self) -> Birth {
        self.birth.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its node has joined, unless it has before.
    pub fn joined(&self, joined: Joined) {
        let mut birth = self.birth.lock().unwrap_or_else(PoisonError::into_inner);
        if *birth == Birth::Spare {
            *birth = Birth::Joined(joined);
        }
    }

    /// The highest feature level that the release on it knows.
    #[must_use]
    pub fn knows(&self) -> u32 {
        self.knows.load(Ordering::Relaxed)
    }

    /// From its next start on it runs a release that knows levels up to this.
    pub fn install(&self, level: u32) {
        self.knows.store(level, Ordering::Relaxed);
    }

    /// Its node was removed.
    pub fn retire(&self) {
        *self.birth.lock().unwrap_or_else(PoisonError::into_inner) = Birth::Retired;
    }

    /// Whether its node is of the cluster now.
    #[must_use]
    pub fn is_member(&self) -> bool {
        matches!(self.birth(), Birth::Founder | Birth::Joined(_))
    }

    /// What is known of its process.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process begins to run.
    #[must_use]
    pub fn begin(&self) -> Life {
        let mut state = self.state();
        let life = state.life + 1;
        *state = State { life, running: true, ..State::default() };
        Life { machine: self.clone(), number: life }
    }

    /// Power off: whatever runs has lost its disk, with what was not flushed. The engine is
    /// returned, for stacks in which something is left of it.
    pub fn power_off(&self, seed: u64) -> Option<Engine> {
        self.disk.crash(seed);
        self.gone()
    }

    /// The process is killed: whatever runs has lost its disk, which keeps what was written. The
    /// engine is returned, as for [`Machine::power_off`].
    pub fn kill(&self) -> Option<Engine> {
        self.disk.kill();
        self.gone()
    }

    fn gone(&self) -> Option<Engine> {
        let mut state = self.state();
        state.running = false;
        state.orders = None;
        state.engine.take()
    }
}

/// One process, from its start to its end.
#[derive(Clone)]
pub struct Life {
    machine: Machine,
    number: u64,
}

impl Life {
    /// Its number, from 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether this is the process that runs on the machine now.
    #[must_use]
    pub fn is_present(&self) -> bool {
        let state = self.machine.state();
        state.running && state.life == self.number
    }

    /// Its engine has started.
    pub fn started(&self, engine: Engine, orders: mpsc::Sender<Order>) {
        let mut state = self.machine.state();
        if state.running && state.life == self.number {
            state.engine = Some(engine);
            state.orders = Some(orders);
        }
    }

    /// The process ends, by itself if there is a reason.
    pub fn end(self, why: Option<String>) {
        let mut state = self.machine.state();
        if state.running && state.life == self.number {
            if let Some(why) = &why {
                tracing::info!(node = %self.machine.node, why, "the node stops by itself");
            }
            state.running = false;
            state.engine = None;
            state.orders = None;
            state.failure = why;
        }
    }
}
