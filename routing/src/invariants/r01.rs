//! a conversation has at most one owner and at most one live offer.

use super::{Ghost, Promise, SOURCE, Step};
use crate::view::Stage;

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-1",
    text: "a conversation has at most one owner and at most one live offer",
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
            let live = step.after.conversations.get(&id).and_then(|c| c.offer.as_ref());
            let twice = agent.offers[..at].iter().any(|earlier| earlier.conversation == id);
            if live.is_none_or(|live| live.id != offer.id || live.agent != agent.id) || twice {
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
    }
    broken
}
