//! the weights of an agent's live offers, assignments and wrap-ups are its load, and automatic routing never exceeds its capacity.

use super::facts;
use super::{Ghost, Promise, SOURCE, Step};
use crate::{Command, EventKind};

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-2",
    text: "the weights of an agent's live offers, assignments and wrap-ups are its load, and automatic routing never exceeds its capacity",
    source: SOURCE,
    prevents: "three instances each read 'under limit'",
    check,
};

fn check(step: &Step<'_>, _: &Ghost) -> Vec<String> {
    let mut broken = Vec::new();
    for agent in step.agents() {
        let offered: u32 = agent.offers.iter().map(|offer| u32::from(offer.weight.0)).sum();
        let held: u32 = agent.holdings.iter().map(|holding| u32::from(holding.weight.0)).sum();
        if offered + held != agent.load {
            broken.push(format!("{}: load is {}, offers {offered} + held {held}", agent.id, agent.load));
        }
        let capacity = u32::from(agent.settings.capacity.0);
        let before = step.before.and_then(|view| view.agents.get(&agent.id)).map_or(0, |a| a.load);
        let by_a_human = matches!(
            step.entry.request.command,
            Command::Assign { .. }
                | Command::Transfer { .. }
                | Command::TransferAnew { .. }
                | Command::Consult { .. }
                | Command::Accept { .. }
                | Command::Connected { .. }
        ) && step.after.summary.settings.overdraft;
        let woken = step.events.iter().any(|event| {
            matches!(&event.kind, EventKind::IdleChanged { agent: of, idle: false, .. } if *of == agent.id)
        });
        if agent.load > capacity && agent.load > before && !by_a_human && !woken {
            broken.push(format!("{}: load {before} became {} of {capacity}", agent.id, agent.load));
        }
    }
    for (_, offer) in facts::offers_made(step).into_iter().filter(|(_, offer)| offer.transfer.is_none()) {
        let over =
            step.after.agents.get(&offer.agent).is_some_and(|a| a.load > u32::from(a.settings.capacity.0));
        if over {
            broken.push(format!("{} was made to {} above its capacity", offer.id, offer.agent));
        }
    }
    broken
}
