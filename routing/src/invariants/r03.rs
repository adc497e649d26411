//! what was answered OK stays true.

use super::{Ghost, Promise, SOURCE, Step};
use crate::EventKind;
use crate::outcome::DoneWhat;

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-3",
    text: "what was answered OK stays true",
    source: SOURCE,
    prevents: "accepted, then gone",
    check,
};

fn check(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let mut broken = answered(step, ghost);
    let gone = |kind: &EventKind| step.events.iter().any(|event| event.kind == *kind);
    for queue in &ghost.queues {
        if !step.after.queues.contains_key(queue) && !gone(&EventKind::QueueDeleted(*queue)) {
            broken.push(format!("{queue} was made and is gone"));
        }
    }
    for agent in &ghost.agents {
        if !step.after.agents.contains_key(agent) && !gone(&EventKind::AgentDeleted(*agent)) {
            broken.push(format!("{agent} was made and is gone"));
        }
    }
    for touchpoint in &ghost.touchpoints {
        if !step.after.touchpoints.contains_key(touchpoint)
            && !gone(&EventKind::TouchpointDeleted(*touchpoint))
        {
            broken.push(format!("{touchpoint} was made and is gone"));
        }
    }
    let Some(before) = step.before else { return broken };
    for c in before.conversations.values() {
        let Some(owner) = c.stage.owner() else { continue };
        let still = step.after.conversations.get(&c.id).and_then(|now| now.stage.owner());
        let told = step.events.iter().any(|event| {
            matches!(&event.kind, EventKind::Released { conversation, .. }
                | EventKind::Ended { conversation, .. } if *conversation == c.id)
        });
        if still != Some(owner) && !told {
            broken.push(format!("{} was {owner}'s, is {still:?}'s, and no event says why", c.id));
        }
    }
    broken
}

/// What this answer itself claims must be so, unless it repeats an earlier one.
fn answered(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let Ok(done) = step.outcome else { return Vec::new() };
    let after = step.after;
    let is_repeat = step.entry.request.id.is_some_and(|id| ghost.answers.contains_key(&id));
    if step.entry.request.domain != after.summary.id || is_repeat {
        return Vec::new();
    }
    let true_now = match &done.what {
        DoneWhat::Ok | DoneWhat::Session(_) => true,
        DoneWhat::Queue(queue) => after.queues.contains_key(queue),
        DoneWhat::Agent(agent) => after.agents.contains_key(agent),
        DoneWhat::Touchpoint(touchpoint) => after.touchpoints.contains_key(touchpoint),
        DoneWhat::Conversation { id, offer, agent } => after.conversations.get(id).is_some_and(|c| {
            c.offer.as_ref().map(|o| o.id) == *offer && c.offer.as_ref().map(|o| o.agent) == *agent
        }),
        DoneWhat::Assigned { conversation, agent } => {
            after.conversations.get(conversation).and_then(|c| c.stage.owner()) == Some(*agent)
        }
    };
    if true_now { Vec::new() } else { vec![format!("answered {:?}, which is not so", done.what)] }
}
