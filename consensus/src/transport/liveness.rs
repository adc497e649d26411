//! Who lives: one ping for all groups on every link, and what the groups make of it.
//!
//! A ping says which groups its sender leads, in which terms. So a follower knows without a
//! heartbeat that its leader lives and still leads, and one look at all groups of a node costs as
//! much as one timer of one group.

use super::frame::Kind;
use super::leaders::Leaders;
use super::link::Lane;
use super::peers::Peers;
use crate::api::{GroupId, Leadership, NodeId};
use crate::balance::Leads;
use crate::config::Config;
use crate::group::{Activity, LOAD_IDLE, Line, Lines, Orders, Push, Quiet, Rules, Timers, View};
use crate::type_config::TypeConfig;
use crate::type_config::types::{LogId, Raft, Vote};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use openraft::RaftMetrics;
use openraft::rt::WatchReceiver;
use openraft::type_config::alias::WatchReceiverOf;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Bytes in a ping for one group: its id, and the term.
const LED_BYTES: usize = 12;

/// Who lives, and which groups of this node rest for it.
pub struct Liveness {
    node: NodeId,
    rules: Rules,
    peers: Peers,
    state: Mutex<State>,
    /// Something happened that cannot wait for the next ping.
    look: Arc<Notify>,
}

struct State {
    lines: Lines,
    /// What each peer's last ping said, as bytes.
    said: BTreeMap<NodeId, Bytes>,
    /// The load of what each peer leads, where its ping says so.
    loads: BTreeMap<NodeId, u64>,
    /// What this node's last ping said.
    own: Leads,
    groups: BTreeMap<GroupId, Watched>,
    leaders: Leaders,
    /// A link came up: the peer is told at once what this node leads.
    greet: bool,
}

struct Watched {
    raft: Raft,
    metrics: WatchReceiverOf<TypeConfig, RaftMetrics<TypeConfig>>,
    activity: Arc<Activity>,
    quiet: Quiet,
    timers: Timers,
    /// A peer asks for a heartbeat.
    asked: bool,
}

impl Watched {
    fn view(&self) -> View {
        View::of(&self.metrics.borrow_watched())
    }

    /// Looks at the group and sets its timers.
    fn look(&mut self, now: Instant, lines: &Lines) -> Orders {
        let view = self.view();
        if self.activity.take_handing_over() {
            self.quiet.leave(view.term);
        }
        let asked = std::mem::take(&mut self.asked);
        if self.activity.take_used() || asked {
            self.quiet.wake(now);
        }
        let mut orders = self.quiet.look(now, &view, lines);
        if asked && view.leads {
            orders.push = Some(Push::Heartbeat);
        }
        if orders.timers != self.timers {
            let Timers { heartbeat, elect, tick } = orders.timers;
            tracing::trace!(group = %self.quiet.group(), heartbeat, elect, tick, "timers");
            let switches = self.raft.runtime_config();
            switches.heartbeat(heartbeat);
            switches.elect(elect);
            switches.tick(tick);
            self.timers = orders.timers;
        }
        orders
    }
}

/// What follows from a look at all groups.
#[derive(Default)]
struct Looked {
    /// The next ping.
    ping: Bytes,
    /// What it says that this node leads.
    leads: Leads,
    /// Peers that lead a group and are asked for a heartbeat of it.
    asks: Vec<(NodeId, GroupId)>,
    pushes: Vec<(Raft, Push)>,
    due: Option<Instant>,
    greet: bool,
}

impl Liveness {
    /// Of a node without groups and links.
    pub fn new(config: &Config, peers: Peers) -> Arc<Liveness> {
        let rules = Rules::new(config.timing);
        let state = Mutex::new(State {
            lines: Lines::default(),
            said: BTreeMap::new(),
            loads: BTreeMap::new(),
            own: Leads::default(),
            groups: BTreeMap::new(),
            leaders: Leaders::new(config.groups()),
            greet: false,
        });
        Arc::new(Liveness { node: config.node, rules, peers, state, look: Arc::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For a group that is about to be opened.
    pub fn activity(&self) -> Arc<Activity> {
        Arc::new(Activity::new(Arc::clone(&self.look)))
    }

    /// From now on the group may rest. `floor`: see [`Quiet::new`]; with one, openraft must have been started
    /// as one that does not stand for election.
    pub fn watch(&self, group: GroupId, raft: Raft, activity: Arc<Activity>, floor: Option<LogId>) {
        let metrics = raft.metrics();
        let quiet = Quiet::new(self.node, group, self.rules, floor, Instant::now());
        let timers = Timers { elect: floor.is_none(), ..Timers::ON };
        let watched = Watched { raft, metrics, activity, quiet, timers, asked: false };
        self.state().groups.insert(group, watched);
    }

    /// The group was closed.
    pub fn forget(&self, group: GroupId) {
        let mut state = self.state();
        let State { lines, groups, leaders, .. } = &mut *state;
        groups.remove(&group);
        leaders.own(group, None, lines);
    }

    /// What the own replica of a group says of its leader.
    pub fn own(&self, group: GroupId, says: Leadership) {
        let mut state = self.state();
        let State { lines, leaders, groups, .. } = &mut *state;
        // Not by one that has just been closed.
        if groups.contains_key(&group) {
            leaders.own(group, Some(says), lines);
        }
    }

    /// What each peer with a link says that it leads. Where one says nothing of loads, its groups count as if
    /// nothing happened in them.
    pub fn led(&self) -> BTreeMap<NodeId, Leads> {
        let state = self.state();
        let linked = state.lines.iter().filter(|(_, line)| line.up.is_some());
        let leads = linked.map(|(peer, line)| {
            let groups = line.leads.len();
            let load = state.loads.get(peer).copied().unwrap_or(groups as u64 * LOAD_IDLE);
            (*peer, Leads { groups, load })
        });
        leads.collect()
    }

    /// What this node leads, as it tells its peers.
    pub fn leads(&self) -> Leads {
        self.state().own
    }

    /// Who leads a group, as it changes; `None` when the cluster has no such group.
    pub fn leader(&self, group: GroupId) -> Option<watch::Receiver<Leadership>> {
        self.state().leaders.of(group)
    }

    /// There is a link with a peer: a new one, if there was one before.
    pub fn came(&self, peer: NodeId) {
        let now = Instant::now();
        let mut state = self.state();
        state.said.remove(&peer);
        state.loads.remove(&peer);
        state.lines.insert(peer, Line { up: Some(now), heard: Some(now), leads: BTreeMap::new() });
        let State { lines, leaders, .. } = &mut *state;
        leaders.heard(lines);
        state.greet = true;
        self.look.notify_one();
    }

    /// The link with a peer is lost.
    pub fn went(&self, peer: NodeId) {
        let mut state = self.state();
        state.said.remove(&peer);
        state.loads.remove(&peer);
        state.lines.insert(peer, Line::default());
        let State { lines, leaders, .. } = &mut *state;
        leaders.heard(lines);
        self.look.notify_one();
    }

    /// A peer says that it lives, and what it leads; `id`: of its ping, which says the load of that.
    pub fn pinged(&self, peer: NodeId, id: u64, ping: Bytes) {
        let mut state = self.state();
        let State { lines, said, loads, leaders, .. } = &mut *state;
        let Some(line) = lines.get_mut(&peer).filter(|line| line.up.is_some()) else { return };
        line.heard = Some(Instant::now());
        if let Some(load) = id.checked_sub(1) {
            loads.insert(peer, load);
        }
        if said.get(&peer) != Some(&ping) {
            line.leads = read(ping.clone());
            said.insert(peer, ping);
            leaders.heard(lines);
        }
    }

    /// A peer does not know yet that this node leads a group.
    pub fn asked(&self, group: GroupId) {
        if let Some(watched) = self.state().groups.get_mut(&group) {
            watched.asked = true;
            self.look.notify_one();
        }
    }

    /// The vote to refuse a candidate with, where the leader of its group lives: see
    /// [`Quiet::refuses`].
    pub fn refuses(&self, group: GroupId, from: NodeId) -> Option<Vote> {
        let state = self.state();
        let watched = state.groups.get(&group)?;
        let refused = watched.quiet.refuses(Instant::now(), &watched.view(), &state.lines, from);
        refused.then(|| watched.metrics.borrow_watched().vote)
    }

    /// Pings peers and looks at the groups until the node stops.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut next_ping = Instant::now();
        loop {
            let now = Instant::now();
            let looked = self.look(now);
            if now >= next_ping || looked.greet {
                next_ping = now + self.rules.heartbeat;
                for peer in self.peers.all_connected() {
                    self.send(peer, Kind::Ping, looked.leads.load + 1, looked.ping.clone());
                }
            }
            for (peer, group) in looked.asks {
                self.send(peer, Kind::Ask, u64::from(group.0), Bytes::new());
            }
            for (raft, push) in looked.pushes {
                tokio::spawn(async move {
                    // It fails when the group has ended, and then nothing is to be done.
                    let _ = match push {
                        Push::Heartbeat => raft.trigger().heartbeat().await,
                        Push::Elect => raft.trigger().elect(true).await,
                        Push::HandOver(heir) => raft.trigger().transfer_leader(heir.0).await,
                    };
                });
            }
            let wake = looked.due.map_or(next_ping, |due| due.min(next_ping));
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.look.notified() => {}
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    fn send(&self, peer: NodeId, kind: Kind, id: u64, body: Bytes) {
        if let Some(link) = self.peers.link(peer) {
            // Without room the peer does not hear of this node, and rightly.
            let _ = link.try_send(Lane::Urgent, kind, id, body);
        }
    }

    fn look(&self, now: Instant) -> Looked {
        let mut state = self.state();
        let State { lines, groups, greet, .. } = &mut *state;
        let mut looked = Looked { greet: std::mem::take(greet), ..Looked::default() };
        let mut ping = BytesMut::with_capacity(LED_BYTES * groups.len());
        for (group, watched) in groups {
            let orders = watched.look(now, lines);
            // Of what is led elsewhere, too: who leads it next goes on from there.
            let load = watched.activity.meter.load(now);
            if orders.leads {
                ping.put_u32_le(group.0);
                ping.put_u64_le(watched.quiet.term());
                looked.leads.groups += 1;
                looked.leads.load += load;
            }
            looked.asks.extend(orders.ask.map(|peer| (peer, *group)));
            looked.pushes.extend(orders.push.map(|push| (watched.raft.clone(), push)));
            looked.due = match (looked.due, orders.due) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
        looked.ping = ping.freeze();
        state.own = looked.leads;
        looked
    }
}

/// What a ping says that its sender leads, in which terms.
fn read(mut ping: Bytes) -> BTreeMap<GroupId, u64> {
    let mut leads = BTreeMap::new();
    while ping.len() >= LED_BYTES {
        let group = GroupId(ping.get_u32_le());
        leads.insert(group, ping.get_u64_le());
    }
    leads
}
