//! a conversation has at most one owner and at most one live offer.

use super::{Ghost, Promise, SOURCE, Step};
use crate::view::Stage;
use std::collections::BTreeMap;

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
    let mut owners = BTreeMap::<_, Vec<_>>::new();
    let mut offers = BTreeMap::<_, Vec<_>>::new();
    for agent in step.after.agents.values() {
        for holding in &agent.holdings {
            owners.entry(holding.conversation).or_default().push(agent.id);
        }
        for offer in &agent.offers {
            offers.entry(offer.conversation).or_default().push((agent.id, offer.id));
        }
    }
    for (conversation, agents) in &owners {
        let owner = step.after.conversations.get(conversation).and_then(|c| c.stage.owner());
        if agents.len() > 1 || owner != Some(agents[0]) {
            broken.push(format!("{conversation} is held by {agents:?}, its own state says {owner:?}"));
        }
    }
    for (conversation, live) in &offers {
        if live.len() > 1 {
            broken.push(format!("{conversation} is offered at once as {live:?}"));
        }
    }
    for c in step.after.conversations.values() {
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
