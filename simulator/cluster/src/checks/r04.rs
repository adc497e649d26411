//! R-4 at the desk: an offer is shown to the agent it names, with a deadline after its making, and
//! not while the desk knows itself unavailable.

use super::case::{Case, Who};
use super::sight::{Said, Shown, Sight};
use std::collections::BTreeMap;

pub(super) fn check(case: &mut Case) {
    // Per stream: whether the desk was told that it is available, last.
    let mut available: BTreeMap<u64, bool> = BTreeMap::new();
    for sight in &case.tale.sights {
        match &sight.said {
            Said::Welcome(agent, offers) => {
                available.insert(sight.stream, agent.available);
                for offer in offers {
                    shown(case, sight, offer, agent.available);
                }
            }
            Said::Presence(now) => {
                available.insert(sight.stream, *now);
            }
            Said::Offered(offer) => {
                let now = available.get(&sight.stream).copied().unwrap_or(true);
                shown(case, sight, offer, now);
            }
            _ => {}
        }
    }
}

fn shown(case: &mut Case, sight: &Sight, offer: &Shown, available: bool) {
    let what = if offer.agent != sight.agent {
        format!("is made to {}", offer.agent)
    } else if offer.deadline_us <= offer.made_at_us {
        format!("has deadline {} and was made at {}", offer.deadline_us, offer.made_at_us)
    } else if !available && !offer.connecting {
        "is shown although the desk was told before that it is unavailable".to_owned()
    } else {
        return;
    };
    let seen = format!("{} at the desk of {} {what}", offer.offer, sight.agent);
    let who = [Who::Offer(offer.offer), Who::Agent(sight.agent)];
    case.broken("R-4", sight.at_us / 1_000, sight.cursor, seen, &who);
}
