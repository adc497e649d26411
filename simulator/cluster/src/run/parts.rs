//! What a run is made of, whichever stack it runs on.

use crate::checks::{History, Inside};
use crate::clients::{Phase, Reach, Site};
use crate::determinism::Draw;
use crate::machine::{Birth, Machine};
use crate::plan::Plan;
use consensus::{Figures, NodeId};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// The parts of a run.
#[derive(Clone)]
pub struct Parts {
    /// What was drawn.
    pub plan: Arc<Plan>,
    /// The machines, with what outlives crashes.
    pub machines: BTreeMap<NodeId, Machine>,
    /// Checks from inside.
    pub inside: Arc<Inside>,
    /// What happened in the replication of all nodes, whatever becomes of their processes.
    pub figures: Arc<Figures>,
    /// What clients do and see.
    pub history: Arc<History>,
    /// Tells clients the phase.
    pub phase: watch::Sender<Phase>,
}

impl Parts {
    /// New machines for a plan.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let machines =
            plan.members().chain(plan.spares()).map(|node| (node, Machine::new(&plan, node))).collect();
        Self {
            machines,
            inside: Arc::new(Inside::default()),
            figures: Arc::default(),
            history: Arc::default(),
            phase: watch::Sender::new(Phase::Safety),
            plan: Arc::new(plan),
        }
    }

    /// Nodes of the cluster now.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeId> {
        self.machines.values().filter(|machine| machine.is_member()).map(|machine| machine.node).collect()
    }

    /// Spare machines whose nodes have not joined.
    #[must_use]
    pub fn spares(&self) -> Vec<NodeId> {
        let spare = |machine: &&Machine| machine.birth() == Birth::Spare;
        self.machines.values().filter(spare).map(|machine| machine.node).collect()
    }

    /// Places of clients.
    pub fn sites(&self) -> impl Iterator<Item = u8> + use<> {
        1..=self.plan.load.sites
    }

    /// The clients of a place.
    #[must_use]
    pub fn site(&self, id: u8, reach: Arc<dyn Reach>) -> Site {
        Site {
            id,
            plan: Arc::clone(&self.plan),
            machines: self.machines.values().cloned().collect(),
            reach,
            draw: Draw::new(self.plan.seed, "site").child(&id.to_string()),
            history: Arc::clone(&self.history),
            phase: self.phase.subscribe(),
        }
    }
}
