//! The domain's record and the calls, judged by the history checker (`simulator::checker`).

use super::call::{Asked, Call, Outcome};
use super::case::Case;
use super::read::Stage;
use super::sight::Said;
use simulator::checker::check as check_history;
use simulator::checker::model;

/// The history checker derives who could take what from settings as they were in the beginning. Here
/// agents, queues and weights change under way, so are the witness's, which sees the state.
const OF_THE_WITNESS: [&str; 2] = ["R-8", "R-9"];

pub(super) fn check(case: &mut Case) {
    let tale = case.tale;
    let Some(facts) = tale.facts.clone().filter(|_| tale.holes == 0) else { return };
    let live = tale.audit.as_ref().map(|audit| {
        let live = audit.conversations.iter().filter(|seen| !matches!(seen.stage, Stage::Ended { .. }));
        live.map(|seen| seen.id).collect()
    });
    let notices = tale
        .sights
        .iter()
        .filter_map(|sight| {
            let said = match &sight.said {
                Said::Welcome(..) => model::Said::Welcome,
                Said::Offered(offer) => model::Said::Offered(offer.offer, offer.conversation),
                Said::Assigned(id) => model::Said::Assigned(*id),
                // The last word of a session is the front node's own and tells no news.
                Said::SessionEnded(_) => return None,
                _ => model::Said::Other,
            };
            Some(model::Notice { agent: sight.agent, epoch: sight.epoch, cursor: sight.cursor, said })
        })
        .collect();
    let history = model::History {
        facts,
        events: tale.events.clone(),
        first_sequence: 1,
        calls: tale.calls.iter().filter_map(call).collect(),
        notices,
        live,
    };
    for violation in check_history(&history).violations {
        let seen = format!("{} [{}]", violation.what, violation.entities.join(", "));
        if OF_THE_WITNESS.contains(&violation.promise.id()) {
            continue;
        }
        let found = case.found.len();
        case.broken(violation.promise.id(), 0, 0, seen, &[]);
        if case.found.len() > found
            && let Some(last) = case.found.last_mut()
        {
            last.before = violation.trail;
        }
    }
}

fn call(call: &Call) -> Option<model::Call> {
    let asked = match &call.asked {
        Asked::Start(reference) => model::Asked::Start { reference: reference.clone() },
        Asked::Abandon(id) => model::Asked::Abandon { conversation: *id },
        Asked::CustomerEnds(id) | Asked::EndContact(_, id) => model::Asked::EndContact { conversation: *id },
        Asked::Complete(_, id) => model::Asked::Complete { conversation: *id },
        Asked::Accept(seat, offer) => {
            model::Asked::Accept { offer: *offer, agent: seat.agent, epoch: seat.epoch }
        }
        Asked::Connected(seat, offer) => {
            model::Asked::Connected { offer: *offer, agent: seat.agent, epoch: seat.epoch }
        }
        _ => return None,
    };
    let outcome = match &call.outcome {
        Outcome::Done(answer) => model::Outcome::Done(model::Answer {
            sequence: answer.sequence,
            conversation: answer.conversation,
            offer: answer.offer,
        }),
        Outcome::Refused(reason) if reason != "QUARANTINED" => model::Outcome::Refused(reason.clone()),
        _ => model::Outcome::Unknown,
    };
    let (sent_us, returned_us) = (call.sent_us, call.returned_us);
    Some(model::Call { request: call.request, asked, sent_us, returned_us, outcome })
}
