//! The full stack: turmoil's hosts and TCP, real tonic and HTTP/2.

mod connections;
mod dial;
mod host;
mod reach;
mod world;

use crate::report::Report;
use crate::run::{Course, Parts};
use connections::Connections;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use world::FullWorld;

/// A host's turn; also what the network's latencies are rounded to.
const TICK: Duration = Duration::from_millis(1);
/// The course is asked every so many ticks.
const STEP_TICKS: u32 = 5;
/// Longer than any run.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// Runs a plan on this stack.
///
/// # Panics
/// When turmoil itself fails, which is a bug of the simulator.
#[must_use]
pub fn run(parts: &Parts) -> Report {
    let plan = &parts.plan;
    let mut sim = turmoil::Builder::new()
        .epoch(SystemTime::UNIX_EPOCH)
        .rng_seed(plan.seed)
        .tick_duration(TICK)
        .simulation_duration(LONGEST)
        .tcp_capacity(65_536)
        .min_message_latency(plan.net.latency_min)
        .max_message_latency(plan.net.latency_max)
        .build();
    let connections = Arc::new(Connections::default());
    for machine in parts.machines.values() {
        host::add_node(&mut sim, parts, machine, &connections);
    }
    for site in parts.sites() {
        host::add_site(&mut sim, parts, site, &connections);
    }
    let mut world = FullWorld::new(sim, parts, connections);
    let mut course = Course::new(parts);
    loop {
        for _ in 0..STEP_TICKS {
            world.tick();
        }
        if course.step(&mut world) {
            break;
        }
    }
    let report = course.report(world.elapsed());
    world.end();
    report
}
