//! When a group rests: it has had nothing to do for a while, and the links between its members say
//! that they live, so nobody needs its heartbeats and election timers.
//!
//! Nothing here is Raft: votes, terms, logs and leases are openraft's. This decides when its timers
//! run and when a follower asks for votes at once; a wrong guess costs an election or a little time.

use super::view::View;
use crate::api::{GroupId, NodeId};
use crate::config::Timing;
use crate::type_config::types::LogId;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// A leader's group without anything to do for this many heartbeats rests.
const REST_AFTER_HEARTBEATS: u32 = 5;
/// A leader whose disk takes nothing for this many leases hands over: pings go on all the same.
const STUCK_LEASES: u32 = 5;

/// The link with a peer, as this node knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// Since when there is a link; `None`: it was lost, or there never was one.
    pub up: Option<Instant>,
    /// When the peer last said that it lives.
    pub heard: Option<Instant>,
    /// What it said that it leads, with the term.
    pub leads: BTreeMap<GroupId, u64>,
}

/// The links of this node.
pub type Lines = BTreeMap<NodeId, Line>;

/// How long is how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Between two pings, and between two heartbeats.
    pub heartbeat: Duration,
    /// A peer that says nothing for this long may be gone; also how long a leader's lease lasts.
    pub lease: Duration,
}

impl Rules {
    /// From the timers.
    pub fn new(timing: Timing) -> Rules {
        Rules {
            heartbeat: Duration::from_millis(timing.heartbeat_ms),
            lease: Duration::from_millis(timing.election_max_ms),
        }
    }

    /// What a follower's turn to ask for votes lasts where the leader's link is lost.
    fn turn(self) -> Duration {
        self.heartbeat / 2
    }

    /// The same where the link is merely silent: longer than the ticks by which openraft acts.
    fn silent_turn(self) -> Duration {
        self.heartbeat * 2
    }
}

/// Which of openraft's timers run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// A leader sends heartbeats.
    pub heartbeat: bool,
    /// A follower stands for election when its time-out has passed.
    pub elect: bool,
    /// The clock of both.
    pub tick: bool,
}

impl Timers {
    /// As openraft starts.
    pub const ON: Timers = Timers { heartbeat: true, elect: true, tick: true };
    /// Nothing runs.
    pub const REST: Timers = Timers { heartbeat: false, elect: false, tick: false };
    /// A follower whose leader lives.
    pub const FOLLOW: Timers = Timers { heartbeat: true, elect: false, tick: false };
}

/// What openraft is to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Push {
    /// One round of heartbeats.
    Heartbeat,
    /// Ask whether it would get votes, and if so, for votes.
    Elect,
    /// Give leadership to this member.
    HandOver(NodeId),
}

/// What follows from a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orders {
    /// The timers from now on.
    pub timers: Timers,
    /// What to do at once.
    pub push: Option<Push>,
    /// This node tells its peers that it leads.
    pub leads: bool,
    /// A peer that leads and must send a heartbeat, since this replica does not know it as leader.
    pub ask: Option<NodeId>,
    /// When to look again, if that is before the next ping.
    pub due: Option<Instant>,
}

impl Orders {
    fn new(timers: Timers) -> Orders {
        Orders { timers, push: None, leads: false, ask: None, due: None }
    }
}

/// One group on one node.
#[derive(Debug)]
pub struct Quiet {
    node: NodeId,
    group: GroupId,
    rules: Rules,
    /// The end of a log that this node once had and has removed, until it has as much again.
    floor: Option<LogId>,
    /// The term and leader that the rest is about.
    known: (u64, Option<NodeId>),
    /// A leader's: not to rest before.
    busy_until: Instant,
    last_index: u64,
    looked: Instant,
    /// A leader's: rests since the last look.
    rests: bool,
    /// A leader's: gives its leadership away, in this term.
    leaving: Option<u64>,
    /// A leader's: what its disk has, while that is not all of its log, and since when.
    stuck: Option<(u64, Instant)>,
    /// A follower's: when the leader last said that it leads; `None` when its link was lost since.
    heard: Option<Instant>,
    /// A follower's: since when its leader seems to be gone, and whether that is because the link is lost.
    orphan: Option<(Instant, bool)>,
    asked: Option<Instant>,
}

impl Quiet {
    /// A group that has just been opened. `floor`: the end of a log that this node once had and has removed,
    /// where it has less now. The members that a shorter log tells of may have been replaced with this node's
    /// own consent, so it does not stand for election by them: where it was once the only one, it would elect
    /// itself.
    pub fn new(node: NodeId, group: GroupId, rules: Rules, floor: Option<LogId>, now: Instant) -> Quiet {
        Quiet {
            node,
            group,
            rules,
            floor,
            known: (0, None),
            busy_until: now,
            last_index: 0,
            looked: now,
            rests: false,
            leaving: None,
            stuck: None,
            heard: None,
            orphan: None,
            asked: None,
        }
    }

    /// The group is used, or a peer asks for a heartbeat: as a leader it does not rest for a while.
    pub fn wake(&mut self, now: Instant) {
        self.busy_until = now + self.rules.heartbeat * REST_AFTER_HEARTBEATS;
    }

    /// This node gives its leadership of this term away.
    pub fn leave(&mut self, term: u64) {
        self.leaving = Some(term);
    }

    /// The term at the last look.
    pub fn term(&self) -> u64 {
        self.known.0
    }

    /// Which group.
    pub fn group(&self) -> GroupId {
        self.group
    }

    /// What is to be done, as things stand.
    pub fn look(&mut self, now: Instant, view: &View, lines: &Lines) -> Orders {
        if self.known != (view.term, view.leader) {
            self.known = (view.term, view.leader);
            // A leader just learnt of was heard of just now.
            self.heard = view.leader.map(|_| now);
            (self.orphan, self.asked) = (None, None);
            self.rests = false;
            self.stuck = None;
            self.wake(now);
        }
        let mut orders = if view.failed {
            self.rests = false;
            Orders::new(Timers::ON)
        } else if view.leads {
            self.look_as_leader(now, view, lines)
        } else {
            self.rests = false;
            self.look_as_follower(now, view, lines)
        };
        self.looked = now;
        // What it gets is sent by a leader that has all that this node ever confirmed: as many entries hold it.
        self.floor = self.floor.filter(|floor| view.applied < Some(*floor) && view.last_index < floor.index);
        if self.floor.is_some() {
            orders.timers.elect = false;
            orders.push = orders.push.filter(|push| *push != Push::Elect);
        }
        orders
    }

    fn lives(&self, now: Instant, line: Option<&Line>) -> bool {
        line.is_some_and(|line| {
            line.up.is_some() && line.heard.is_some_and(|heard| now <= heard + self.rules.lease)
        })
    }

    fn look_as_leader(&mut self, now: Instant, view: &View, lines: &Lines) -> Orders {
        let all_live = view.others.iter().all(|peer| self.lives(now, lines.get(peer)));
        let came = |peer: &NodeId| {
            lines.get(peer).and_then(|line| line.up).is_some_and(|since| since >= self.looked)
        };
        // Whoever came does not know yet who leads.
        let came = view.others.iter().any(came);
        let heir = self.heir(now, view, lines);
        if heir.is_some() {
            self.leave(view.term);
        }
        let leaving = self.leaving == Some(view.term);
        let behind = !view.all_have_all || view.durable < view.last_index;
        if came || leaving || !all_live || behind || view.last_index != self.last_index {
            self.wake(now);
        }
        self.last_index = view.last_index;
        let rested = std::mem::replace(&mut self.rests, now >= self.busy_until);
        let confirmed = view.confirmed_ago.is_some_and(|ago| ago <= self.rules.lease);
        // Whoever used it has had the lease renewed.
        let stale = rested && !self.rests && !confirmed;
        let heartbeat = (came || stale).then_some(Push::Heartbeat);
        Orders {
            push: heir.map(Push::HandOver).or(heartbeat),
            leads: !leaving && (self.rests || confirmed || rested && all_live),
            ..Orders::new(if self.rests { Timers::REST } else { Timers::ON })
        }
    }

    /// To whom leadership must go, since this node's disk takes nothing any more.
    fn heir(&mut self, now: Instant, view: &View, lines: &Lines) -> Option<NodeId> {
        if view.durable >= view.last_index {
            self.stuck = None;
            return None;
        }
        let (durable, since) = *self.stuck.get_or_insert((view.durable, now));
        if durable != view.durable {
            self.stuck = Some((view.durable, now));
        } else if now >= since + self.rules.lease * STUCK_LEASES && self.leaving != Some(view.term) {
            return view.heirs.iter().copied().find(|heir| self.lives(now, lines.get(heir)));
        }
        None
    }

    fn look_as_follower(&mut self, now: Instant, view: &View, lines: &Lines) -> Orders {
        let ask = lines.iter().find_map(|(peer, line)| {
            let leads = line.up.is_some() && line.leads.contains_key(&self.group);
            (leads && !self.follows(view, *peer, line)).then_some(*peer)
        });
        let Some(leader) = view.leader.filter(|leader| *leader != self.node) else {
            return Orders { ask, ..Orders::new(Timers::ON) };
        };
        let line = lines.get(&leader);
        let linked = line.is_some_and(|line| line.up.is_some());
        if let Some(line) = line.filter(|line| linked && self.follows(view, leader, line)) {
            self.heard = self.heard.max(line.heard);
        }
        if !linked {
            self.heard = None;
        }
        match self.heard {
            Some(heard) if now <= heard + self.rules.lease => {
                (self.orphan, self.asked) = (None, None);
                Orders { ask, ..Orders::new(Timers::FOLLOW) }
            }
            _ => Orders { ask, ..self.stand(now, view, leader, !linked) },
        }
    }

    /// Whether this replica follows the peer in the term in which that one says that it leads.
    fn follows(&self, view: &View, peer: NodeId, line: &Line) -> bool {
        view.leader == Some(peer) && line.leads.get(&self.group) == Some(&view.term)
    }

    /// The leader seems to be gone: the voters stand for election one after the other, so that
    /// votes do not split. Where the link is lost they ask at once, again and again while others
    /// may still be bound by the leader's lease; then, and where it is merely silent, openraft's
    /// own time-outs do it.
    fn stand(&mut self, now: Instant, view: &View, leader: NodeId, lost: bool) -> Orders {
        let (since, certain) = *self.orphan.get_or_insert((now, lost));
        if lost && !certain {
            self.orphan = Some((now, true));
            return self.stand(now, view, leader, lost);
        }
        let voters: Vec<NodeId> = view.voters.iter().copied().filter(|id| *id != leader).collect();
        let Some(place) = voters.iter().position(|id| *id == self.node) else {
            return Orders::new(Timers::ON);
        };
        // Turned by the group, so that what one node led is spread over the others.
        let count = voters.len();
        let turn = (place + count - self.group.0 as usize % count) % count;
        let [turn, count] = [turn, count].map(|number| u32::try_from(number).unwrap_or(u32::MAX));
        let length = if certain { self.rules.turn() } else { self.rules.silent_turn() };
        let first = since + length * turn;
        if now < first {
            return Orders { due: Some(first), ..Orders::new(Timers::FOLLOW) };
        }
        if !certain || now > since + self.rules.lease * 2 {
            return Orders::new(Timers::ON);
        }
        let next = self.asked.map_or(first, |asked| asked + length * count);
        let push = (now >= next).then_some(Push::Elect);
        if push.is_some() {
            self.asked = Some(now);
        }
        let due = Some(self.asked.map_or(first, |asked| asked + length * count));
        Orders { push, due, ..Orders::new(Timers::ON) }
    }

    /// Whether a vote asked for by `from` must be refused, since whoever leads lives: a follower's
    /// lease runs out while its leader rests, and a node that alone has lost its link with the
    /// leader must not depose it. Not for a vote by which leadership is handed over.
    pub fn refuses(&self, now: Instant, view: &View, lines: &Lines, from: NodeId) -> bool {
        if view.failed {
            return false;
        }
        if view.leads {
            return self.rests
                && self.leaving != Some(view.term)
                && view.others.iter().all(|peer| self.lives(now, lines.get(peer)));
        }
        let Some(leader) = view.leader.filter(|leader| *leader != from) else { return false };
        let line = lines.get(&leader);
        self.lives(now, line) && line.is_some_and(|line| self.follows(view, leader, line))
    }
}

#[cfg(test)]
#[path = "quiet_tests.rs"]
mod tests;
