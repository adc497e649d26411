//! wherever a conversation is shown, its arrival is the moment of its first event, less the age
//! with which it came from another domain, or that of the place that it has again.

use super::case::{Case, Who};
use simulator::checker::model::Kind;
use std::collections::BTreeMap;

pub(super) fn check(case: &mut Case) {
    let arrivals: BTreeMap<_, u64> = case
        .tale
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::Arrived { conversation, from, .. } => {
                let age_us = from.map_or(0, |(_, age_us)| age_us);
                Some((*conversation, event.at_us.saturating_sub(age_us)))
            }
            Kind::Resumed { conversation, arrived_at_us, .. } => Some((*conversation, *arrived_at_us)),
            _ => None,
        })
        .collect();
    let reads = case.tale.reads.iter().map(|read| &read.seen);
    for seen in reads.chain(case.tale.audit.iter().flat_map(|audit| &audit.conversations)) {
        if let Some(arrived) = arrivals.get(&seen.id).filter(|arrived| **arrived != seen.arrived_at_us) {
            let what =
                format!("{} is shown to have arrived at {} µs, not {arrived}", seen.id, seen.arrived_at_us);
            case.broken("R-10", 0, 0, what, &[Who::Conversation(seen.id)]);
        }
    }
}
