//! When faults begin.

use super::{Fault, Shared, Stage, begin_of};
use crate::determinism::Draw;
use crate::plan::{FaultKind, FaultPlan, Plan};
use crate::report::Broken;
use crate::world::{Order, World};
use consensus::NodeId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Nothing happens before this moment: the cluster is born.
const BIRTH: Duration = Duration::from_secs(3);
/// Mean time until a fault that was not possible is tried again.
const RETRY: Duration = Duration::from_millis(700);
/// A node that has asked to join asks again.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// Does the planned faults to a world, and undoes them.
pub struct Director {
    pub(super) kinds: Vec<Kind>,
    pub(super) running: Vec<Running>,
    pub(super) shared: Shared,
    /// Draws of restarts and of the healing.
    pub(super) draw: Draw,
    /// Nodes come and go, so that all of them are healed: which are a quorum changes.
    pub(super) whole: bool,
    /// When a node that has not joined yet asks again.
    ask_at: Duration,
    /// The nodes that were healed; before that all.
    pub(super) core: Vec<NodeId>,
}

/// A planned kind.
pub(super) struct Kind {
    plan: FaultPlan,
    /// Draws of when, and parent of those of each fault.
    draw: Draw,
    next: Duration,
    begun: u64,
}

/// A fault that is under way.
pub(super) struct Running {
    kind: FaultKind,
    draw: Draw,
    fault: Box<dyn Fault>,
}

impl Director {
    /// A director of this plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let draw = Draw::new(plan.seed, "director");
        let kind = |(place, fault): (usize, &FaultPlan)| {
            let same = plan.faults[..place].iter().filter(|other| other.kind == fault.kind).count();
            let mut draw = draw.child(fault.kind.name()).child(&same.to_string());
            let next = BIRTH + draw.exponential(fault.every);
            Kind { plan: *fault, draw, next, begun: 0 }
        };
        let members: Vec<NodeId> = plan.members().collect();
        let mut shared = Shared::default();
        shared.outages.know(&members);
        Self {
            kinds: plan.faults.iter().enumerate().map(kind).collect(),
            running: Vec::new(),
            shared,
            draw: draw.child("itself"),
            core: members,
            ask_at: Duration::ZERO,
            whole: plan.changes_members(),
        }
    }

    /// Called every few simulated milliseconds of the safety phase: starts and ends what is due.
    pub fn step(&mut self, world: &mut dyn World) {
        let Self { kinds, running, shared, draw, .. } = self;
        running.retain_mut(|one| {
            let mut stage = Stage { world, shared, draw: &mut one.draw, kind: one.kind };
            !one.fault.step(&mut stage)
        });
        for kind in kinds {
            let now = world.now();
            if now < kind.next {
                continue;
            }
            // A stream for each fault: what one draws depends on none before it.
            let mut draw = kind.draw.child(&format!("fault {}", kind.begun));
            kind.begun += 1;
            let lasts = draw.exponential(kind.plan.lasts).max(Duration::from_millis(1));
            let mut stage = Stage { world, shared, draw: &mut draw, kind: kind.plan.kind };
            if let Some(fault) = (begin_of(kind.plan.kind))(&mut stage, lasts) {
                kind.next = now + kind.draw.exponential(kind.plan.every);
                running.push(Running { kind: kind.plan.kind, draw, fault });
            } else {
                kind.next = now + kind.draw.exponential(RETRY);
            }
        }
        shared.outages.step(world, draw, &mut shared.notes, None);
    }

    /// Called instead of [`Director::step`] once healed: keeps the core running.
    pub fn keep(&mut self, world: &mut dyn World) {
        if self.whole {
            self.core = world.nodes();
        }
        let core: BTreeSet<NodeId> = self.core.iter().copied().collect();
        self.ask_again(world);
        let Self { shared, draw, .. } = self;
        shared.outages.step(world, draw, &mut shared.notes, Some(&core));
    }

    /// A node that was told of a cluster asks until it is answered: it may be a member of which
    /// whoever it had asked has died.
    fn ask_again(&mut self, world: &mut dyn World) {
        let now = world.now();
        let Some(spare) = self.shared.asking.filter(|spare| world.spares().contains(spare)) else { return };
        if now < self.ask_at {
            return;
        }
        if let Some(asked) = self.core.iter().copied().find(|node| world.is_up(*node)) {
            world.order(asked, Order::Join(spare));
        }
        self.ask_at = now + ASK_EVERY;
    }

    /// The nodes that were healed: all, before that.
    #[must_use]
    pub fn core(&self) -> &[NodeId] {
        &self.core
    }

    /// Nodes that stopped by themselves or refused to start without a fault of their disk.
    #[must_use]
    pub fn broken(&self) -> &[Broken] {
        &self.shared.outages.broken
    }

    /// What was done so far, oldest first, for a report; only the last of it.
    #[must_use]
    pub fn history(&self) -> Vec<(Duration, String)> {
        self.shared.notes.history.iter().cloned().collect()
    }

    /// How often each kind of fault (and each step of the disk) was done: `fault.crash`,
    /// `fault.disk-step.log.write.after`, ...
    #[must_use]
    pub fn counts(&self) -> &BTreeMap<String, u64> {
        &self.shared.notes.counts
    }

    /// The kinds that were done at least once.
    #[must_use]
    pub fn kinds_done(&self) -> &BTreeSet<FaultKind> {
        &self.shared.notes.kinds
    }
}
