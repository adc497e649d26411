//! a domain's events carry a dense sequence of their own, and each entity's version only grows, by one with each event about it.

use super::{Ghost, Promise, SOURCE, Step};
use crate::event::Subject;
use crate::{Sequence, Version};
use std::collections::BTreeMap;

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-15",
    text: "a domain's events carry a dense sequence of their own, and each entity's version only grows, by one with each event about it",
    source: SOURCE,
    prevents: "lossy, unordered webhooks",
    check,
};

fn check(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let mut broken = Vec::new();
    let mut sequence = step.before.map_or(Sequence(0), |before| before.summary.sequence);
    let mut versions = BTreeMap::new();
    for event in step.events {
        if event.sequence != Sequence(sequence.0 + 1) || event.domain != step.after.summary.id {
            broken.push(format!(
                "after {sequence:?} came {:?} of {}: {:?}",
                event.sequence, event.domain, event.kind
            ));
        }
        if event.at != step.after.now || event.position != step.entry.position {
            broken.push(format!("{:?} says {:?} at {:?}", event.sequence, event.position, event.at));
        }
        sequence = event.sequence;
        let subject = event.kind.subject(event.domain);
        let last =
            versions.get(&subject).or_else(|| ghost.versions.get(&subject)).copied().unwrap_or_default();
        if event.version != Version(last.0 + 1) {
            broken.push(format!("{subject} went from {last:?} to {:?}", event.version));
        }
        versions.insert(subject, event.version);
    }
    if sequence != step.after.summary.sequence {
        broken.push(format!(
            "the last event is {sequence:?}, the domain is at {:?}",
            step.after.summary.sequence
        ));
    }
    let mut shown = |subject: Subject, version: Version| {
        let last =
            versions.get(&subject).or_else(|| ghost.versions.get(&subject)).copied().unwrap_or_default();
        if version != last {
            broken.push(format!("{subject} shows {version:?}, its events say {last:?}"));
        }
    };
    shown(Subject::Domain(step.after.summary.id), step.after.summary.version);
    step.queues().for_each(|q| shown(Subject::Queue(q.id), q.version));
    step.agents().for_each(|a| shown(Subject::Agent(a.id), a.version));
    step.touchpoints().for_each(|t| shown(Subject::Touchpoint(t.id), t.version));
    step.conversations().for_each(|c| shown(Subject::Conversation(c.id), c.version));
    broken
}
