//! busy and reserved are derived: what agents and queues show is what the conversations say.

use super::{Ghost, Promise, SOURCE, Step, callback};
use crate::AgentId;
use crate::event::Place;
use crate::view::{AgentView, ConversationView, DomainView, QueueView, Stage};

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
    for agent in step.agents() {
        let offered = agent.offers.iter().all(|offer| {
            let own = view.conversations.get(&offer.conversation).and_then(|c| c.offer_to(agent.id));
            offer.agent == agent.id && own == Some(offer)
        });
        if !offered || !agent.offers.is_sorted_by(|a, b| a.id < b.id) {
            broken
                .push(format!("{} shows the offers {:?}, its conversations do not", agent.id, agent.offers));
        }
        let held = agent.holdings.iter().all(|holding| {
            view.conversations.get(&holding.conversation).is_some_and(|c| {
                c.stage.owner() == Some(agent.id)
                    && c.channel == holding.channel
                    && matches!(c.stage, Stage::Wrapping(_)) == holding.wrapping
            })
        });
        if !held || !agent.holdings.is_sorted_by(|a, b| a.conversation < b.conversation) {
            broken.push(format!("{} shows {:?} in hand, its conversations do not", agent.id, agent.holdings));
        }
    }
    // The other way round: whom a conversation names shows it.
    for c in step.conversations() {
        let hidden_from = |agent: &AgentId, shows: fn(&AgentView, &ConversationView) -> bool| {
            view.agents.get(agent).is_some_and(|agent| !shows(agent, c))
        };
        let in_hand: fn(&AgentView, &ConversationView) -> bool =
            |agent, c| agent.holdings.iter().any(|holding| holding.conversation == c.id);
        let on_offer: fn(&AgentView, &ConversationView) -> bool =
            |agent, c| agent.offers.iter().any(|offer| Some(offer) == c.offer_to(agent.id));
        if let Some(owner) = c.stage.owner().filter(|owner| hidden_from(owner, in_hand)) {
            broken.push(format!("{owner} does not show {} in hand", c.id));
        }
        for offer in c.offers().filter(|offer| hidden_from(&offer.agent, on_offer)) {
            broken.push(format!("{} does not show {} of {}", offer.agent, offer.id, c.id));
        }
    }
    broken.extend(step.queues().filter_map(|queue| queue_figures(view, queue)));
    broken
}

fn queue_figures(view: &DomainView, queue: &QueueView) -> Option<String> {
    let members = view.agents.values().filter(|a| a.settings.queues.contains(&queue.id));
    let agents = members.clone().count() as u64;
    let staffed = members.filter(|a| a.takes_offers()).count() as u64;
    let (mut waiting, mut inbox, mut longest) = (0, 0, None);
    for c in view.conversations.values() {
        match &c.stage {
            Stage::Waiting(Place::Queues(queues)) if queues.contains(&queue.id) && !callback::rests(c) => {
                waiting += 1;
            }
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
