//! The fast stack: everything in one paused runtime, frames and requests passed in the process.

mod carry;
mod door;
mod fabric;
mod line;
mod peers;
mod world;

use crate::determinism::set_origin;
use crate::report::Report;
use crate::run::{Course, Parts};
use crate::world::World;
use fabric::Fabric;
use line::FabricReach;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, RngSeed};
use world::FastWorld;

/// The course is asked this often.
const STEP: Duration = Duration::from_millis(5);

/// Runs a plan on this stack.
///
/// # Panics
/// When no runtime can be made.
#[must_use]
pub fn run(parts: &Parts) -> Report {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .rng_seed(RngSeed::from_bytes(&parts.plan.seed.to_le_bytes()))
        .build()
        .expect("a runtime without input and output can always be made");
    let report = runtime.block_on(simulate(parts));
    // What is left of crashed nodes may hold on to each other; the process ends anyway.
    runtime.shutdown_background();
    report
}

async fn simulate(parts: &Parts) -> Report {
    set_origin();
    let fabric = Arc::new(Fabric::new(&parts.plan));
    let mut world = FastWorld::new(parts, Arc::clone(&fabric));
    for node in world.nodes() {
        world.start(node);
    }
    for site in parts.sites() {
        let reach = Arc::new(FabricReach::new(Arc::clone(&fabric), site));
        tokio::spawn(parts.site(site, reach).run());
    }
    let mut course = Course::new(parts);
    loop {
        tokio::time::sleep(STEP).await;
        if course.step(&mut world) {
            return course.report(world.now());
        }
    }
}
