//! every offer has a deadline and an agent who is available, leased and eligible when it is made.

use super::{Ghost, Promise, SOURCE, Step};
use super::{callback, facts, pace};
use crate::view::OfferView;

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-4",
    text: "every offer has a deadline and an agent who is available, leased and eligible when it is made",
    source: SOURCE,
    prevents: "ringing into a closed browser",
    check,
};

fn check(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let mut broken = Vec::new();
    let view = step.after;
    for c in step.conversations() {
        for offer in c.offers().filter(|offer| !offer.connecting) {
            if offer.deadline != offer.made_at + offer.accept.deadline() {
                broken.push(format!("{} made at {:?} ends at {:?}", offer.id, offer.made_at, offer.deadline));
            }
            if !view.agents.get(&offer.agent).is_some_and(|agent| agent.takes_offers()) {
                broken
                    .push(format!("{} of {} rings at {}, who takes no offers", offer.id, c.id, offer.agent));
            }
        }
    }
    broken.extend(pace::too_many(step, ghost));
    broken.extend(callback::too_early(step, ghost));
    for (c, offer) in facts::offers_made(step) {
        let Some(agent) = view.agents.get(&offer.agent) else {
            broken.push(format!("{} was made to {}, who does not exist", offer.id, offer.agent));
            continue;
        };
        let member = match offer.queue {
            Some(queue) => {
                facts::open_queues(view, &c.queues).any(|q| q == queue)
                    && agent.settings.queues.contains(&queue)
            }
            None => true,
        };
        let excluded =
            offer.transfer.is_none() && c.excluded.get(&agent.id).is_some_and(|until| *until > view.now);
        let capped = offer.transfer.is_none()
            && agent.settings.caps[c.channel.index()]
                .is_some_and(|cap| facts::count_of_channel(view, agent, c.channel) > usize::from(cap));
        if !member || !agent.settings.channels.contains(c.channel) || excluded || capped {
            broken.push(format!(
                "{} of {} was made to {}: member {member}, excluded {excluded}, capped {capped}",
                offer.id, c.id, agent.id
            ));
        }
        // What the agent was offered after it does not count, and of what it had then nothing is gone.
        let later = |other: &OfferView| other.id >= offer.id;
        if offer.transfer.is_none() && facts::is_blocked(view, agent, c.channel, later) {
            broken.push(format!(
                "{} of {} ({}) was made to {}, who works on what blocks it: {:?}",
                offer.id,
                c.id,
                c.channel,
                agent.id,
                facts::works_on(view, agent, later).collect::<Vec<_>>()
            ));
        }
        // Steps do not change after the offers of an entry: the active one is the one of then.
        let alone = facts::is_for_named(c) && offer.queue.is_some();
        if offer.transfer.is_none() && (alone || !facts::is_wanted(agent, c)) {
            broken.push(format!(
                "{} of {} was made to {} with {:?}, from {:?}, while it asks for {:?}",
                offer.id,
                c.id,
                agent.id,
                agent.skills,
                offer.queue,
                facts::wanted(c)
            ));
        }
        if ghost.offers_seen.contains(&offer.id) {
            broken.push(format!("{} was used before", offer.id));
        }
    }
    broken
}
