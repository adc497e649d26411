//! busy and reserved are derived: what agents and queues show is what the conversations say.

use super::{Ghost, Promise, SOURCE, Step};
use crate::event::Place;
use crate::view::{DomainView, QueueView, Stage};

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-5",
    text: "busy and reserved are derived: what agents and queues show is what the conversations say",
    source: SOURCE,
    prevents: "agents stuck in Reserved",
    check,
};

fn check(step: &Step<'_>, _: &Ghost) -> Vec<String> {
    let view = step.after;
    let mut broken = Vec::new();
    for agent in view.agents.values() {
        let mut offers: Vec<_> = view
            .conversations
            .values()
            .filter_map(|c| c.offer.as_ref().filter(|offer| offer.agent == agent.id))
            .cloned()
            .collect();
        offers.sort_by_key(|offer| offer.id);
        if offers != agent.offers {
            broken.push(format!(
                "{} shows the offers {:?}, its conversations {offers:?}",
                agent.id, agent.offers
            ));
        }
        let held: Vec<_> = view
            .conversations
            .values()
            .filter(|c| c.stage.owner() == Some(agent.id))
            .map(|c| (c.id, c.channel, matches!(c.stage, Stage::Wrapping(_))))
            .collect();
        let shown: Vec<_> = agent.holdings.iter().map(|h| (h.conversation, h.channel, h.wrapping)).collect();
        if held != shown {
            broken.push(format!("{} shows {shown:?} in hand, its conversations {held:?}", agent.id));
        }
    }
    broken.extend(view.queues.values().filter_map(|queue| queue_figures(view, queue)));
    broken
}

fn queue_figures(view: &DomainView, queue: &QueueView) -> Option<String> {
    let members = view.agents.values().filter(|a| a.settings.queues.contains(&queue.id));
    let agents = members.clone().count() as u64;
    let staffed = members.filter(|a| a.takes_offers()).count() as u64;
    let (mut waiting, mut inbox, mut longest) = (0, 0, None);
    for c in view.conversations.values() {
        match &c.stage {
            Stage::Waiting(Place::Queues(queues)) if queues.contains(&queue.id) => waiting += 1,
            Stage::Waiting(Place::Inbox(queues)) if queues.contains(&queue.id) => inbox += 1,
            _ => continue,
        }
        longest = Some(longest.map_or(c.arrived_at, |l: crate::LogTime| l.min(c.arrived_at)));
    }
    let counted = (agents, staffed, waiting, inbox, longest);
    let shown = (queue.agents, queue.staffed, queue.waiting, queue.inbox, queue.longest_since);
    (counted != shown).then(|| {
        format!(
            "{} shows (agents, staffed, waiting, inbox, longest) {shown:?}, counted {counted:?}",
            queue.id
        )
    })
}
