//! Tables of looks: what a group on node 1 of three (or five) does as its links and its leader change.

use super::*;
use crate::type_config::types::CommittedLeaderId;

const ME: NodeId = NodeId(1);
const GROUP: GroupId = GroupId(0);
const RULES: Rules = Rules { heartbeat: Duration::from_millis(100), lease: Duration::from_millis(400) };

struct Fixture {
    start: Instant,
    ms: u64,
    quiet: Quiet,
    view: View,
    lines: Lines,
}

impl Fixture {
    /// Of `size` nodes; the others are linked and live.
    fn new(size: u64, leader: Option<u64>) -> Fixture {
        let start = Instant::now();
        let voters: Vec<NodeId> = (1..=size).map(NodeId).collect();
        let others = voters[1..].to_vec();
        let leads = leader == Some(1);
        let view = View {
            term: 3,
            leader: leader.map(NodeId),
            leads,
            last_index: 7,
            confirmed_ago: leads.then_some(Duration::ZERO),
            all_have_all: leads,
            durable: 7,
            voters,
            others: others.clone(),
            ..View::default()
        };
        let quiet = Quiet::new(ME, GROUP, RULES, None, start);
        let mut fixture = Fixture { start, ms: 0, quiet, view, lines: Lines::new() };
        fixture.pass(1);
        for peer in others {
            fixture.lines.insert(peer, Line { up: Some(start), ..Line::default() });
            fixture.ping(peer.0);
        }
        fixture.pass(1);
        fixture
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.ms)
    }

    fn pass(&mut self, ms: u64) {
        self.ms += ms;
        self.view.confirmed_ago = self.view.confirmed_ago.map(|ago| ago + Duration::from_millis(ms));
    }

    /// A peer says that it lives, and that it leads the group if it does.
    fn ping(&mut self, peer: u64) {
        let leads = (self.view.leader == Some(NodeId(peer))).then_some((GROUP, self.view.term));
        let now = self.now();
        let line = self.lines.get_mut(&NodeId(peer)).unwrap();
        (line.heard, line.leads) = (Some(now), leads.into_iter().collect());
    }

    fn lose(&mut self, peer: u64) {
        self.lines.insert(NodeId(peer), Line::default());
    }

    fn link(&mut self, peer: u64) {
        let now = self.now();
        let line = Line { up: Some(now), heard: Some(now), ..Line::default() };
        self.lines.insert(NodeId(peer), line);
    }

    fn look(&mut self) -> Orders {
        self.quiet.look(self.now(), &self.view, &self.lines)
    }

    /// Looks every 100 ms while all but `silent` say that they live; the last orders.
    fn live(&mut self, ms: u64, silent: &[u64]) -> Orders {
        let until = self.ms + ms;
        loop {
            for peer in self.view.others.clone() {
                if !silent.contains(&peer.0) && self.lines[&peer].up.is_some() {
                    self.ping(peer.0);
                }
            }
            let orders = self.look();
            if self.ms >= until {
                return orders;
            }
            self.pass(100);
        }
    }

    fn refuses(&self, from: u64) -> bool {
        self.quiet.refuses(self.now(), &self.view, &self.lines, NodeId(from))
    }
}

/// A leader on node 1 that rests.
fn resting(size: u64) -> Fixture {
    let mut fixture = Fixture::new(size, Some(1));
    let orders = fixture.live(1_000, &[]);
    assert_eq!((orders.timers, orders.leads, orders.push), (Timers::REST, true, None));
    fixture
}

/// A follower of node 3 on node 1 whose leader rests.
fn following(size: u64) -> Fixture {
    let mut fixture = Fixture::new(size, Some(3));
    let orders = fixture.live(10_000, &[]);
    assert_eq!((orders.timers, orders.leads, orders.push), (Timers::FOLLOW, false, None));
    fixture
}

#[test]
fn a_leader_rests_only_after_a_while_without_anything_to_do() {
    let mut fixture = Fixture::new(3, Some(1));
    for step in 0..20 {
        assert_eq!(fixture.live(100, &[]).timers == Timers::REST, step >= 4, "step {step}");
    }
    fixture.view.last_index += 1;
    fixture.view.durable += 1;
    assert_eq!(fixture.look().timers, Timers::ON);
    assert_eq!(fixture.live(400, &[]).timers, Timers::ON);
    assert_eq!(fixture.live(200, &[]).timers, Timers::REST);
}

#[test]
fn what_wakes_a_resting_leader() {
    type Change = fn(&mut Fixture);
    let cases: [(&str, Change, bool, bool); 7] = [
        ("use", |f| f.quiet.wake(f.now()), true, true),
        ("an entry", |f| f.view.last_index += 1, true, true),
        ("a follower that lags", |f| f.view.all_have_all = false, true, true),
        ("a lost link", |f| f.lose(2), true, false),
        ("a link that is back", |f| f.link(2), true, true),
        ("its own leave", |f| f.quiet.leave(3), true, false),
        ("nothing", |_| {}, false, true),
    ];
    for (what, change, wakes, leads) in cases {
        let mut fixture = resting(3);
        fixture.pass(10);
        change(&mut fixture);
        let orders = fixture.look();
        let wanted = if wakes { Timers::ON } else { Timers::REST };
        assert_eq!((orders.timers, orders.leads), (wanted, leads), "{what}");
        assert_eq!(orders.push, wakes.then_some(Push::Heartbeat), "{what}");
    }
}

#[test]
fn a_leader_cut_off_while_it_rests_learns_so_from_its_links() {
    let mut fixture = resting(3);
    fixture.live(400, &[2, 3]);
    fixture.pass(1);
    let orders = fixture.look();
    assert_eq!((orders.timers, orders.push, orders.leads), (Timers::ON, Some(Push::Heartbeat), false));
    assert!(!fixture.refuses(2), "votes are openraft's matter again");
    assert!(!fixture.live(5_000, &[2, 3]).leads);
    // A quorum confirms it again: it leads, and does not rest while one is silent.
    fixture.view.confirmed_ago = Some(Duration::from_millis(20));
    let orders = fixture.live(100, &[3]);
    assert_eq!((orders.timers, orders.leads), (Timers::ON, true));
}

#[test]
fn a_leader_that_gives_its_leadership_away_claims_none_in_this_term() {
    let mut fixture = resting(3);
    fixture.quiet.leave(3);
    assert!(!fixture.live(3_000, &[]).leads);
    assert!(!fixture.refuses(2));
    fixture.view.term = 5;
    fixture.view.confirmed_ago = Some(Duration::ZERO);
    assert!(fixture.live(0, &[]).leads);
}

#[test]
fn a_follower_of_a_living_leader_neither_stands_nor_votes() {
    let mut fixture = following(3);
    assert!(fixture.refuses(2), "node 2 alone has lost the leader");
    assert!(!fixture.refuses(3), "the leader itself must know");
    fixture.view.leader = None;
    assert_eq!(fixture.look().timers, Timers::ON, "nobody leads");
    assert!(!fixture.refuses(2));
}

#[test]
fn a_leader_that_is_refused_by_nobody_keeps_its_group_while_it_rests() {
    let fixture = resting(3);
    assert!(fixture.refuses(2) && fixture.refuses(3));
    let awake = Fixture::new(3, Some(1));
    assert!(!awake.refuses(2), "an awake leader has openraft's lease");
}

#[test]
fn a_lost_link_makes_the_voters_stand_one_after_the_other() {
    // Of four that are left, turned by the group: who stands when, in milliseconds.
    for (group, turn) in [(0u32, 0u64), (1, 3), (2, 2), (3, 1), (4, 0)] {
        let mut fixture = Fixture::new(5, Some(3));
        fixture.quiet = Quiet::new(ME, GroupId(group), RULES, None, fixture.now());
        fixture.look();
        fixture.lose(3);
        let lost = fixture.ms;
        let mut stood = Vec::new();
        while fixture.ms < lost + 2_000 {
            let orders = fixture.look();
            let first = fixture.ms >= lost + 50 * turn;
            assert_eq!(orders.timers, if first { Timers::ON } else { Timers::FOLLOW }, "group {group}");
            if orders.push == Some(Push::Elect) {
                stood.push(fixture.ms - lost);
            }
            fixture.pass(10);
        }
        let wanted: Vec<u64> =
            (0..).map(|round| 50 * turn + 200 * round).take_while(|ms| *ms <= 800).collect();
        assert_eq!(stood, wanted, "group {group}");
    }
}

#[test]
fn a_silent_leader_makes_the_voters_stand_in_time_but_not_at_once() {
    for (me, first_ms) in [(1u64, 0u64), (2, 200)] {
        let mut fixture = following(3);
        fixture.quiet.node = NodeId(me);
        let heard = fixture.ms;
        while fixture.ms < heard + 400 + first_ms {
            fixture.pass(10);
            let orders = fixture.look();
            let standing = fixture.ms >= heard + 410 + first_ms;
            assert_eq!(
                orders.timers,
                if standing { Timers::ON } else { Timers::FOLLOW },
                "{me} {}",
                fixture.ms
            );
            assert_eq!(orders.push, None, "openraft's own time-outs do the rest");
        }
        fixture.pass(10);
        assert_eq!(fixture.look().timers, Timers::ON);
        assert!(!fixture.refuses(2));
        // It was slow: heard again, all is as before.
        fixture.ping(3);
        assert_eq!(fixture.look().timers, Timers::FOLLOW);
    }
}

#[test]
fn a_leader_that_lives_and_no_longer_leads_is_not_waited_for() {
    let mut fixture = following(3);
    let said = fixture.ms;
    while fixture.ms < said + 500 {
        fixture.pass(50);
        let now = fixture.now();
        let line = fixture.lines.get_mut(&NodeId(3)).unwrap();
        (line.heard, line.leads) = (Some(now), BTreeMap::new());
        assert!(!fixture.refuses(2), "at once");
        let timers = fixture.look().timers;
        assert_eq!(timers == Timers::ON, fixture.ms > said + 400);
    }
}

#[test]
fn a_replica_that_does_not_know_the_leader_asks_it_and_stands_by_itself_until_it_hears() {
    let mut fixture = Fixture::new(3, None);
    let now = fixture.now();
    fixture.lines.insert(
        NodeId(2),
        Line { up: Some(now), heard: Some(now), leads: [(GROUP, 3)].into_iter().collect() },
    );
    let orders = fixture.look();
    assert_eq!((orders.timers, orders.ask), (Timers::ON, Some(NodeId(2))));
    // An older term than the one it follows: whoever says so must learn it.
    fixture.view.leader = Some(NodeId(3));
    fixture.view.term = 4;
    assert_eq!(fixture.look().ask, Some(NodeId(2)));
    fixture.view.leader = Some(NodeId(2));
    fixture.view.term = 3;
    let orders = fixture.look();
    assert_eq!((orders.timers, orders.ask), (Timers::FOLLOW, None));
}

#[test]
fn a_node_alone_rests_and_a_group_that_has_ended_is_left_alone() {
    let mut fixture = Fixture::new(1, Some(1));
    fixture.view.confirmed_ago = None;
    assert_eq!(fixture.live(1_000, &[]).timers, Timers::REST);
    fixture.view.failed = true;
    let orders = fixture.look();
    assert_eq!((orders.timers, orders.leads), (Timers::ON, false));
}

#[test]
fn a_leader_whose_disk_stands_still_hands_over_to_whoever_lives_and_has_most() {
    let mut fixture = resting(3);
    fixture.view.last_index = 9;
    fixture.view.heirs = vec![NodeId(3), NodeId(2)];
    fixture.look();
    assert_eq!(fixture.live(1_000, &[]).push, None);
    // It is slow, and does not stand still.
    fixture.view.durable = 8;
    assert_eq!(fixture.live(1_000, &[]).push, None);
    let mut pushed = Vec::new();
    for _ in 0..20 {
        pushed.extend(fixture.live(100, &[3]).push);
    }
    assert_eq!(pushed, [Push::HandOver(NodeId(2))], "once, and to one that lives");
    assert!(!fixture.live(100, &[]).leads);
    fixture.view.durable = 9;
    assert!(!fixture.live(100, &[]).leads, "it has given its leadership away");
}

#[test]
fn who_has_less_than_it_once_had_does_not_stand() {
    let log = |term, index| LogId::new(CommittedLeaderId::new(term), index);
    // The end of its log, what of it is applied, and whether that is as much as the log of term 2 that ended at 20.
    let cases = [
        (0, None, false),
        (19, Some(log(2, 19)), false),
        (20, None, true),
        (19, Some(log(3, 19)), true),
        (25, Some(log(2, 20)), true),
    ];
    for (last_index, applied, has_all) in cases {
        let mut fixture = Fixture::new(3, Some(2));
        fixture.quiet = Quiet::new(ME, GROUP, RULES, Some(log(2, 20)), fixture.now());
        (fixture.view.last_index, fixture.view.applied) = (last_index, applied);
        fixture.look();
        fixture.lose(2);
        let mut stood = false;
        for _ in 0..20 {
            let orders = fixture.look();
            stood |= orders.push == Some(Push::Elect) || orders.timers.elect;
            fixture.pass(10);
        }
        assert_eq!(stood, has_all, "{last_index} {applied:?}");
        // Nobody is known to lead: openraft's own time-outs are all there is.
        fixture.view.leader = None;
        assert_eq!(
            fixture.look().timers,
            Timers { elect: has_all, ..Timers::ON },
            "{last_index} {applied:?}"
        );
    }
}
