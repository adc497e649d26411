//! nothing crosses accounts, and one domain's load or fault bounds its own service only.

use super::{Ghost, Promise, SOURCE, Step};
use crate::DomainId;
use crate::event::Subject;
use std::fmt;

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-20",
    text: "nothing crosses accounts, and one domain's load or fault bounds its own service only",
    source: SOURCE,
    prevents: "noisy neighbour, one poisoned tenant takes all down",
    check,
};

fn check(step: &Step<'_>, _: &Ghost) -> Vec<String> {
    let view = step.after;
    let domain = view.summary.id;
    let mut broken = Vec::new();
    let target = step.entry.request.domain;
    if target != domain && target != DomainId::SHARD && !(step.is_unchanged() && step.events.is_empty()) {
        broken.push(format!("an entry of {target} changed {domain}"));
    }
    if let Some(before) = step.before
        && before.summary.account != view.summary.account
    {
        broken.push(format!("{domain} went from {} to {}", before.summary.account, view.summary.account));
    }
    let mut foreign = |of: DomainId, what: &dyn fmt::Display| {
        if of != domain {
            broken.push(format!("{domain} has to do with {what}"));
        }
    };
    for agent in step.agents() {
        foreign(agent.id.domain, &agent.id);
        agent.settings.queues.iter().for_each(|q| foreign(q.domain, q));
        agent.holdings.iter().for_each(|h| foreign(h.conversation.domain, &h.conversation));
    }
    for c in step.conversations() {
        foreign(c.id.domain, &c.id);
        c.queues.iter().for_each(|q| foreign(q.domain, q));
        c.stage.owner().iter().for_each(|a| foreign(a.domain, a));
        c.offers().for_each(|o| foreign(o.agent.domain, &o.agent));
    }
    for event in step.events {
        match event.kind.subject(event.domain) {
            Subject::Domain(id) => foreign(id, &id),
            Subject::Queue(id) => foreign(id.domain, &id),
            Subject::Agent(id) => foreign(id.domain, &id),
            Subject::Touchpoint(id) => foreign(id.domain, &id),
            Subject::Conversation(id) => foreign(id.domain, &id),
        }
    }
    broken
}
