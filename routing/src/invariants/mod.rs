//! The registry of promises as checks over plain pictures of the state.
//!
//! A check sees a domain before and after one entry, the entry, its outcome, its events, and the
//! [`Ghost`]: history that the checker keeps for itself. Checks scan; they know nothing of the
//! engine's indexes. Tests, simulation, the chaos checker and the production metric use the same
//! ids. With [`Step::touched`] they look at what the entry changed, without it at everything.

mod ages;
mod callback;
mod consult;
mod facts;
mod ghost;
mod hours;
mod pace;
mod r01;
mod r02;
mod r03;
mod r04;
mod r05;
mod r06;
mod r07;
mod r08;
mod r09;
mod r10;
mod r11;
mod r12;
mod r13;
mod r14;
mod r15;
mod r16;
mod r17;
mod r18;
mod r19;
mod r20;
mod ring;
mod standing;
mod step;
mod touched;

pub use ghost::Ghost;
pub use r14::{Replayed, replay};
pub use step::Step;
pub use touched::Touched;

use std::fmt;

/// A promise of the contract with its check.
#[derive(Debug, Clone, Copy)]
pub struct Promise {
    /// `R-1` to `R-20`: the id in documents, tests, simulation and metrics.
    pub id: &'static str,
    /// The promise.
    pub text: &'static str,
    /// Where it is promised.
    pub source: &'static str,
    /// What goes wrong elsewhere without it.
    pub prevents: &'static str,
    /// Says what is broken, if anything. The ghost is as it was before the entry, but for its clocks.
    pub check: fn(&Step<'_>, &Ghost) -> Vec<String>,
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which promise.
    pub id: &'static str,
    /// What was seen.
    pub seen: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} broken: {}", self.id, self.seen)
    }
}

/// Every promise that has a check, in the order of ids.
pub const ALL: [Promise; 20] = [
    r01::PROMISE,
    r02::PROMISE,
    r03::PROMISE,
    r04::PROMISE,
    r05::PROMISE,
    r06::PROMISE,
    r07::PROMISE,
    r08::PROMISE,
    r09::PROMISE,
    r10::PROMISE,
    r11::PROMISE,
    r12::PROMISE,
    r13::PROMISE,
    r14::PROMISE,
    r15::PROMISE,
    r16::PROMISE,
    r17::PROMISE,
    r18::PROMISE,
    r19::PROMISE,
    r20::PROMISE,
];

/// The document that makes the promises.
const SOURCE: &str = "docs/routing/PROMISES.md";

/// Checks every promise for one domain after one entry, then lets the ghost remember the entry.
pub fn check_all(step: &Step<'_>, ghost: &mut Ghost) -> Vec<Violation> {
    ghost.meet(step);
    let broken = ALL
        .iter()
        .flat_map(|promise| {
            (promise.check)(step, ghost).into_iter().map(|seen| Violation { id: promise.id, seen })
        })
        .collect();
    ghost.remember(step);
    broken
}
