//! Who may fail, and who starts again.

use super::{Director, Double, STEP, plan, run};
use crate::faults::Stage;
use crate::plan::FaultKind;
use crate::world::World;
use consensus::NodeId;
use std::time::Duration;

const NODE: NodeId = NodeId(1);

fn quiet() -> (Director, Double) {
    let plan = plan(1, &[]);
    (Director::new(&plan), Double::new(plan.nodes))
}

fn on_stage(director: &mut Director, world: &mut Double, act: impl FnOnce(&mut Stage<'_>)) {
    let Director { shared, draw, .. } = director;
    act(&mut Stage { world, shared, draw, kind: FaultKind::Crash });
}

#[test]
fn a_node_that_fails_for_no_reason_breaks_its_promise_once_and_starts_again() {
    let (mut director, mut world) = quiet();
    world.fail(NODE, "for no reason");
    run(&mut director, &mut world, Duration::from_millis(900));
    assert!(!world.is_up(NODE), "not at once");
    run(&mut director, &mut world, Duration::from_millis(2_200));
    assert!(world.is_up(NODE));
    assert_eq!(director.broken().len(), 1);
    assert_eq!(director.broken()[0].promise, "node");
}

#[test]
fn a_node_that_ends_without_a_word_breaks_its_promise() {
    let (mut director, mut world) = quiet();
    world.up.remove(&NODE);
    run(&mut director, &mut world, Duration::from_secs(4));
    assert!(world.is_up(NODE));
    assert_eq!(director.broken().len(), 1);
}

#[test]
fn a_disk_excuses_its_node_until_the_next_start_after_it_recovered() {
    let (mut director, mut world) = quiet();
    on_stage(&mut director, &mut world, |stage| drop(stage.hurt_disk(NODE)));
    for _ in 0..2 {
        world.fail(NODE, "its disk");
        run(&mut director, &mut world, Duration::from_secs(4));
        assert!(world.is_up(NODE));
        assert!(director.broken().is_empty(), "{:?}", director.broken());
    }
    on_stage(&mut director, &mut world, |stage| stage.disk_recovers(NODE));
    world.fail(NODE, "what its disk did before");
    run(&mut director, &mut world, Duration::from_secs(4));
    assert!(director.broken().is_empty());
    world.fail(NODE, "for no reason");
    run(&mut director, &mut world, Duration::from_secs(4));
    assert_eq!(director.broken().len(), 1);
}

#[test]
fn a_node_starts_when_the_last_fault_lets_it() {
    let (mut director, mut world) = quiet();
    on_stage(&mut director, &mut world, |stage| {
        stage.crash(NODE);
        stage.crash(NODE);
        stage.release(NODE);
    });
    run(&mut director, &mut world, Duration::from_secs(10));
    assert!(!world.is_up(NODE));
    on_stage(&mut director, &mut world, |stage| stage.release(NODE));
    run(&mut director, &mut world, STEP);
    assert!(world.is_up(NODE));
    assert!(director.broken().is_empty());
}

#[test]
fn a_crash_leaves_a_full_disk_full() {
    let (mut director, mut world) = quiet();
    on_stage(&mut director, &mut world, |stage| {
        stage.hurt_disk(NODE);
        stage.shared.disks.fill(stage.world, NODE);
        stage.crash(NODE);
    });
    let kind = world.disk_takes(NODE).map_err(|error| error.kind());
    assert_eq!(kind, Err(std::io::ErrorKind::StorageFull));
    on_stage(&mut director, &mut world, |stage| stage.shared.disks.free(stage.world, NODE));
    assert!(world.disk_takes(NODE).is_ok());
}

#[test]
fn a_node_that_does_not_stop_is_killed() {
    let plan = plan(1, &[FaultKind::Restart]);
    let mut director = Director::new(&plan);
    let mut world = Double::new(plan.nodes);
    world.obedient = false;
    run(&mut director, &mut world, Duration::from_secs(60));
    assert!(director.counts()["fault.restart.killed"] > 0);
    assert!(world.has("crash"));
    assert!(director.broken().is_empty());
}
