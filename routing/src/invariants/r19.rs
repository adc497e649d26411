//! an older session epoch, leader epoch or offer token can never act.
//!
//! The grace time of a lost lease belongs to the session that lost it: once the agent has a newer
//! one, no grace runs any more, and none takes work away ("After the grace time held work is kept,
//! requeued or closed": of an agent that did not come back).

use super::facts;
use super::{Ghost, Promise, SOURCE, Step};
use crate::command::{By, Desk};
use crate::event::{Ending, EventKind, Requeued};
use crate::view::{ConversationView, Lease};
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
    let mut broken = acted(step, ghost);
    broken.extend(grace_acted(step));
    broken.extend(step.conversations().filter_map(|c| grace_runs(step, ghost, c)));
    broken
}

/// Work that a lost lease cost although the lease is live.
fn grace_acted(step: &Step<'_>) -> impl Iterator<Item = String> {
    step.events.iter().enumerate().filter_map(move |(at, event)| {
        let id = match &event.kind {
            EventKind::Waiting { conversation, cause: Some(Requeued::LeaseLost), .. }
            | EventKind::Ended { conversation, ending: Ending::OwnerLost, .. } => conversation,
            _ => return None,
        };
        let before = step.before?;
        let owner = before.agents.get(&before.conversations.get(id)?.stage.owner()?)?;
        let lost_now = step.events[..at]
            .iter()
            .any(|event| matches!(&event.kind, EventKind::LeaseLost { agent, .. } if *agent == owner.id));
        (owner.lease == Lease::Live && !lost_now)
            .then(|| format!("{id} was taken from {} as of a lost lease, which is live", owner.id))
    })
}

/// Work of an agent with a live lease that something is to end before its own time is over.
fn grace_runs(step: &Step<'_>, ghost: &Ghost, c: &ConversationView) -> Option<String> {
    let owner = step.after.agents.get(&c.stage.owner()?).filter(|owner| owner.lease == Lease::Live)?;
    let own = facts::work_ends(step, ghost, c.id)?;
    let offer = c.offer.as_ref().map(|offer| offer.deadline);
    let first = own.into_iter().chain(offer).min();
    (c.deadline != first).then(|| {
        format!(
            "{} of {}, whose lease is live, ends at {:?}, by its own time at {first:?}",
            c.id, owner.id, c.deadline
        )
    })
}

fn acted(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
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
        let connects =
            matches!(step.entry.request.command, Command::Connected { .. } | Command::ConnectFailed { .. });
        if connects && live.is_some_and(|offer| !offer.connecting) {
            broken.push(format!("{id} was connected by {} before it was accepted", desk.agent));
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
        Command::Accept { desk, offer }
        | Command::Reject { desk, offer, .. }
        | Command::Connected { desk, offer }
        | Command::ConnectFailed { desk, offer, .. } => (Some(*desk), Some(*offer)),
        Command::CloseSession { desk }
        | Command::LoseLease { desk }
        | Command::Assign { desk, .. }
        | Command::Complete { desk, .. } => (Some(*desk), None),
        Command::SetPresence { by, .. }
        | Command::EndContact { by, .. }
        | Command::Transfer { by, .. }
        | Command::TransferAnew { by, .. }
        | Command::SetSkills { by, .. }
        | Command::SetCriteria { by, .. }
        | Command::SetPolicy { by, .. }
        | Command::SetChannelRules { by, .. }
        | Command::SetHandling { by, .. }
        | Command::SetPace { by, .. }
        | Command::SetCallback { by, .. }
        | Command::SetRing { by, .. }
        | Command::SetIdle { by, .. }
        | Command::ExtendWrapUp { by, .. }
        | Command::Consult { by, .. }
        | Command::EndConsult { by, .. }
        | Command::CompleteConsult { by, .. }
        | Command::ChangeCriteria { by, .. }
        | Command::Close { by, .. } => match by {
            By::Agent(desk) => (Some(*desk), None),
            _ => (None, None),
        },
        _ => (None, None),
    }
}
