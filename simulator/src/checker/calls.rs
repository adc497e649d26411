//! Judges what clients and desks were told against the record.

use super::model::{Answer, Asked, Call, History, Kind, Notice, Outcome, Said};
use super::replay::Replay;
use super::violation::Promise;
use routing::{AgentId, ConversationId, OfferId};
use std::collections::{BTreeMap, BTreeSet};

/// The record, turned so that an answer finds its event.
#[derive(Default)]
struct Record {
    last_sequence: u64,
    arrived: BTreeMap<ConversationId, (u64, String)>,
    by_reference: BTreeMap<String, Vec<ConversationId>>,
    offered: BTreeMap<OfferId, (u64, ConversationId, AgentId)>,
    offered_to: BTreeMap<AgentId, Vec<(u64, OfferId)>>,
    assigned: BTreeMap<OfferId, (u64, AgentId)>,
    connecting: BTreeMap<OfferId, (u64, AgentId)>,
    contact_over: BTreeMap<ConversationId, u64>,
    ended: BTreeMap<ConversationId, u64>,
    opened: BTreeMap<AgentId, Vec<(u64, u64)>>,
}

impl Record {
    fn of(history: &History) -> Self {
        let mut record = Self::default();
        for event in &history.events {
            let at = event.sequence;
            record.last_sequence = record.last_sequence.max(at);
            match &event.kind {
                Kind::Arrived { conversation, reference, from, .. } => {
                    record.arrived.insert(*conversation, (at, reference.clone()));
                    // What comes from another domain, and perhaps home, was not started here.
                    if !reference.is_empty() && from.is_none() {
                        record.by_reference.entry(reference.clone()).or_default().push(*conversation);
                    }
                }
                Kind::Offered { conversation, offer, agent, .. } => {
                    record.offered.insert(*offer, (at, *conversation, *agent));
                    record.offered_to.entry(*agent).or_default().push((at, *offer));
                }
                Kind::Assigned { agent, offer: Some(offer), .. } => {
                    record.assigned.insert(*offer, (at, *agent));
                }
                Kind::Connecting { agent, offer, .. } | Kind::Consulting { agent, offer, .. } => {
                    record.connecting.insert(*offer, (at, *agent));
                }
                // Its end is under way, wherever it is.
                Kind::Wrapping { conversation } | Kind::Recalled { conversation } => {
                    record.contact_over.entry(*conversation).or_insert(at);
                }
                Kind::Ended { conversation, .. } => {
                    record.contact_over.entry(*conversation).or_insert(at);
                    record.ended.entry(*conversation).or_insert(at);
                }
                Kind::SessionOpened { agent, epoch } => {
                    record.opened.entry(*agent).or_default().push((at, *epoch));
                }
                _ => {}
            }
        }
        record
    }
}

/// Judges calls and notices.
pub(super) fn judge(history: &History, replay: &mut Replay<'_>) {
    let record = Record::of(history);
    for call in &history.calls {
        if let Outcome::Done(answer) = &call.outcome {
            acknowledged(call, answer, history, &record, replay);
        }
    }
    retries(&history.calls, replay);
    for (reference, conversations) in record.by_reference.iter().filter(|(_, all)| all.len() > 1) {
        let who: Vec<String> = conversations.iter().map(ToString::to_string).collect();
        let what = format!("one intent, reference '{reference}', made {} conversations", who.len());
        replay.broken(Promise::R16, &who, what);
    }
    notices(&history.notices, &record, replay);
    replay.verdict.calls = history.calls.len() as u64;
}

/// what was answered OK is in the record, by the time the answer names.
fn acknowledged(call: &Call, answer: &Answer, history: &History, record: &Record, replay: &mut Replay<'_>) {
    if answer.sequence > record.last_sequence {
        let what = format!(
            "an answer names sequence {}, the record ends at {}",
            answer.sequence, record.last_sequence
        );
        replay.broken(Promise::R3, &[], what);
        return;
    }
    let by = |at: Option<u64>| at.is_some_and(|at| at <= answer.sequence);
    match &call.asked {
        Asked::Start { reference } => {
            let Some(id) = answer.conversation else { return };
            match record.arrived.get(&id) {
                Some((at, of)) if *at <= answer.sequence && of == reference => {
                    finished(id, history, record, replay);
                }
                Some((at, of)) => {
                    let what = format!(
                        "acknowledged for '{reference}' by sequence {}, recorded for '{of}' at {at}",
                        answer.sequence
                    );
                    replay.broken(Promise::R3, &[id.to_string()], what);
                }
                None if history.first_sequence == 1 => {
                    let what = "acknowledged, but no event of it".to_owned();
                    replay.broken(Promise::R3, &[id.to_string()], what);
                }
                None => {}
            }
            if let Some(offer) = answer.offer
                && record.offered.get(&offer).is_none_or(|(_, of, _)| *of != id)
            {
                let who = [id.to_string(), offer.to_string()];
                replay.broken(Promise::R3, &who, "the answer's offer was not made".to_owned());
            }
        }
        Asked::Accept { offer, agent, epoch } => {
            let taken = record.connecting.get(offer).or_else(|| record.assigned.get(offer));
            acted((*offer, *agent, *epoch), "accept", taken, answer, record, replay);
        }
        Asked::Connected { offer, agent, epoch } => {
            let taken = record.assigned.get(offer);
            acted((*offer, *agent, *epoch), "connection", taken, answer, record, replay);
        }
        Asked::EndContact { conversation } | Asked::Abandon { conversation } => {
            if !by(record.contact_over.get(conversation).copied()) {
                let what = "its end was acknowledged, but it goes on".to_owned();
                replay.broken(Promise::R3, &[conversation.to_string()], what);
            }
        }
        Asked::Complete { conversation } => {
            if !by(record.ended.get(conversation).copied()) {
                let what = "its completion was acknowledged, but it did not end".to_owned();
                replay.broken(Promise::R3, &[conversation.to_string()], what);
            }
        }
        Asked::Presence { .. } | Asked::Reject { .. } => {}
    }
}

/// what a desk did about an offer is in the record, and no newer session of it was opened before.
fn acted(
    (offer, agent, epoch): (OfferId, AgentId, u64),
    what: &str,
    taken: Option<&(u64, AgentId)>,
    answer: &Answer,
    record: &Record,
    replay: &mut Replay<'_>,
) {
    let who = [agent.to_string(), offer.to_string()];
    if !taken.is_some_and(|(at, to)| *to == agent && *at <= answer.sequence) {
        replay.broken(Promise::R3, &who, format!("{what} acknowledged, but not in the record"));
    }
    let newer = record.opened.get(&agent).and_then(|opened| {
        let limit = taken.map_or(answer.sequence, |(at, _)| *at);
        opened.iter().find(|(at, newer)| *newer > epoch && *at < limit)
    });
    if let Some((at, newer)) = newer {
        let what = format!("epoch {epoch} acted after epoch {newer} was opened at sequence {at}");
        replay.broken(Promise::R19, &who, what);
    }
}

/// an acknowledged conversation ends once (R-6 sees a second end) or is live at the end.
fn finished(id: ConversationId, history: &History, record: &Record, replay: &mut Replay<'_>) {
    if let Some(live) = &history.live
        && !record.ended.contains_key(&id)
        && !live.contains(&id)
    {
        let what = "acknowledged, not ended, and not among the live".to_owned();
        replay.broken(Promise::R13, &[id.to_string()], what);
    }
}

/// all definite answers of one request id are the same.
fn retries(calls: &[Call], replay: &mut Replay<'_>) {
    let mut first: BTreeMap<u128, &Call> = BTreeMap::new();
    for call in calls {
        let too_old = matches!(&call.outcome, Outcome::Refused(reason) if reason == "REQUEST_TOO_OLD");
        if call.outcome == Outcome::Unknown || too_old {
            continue;
        }
        match first.get(&call.request) {
            None => {
                first.insert(call.request, call);
            }
            Some(before) if before.outcome == call.outcome => {}
            Some(before) => {
                let what = format!(
                    "request {:032x} was answered {:?} and again {:?}",
                    call.request, before.outcome, call.outcome
                );
                replay.broken(Promise::R16, &[], what);
            }
        }
    }
}

/// at the desk: what it is shown is in the record, and up to its cursor it was shown
/// every offer.
fn notices(notices: &[Notice], record: &Record, replay: &mut Replay<'_>) {
    struct Desk {
        cursor: u64,
        base: u64,
        shown: BTreeSet<OfferId>,
        checked: usize,
    }
    let mut desks: BTreeMap<(AgentId, u64), Desk> = BTreeMap::new();
    for notice in notices {
        let agent = notice.agent;
        let desk = desks.entry((agent, notice.epoch)).or_insert(Desk {
            cursor: 0,
            base: notice.cursor,
            shown: BTreeSet::new(),
            checked: 0,
        });
        match &notice.said {
            Said::Welcome => desk.base = desk.base.max(notice.cursor),
            Said::Offered(offer, conversation) => {
                desk.shown.insert(*offer);
                let there =
                    record.offered.get(offer).is_some_and(|(_, of, to)| of == conversation && *to == agent);
                if !there {
                    let who = [agent.to_string(), conversation.to_string(), offer.to_string()];
                    replay.broken(Promise::R3, &who, "shown at the desk, not in the record".to_owned());
                }
            }
            Said::Assigned(_) | Said::Other => {}
        }
        if notice.cursor < desk.cursor {
            let what = format!("the desk's cursor goes from {} back to {}", desk.cursor, notice.cursor);
            replay.broken(Promise::R15, &[agent.to_string()], what);
        }
        desk.cursor = desk.cursor.max(notice.cursor);
        let offers = record.offered_to.get(&agent).map_or(&[][..], Vec::as_slice);
        while let Some((at, offer)) = offers.get(desk.checked).filter(|(at, _)| *at <= desk.cursor) {
            desk.checked += 1;
            if *at > desk.base && !desk.shown.contains(offer) {
                let who = [agent.to_string(), offer.to_string()];
                let what =
                    format!("the desk's cursor is {}, but offer {offer} at {at} was not shown", desk.cursor);
                replay.broken(Promise::R15, &who, what);
            }
        }
    }
}
