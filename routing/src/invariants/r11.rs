//! bounded wait: under aging nobody who arrived later than (its arrival + their credit - its credit) is offered to an agent who could take it first.

use super::facts;
use super::{Ghost, Promise, SOURCE, Step};
use crate::settings::RankPolicy;
use crate::view::ConversationView;

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-11",
    text: "bounded wait: under aging nobody who arrived later than (its arrival + their credit - its credit) is offered to an agent who could take it first",
    source: SOURCE,
    prevents: "starved queues",
    check,
};

fn check(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let view = step.after;
    let RankPolicy::Aging { credits } = &view.summary.settings.rank else { return Vec::new() };
    if !facts::settled(step, ghost) {
        return Vec::new();
    }
    // Arrivals as the checker saw them, so that an age lost by the engine does not excuse it.
    let score = |c: &ConversationView| {
        let arrived = ghost.arrived.get(&c.id).unwrap_or(&c.arrived_at);
        let credit =
            credits.iter().find(|(priority, _)| *priority == c.priority).map_or(0, |(_, span)| span.0);
        i128::from(arrived.0) - i128::from(credit)
    };
    let mut broken = Vec::new();
    for (taken, offer) in facts::offers_made(step) {
        let Some(agent) = view.agents.get(&offer.agent).filter(|_| offer.transfer.is_none()) else {
            continue;
        };
        let room = facts::free(agent) + u32::from(offer.weight.0);
        for passed in facts::waiting(view) {
            let capped = agent.settings.caps[passed.channel.index()].is_some();
            if score(passed) < score(taken)
                && !capped
                && !facts::is_blocked(view, agent, passed.channel, |other| other.id == offer.id)
                && facts::passes_person_gates(view, agent, passed)
                && u32::from(passed.weight.0) <= room
            {
                broken.push(format!("{} was passed over for {} at {}", passed.id, taken.id, agent.id));
            }
        }
    }
    broken
}
