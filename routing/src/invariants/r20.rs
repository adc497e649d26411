//! nothing crosses accounts, and one domain's load or fault bounds its own service only.

use super::facts;
use super::{Ghost, Promise, SOURCE, Step};
use crate::DomainId;
use crate::event::Subject;

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
    if target != domain && target != DomainId::SHARD {
        let same = step.before.is_some_and(|before| facts::timeless(before) == facts::timeless(view));
        if !same || !step.events.is_empty() {
            broken.push(format!("an entry of {target} changed {domain}"));
        }
    }
    if let Some(before) = step.before
        && before.summary.account != view.summary.account
    {
        broken.push(format!("{domain} went from {} to {}", before.summary.account, view.summary.account));
    }
    let mut foreign = Vec::new();
    for agent in view.agents.values() {
        foreign.push((agent.id.domain, agent.id.to_string()));
        foreign.extend(agent.settings.queues.iter().map(|q| (q.domain, q.to_string())));
        foreign.extend(agent.holdings.iter().map(|h| (h.conversation.domain, h.conversation.to_string())));
    }
    for c in view.conversations.values() {
        foreign.push((c.id.domain, c.id.to_string()));
        foreign.extend(c.queues.iter().map(|q| (q.domain, q.to_string())));
        foreign.extend(c.stage.owner().map(|a| (a.domain, a.to_string())));
        foreign.extend(c.offer.iter().map(|o| (o.agent.domain, o.agent.to_string())));
    }
    for event in step.events {
        let of = match event.kind.subject(event.domain) {
            Subject::Domain(domain) => domain,
            Subject::Queue(queue) => queue.domain,
            Subject::Agent(agent) => agent.domain,
            Subject::Touchpoint(touchpoint) => touchpoint.domain,
            Subject::Conversation(conversation) => conversation.domain,
        };
        foreign.push((of, format!("{:?}", event.kind)));
    }
    broken.extend(
        foreign
            .into_iter()
            .filter(|(of, _)| *of != domain)
            .map(|(_, what)| format!("{domain} has to do with {what}")),
    );
    broken
}
