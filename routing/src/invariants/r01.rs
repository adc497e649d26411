//! a conversation has at most one owner, and at most one live offer unless its queue offers to several.

use super::{Ghost, Promise, SOURCE, Step};
use super::{consult, facts};
use crate::settings::limits::RING_AGENTS_MAX;
use crate::view::{ConversationView, Stage};

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-1",
    text: "a conversation has at most one owner, and at most one live offer unless its queue offers to several",
    source: SOURCE,
    prevents: "two agents answer one customer",
    check,
};

fn check(step: &Step<'_>, _: &Ghost) -> Vec<String> {
    let mut broken = Vec::new();
    for agent in step.agents() {
        for (at, holding) in agent.holdings.iter().enumerate() {
            let id = holding.conversation;
            let owner = step.after.conversations.get(&id).and_then(|c| c.stage.owner());
            let twice = agent.holdings[..at].iter().any(|earlier| earlier.conversation == id);
            if owner != Some(agent.id) || twice {
                broken.push(format!("{id} is held by {}, its own state says {owner:?}", agent.id));
            }
        }
        for (at, offer) in agent.offers.iter().enumerate() {
            let id = offer.conversation;
            let live = step.after.conversations.get(&id).and_then(|c| c.offer_to(agent.id));
            let twice = agent.offers[..at].iter().any(|earlier| earlier.conversation == id);
            if live.is_none_or(|live| live.id != offer.id) || twice {
                broken.push(format!("{id} is offered to {} as {}, and as {live:?}", agent.id, offer.id));
            }
        }
    }
    for c in step.conversations() {
        let allowed = match c.stage {
            Stage::Offered(_) => c.offer.is_some(),
            Stage::Assigned(owner) => {
                c.offer.as_ref().is_none_or(|o| o.transfer.is_some() && o.agent != owner)
            }
            _ => c.offer.is_none(),
        };
        if !allowed {
            broken.push(format!("{} is {} with the offer {:?}", c.id, c.stage.name(), c.offer));
        }
        if !c.also.is_empty() && !may_ring(c) {
            let offers: Vec<_> = c.offers().collect();
            broken.push(format!("{} is {} with the offers {offers:?}", c.id, c.stage.name()));
        }
    }
    broken.extend(consult::taken_over(step));
    for (c, offer) in facts::offers_made(step) {
        let ring = offer.queue.and_then(|queue| step.after.queues.get(&queue)).map_or(1, |queue| queue.ring);
        if c.offers().count() > usize::from(ring) {
            let offers: Vec<_> = c.offers().collect();
            broken.push(format!("{} is to ring at {ring} and rings at {offers:?}", c.id));
        }
    }
    broken
}

/// Whether offers may be live side by side: of one queue, at different agents, for as long, and nobody has accepted.
fn may_ring(c: &ConversationView) -> bool {
    let Some(first) = c.offer.as_ref() else { return false };
    let alike = c.also.iter().all(|other| {
        other.queue == first.queue && other.deadline == first.deadline && other.transfer.is_none()
    });
    let mut agents: Vec<_> = c.offers().map(|offer| offer.agent).collect();
    agents.sort_unstable();
    agents.dedup();
    let apart = agents.len() == 1 + c.also.len();
    let offered = matches!(c.stage, Stage::Offered(_)) && first.queue.is_some() && first.transfer.is_none();
    let in_order = c.offers().is_sorted_by(|a, b| a.id < b.id);
    let few = agents.len() <= usize::from(RING_AGENTS_MAX);
    alike && apart && offered && in_order && few && c.offers().all(|offer| !offer.connecting)
}
