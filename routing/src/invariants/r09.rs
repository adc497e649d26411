//! no conversation is offered while a better-ranked one that fits the same agent waits.

use super::facts;
use super::{Ghost, Promise, SOURCE, Step};
use crate::view::OfferView;

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-9",
    text: "no conversation is offered while a better-ranked one that fits the same agent waits",
    source: SOURCE,
    prevents: "newest chat takes the slot",
    check,
};

fn check(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let view = step.after;
    if !facts::settled(step, ghost) {
        return Vec::new();
    }
    let made: Vec<_> =
        facts::offers_made(step).into_iter().filter(|(_, offer)| offer.transfer.is_none()).collect();
    let mut broken = Vec::new();
    for (taken, offer) in &made {
        let Some(agent) = view.agents.get(&offer.agent) else { continue };
        for better in facts::waiting(view) {
            let rank = facts::rank(view, better);
            if rank >= facts::rank(view, taken) || !facts::passes_person_gates(view, agent, better) {
                continue;
            }
            // What this entry gave the agent although `better` ranks before it would be free for `better`.
            let worse: Vec<_> =
                made.iter().filter(|(c, o)| o.agent == agent.id && facts::rank(view, c) > rank).collect();
            let freed: u32 = worse.iter().map(|(_, o)| u32::from(o.weight.0)).sum();
            let of_channel = worse.iter().filter(|(c, _)| c.channel == better.channel).count();
            let in_hand = facts::count_of_channel(view, agent, better.channel) - of_channel;
            let capped =
                agent.settings.caps[better.channel.index()].is_some_and(|cap| in_hand >= usize::from(cap));
            let room = u32::from(agent.settings.capacity.0).saturating_sub(agent.load.saturating_sub(freed));
            let given = |offer: &OfferView| worse.iter().any(|(_, other)| other.id == offer.id);
            let blocked = facts::is_blocked(view, agent, better.channel, given);
            if !capped && !blocked && u32::from(better.weight.0) <= room {
                broken.push(format!("{} got {} while {} waits and would fit", agent.id, taken.id, better.id));
            }
        }
    }
    broken
}
