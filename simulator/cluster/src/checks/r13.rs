//! what was acknowledged has ended, once, when the healed core has finished. Looked at only
//! when the run came that far, which the last picture of all says.

use super::call::{Asked, Outcome};
use super::case::{Case, Who};
use simulator::checker::model::Kind;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(case: &mut Case) {
    let tale = case.tale;
    let mut ends: BTreeMap<_, u32> = BTreeMap::new();
    for event in &tale.events {
        if let Kind::Ended { conversation, .. } = &event.kind {
            *ends.entry(*conversation).or_insert(0) += 1;
        }
    }
    for (id, count) in ends.iter().filter(|(_, count)| **count > 1) {
        case.broken("R-13", 0, 0, format!("{id} ends {count} times"), &[Who::Conversation(*id)]);
    }
    if tale.audit.is_none() || tale.quarantined || tale.holes > 0 {
        return;
    }
    let acknowledged: BTreeSet<_> = tale
        .calls
        .iter()
        .filter_map(|call| match (&call.asked, &call.outcome) {
            (Asked::Start(_), Outcome::Done(answer)) => answer.conversation,
            _ => None,
        })
        .collect();
    for id in acknowledged.into_iter().filter(|id| !ends.contains_key(id)) {
        let seen = format!("{id} was acknowledged and has not ended");
        case.broken("R-13", 0, 0, seen, &[Who::Conversation(id)]);
    }
}
