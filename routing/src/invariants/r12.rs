//! exclusions expire.

use super::facts;
use super::{Ghost, Promise, SOURCE, Step};
use crate::EventKind;

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-12",
    text: "exclusions expire",
    source: SOURCE,
    prevents: "declined once, never offered again",
    check,
};

fn check(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let view = step.after;
    let settled = facts::settled(step, ghost);
    let old = step.before.map_or(&view.summary.settings, |before| &before.summary.settings);
    let longest = [old, &view.summary.settings]
        .into_iter()
        .map(|settings| settings.exclude_rejected.max(settings.exclude_missed))
        .max()
        .unwrap_or_default();
    let mut broken = Vec::new();
    for c in step.conversations().filter(|c| !c.stage.is_terminal()) {
        for (agent, until) in &c.excluded {
            let known = step.before.and_then(|before| before.conversations.get(&c.id)?.excluded.get(agent));
            let cause = || {
                step.events.iter().any(|event| {
                    matches!(&event.kind, EventKind::OfferEnded { conversation, agent: a, .. }
                        if *conversation == c.id && a == agent)
                })
            };
            if known != Some(until) && !(cause() && *until <= view.now + longest) {
                broken.push(format!("{agent} is excluded for {} until {until:?} without a reason", c.id));
            }
            if settled && *until <= view.now {
                broken.push(format!("{agent}'s exclusion for {} should have ended at {until:?}", c.id));
            }
        }
    }
    broken
}
