//! an older session epoch, leader epoch or offer token can never act.

use super::facts;
use super::{Ghost, Promise, SOURCE, Step};
use crate::command::{By, Desk};
use crate::view::Lease;
use crate::{Command, OfferId};

/// The promise with its check.
pub const PROMISE: Promise = Promise {
    id: "R-19",
    text: "an older session epoch, leader epoch or offer token can never act",
    source: SOURCE,
    prevents: "a stale tab accepts",
    check,
};

fn check(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let Some(before) = step.before else { return Vec::new() };
    if step.entry.request.domain != before.summary.id
        || step.outcome.is_err()
        || facts::is_repeat(step, ghost)
    {
        return Vec::new();
    }
    let mut broken = Vec::new();
    let (desk, offer) = acts(&step.entry.request.command);
    if let Some(desk) = desk {
        let agent = before.agents.get(&desk.agent);
        if !agent.is_some_and(|a| a.epoch == desk.epoch && a.lease == Lease::Live) {
            broken.push(format!(
                "{} of {:?} acted while the agent was {:?}",
                desk.agent,
                desk.epoch,
                agent.map(|a| (a.epoch, a.lease))
            ));
        }
    }
    if let (Some(id), Some(desk)) = (offer, desk) {
        let live = before.agents.get(&desk.agent).and_then(|a| a.offers.iter().find(|o| o.id == id));
        if live.is_none_or(|offer| offer.deadline <= step.after.now) {
            broken.push(format!("{id} was answered by {} when it was over: {live:?}", desk.agent));
        }
    }
    for agent in step.agents_before() {
        if let Some(now) = step.after.agents.get(&agent.id).filter(|now| now.epoch < agent.epoch) {
            broken.push(format!("{} went from {:?} back to {:?}", agent.id, agent.epoch, now.epoch));
        }
    }
    broken
}

/// The desk and the offer in whose name a command acts.
fn acts(command: &Command) -> (Option<Desk>, Option<OfferId>) {
    match command {
        Command::Accept { desk, offer } | Command::Reject { desk, offer, .. } => (Some(*desk), Some(*offer)),
        Command::CloseSession { desk }
        | Command::LoseLease { desk }
        | Command::Assign { desk, .. }
        | Command::Complete { desk, .. } => (Some(*desk), None),
        Command::SetPresence { by, .. }
        | Command::EndContact { by, .. }
        | Command::Transfer { by, .. }
        | Command::Close { by, .. } => match by {
            By::Agent(desk) => (Some(*desk), None),
            _ => (None, None),
        },
        _ => (None, None),
    }
}
