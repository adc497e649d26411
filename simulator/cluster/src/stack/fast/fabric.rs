//! The network between places: latency, cuts, broken connections.

use super::door::Door;
use crate::determinism::Draw;
use crate::plan::{NetPlan, Plan};
use crate::world::Place;
use consensus::NodeId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The network.
pub(super) struct Fabric {
    state: Mutex<State>,
    /// Moves with every change that what is under way must notice.
    changed: watch::Sender<u64>,
}

struct State {
    net: NetPlan,
    draw: Draw,
    cuts: BTreeSet<(Place, Place)>,
    extra: BTreeMap<(Place, Place), Duration>,
    /// How often the connections of a pair were broken.
    breaks: BTreeMap<(Place, Place), u64>,
    /// How often a node's door was opened or closed, and the door.
    doors: BTreeMap<NodeId, (u64, Option<Door>)>,
}

fn pair(a: Place, b: Place) -> (Place, Place) {
    (a.min(b), a.max(b))
}

/// A direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) from: Place,
    pub(super) to: Place,
}

impl Way {
    pub(super) fn back(self) -> Way {
        Way { from: self.to, to: self.from }
    }
}

/// A connection, valid until it is broken or one of its ends stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    ends: (Place, Place),
    breaks: u64,
    lives: (u64, u64),
}

impl Fabric {
    pub(super) fn new(plan: &Plan) -> Self {
        let state = State {
            net: plan.net,
            draw: Draw::new(plan.seed, "fabric"),
            cuts: BTreeSet::new(),
            extra: BTreeMap::new(),
            breaks: BTreeMap::new(),
            doors: BTreeMap::new(),
        };
        Self { state: Mutex::new(state), changed: watch::Sender::new(0) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.send_modify(|version| *version += 1);
    }

    /// Told at every change.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// A node answers from now on; or, without a door, no more. Its connections break.
    pub(super) fn set_door(&self, node: NodeId, door: Option<Door>) {
        self.change(|state| {
            let entry = state.doors.entry(node).or_default();
            // Connections that a starting node dialled before it answered are its own still.
            if door.is_none() {
                entry.0 += 1;
            }
            entry.1 = door;
        });
    }

    pub(super) fn cut(&self, from: Place, to: Place) {
        self.change(|state| {
            state.cuts.insert((from, to));
        });
    }

    pub(super) fn mend(&self, from: Place, to: Place) {
        self.change(|state| {
            state.cuts.remove(&(from, to));
        });
    }

    pub(super) fn delay(&self, a: Place, b: Place, extra: Duration) {
        let mut state = self.state();
        if extra.is_zero() {
            state.extra.remove(&pair(a, b));
        } else {
            state.extra.insert(pair(a, b), extra);
        }
    }

    pub(super) fn break_connections(&self, a: Place, b: Place) {
        self.change(|state| *state.breaks.entry(pair(a, b)).or_default() += 1);
    }

    /// Connects, as far as that is known at the connecting end: the node runs.
    pub(super) fn connect(&self, from: Place, to: NodeId) -> Option<(Ticket, Door)> {
        let state = self.state();
        let door = state.doors.get(&to)?.1.clone()?;
        Some((state.ticket(from, Place::Node(to)), door))
    }

    /// Whether a connection is still there.
    pub(super) fn holds(&self, ticket: Ticket) -> bool {
        let state = self.state();
        state.ticket(ticket.ends.0, ticket.ends.1) == ticket
    }

    /// Whether anything passes.
    pub(super) fn is_open(&self, way: Way) -> bool {
        !self.state().cuts.contains(&(way.from, way.to))
    }

    /// How long the next message takes.
    pub(super) fn latency(&self, way: Way) -> Duration {
        let mut state = self.state();
        let (low, high) = (state.net.latency_min, state.net.latency_max);
        let extra = state.extra.get(&pair(way.from, way.to)).copied().unwrap_or_default();
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let usual = state.draw.range(micros(low), micros(high.max(low)));
        let more = state.draw.range(0, 2 * micros(extra));
        Duration::from_micros(usual + more)
    }
}

impl State {
    fn life(&self, place: Place) -> u64 {
        match place {
            Place::Node(node) => self.doors.get(&node).map_or(0, |door| door.0),
            Place::Site(_) => 0,
        }
    }

    fn ticket(&self, from: Place, to: Place) -> Ticket {
        let breaks = self.breaks.get(&pair(from, to)).copied().unwrap_or_default();
        Ticket { ends: (from, to), breaks, lives: (self.life(from), self.life(to)) }
    }
}
