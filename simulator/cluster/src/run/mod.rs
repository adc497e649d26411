//! One run, from a plan to a report.

mod course;
mod parts;

pub use course::Course;
pub use parts::Parts;

use crate::determinism;
use crate::plan::{Plan, StackKind};
use crate::report::Report;
use crate::stack;

/// Runs a plan. The calling thread belongs to the simulation from now on: a process runs one plan.
#[must_use]
pub fn run(plan: Plan) -> Report {
    determinism::enter(plan.seed);
    consensus::seed_thread(plan.seed);
    let began = determinism::real_time();
    let worked = determinism::processor_time();
    let parts = Parts::new(plan);
    let mut report = match parts.plan.stack {
        StackKind::Full => stack::full::run(&parts),
        StackKind::Fast => stack::fast::run(&parts),
    };
    report.real_s = (determinism::real_time() - began).as_secs_f64();
    report.core_s = (determinism::processor_time() - worked).as_secs_f64();
    report
}
