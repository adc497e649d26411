//! a desk of an older session acts no more once a newer one is in the record.

use super::call::Outcome;
use super::case::{Case, Who};
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
}
