//! Every kind does what it says, and undoes it.

use super::{Director, Double, plan, run};
use crate::faults::names;
use crate::plan::{FaultKind, Plan, StackKind};
use crate::world::World;
use clap::ValueEnum;
use consensus::{Clock, NodeId};
use std::time::Duration;

/// What is done to a world by a kind.
fn actions(kind: FaultKind) -> &'static [&'static str] {
    match kind {
        FaultKind::Crash | FaultKind::LongCrash | FaultKind::Blackout | FaultKind::DiskStep => {
            &["crash", "start"]
        }
        FaultKind::DiskFull | FaultKind::DiskRead | FaultKind::DiskWrite | FaultKind::DiskFlush => {
            &["failed", "start"]
        }
        FaultKind::Restart => &["order", "stopped", "start"],
        FaultKind::Upgrade => &["order", "stopped", "install", "start"],
        FaultKind::PartitionHalf
        | FaultKind::PartitionOne
        | FaultKind::PartitionOneWay
        | FaultKind::PartitionBridge
        | FaultKind::FrontCut => &["cut node", "mend node"],
        FaultKind::SiteCut => &["cut site-", "mend site-"],
        FaultKind::Loss => &["cut", "mend", "drop"],
        FaultKind::Disconnect => &["drop"],
        FaultKind::Delay => &["delay"],
        FaultKind::LeaderAhead
        | FaultKind::MoveLeader
        | FaultKind::Join
        | FaultKind::Leave
        | FaultKind::Replicas
        | FaultKind::MoveDomain => &["order"],
        FaultKind::DiskSlow | FaultKind::ClockJump | FaultKind::ClockDrift => &[],
    }
}

#[test]
fn every_kind_is_done_and_undone() {
    for kind in FaultKind::value_variants() {
        let plan = plan(1, &[*kind]);
        let mut director = Director::new(&plan);
        let mut world = Double::new(plan.nodes);
        run(&mut director, &mut world, Duration::from_millis(2_990));
        assert!(world.record.is_empty(), "{kind:?} begins before the cluster is born: {:?}", world.record);
        run(&mut director, &mut world, Duration::from_secs(120));
        let done = director.counts().get(&format!("fault.{}", kind.name())).copied().unwrap_or(0);
        assert!(done >= 5, "{kind:?} was done {done} times");
        assert_eq!(director.kinds_done().iter().collect::<Vec<_>>(), [kind]);
        for action in actions(*kind) {
            assert!(world.has(action), "{kind:?} did no '{action}': {:?}", world.record);
        }
        // No new ones begin: what there is ends by itself.
        director.kinds.clear();
        run(&mut director, &mut world, Duration::from_secs(90));
        assert!(director.running.is_empty(), "{kind:?} never ends");
        assert!(world.cuts.is_empty(), "{kind:?} leaves cuts: {:?}", world.cuts);
        assert!(world.delays.is_empty(), "{kind:?} leaves delays: {:?}", world.delays);
        for node in world.nodes() {
            assert!(world.is_up(node), "{kind:?} leaves {node} down");
            let takes = world.disk_takes(node);
            assert_eq!(takes.ok(), Some(Duration::ZERO), "{kind:?} leaves a disk that is not sound");
        }
        assert!(director.broken().is_empty(), "{kind:?}: {:?}", director.broken());
    }
}

#[test]
fn a_blackout_takes_every_node_at_one_instant() {
    let plan = plan(2, &[FaultKind::Blackout]);
    let mut director = Director::new(&plan);
    let mut world = Double::new(plan.nodes);
    let mut dark = false;
    for _ in 0..600 {
        run(&mut director, &mut world, Duration::from_millis(50));
        dark |= world.up.is_empty();
    }
    assert!(dark);
}

#[test]
fn a_slow_disk_is_slow_only_for_a_time() {
    let plan = plan(3, &[FaultKind::DiskSlow]);
    let mut director = Director::new(&plan);
    let mut world = Double::new(plan.nodes);
    let mut slow = 0;
    for _ in 0..300 {
        run(&mut director, &mut world, Duration::from_millis(100));
        slow += world
            .nodes()
            .into_iter()
            .filter(|node| world.disk_takes(*node).unwrap() > Duration::ZERO)
            .count();
    }
    assert!((1..600).contains(&slow), "{slow} of 900");
}

#[test]
fn clocks_jump_and_come_back() {
    let plan = plan(4, &[FaultKind::LeaderAhead]);
    let mut director = Director::new(&plan);
    let mut world = Double::new(plan.nodes);
    let right = world.clock(NodeId(2)).wall_ms();
    let mut ahead = false;
    for _ in 0..300 {
        run(&mut director, &mut world, Duration::from_millis(100));
        ahead |= world.clock(NodeId(1)).wall_ms() >= right + 3_600_000;
    }
    assert!(ahead, "the first node leads, and is never ahead");
    director.kinds.clear();
    run(&mut director, &mut world, Duration::from_secs(60));
    assert_eq!(world.clock(NodeId(1)).wall_ms(), right);
    assert!(world.record.iter().any(|line| line.contains("order node_1 Transfer")), "{:?}", world.record);
}

#[test]
fn steps_of_the_disk_are_counted_by_name() {
    let plan = plan(5, &[FaultKind::DiskStep]);
    let mut director = Director::new(&plan);
    let mut world = Double::new(plan.nodes);
    run(&mut director, &mut world, Duration::from_secs(600));
    let known = names();
    let prefix = "fault.disk-step.";
    let steps: Vec<&String> =
        director.counts().keys().filter(|name| name.starts_with(prefix) && known.contains(name)).collect();
    assert!(steps.len() >= 10, "{steps:?}");
    assert!(steps.iter().any(|name| name.ends_with("snapshots.rename.after")), "{steps:?}");
}

#[test]
fn the_same_seed_does_the_same() {
    let record = |seed| {
        let plan = Plan { nodes: 5, ..Plan::draw(seed, StackKind::Fast) };
        let mut director = Director::new(&plan);
        let mut world = Double::new(plan.nodes);
        run(&mut director, &mut world, Duration::from_secs(60));
        director.heal(&mut world);
        (world.record, director.history())
    };
    for seed in 0..10 {
        assert_eq!(record(seed), record(seed), "seed {seed}");
    }
    assert_ne!(record(0).0, record(1).0);
}

#[test]
fn one_kind_more_moves_no_fault_of_another() {
    let cuts = |kinds: &[FaultKind]| {
        let plan = plan(6, kinds);
        let mut director = Director::new(&plan);
        let mut world = Double::new(plan.nodes);
        run(&mut director, &mut world, Duration::from_secs(60));
        world.record.retain(|line| line.contains("cut"));
        world.record
    };
    let alone = cuts(&[FaultKind::PartitionBridge]);
    assert!(!alone.is_empty());
    assert_eq!(alone, cuts(&[FaultKind::Delay, FaultKind::PartitionBridge, FaultKind::ClockDrift]));
}
