//! what was answered OK is in the record by the sequence that the answer names; what was
//! refused is not; a call that failed or timed out may be or not; and what is read of a conversation
//! has the priority that the record gave it last. What an agent's presence was set to stays until
//! somebody sets it anew, or misses do. The rest of the calls is judged by the history checker
//! (`record.rs`).

use super::call::{Asked, Call, Outcome};
use super::case::{Case, Who};
use super::tale::connection;
use routing::{AgentId, ConversationId, OfferId, QueueId};
use simulator::checker::model::{Kind, OfferEnd, Why};
use std::collections::BTreeMap;

/// A priority that was given.
#[derive(Debug, Clone, Copy)]
struct Given {
    priority: u8,
    by_rule: bool,
}

/// The record, turned so that an answer finds its event. All values are sequences.
#[derive(Default)]
struct Index {
    ended: BTreeMap<ConversationId, u64>,
    pulled: BTreeMap<(ConversationId, AgentId), u64>,
    recalled: BTreeMap<ConversationId, u64>,
    moved: BTreeMap<ConversationId, Vec<u64>>,
    rejected: BTreeMap<OfferId, u64>,
    taken: BTreeMap<OfferId, u64>,
    /// Accepted, to be connected.
    connecting: BTreeMap<OfferId, u64>,
    not_connected: BTreeMap<OfferId, u64>,
    /// Accepted, to be consulted.
    consulting: BTreeMap<OfferId, u64>,
    consults: BTreeMap<ConversationId, Vec<u64>>,
    consults_over: BTreeMap<ConversationId, Vec<u64>>,
    presence: BTreeMap<AgentId, Vec<(u64, bool)>>,
    paused: BTreeMap<QueueId, Vec<(u64, bool)>>,
    priority: BTreeMap<ConversationId, Vec<(u64, Given)>>,
    gone_queues: BTreeMap<QueueId, u64>,
    gone_agents: BTreeMap<AgentId, u64>,
    references: BTreeMap<String, u64>,
}

impl Index {
    fn of(case: &Case) -> Self {
        let mut index = Self::default();
        for event in &case.tale.events {
            let at = event.sequence;
            match &event.kind {
                Kind::Ended { conversation, .. } => {
                    index.ended.entry(*conversation).or_insert(at);
                }
                Kind::Assigned { conversation, agent, offer: None, .. } => {
                    index.pulled.entry((*conversation, *agent)).or_insert(at);
                }
                Kind::Assigned { offer: Some(offer), .. } => {
                    index.taken.entry(*offer).or_insert(at);
                }
                Kind::TransferStarted { conversation, .. } | Kind::Departed { conversation } => {
                    index.moved.entry(*conversation).or_default().push(at);
                }
                Kind::OfferEnded { offer, end: OfferEnd::Rejected, .. } => {
                    index.rejected.insert(*offer, at);
                }
                Kind::OfferEnded { offer, end: OfferEnd::NotConnected, .. } => {
                    index.not_connected.insert(*offer, at);
                }
                Kind::Connecting { offer, .. } => {
                    index.connecting.entry(*offer).or_insert(at);
                }
                Kind::ConsultStarted { conversation, .. } => {
                    index.consults.entry(*conversation).or_default().push(at);
                }
                Kind::Consulting { offer, .. } => {
                    index.consulting.entry(*offer).or_insert(at);
                }
                Kind::OfferEnded { conversation, end: OfferEnd::ConsultOver, .. } => {
                    index.consults_over.entry(*conversation).or_default().push(at);
                }
                Kind::Presence { agent, available, .. } => {
                    index.presence.entry(*agent).or_default().push((at, *available));
                }
                Kind::QueuePaused { queue, paused } => {
                    index.paused.entry(*queue).or_default().push((at, *paused));
                }
                Kind::Arrived { conversation, priority, reference, from, .. } => {
                    index
                        .priority
                        .entry(*conversation)
                        .or_default()
                        .push((at, Given { priority: *priority, by_rule: false }));
                    // What came from another domain was asked for there.
                    if from.is_none() {
                        index.references.insert(reference.clone(), at);
                    }
                }
                // It ends wherever it is when that is known.
                Kind::Recalled { conversation } => {
                    index.recalled.entry(*conversation).or_insert(at);
                }
                Kind::Reprioritised { conversation, priority, by_rule } => {
                    index
                        .priority
                        .entry(*conversation)
                        .or_default()
                        .push((at, Given { priority: *priority, by_rule: *by_rule }));
                }
                Kind::QueueDeleted(queue) => {
                    index.gone_queues.insert(*queue, at);
                }
                Kind::AgentDeleted(agent) => {
                    index.gone_agents.insert(*agent, at);
                }
                _ => {}
            }
        }
        index
    }
}

/// The last value at or before a sequence.
fn last<T: Copy>(values: Option<&Vec<(u64, T)>>, by: u64) -> Option<T> {
    values?.iter().rev().find(|(at, _)| *at <= by).map(|(_, value)| *value)
}

pub(super) fn check(case: &mut Case) {
    if case.tale.holes > 0 {
        return;
    }
    let index = Index::of(case);
    for call in &case.tale.calls {
        if let Outcome::Done(answer) = &call.outcome
            && let Some((what, who)) = missing(&index, call, answer.sequence)
        {
            let seen = format!(
                "{} {:?} was answered OK by {} at sequence {}, but {what}",
                call.asked.method(),
                call.asked,
                call.node,
                answer.sequence
            );
            case.broken("R-3", call.returned_us / 1_000, answer.sequence, seen, &who);
        }
    }
    refused(case, &index);
    priorities(case, &index);
    returned(case);
}

/// Agents that the domain made available although they are not on the break that it imposed for
/// misses: they came back, or left, by their own or a supervisor's wish.
fn returned(case: &mut Case) {
    let mut last: BTreeMap<AgentId, (u64, Why)> = BTreeMap::new();
    for event in &case.tale.events {
        let Kind::Presence { agent, available, why } = &event.kind else { continue };
        let before = last.insert(*agent, (event.sequence, *why));
        if *available && *why == Why::Itself && before.is_none_or(|(_, why)| why != Why::Missed) {
            let asked = before.map_or("never".to_owned(), |(at, _)| format!("at {at}"));
            let seen =
                format!("{agent} was made available by the domain itself; its intent was last set {asked}");
            case.broken("R-3", 0, event.sequence, seen, &[Who::Agent(*agent)]);
        }
    }
}

/// Reads that show another priority than the record had given by the version that they show.
fn priorities(case: &mut Case, index: &Index) {
    let tale = case.tale;
    let versions: BTreeMap<(ConversationId, u64), u64> = tale
        .events
        .iter()
        .filter_map(|event| Some(((event.kind.conversation()?, event.version), event.sequence)))
        .collect();
    let read = tale.reads.iter().map(|read| (read.returned_us / 1_000, &read.seen));
    let last_of_all = tale.audit.iter().flat_map(|audit| &audit.conversations).map(|seen| (0, seen));
    for (at_ms, seen) in read.chain(last_of_all) {
        let Some(at) = versions.get(&(seen.id, seen.version)).copied() else { continue };
        let given = last(index.priority.get(&seen.id), at).map(|given| given.priority);
        if given.is_some_and(|given| u32::from(given) != seen.priority) {
            let what = format!(
                "{} is shown with priority {} at version {}, by the record it has {given:?}",
                seen.id, seen.priority, seen.version
            );
            case.broken("R-3", at_ms, at, what, &[Who::Conversation(seen.id)]);
        }
    }
}

/// What an acknowledged call should have left in the record, and did not.
fn missing(index: &Index, call: &Call, by: u64) -> Option<(String, Vec<Who>)> {
    let within = |at: Option<&u64>| at.is_some_and(|at| *at <= by);
    let conversation = |id: &ConversationId| vec![Who::Conversation(*id)];
    let once = |of: &BTreeMap<ConversationId, Vec<u64>>, id: &ConversationId| {
        of.get(id).is_some_and(|all| all.iter().any(|at| *at <= by))
    };
    match &call.asked {
        Asked::Close(id) | Asked::ForceClose(id)
            if !within(index.ended.get(id)) && !within(index.recalled.get(id)) =>
        {
            Some(("it did not end".to_owned(), conversation(id)))
        }
        Asked::Assign(seat, id) if !within(index.pulled.get(&(*id, seat.agent))) => {
            Some(("it was not assigned".to_owned(), vec![Who::Conversation(*id), Who::Agent(seat.agent)]))
        }
        Asked::Consult(_, id) if !once(&index.consults, id) => {
            Some(("nobody was asked".to_owned(), conversation(id)))
        }
        Asked::EndConsult(_, id) if !once(&index.consults_over, id) => {
            Some(("no consultation ended by it".to_owned(), conversation(id)))
        }
        Asked::DeskTransfer(_, id, _) | Asked::Transfer(id, _) | Asked::CompleteConsult(_, id) => {
            let moved = once(&index.moved, id);
            (!moved).then(|| ("no transfer started".to_owned(), conversation(id)))
        }
        Asked::Reject(_, offer) if !within(index.rejected.get(offer)) => {
            Some(("the offer did not end by it".to_owned(), vec![Who::Offer(*offer)]))
        }
        Asked::Connected(_, offer) if !within(index.taken.get(offer)) => {
            Some(("it was nobody's by it".to_owned(), vec![Who::Offer(*offer)]))
        }
        Asked::ConnectFailed(_, offer) if !within(index.not_connected.get(offer)) => {
            Some(("the offer did not end by it".to_owned(), vec![Who::Offer(*offer)]))
        }
        Asked::DeskPresence(super::call::Seat { agent, .. }, available)
        | Asked::Presence(agent, available) => {
            let now = last(index.presence.get(agent), by).unwrap_or(false);
            (now != *available)
                .then(|| (format!("available is {now} by the record"), vec![Who::Agent(*agent)]))
        }
        Asked::Pause(queue, paused) => {
            let now = last(index.paused.get(queue), by).unwrap_or(false);
            (now != *paused).then(|| (format!("paused is {now} by the record"), Vec::new()))
        }
        Asked::Reprioritise(id, priority) => {
            let given = index.priority.get(id).into_iter().flatten().rev().filter(|(at, _)| *at <= by);
            let given: Vec<Given> = given.map(|(_, given)| *given).collect();
            // Of those that nobody asked for, any number may have come since.
            let by_rules = given.iter().take_while(|given| given.by_rule).count();
            let had = given.iter().take(by_rules + 1).any(|given| given.priority == *priority);
            let now = given.first().map(|given| given.priority);
            (!had).then(|| (format!("it has {now:?} by the record"), conversation(id)))
        }
        Asked::DeleteQueue(queue) if !within(index.gone_queues.get(queue)) => {
            Some(("it was not deleted".to_owned(), Vec::new()))
        }
        Asked::DeleteAgent(agent) if !within(index.gone_agents.get(agent)) => {
            Some(("it was not deleted".to_owned(), vec![Who::Agent(*agent)]))
        }
        _ => None,
    }
}

/// Refused, so that it certainly did not happen, and did not before; or not done by this attempt.
fn is_undone(outcome: &Outcome) -> bool {
    is_definite(outcome) || *outcome == Outcome::NotDone
}

/// Refused, so that it certainly did not happen, and did not before.
pub(super) fn is_definite(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused(reason)
        if !matches!(reason.as_str(), "REQUEST_TOO_OLD" | "QUARANTINED" | "UNKNOWN_DOMAIN"))
}

/// What happened although every attempt of it that was sent until a watcher saw it was refused or not done, or although
/// nobody asked.
fn refused(case: &mut Case, index: &Index) {
    let mut accepts: BTreeMap<OfferId, Vec<&Call>> = BTreeMap::new();
    let mut connects: BTreeMap<OfferId, Vec<&Call>> = BTreeMap::new();
    let mut starts: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
    for call in &case.tale.calls {
        match &call.asked {
            Asked::Accept(_, offer) => accepts.entry(*offer).or_default().push(call),
            Asked::Connected(_, offer) => connects.entry(*offer).or_default().push(call),
            Asked::Start(reference) => starts.entry(reference).or_default().push(call),
            _ => {}
        }
    }
    // Of those in two steps the second one made it the agent's.
    let in_two = index.taken.iter().filter(|(offer, _)| index.connecting.contains_key(offer));
    for (offer, at) in in_two {
        if !case.tale.is_under_way(&connection(*offer)) && never(case, connects.get(offer), *at) {
            let seen = format!("{offer} was taken, but nobody can have said that it was connected");
            case.broken("R-3", 0, *at, seen, &[Who::Offer(*offer)]);
        }
    }
    // Of those that are about consultations it was a transfer that did, by the owner or since that is gone.
    let accepted_first =
        |offer: &OfferId| index.connecting.contains_key(offer) || index.consulting.contains_key(offer);
    let in_one = index.taken.iter().filter(|(offer, _)| !accepted_first(offer));
    for (offer, at) in in_one.chain(&index.connecting).chain(&index.consulting) {
        if !case.tale.is_under_way(&offer.to_string()) && never(case, accepts.get(offer), *at) {
            let seen = format!(
                "{offer} was taken, but every accept of it until then was refused, or there was none"
            );
            case.broken("R-3", 0, *at, seen, &[Who::Offer(*offer)]);
        }
    }
    for (reference, at) in &index.references {
        if !case.tale.is_under_way(reference) && never(case, starts.get(reference.as_str()), *at) {
            let seen = format!(
                "'{reference}' arrived, but every start of it until then was refused, or there was none"
            );
            let who = match case.tale.events.get(case.place(*at)).and_then(|event| event.kind.conversation())
            {
                Some(id) => vec![Who::Conversation(id)],
                None => Vec::new(),
            };
            case.broken("R-3", 0, *at, seen, &who);
        }
    }
}

/// Whether none of these attempts can have done what a watcher saw at this sequence.
fn never(case: &Case, attempts: Option<&Vec<&Call>>, at: u64) -> bool {
    let seen_us = case.tale.seen_ms.get(case.place(at)).map_or(u64::MAX, |seen_ms| (seen_ms + 1) * 1_000);
    let before = attempts.into_iter().flatten().filter(|call| call.sent_us < seen_us);
    before.into_iter().all(|call| is_undone(&call.outcome))
}
