//! waiting age survives requeue, transfer, failover and relaxation.
//!
//! It is the age that is kept, and with it the place in line: whatever a conversation asks for gives way, its
//! arrival stays (and its priority, which is R-3).

use super::{Ghost, Promise, SOURCE, Step, callback};

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-10",
    text: "waiting age survives requeue, transfer, failover and relaxation",
    source: SOURCE,
    prevents: "back of the line after a transfer",
    check,
};

fn check(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let aged = step.conversations().filter_map(|c| {
        let arrived = ghost.arrived.get(&c.id)?;
        (*arrived != c.arrived_at)
            .then(|| format!("{} arrived at {arrived:?} and now counts from {:?}", c.id, c.arrived_at))
    });
    aged.chain(callback::resumed(step, ghost)).collect()
}
