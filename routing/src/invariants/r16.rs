//! a retried request id changes nothing and gets the first answer, refusals included, within its window.

use super::facts;
use super::{Ghost, Promise, SOURCE, Step};
use crate::Rejected;

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-16",
    text: "a retried request id changes nothing and gets the first answer, refusals included, within its window",
    source: SOURCE,
    prevents: "duplicate conversations",
    check,
};

fn check(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let request = &step.entry.request;
    let (Some(id), Some(before)) = (request.id, step.before) else { return Vec::new() };
    if request.domain != step.after.summary.id || before.summary.quarantined.is_some() {
        return Vec::new();
    }
    let mut broken = Vec::new();
    let refused = matches!(step.outcome, Err(Rejected::RequestTooOld { .. }));
    let is_over = ghost.ages.is_over(id, step.entry.wall_ms, ghost.window_us);
    if let Some((first, answer, _)) = ghost.answers.get(&id).filter(|_| !ghost.ages.is_lost(id)) {
        // Out of its window it may be refused, but never carried out again.
        let refusable =
            ghost.remembered(id, step.after.now).is_none() && (is_over || ghost.ages.may_be_forgotten(id));
        let right = if first == request {
            step.outcome == answer
        } else {
            *step.outcome == Err(Rejected::RequestIdReused)
        };
        if !(right || refused && refusable) {
            broken.push(format!("{id:?} was answered {answer:?}, and again {:?}", step.outcome));
        }
    } else if is_over && !refused && !ghost.ages.is_lost(id) {
        broken.push(format!("{id:?} is older than the window and got {:?}", step.outcome));
    } else if refused && !is_over && !ghost.ages.may_be_forgotten(id) {
        broken.push(format!(
            "{id:?} is not older than the window and not among the forgotten: {:?}",
            step.outcome
        ));
    }
    if facts::is_repeat(step, ghost) && (!step.events.is_empty() || !step.is_unchanged()) {
        broken.push(format!("{id:?} came again and changed something: {:?}", step.events));
    }
    broken
}
