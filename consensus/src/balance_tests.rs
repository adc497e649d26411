//! Tests of who gives which group to whom.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn others(loads: &[(u64, u64)]) -> BTreeMap<NodeId, Leads> {
    loads.iter().map(|(id, load)| (NodeId(*id), Leads { groups: 1, load: *load })).collect()
}

/// Groups led here: id, load, heirs.
fn led(groups: &[(u32, u64, &[u64])]) -> Vec<Led> {
    let led = |(id, load, heirs): &(u32, u64, &[u64])| Led {
        group: GroupId(*id),
        load: *load,
        heirs: heirs.iter().copied().map(NodeId).collect(),
    };
    groups.iter().map(led).collect()
}

#[test]
fn a_group_goes_where_the_larger_load_gets_smallest_and_stays_where_that_gains_little() {
    type Groups<'a> = &'a [(u32, u64, &'a [u64])];
    type Case<'a> = (&'a str, &'a [(u64, u64)], Groups<'a>, Option<(u32, u64)>);
    let idle: Groups<'_> = &[(1, 10, &[2, 3]), (2, 10, &[2, 3]), (3, 10, &[2])];
    let table: &[Case<'_>] = &[
        ("idle groups go by number", &[(2, 10), (3, 0)], idle, Some((1, 3))),
        ("to whoever has room", &[(2, 10), (3, 20)], idle, Some((1, 2))),
        ("one less is as good", &[(2, 20), (3, 20)], idle, None),
        ("who votes in no group gets none", &[(4, 0)], idle, None),
        ("who is not there gets none", &[], idle, None),
        ("nothing led, nothing given", &[(2, 0)], &[], None),
        ("the one busy group of a node stays", &[(2, 0), (3, 0)], &[(1, 5_000, &[2, 3])], None),
        (
            "what is idle leaves a busy node",
            &[(2, 20), (3, 30)],
            &[(1, 900, &[2, 3]), (2, 150, &[2, 3])],
            Some((2, 2)),
        ),
        (
            "of several the one that evens most",
            &[(2, 0)],
            &[(1, 100, &[2]), (2, 300, &[2]), (3, 600, &[2])],
            Some((3, 2)),
        ),
        ("a busy one changes places only if it fits", &[(2, 500)], &[(1, 400, &[2]), (2, 400, &[2])], None),
        ("less than an eighth is no gain", &[(2, 304)], &[(1, 400, &[2]), (2, 400, &[2])], None),
        ("an eighth is one", &[(2, 303)], &[(1, 400, &[2]), (2, 400, &[2])], Some((1, 2))),
        (
            "the less busy of two heirs",
            &[(2, 200), (3, 100)],
            &[(1, 400, &[2, 3]), (2, 400, &[2, 3])],
            Some((1, 3)),
        ),
        (
            "only up-to-date voters are heirs",
            &[(2, 200), (3, 100)],
            &[(1, 400, &[2]), (2, 400, &[2])],
            Some((1, 2)),
        ),
    ];
    for (name, peers, groups, expected) in table {
        let expected = expected.map(|(group, heir)| (GroupId(group), NodeId(heir)));
        assert_eq!(give(&others(peers), &led(groups)), expected, "{name}");
    }
}

#[test]
fn whoever_has_most_gives_first_and_the_others_when_leaders_stay() {
    let peers = others(&[(1, 50), (3, 50), (4, 90)]);
    assert_eq!([rank(NodeId(2), 100, &peers), rank(NodeId(2), 90, &peers)], [0, 0]);
    assert_eq!([rank(NodeId(2), 50, &peers), rank(NodeId(2), 10, &peers)], [2, 3]);
    let led = |own| BTreeMap::from([(NodeId(1), own), (NodeId(2), 3)]);
    let looks = |rank, seen: &[(usize, bool)]| -> Vec<bool> {
        let mut patience = Patience::default();
        seen.iter().map(|(own, gives)| patience.look(rank, led(*own), *gives)).collect()
    };
    assert!(!Patience::default().look(0, led(5), true), "not at once");
    assert_eq!(looks(0, &[(5, true), (5, true), (5, true), (4, true)]), [false, false, true, true]);
    assert_eq!(looks(0, &[(5, true), (5, false), (5, true), (5, true)]), [false; 4]);
    assert_eq!(looks(1, &[(5, true), (5, true), (5, true), (5, true)]), [false, false, false, true]);
    assert_eq!(looks(1, &[(5, true), (5, true), (5, true), (4, true), (4, true)]), [false; 5]);
}

/// A cluster that knows itself as it was at the last look; every node looks at the same time.
#[derive(Debug, Clone)]
struct World {
    nodes: Vec<NodeId>,
    loads: Vec<u64>,
    /// Voters of each group.
    voters: Vec<BTreeSet<NodeId>>,
    leaders: Vec<NodeId>,
}

impl World {
    fn led(&self, node: NodeId, loads: &[u64]) -> Vec<Led> {
        let led = self.leaders.iter().enumerate().filter(|(_, leader)| **leader == node);
        led.map(|(at, _)| Led {
            group: GroupId(u32::try_from(at).unwrap()),
            load: loads[at],
            heirs: self.voters[at].iter().copied().filter(|heir| *heir != node).collect(),
        })
        .collect()
    }

    fn leads(&self, node: NodeId, loads: &[u64]) -> Leads {
        let led = self.led(node, loads);
        Leads { groups: led.len(), load: led.iter().map(|led| led.load).sum() }
    }

    fn largest(&self) -> u64 {
        self.nodes.iter().map(|node| self.leads(*node, &self.loads).load).max().unwrap()
    }

    fn others(&self, node: NodeId, loads: &[u64]) -> BTreeMap<NodeId, Leads> {
        let others = self.nodes.iter().filter(|other| **other != node);
        others.map(|other| (*other, self.leads(*other, loads))).collect()
    }

    /// One look of all nodes, at loads that are perhaps seen a bit otherwise; how many groups moved.
    fn look(&mut self, patience: &mut BTreeMap<NodeId, Patience>, loads: &[u64]) -> usize {
        let before = self.clone();
        let mut moved = 0;
        for node in &before.nodes {
            let (led, others) = (before.led(*node, loads), before.others(*node, loads));
            let given = give(&others, &led);
            let rank = rank(*node, led.iter().map(|led| led.load).sum(), &others);
            let counts = before.nodes.iter().map(|id| (*id, before.leads(*id, loads).groups)).collect();
            let now = patience.entry(*node).or_default().look(rank, counts, given.is_some());
            if let Some((group, heir)) = given.filter(|_| now) {
                self.leaders[group.0 as usize] = heir;
                moved += 1;
            }
        }
        moved
    }
}

fn worlds() -> impl Strategy<Value = World> {
    let size = (2u64..=7, 1usize..=24);
    size.prop_flat_map(|(nodes, groups)| {
        let load = prop_oneof![Just(LOAD_IDLE), LOAD_IDLE..100, LOAD_IDLE..20_000];
        let group = (load, proptest::collection::btree_set(1..=nodes, 1..=5), any::<prop::sample::Index>());
        proptest::collection::vec(group, groups).prop_map(move |groups| {
            let mut world = World {
                nodes: (1..=nodes).map(NodeId).collect(),
                loads: Vec::new(),
                voters: Vec::new(),
                leaders: Vec::new(),
            };
            for (load, voters, leader) in groups {
                let voters: Vec<NodeId> = voters.into_iter().map(NodeId).collect();
                world.loads.push(load);
                world.leaders.push(*leader.get(&voters));
                world.voters.push(voters.into_iter().collect());
            }
            world
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// From any beginning it comes to rest, with nothing left to gain, and the largest load never grows on the way.
    #[test]
    fn any_beginning_comes_to_rest_with_nothing_left_to_gain(mut world in worlds()) {
        let loads = world.loads.clone();
        let mut patience = BTreeMap::new();
        let mut since = 0;
        let mut largest = world.largest();
        for _ in 0..2_000 {
            since = if world.look(&mut patience, &loads) == 0 { since + 1 } else { 0 };
            prop_assert!(world.largest() <= largest, "{world:?}");
            largest = world.largest();
            if since > 60 {
                break;
            }
        }
        prop_assert!(since > 60, "it goes on and on: {world:?}");
        for node in &world.nodes {
            let left = give(&world.others(*node, &loads), &world.led(*node, &loads));
            prop_assert_eq!(left, None, "{} keeps what others should have: {:?}", node, world);
        }
    }

    /// Once at rest, loads that are measured a bit higher and lower move nothing to and fro.
    #[test]
    fn what_is_at_rest_moves_little_though_loads_tremble(mut world in worlds(), noise in any::<u64>()) {
        let loads = world.loads.clone();
        let mut patience = BTreeMap::new();
        for _ in 0..300 {
            world.look(&mut patience, &loads);
        }
        let mut moved = 0;
        for round in 0..100u64 {
            // Up to a twentieth more or less.
            let tremble = |(at, load): (usize, &u64)| {
                let drawn = (noise ^ round).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(at as u32) % 101;
                load * 950 / 1_000 + load * drawn / 1_000
            };
            let seen: Vec<u64> = loads.iter().enumerate().map(tremble).collect();
            moved += world.look(&mut patience, &seen);
        }
        prop_assert!(moved <= world.loads.len(), "{moved} in 100 looks: {world:?}");
    }
}

/// Idle groups alone: by their number, as evenly as one group allows.
#[test]
fn idle_groups_are_spread_by_number() {
    for nodes in 2..=7u64 {
        for shift in 0..20u64 {
            let all: Vec<NodeId> = (1..=nodes).map(NodeId).collect();
            let mut world = World {
                loads: vec![LOAD_IDLE; 33],
                voters: vec![all.iter().copied().collect(); 33],
                leaders: (0..33u64).map(|id| NodeId(1 + (id * shift / 7) % nodes)).collect(),
                nodes: all,
            };
            let loads = world.loads.clone();
            let mut patience = BTreeMap::new();
            for _ in 0..60 {
                world.look(&mut patience, &loads);
            }
            let counts: BTreeSet<usize> =
                world.nodes.iter().map(|node| world.leads(*node, &loads).groups).collect();
            let (least, most) = (counts.first().unwrap(), counts.last().unwrap());
            assert!(most - least <= 2, "{nodes} nodes, {shift}: {world:?}");
        }
    }
}
