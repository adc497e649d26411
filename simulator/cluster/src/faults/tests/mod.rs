mod double;
mod healing;
mod kinds;
mod outages;

use super::Director;
use crate::plan::{FaultKind, FaultPlan, Plan, StackKind};
use double::Double;
use std::time::Duration;

/// Between two steps of the director.
const STEP: Duration = Duration::from_millis(10);
/// Nodes use their disks at every so many steps.
const WORK_EVERY: u32 = 10;

/// A plan with these kinds, often and short.
fn plan(seed: u64, kinds: &[FaultKind]) -> Plan {
    let (every, lasts) = (Duration::from_secs(4), Duration::from_millis(1_500));
    let faults = kinds.iter().map(|kind| FaultPlan { kind: *kind, every, lasts }).collect();
    Plan { faults, nodes: 3, ..Plan::draw(seed, StackKind::Fast) }
}

fn run(director: &mut Director, world: &mut Double, time: Duration) {
    let steps = u32::try_from(time.as_millis() / STEP.as_millis()).unwrap();
    for step in 0..steps {
        world.advance(STEP);
        if step % WORK_EVERY == 0 {
            world.work();
        }
        director.step(world);
    }
}
