//! what was acknowledged ends in exactly one terminal state.

use super::{Ghost, Promise, SOURCE, Step};
use crate::EventKind;
use std::collections::BTreeSet;

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-13",
    text: "what was acknowledged ends in exactly one terminal state",
    source: SOURCE,
    prevents: "items lost past a limit",
    check,
};

fn check(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let mut broken = Vec::new();
    let mut ended = BTreeSet::new();
    for event in step.events {
        if let EventKind::Ended { conversation, .. } = &event.kind
            && (ghost.ended.contains_key(conversation) || !ended.insert(*conversation))
        {
            broken.push(format!("{conversation} ended twice"));
        }
    }
    for id in ghost.arrived.keys() {
        let known = step.after.conversations.get(id);
        let over = ghost.ended.contains_key(id) || ended.contains(id);
        if known.is_none() && !over {
            broken.push(format!("{id} is gone and never ended"));
        }
        if known.is_some_and(|c| c.stage.is_terminal() != over) {
            broken.push(format!("{id} is over without an event, or lives after one"));
        }
    }
    broken
}
