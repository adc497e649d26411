//! ending or moving a conversation releases everything in the same entry.

use super::{Ghost, Promise, SOURCE, Step};
use crate::EventKind;

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-7",
    text: "ending or moving a conversation releases everything in the same entry",
    source: SOURCE,
    prevents: "zombie offers",
    check,
};

fn check(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let mut broken = Vec::new();
    let ended_now: Vec<_> = step
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::OfferEnded { offer, .. } => Some(*offer),
            _ => None,
        })
        .collect();
    for agent in step.agents() {
        for offer in &agent.offers {
            let over =
                step.after.conversations.get(&offer.conversation).is_none_or(|c| c.stage.is_terminal());
            if over || ended_now.contains(&offer.id) || ghost.offers_ended.contains(&offer.id) {
                broken.push(format!(
                    "{} of {} is over and still at {}",
                    offer.id, offer.conversation, agent.id
                ));
            }
        }
        for holding in &agent.holdings {
            let owner = step.after.conversations.get(&holding.conversation).and_then(|c| c.stage.owner());
            if owner != Some(agent.id) {
                broken.push(format!("{} still takes points of {}", holding.conversation, agent.id));
            }
        }
    }
    for agent in step.agents_before() {
        for offer in &agent.offers {
            let live =
                step.after.agents.get(&agent.id).is_some_and(|a| a.offers.iter().any(|o| o.id == offer.id));
            if !live && !ended_now.contains(&offer.id) {
                broken.push(format!("{} vanished from {} without an event", offer.id, agent.id));
            }
        }
    }
    broken
}
