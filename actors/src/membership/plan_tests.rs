use super::*;
use consensus::GroupMember;

fn ids(list: &[u64]) -> BTreeSet<NodeId> {
    list.iter().map(|id| NodeId(*id)).collect()
}

fn address(id: NodeId) -> String {
    format!("host{}:7400", id.0)
}

/// A group and the cluster around it.
#[derive(Clone)]
struct World {
    group: GroupId,
    this: NodeId,
    now: GroupMembers,
    nodes: BTreeMap<NodeId, Member>,
    up: BTreeSet<NodeId>,
    lost: BTreeSet<NodeId>,
    elsewhere: BTreeSet<NodeId>,
    replicas: usize,
    zones: BTreeMap<NodeId, String>,
    drained: BTreeSet<NodeId>,
}

impl World {
    /// All of these are nodes, the group's voters, there, and up to date; the first leads.
    fn of(list: &[u64]) -> World {
        let member = |id: NodeId| GroupMember { address: address(id), voter: true, behind: Some(0) };
        let node = |id: NodeId| Member { address: address(id), nonce: 0, leaving: false };
        let all = ids(list);
        World {
            group: GroupId(1),
            this: NodeId(list[0]),
            now: GroupMembers {
                index: 1,
                committed: true,
                joint: false,
                members: all.iter().map(|id| (*id, member(*id))).collect(),
            },
            nodes: all.iter().map(|id| (*id, node(*id))).collect(),
            up: all,
            lost: BTreeSet::new(),
            elsewhere: BTreeSet::new(),
            replicas: 5,
            zones: BTreeMap::new(),
            drained: BTreeSet::new(),
        }
    }

    fn join(&mut self, id: u64) -> &mut Self {
        let id = NodeId(id);
        self.nodes.insert(id, Member { address: address(id), nonce: 0, leaving: false });
        self.up.insert(id);
        self
    }

    fn leave(&mut self, id: u64) -> &mut Self {
        self.nodes.get_mut(&NodeId(id)).expect("a node").leaving = true;
        self
    }

    fn down(&mut self, id: u64) -> &mut Self {
        self.up.remove(&NodeId(id));
        self
    }

    fn member(&mut self, id: u64) -> &mut GroupMember {
        self.now.members.get_mut(&NodeId(id)).expect("a member")
    }

    fn next(&self) -> Option<Step> {
        next(&Situation {
            group: self.group,
            this: self.this,
            now: &self.now,
            nodes: &self.nodes,
            up: &self.up,
            lost: &self.lost,
            elsewhere: &self.elsewhere,
            replicas: self.replicas,
            zones: &self.zones,
            drained: &self.drained,
        })
    }

    /// Does what the step says, as a group would.
    fn take(&mut self, step: Step) {
        match step {
            Step::HandOver(to) => {
                assert!(self.now.members[&to].voter && self.up.contains(&to), "{to} cannot lead");
                self.this = to;
            }
            Step::Change(MemberChange::Admit { node, address }) => {
                let member = GroupMember { address, voter: false, behind: Some(0) };
                assert!(self.now.members.insert(node, member).is_none(), "{node} twice");
            }
            Step::Change(MemberChange::Move { node, address }) => self.member(node.0).address = address,
            Step::Change(MemberChange::SetVoters(voters)) => {
                let live = voters.intersection(&self.up).count();
                assert!(live > voters.len() / 2, "{voters:?} cannot decide anything");
                for (id, member) in &mut self.now.members {
                    member.voter = voters.contains(id);
                }
            }
            Step::Change(MemberChange::Dismiss(node)) => {
                let gone = self.now.members.remove(&node).expect("a member");
                assert!(!gone.voter, "{node} still votes");
            }
            Step::Change(MemberChange::Settle) => self.now.joint = false,
        }
    }

    /// Takes steps until none is due.
    fn settle(&mut self) -> &mut Self {
        for _ in 0..50 {
            let Some(step) = self.next() else { return self };
            self.take(step);
        }
        panic!("does not end");
    }
}

#[test]
fn nothing_is_due_where_all_is_as_it_should_be() {
    for list in [&[1][..], &[1, 2], &[1, 2, 3], &[1, 2, 3, 4, 5]] {
        assert_eq!(World::of(list).next(), None, "{list:?}");
    }
    let mut unfounded = World::of(&[1, 2, 3]);
    unfounded.nodes.clear();
    assert_eq!(unfounded.next(), None);
}

#[test]
fn a_change_at_a_time() {
    let mut world = World::of(&[1, 2, 3]);
    world.join(4);
    world.now.committed = false;
    assert_eq!(world.next(), None, "the last one is not committed");
    world.now.committed = true;
    world.now.joint = true;
    assert_eq!(world.next(), Some(Step::Change(MemberChange::Settle)));
    world.now.joint = false;
    let admit = MemberChange::Admit { node: NodeId(4), address: address(NodeId(4)) };
    assert_eq!(world.next(), Some(Step::Change(admit)));
}

#[test]
fn who_joins_votes_once_it_is_near() {
    let mut world = World::of(&[1]);
    world.join(2);
    world.take(world.next().expect("admitted"));
    world.member(2).behind = Some(BEHIND_MAX + 1);
    assert_eq!(world.next(), None);
    world.member(2).behind = None;
    assert_eq!(world.next(), None, "nothing is known of it");
    world.member(2).behind = Some(BEHIND_MAX);
    assert_eq!(world.next(), Some(Step::Change(MemberChange::SetVoters(ids(&[1, 2])))));
}

#[test]
fn four_nodes_have_three_voters_and_shards_differ_in_which() {
    let mut sets = BTreeSet::new();
    for group in 0..16 {
        let mut world = World::of(&[1, 2, 3]);
        world.group = GroupId(group);
        world.join(4).settle();
        assert_eq!(world.now.voters().len(), 3);
        assert_eq!(world.now.members.len(), 4);
        sets.insert(world.now.voters());
    }
    assert_eq!(sets.len(), 4, "each of the four is passed over somewhere: {sets:?}");
}

#[test]
fn one_more_node_takes_its_share_and_no_more() {
    let mut moved = 0;
    for group in 1..=64 {
        let mut world = World::of(&[1, 2, 3, 4, 5]);
        world.group = GroupId(group);
        world.join(6).settle();
        let stay = world.now.voters().intersection(&ids(&[1, 2, 3, 4, 5])).count();
        assert!(stay >= 4, "one place at most changes hands: {:?}", world.now.voters());
        assert_eq!(world.now.members.len(), 5, "who votes no more has no replica any more");
        moved += 5 - stay;
    }
    assert!((40..=64).contains(&moved), "five places of six in 64 groups are 53 or so: {moved}");
}

#[test]
fn a_leader_that_is_to_go_hands_over_first() {
    let mut world = World::of(&[1, 2, 3, 4]);
    world.join(4).settle();
    world.this = *world.now.voters().first().expect("voters");
    let goes = world.this;
    world.leave(goes.0);
    let Some(Step::HandOver(heir)) = world.next() else { panic!("{:?}", world.next()) };
    assert_ne!(heir, goes);
    world.settle();
    assert!(!world.now.members.contains_key(&goes));
    assert_eq!(world.now.voters().len(), 3);
}

#[test]
fn the_only_voter_takes_others_in_before_it_goes() {
    let mut world = World::of(&[1]);
    world.join(2).leave(1);
    world.settle();
    assert_eq!((world.now.voters(), world.this), (ids(&[2]), NodeId(2)));
    assert_eq!(world.now.members.len(), 1);
}

#[test]
fn the_meta_group_is_left_last() {
    let mut world = World::of(&[1, 2, 3]);
    world.group = GroupId::META;
    world.elsewhere = ids(&[1, 2, 3]);
    world.leave(3).settle();
    assert_eq!(world.now.voters(), ids(&[1, 2]));
    assert!(world.now.members.contains_key(&NodeId(3)), "a shard still has it");
    world.elsewhere = ids(&[1, 2]);
    world.settle();
    assert!(!world.now.members.contains_key(&NodeId(3)));
}

#[test]
fn no_voters_are_taken_that_cannot_decide() {
    let mut world = World::of(&[1, 2, 3]);
    world.down(2).leave(3);
    assert_eq!(world.next(), None, "of 1 and 2 only one is there");
    world.up.insert(NodeId(2));
    assert_eq!(world.next(), Some(Step::Change(MemberChange::SetVoters(ids(&[1, 2])))));
}

#[test]
fn a_dead_node_can_be_removed() {
    let mut world = World::of(&[1, 2, 3]);
    world.down(3).leave(3).settle();
    assert_eq!(world.now.voters(), ids(&[1, 2]));
    assert!(!world.now.members.contains_key(&NodeId(3)));
}

#[test]
fn another_votes_for_who_is_lost_and_gives_the_place_back() {
    let mut world = World::of(&[1, 2, 3]);
    world.join(4).settle();
    let lost = *world.now.voters().iter().find(|id| **id != world.this).expect("three");
    let before = world.now.voters();
    world.down(lost.0).lost = BTreeSet::from([lost]);
    world.settle();
    assert!(!world.now.voters().contains(&lost));
    assert_eq!(world.now.voters().len(), 3);
    assert!(world.now.members.contains_key(&lost), "it may come back");
    world.up.insert(lost);
    world.lost.clear();
    world.settle();
    assert_eq!(world.now.voters(), before);
    // Nobody is there in its place.
    let mut world = World::of(&[1, 2, 3]);
    world.down(2).lost = ids(&[2]);
    assert_eq!(world.next(), None);
}

#[test]
fn a_shard_has_as_many_replicas_as_it_should_and_they_are_spread() {
    let mut held: BTreeMap<NodeId, usize> = BTreeMap::new();
    for group in 1..=60 {
        let mut world = World::of(&[1, 2, 3, 4, 5, 6]);
        (world.group, world.replicas) = (GroupId(group), 3);
        world.settle();
        assert_eq!((world.now.members.len(), world.now.voters().len()), (3, 3));
        for id in world.now.members.keys() {
            *held.entry(*id).or_default() += 1;
        }
        // Five again: the other two come back.
        world.replicas = 5;
        world.settle();
        assert_eq!((world.now.members.len(), world.now.voters().len()), (5, 5));
    }
    assert!(held.values().all(|count| (18..=42).contains(count)), "thirty each, or so: {held:?}");
}

#[test]
fn a_replica_of_who_is_lost_is_made_elsewhere() {
    let mut world = World::of(&[1, 2, 3, 4, 5, 6, 7]);
    world.replicas = 3;
    world.settle();
    let before: BTreeSet<NodeId> = world.now.members.keys().copied().collect();
    let lost = *before.iter().find(|id| **id != world.this).expect("three");
    world.down(lost.0);
    assert_eq!(world.next(), None, "it may be back in a moment");
    world.lost = BTreeSet::from([lost]);
    world.settle();
    assert_eq!((world.now.members.len(), world.now.voters().len()), (3, 3));
    assert!(!world.now.members.contains_key(&lost));
    // Whoever is not reached is not admitted, and holds nothing else up.
    let mut world = World::of(&[1, 2, 3]);
    world.join(4).down(4);
    assert_eq!(world.next(), None);
    world.leave(3);
    assert_eq!(world.next(), Some(Step::Change(MemberChange::SetVoters(ids(&[1, 2])))));
}

#[test]
fn an_address_is_changed() {
    let mut world = World::of(&[1, 2, 3]);
    world.nodes.get_mut(&NodeId(2)).expect("a node").address = "elsewhere:1".to_owned();
    let moved = MemberChange::Move { node: NodeId(2), address: "elsewhere:1".to_owned() };
    assert_eq!(world.next(), Some(Step::Change(moved)));
    assert_eq!(world.settle().next(), None);
}

/// Whatever comes and goes, in any order, with nodes down now and then: every step can be taken,
/// and when all are there it ends as it should.
#[test]
fn any_course_ends_as_it_should() {
    for seed in 0..2_000u64 {
        let mut state = seed;
        let mut draw = |below: u64| {
            state = state.wrapping_add(1);
            weight(GroupId(7), NodeId(state.wrapping_mul(0x9e37_79b9))) % below
        };
        let mut world = World::of(&[1, 2, 3]);
        world.group = GroupId(draw(20) as u32);
        world.replicas = [1, 3, 5][draw(3) as usize];
        let zones = draw(4);
        for id in (1..10).filter(|_| zones > 0) {
            world.zones.insert(NodeId(id), format!("zone-{}", draw(zones)));
        }
        let mut next_id = 4;
        for _ in 0..30 {
            match draw(6) {
                0 if next_id < 10 => {
                    world.join(next_id);
                    next_id += 1;
                }
                1 => {
                    let stay: Vec<u64> =
                        world.nodes.iter().filter(|(_, node)| !node.leaving).map(|(id, _)| id.0).collect();
                    if stay.len() > 1 {
                        world.leave(stay[draw(stay.len() as u64) as usize]);
                    }
                }
                2 => {
                    let all: Vec<u64> = world.now.members.keys().map(|id| id.0).collect();
                    let one = all[draw(all.len() as u64) as usize];
                    let live = world.now.voters().iter().filter(|id| world.up.contains(id)).count();
                    if one != world.this.0 && live * 2 > world.now.voters().len() + 2 {
                        world.down(one);
                    }
                }
                3 => world.up.extend(world.nodes.keys().copied()),
                _ => {
                    if let Some(step) = world.next() {
                        world.take(step);
                    }
                }
            }
        }
        world.up.extend(world.nodes.keys().copied());
        world.settle();
        let stay: BTreeSet<NodeId> =
            world.nodes.iter().filter(|(_, node)| !node.leaving).map(|(id, _)| *id).collect();
        let members: BTreeSet<NodeId> = world.now.members.keys().copied().collect();
        if world.group == GroupId::META {
            assert_eq!(members, stay, "seed {seed}");
            assert_eq!(world.now.voters().len(), voters_of(stay.len()), "seed {seed}");
        } else {
            assert!(members.is_subset(&stay), "seed {seed}");
            assert_eq!(members.len(), stay.len().min(world.replicas), "seed {seed}");
            assert_eq!(world.now.voters().len(), voters_of(members.len()), "seed {seed}");
            assert!(even(&world.zones, &members, &stay), "seed {seed}: {members:?} of {:?}", world.zones);
        }
        assert!(
            even(&world.zones, &world.now.voters(), &members),
            "seed {seed}: voters of {:?}",
            world.zones
        );
        assert!(world.now.voters().contains(&world.this), "seed {seed}");
    }
}

/// Whether no zone has more of the chosen than it must have, whoever of all had been chosen.
fn even(zones: &BTreeMap<NodeId, String>, chosen: &BTreeSet<NodeId>, all: &BTreeSet<NodeId>) -> bool {
    let count = |of: &BTreeSet<NodeId>| {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for id in of {
            *counts.entry(zones.get(id).map_or("", String::as_str)).or_default() += 1;
        }
        counts
    };
    let (there, taken) = (count(all), count(chosen));
    let least = (0..=chosen.len())
        .find(|most| there.values().map(|nodes| nodes.min(most)).sum::<usize>() >= chosen.len());
    taken.values().max().copied().unwrap_or(0) <= least.unwrap_or(usize::MAX)
}

#[test]
fn voters_and_replicas_are_of_different_zones() {
    for group in 1..=40 {
        let mut world = World::of(&[1, 2, 3, 4, 5, 6]);
        world.group = GroupId(group);
        world.replicas = 3;
        for (id, zone) in [(1, "a"), (2, "a"), (3, "a"), (4, "b"), (5, "b"), (6, "c")] {
            world.zones.insert(NodeId(id), zone.to_owned());
        }
        world.settle();
        let zones: BTreeSet<&String> = world.now.voters().iter().map(|id| &world.zones[id]).collect();
        assert_eq!(zones.len(), 3, "group {group}: {:?}", world.now.voters());
        // A zone that is gone for long is replaced by what there is, and gets its place back.
        world.down(6);
        world.lost.insert(NodeId(6));
        if world.this == NodeId(6) {
            world.this = *world.now.voters().iter().find(|id| id.0 != 6).expect("another");
        }
        world.settle();
        assert!(!world.now.voters().contains(&NodeId(6)), "group {group}");
        world.up.insert(NodeId(6));
        world.lost.clear();
        world.settle();
        assert!(world.now.voters().contains(&NodeId(6)), "group {group}");
    }
}

#[test]
fn a_drained_node_leads_only_what_nobody_else_can() {
    struct Case {
        what: &'static str,
        change: fn(&mut World),
        /// Who may lead then; nobody else: the drained one goes on.
        heirs: &'static [u64],
    }
    let cases = [
        Case { what: "all are well", change: |_| {}, heirs: &[2, 3] },
        Case {
            what: "one is down",
            change: |world| {
                world.down(2);
            },
            heirs: &[3],
        },
        Case { what: "one is behind", change: |world| world.member(2).behind = Some(5_000), heirs: &[3] },
        Case { what: "one learns", change: |world| world.member(2).voter = false, heirs: &[3] },
        Case {
            what: "one leaves",
            change: |world| {
                world.leave(3);
            },
            heirs: &[2],
        },
        Case {
            what: "one is drained too",
            change: |world| {
                world.drained.insert(NodeId(3));
            },
            heirs: &[2],
        },
        Case {
            what: "the others are down",
            change: |world| {
                world.down(2).down(3);
            },
            heirs: &[],
        },
        Case { what: "a change is not committed", change: |world| world.now.committed = false, heirs: &[] },
        Case { what: "a change is half done", change: |world| world.now.joint = true, heirs: &[] },
    ];
    for Case { what, change, heirs } in cases {
        let mut world = World::of(&[1, 2, 3]);
        world.drained.insert(NodeId(1));
        change(&mut world);
        match world.next() {
            Some(Step::HandOver(heir)) => assert!(heirs.contains(&heir.0), "{what}: {heir}"),
            other => assert!(heirs.is_empty(), "{what}: {other:?}"),
        }
    }
}

#[test]
fn what_a_drained_node_led_is_spread_and_it_stays_a_voter() {
    let mut led = BTreeMap::<NodeId, usize>::new();
    for group in 1..=40 {
        let mut world = World::of(&[1, 2, 3]);
        world.group = GroupId(group);
        world.drained.insert(NodeId(1));
        world.settle();
        assert_eq!(world.now.voters(), ids(&[1, 2, 3]), "group {group}");
        *led.entry(world.this).or_default() += 1;
    }
    assert_eq!(led.keys().copied().collect::<BTreeSet<_>>(), ids(&[2, 3]));
    assert!(led.values().all(|count| *count >= 10), "{led:?}");
}
