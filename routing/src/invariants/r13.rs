//! what was acknowledged ends in exactly one terminal state.

use super::{Ghost, Promise, SOURCE, Step};
use crate::{ConversationId, EventKind};
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
    let over = |id: &ConversationId| ghost.ended.contains_key(id) || ended.contains(id);
    let gone = |id: &&ConversationId| !step.after.conversations.contains_key(id) && !over(id);
    let lost: Vec<_> = match step.touched {
        None => ghost.live.iter().filter(gone).collect(),
        Some(touched) => {
            touched.conversations.iter().filter(|id| ghost.live.contains(id)).filter(gone).collect()
        }
    };
    broken.extend(lost.into_iter().map(|id| format!("{id} is gone and never ended")));
    for c in step.conversations().filter(|c| ghost.arrived.contains_key(&c.id)) {
        if c.stage.is_terminal() != over(&c.id) {
            broken.push(format!("{} is over without an event, or lives after one", c.id));
        }
    }
    broken
}
