//! R-1 as desks see it: two desks that both know a conversation to be theirs at the same sequence
//! of the record; an offer that is shown to two agents.
//!
//! A desk knows from the message that says so, up to the last message of the same stream between
//! which nothing can have been missed.

use super::case::{Case, Who};
use super::sight::{Said, Shown, Sight};
use routing::{AgentId, ConversationId, OfferId};
use std::collections::BTreeMap;

/// A desk knew itself the owner from one sequence to another, both included.
#[derive(Debug, Clone, Copy)]
struct Owned {
    agent: AgentId,
    from: u64,
    to: u64,
}

pub(super) fn check(case: &mut Case) {
    let mut owned: BTreeMap<ConversationId, Vec<Owned>> = BTreeMap::new();
    let mut present: BTreeMap<(u64, ConversationId), Owned> = BTreeMap::new();
    let mut cursors: BTreeMap<u64, u64> = BTreeMap::new();
    let mut shown: BTreeMap<OfferId, AgentId> = BTreeMap::new();
    for sight in &case.tale.sights {
        let last = cursors.insert(sight.stream, sight.cursor).unwrap_or(sight.cursor);
        let mut over = |present: &mut BTreeMap<_, Owned>, id: ConversationId, to: u64| {
            if let Some(one) = present.remove(&(sight.stream, id)) {
                owned.entry(id).or_default().push(Owned { to, ..one });
            }
        };
        match &sight.said {
            Said::Welcome(agent, offers) => {
                let held: Vec<ConversationId> = of_stream(&present, sight.stream);
                for id in held {
                    over(&mut present, id, last);
                }
                for (id, _) in &agent.holdings {
                    present.insert((sight.stream, *id), begins(sight));
                }
                offers.iter().for_each(|offer| see(case.tale.domain, offer, &mut shown, &mut case.found));
            }
            Said::Assigned(id) => {
                present.entry((sight.stream, *id)).or_insert_with(|| begins(sight));
            }
            Said::Released(id) | Said::Ended(id) => over(&mut present, *id, sight.cursor.saturating_sub(1)),
            Said::Offered(offer) => see(case.tale.domain, offer, &mut shown, &mut case.found),
            _ => {}
        }
    }
    for ((stream, id), one) in present {
        let to = cursors.get(&stream).copied().unwrap_or(one.from);
        owned.entry(id).or_default().push(Owned { to, ..one });
    }
    for (id, mut all) in owned {
        all.sort_by_key(|one| (one.from, one.to));
        for pair in all.windows(2) {
            let [first, second] = pair else { continue };
            if first.agent != second.agent && second.from <= first.to {
                let seen = format!(
                    "{id} is of {} from {} to {} and of {} from {}, as both desks were told",
                    first.agent, first.from, first.to, second.agent, second.from
                );
                let who = [Who::Conversation(id), Who::Agent(first.agent), Who::Agent(second.agent)];
                case.broken("R-1", 0, second.from, seen, &who);
            }
        }
    }
}

fn begins(sight: &Sight) -> Owned {
    Owned { agent: sight.agent, from: sight.cursor, to: sight.cursor }
}

fn of_stream(present: &BTreeMap<(u64, ConversationId), Owned>, stream: u64) -> Vec<ConversationId> {
    let first = (stream, ConversationId::new(routing::DomainId(0), 0));
    present.range(first..).take_while(|((of, _), _)| *of == stream).map(|((_, id), _)| *id).collect()
}

fn see(
    domain: routing::DomainId,
    offer: &Shown,
    shown: &mut BTreeMap<OfferId, AgentId>,
    found: &mut Vec<crate::report::Broken>,
) {
    let first = *shown.entry(offer.offer).or_insert(offer.agent);
    if first != offer.agent {
        let seen = format!("{domain}: {} is shown to {first} and to {}", offer.offer, offer.agent);
        found.push(crate::report::Broken { promise: "R-1".to_owned(), at_ms: 0, seen, before: Vec::new() });
    }
}
