//! terminal is final.

use super::{Ghost, Promise, SOURCE, Step};
use crate::event::Subject;

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-6",
    text: "terminal is final",
    source: SOURCE,
    prevents: "a late write revives an ended call",
    check,
};

fn check(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let mut broken = Vec::new();
    for c in step.conversations() {
        if let Some(last) = ghost.ended.get(&c.id)
            && c.stage != *last
        {
            broken.push(format!("{} had ended as {last:?} and is {}", c.id, c.stage.name()));
        }
    }
    for event in step.events {
        if let Subject::Conversation(id) = event.kind.subject(event.domain)
            && ghost.ended.contains_key(&id)
        {
            broken.push(format!("{id} had ended, and then {:?}", event.kind));
        }
    }
    broken
}
