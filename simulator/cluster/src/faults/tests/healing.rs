//! After the healing nothing of the core is faulty.

use super::{Director, Double, STEP, plan, run};
use crate::plan::{FaultKind, Plan, StackKind};
use crate::world::{Place, World};
use clap::ValueEnum;
use consensus::NodeId;
use std::time::Duration;

fn assert_sound(director: &Director, world: &Double, seed: u64) {
    let core = director.core().to_vec();
    assert!(core.len() as u64 >= 2, "seed {seed}: {core:?} is no quorum");
    for node in &core {
        assert!(world.is_up(*node) && world.failure(*node).is_none(), "seed {seed}: {node} is down");
        assert!(world.disk(*node).halted().is_none(), "seed {seed}: {node}'s disk stands still");
        let takes = world.disk_takes(*node);
        assert_eq!(
            takes.as_ref().ok(),
            Some(&Duration::ZERO),
            "seed {seed}: {node}'s disk is not sound: {takes:?}"
        );
    }
    let inside = |place: &Place| match place {
        Place::Node(node) => core.contains(node),
        Place::Site(_) => true,
    };
    let cut = world.cuts.iter().find(|(from, to)| inside(from) && inside(to));
    assert_eq!(cut, None, "seed {seed}");
    assert!(world.delays.is_empty(), "seed {seed}: {:?}", world.delays);
}

#[test]
fn a_healed_core_is_sound_and_stays_so() {
    let (mut smaller, mut fixed) = (0, 0);
    for seed in 0..500 {
        let drawn = Plan::draw(seed, StackKind::Fast);
        let mut director = Director::new(&drawn);
        let mut world = Double::new(drawn.nodes);
        run(&mut director, &mut world, Duration::from_secs(10 + seed % 20));
        director.heal(&mut world);
        assert!(director.core().len() as u64 >= drawn.quorum());
        if drawn.changes_members() {
            // Which of them are a quorum changes.
            assert_eq!(director.core().len() as u64, drawn.nodes, "seed {seed}");
        } else {
            fixed += 1;
            smaller += usize::from((director.core().len() as u64) < drawn.nodes);
        }
        assert_sound(&director, &world, seed);
        let done = world.record.len();
        for _ in 0..500 {
            world.advance(STEP);
            director.keep(&mut world);
        }
        // A node that has asked for its place goes on asking; nothing else.
        let more = world.record[done..].iter().filter(|done| !done.contains("Join"));
        assert_eq!(
            more.count(),
            0,
            "seed {seed}: more was done after the healing: {:?}",
            &world.record[done..]
        );
        assert_sound(&director, &world, seed);
        assert!(director.broken().is_empty(), "seed {seed}: {:?}", director.broken());
    }
    assert!(fixed > 100, "{fixed} of 500 plans leave the members alone");
    assert!((fixed / 5..fixed * 4 / 5).contains(&smaller), "{smaller} of {fixed} cores were not all nodes");
}

#[test]
fn every_kind_is_healed_in_the_middle_of_it() {
    for kind in FaultKind::value_variants() {
        for seed in 0..20 {
            let plan = plan(seed, &[*kind, *kind, *kind]);
            let mut director = Director::new(&plan);
            let mut world = Double::new(plan.nodes);
            run(
                &mut director,
                &mut world,
                Duration::from_secs(15) + STEP * u32::try_from(seed).unwrap() * 13,
            );
            director.heal(&mut world);
            assert_sound(&director, &world, seed);
            assert!(director.broken().is_empty(), "{kind:?}, seed {seed}: {:?}", director.broken());
        }
    }
}

#[test]
fn a_core_node_that_fails_after_the_healing_is_started_again_and_reported() {
    let plan = plan(1, &[]);
    let mut director = Director::new(&plan);
    let mut world = Double::new(plan.nodes);
    director.heal(&mut world);
    let node = director.core()[0];
    world.fail(node, "for no reason");
    for _ in 0..500 {
        world.advance(STEP);
        director.keep(&mut world);
    }
    assert!(world.is_up(node));
    assert_eq!(director.broken().len(), 1);
    assert_eq!(director.broken()[0].seen, format!("{} failed: for no reason", NodeId(node.0)));
}
