//! a desk of an older session acts no more once a newer one is in the record, and its lost
//! lease costs the agent nothing any more.

use super::call::Outcome;
use super::case::{Case, Who};
use routing::{AgentId, ConversationId};
use simulator::checker::model::Kind;
use std::collections::BTreeMap;

pub(super) fn check(case: &mut Case) {
    let mut opened: BTreeMap<_, Vec<(u64, u64)>> = BTreeMap::new();
    for event in &case.tale.events {
        if let Kind::SessionOpened { agent, epoch } = &event.kind {
            opened.entry(*agent).or_default().push((event.sequence, *epoch));
        }
    }
    for call in &case.tale.calls {
        let (Some(seat), Outcome::Done(answer)) = (call.asked.seat(), &call.outcome) else { continue };
        let newer = opened.get(&seat.agent).and_then(|opened| {
            // What is in the record when the call is done was there before it.
            opened.iter().find(|(at, epoch)| *epoch > seat.epoch && *at <= answer.sequence)
        });
        if let Some((at, newer)) = newer {
            let seen = format!(
                "{} of {} with epoch {} was done at sequence {}, after epoch {newer} was opened at {at}",
                call.asked.method(),
                seat.agent,
                seat.epoch,
                answer.sequence
            );
            let who = [Who::Agent(seat.agent)];
            case.broken("R-19", call.returned_us / 1_000, answer.sequence, seen, &who);
        }
    }
    if case.tale.holes == 0 {
        graces(case);
    }
}

/// Work that a lost lease cost although the agent was back by then.
fn graces(case: &mut Case) {
    let mut back: BTreeMap<AgentId, u64> = BTreeMap::new();
    let mut owners: BTreeMap<ConversationId, AgentId> = BTreeMap::new();
    for event in &case.tale.events {
        match &event.kind {
            Kind::SessionOpened { agent, .. } => drop(back.insert(*agent, event.sequence)),
            Kind::LeaseLost { agent } => drop(back.remove(agent)),
            Kind::Assigned { conversation, agent, .. } => drop(owners.insert(*conversation, *agent)),
            Kind::Waiting { conversation, owner_lost: true, .. }
            | Kind::Ended { conversation, owner_lost: true, .. } => {
                let Some(owner) = owners.get(conversation) else { continue };
                let Some(since) = back.get(owner) else { continue };
                let seen = format!(
                    "{conversation} was taken from {owner} as of a lost lease, but its session lives since {since}"
                );
                let who = [Who::Conversation(*conversation), Who::Agent(*owner)];
                case.broken("R-19", 0, event.sequence, seen, &who);
            }
            _ => {}
        }
    }
}
