//! a conversation between domains is in exactly one of them after every crash.
//!
//! What one domain can be asked: what leaves it is nobody's here until it is settled, it ends as moved
//! only from its way, and what comes from another domain comes once. That both domains say the same
//! is looked at from outside, where both are seen (simulator).

use super::{Ghost, Promise, SOURCE, Step};
use crate::Command;
use crate::event::{Ending, EventKind};
use crate::view::Stage;

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-17",
    text: "a conversation between domains is in exactly one of them after every crash",
    source: SOURCE,
    prevents: "lost or doubled in transfer",
    check,
};

fn check(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let mut broken = Vec::new();
    for c in step.conversations() {
        if (c.stage == Stage::Transferring) != c.departure.is_some() {
            broken.push(format!("{} is {} with the way {:?}", c.id, c.stage.name(), c.departure));
        }
    }
    for before in step.conversations_before() {
        let Some(way) = &before.departure else { continue };
        let after = step.after.conversations.get(&before.id);
        let goes_on = after.and_then(|after| after.departure.as_ref());
        let settled = matches!(&step.entry.request.command, Command::Settle { conversation, number, .. }
            if *conversation == before.id && *number == way.number);
        if goes_on.is_none_or(|now| (now.to, now.number) != (way.to, way.number)) && !settled {
            broken.push(format!("{} is no longer on its way to {}, which said nothing", before.id, way.to));
        }
    }
    for (at, event) in step.events.iter().enumerate() {
        match &event.kind {
            EventKind::ArrivedFrom { conversation, from, hop, .. } => {
                let earlier = step.events[..at].iter().find_map(|earlier| match &earlier.kind {
                    EventKind::ArrivedFrom { conversation, from: f, hop: h, .. } if (f, h) == (from, hop) => {
                        Some(conversation)
                    }
                    _ => None,
                });
                if let Some(first) = earlier.or_else(|| ghost.landed.get(&(*from, *hop))) {
                    broken.push(format!("{from} came as {first}, and again as {conversation}"));
                }
            }
            EventKind::Ended { conversation, ending: Ending::Moved { to }, .. } => {
                let before = step.before.and_then(|before| before.conversations.get(conversation));
                if before.is_none_or(|before| before.departure.is_none()) {
                    broken.push(format!("{conversation} went to {to} without having left"));
                }
            }
            _ => {}
        }
    }
    broken
}
