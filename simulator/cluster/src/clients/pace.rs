//! The pace of offers, and somebody who sets it: with draws of its own, so that all others are as without it.

use super::caller::{Caller, Manner, Settled, Tries, timed};
use super::realm::Realm;
use super::request::{mutation, request_id};
use crate::checks::Asked;
use crate::determinism::Draw;
use proto::v1;
use proto::v1::admin_client::AdminClient;
use std::sync::Arc;
use std::time::Duration;

/// Who acts.
const NAME: &str = "pace@example.org";
/// Of domains: those that have a pace.
const PACED: f64 = 0.4;
/// Mean time between two changes.
const EVERY: Duration = Duration::from_secs(10);

/// Acts until everybody is to finish. The last pace stays then: it holds nobody back for long.
pub(super) async fn run(realm: Arc<Realm>, mut caller: Caller) {
    if !caller.draw.chance(PACED) {
        return;
    }
    let mut tries = Tries::default();
    while tries.another(&mut caller).await && !set(&realm, &mut caller).await {}
    while caller.acts_again(&realm, EVERY).await {
        set(&realm, &mut caller).await;
    }
}

/// Gives the domain another pace; whether it has it.
async fn set(realm: &Realm, caller: &mut Caller) -> bool {
    let id = request_id(&mut caller.draw);
    let request = v1::SetPaceRequest {
        mutation: mutation(id),
        supervisor: NAME.to_owned(),
        domain: realm.domain.to_string(),
        pace: pace(&mut caller.draw),
    };
    let asked = Asked::Configure("set_pace");
    let settled = caller
        .settle(&asked, id, Manner::ORDINARY, |line, deadline| {
            let request = request.clone();
            async move { AdminClient::new(line).set_pace(timed(request, deadline)).await }
        })
        .await;
    matches!(settled, Settled::Done(..))
}

/// Now and then none, or what cannot be.
fn pace(draw: &mut Draw) -> Option<v1::Pace> {
    if draw.chance(0.15) {
        return None;
    }
    let offers = if draw.chance(0.05) { 21 } else { *draw.pick(&[1, 2, 2, 3]) };
    Some(v1::Pace { offers, per_ms: *draw.pick(&[1_000, 1_500, 3_000]) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paces_hold_back_for_a_moment_and_are_sound_as_a_rule() {
        let all: Vec<_> = (0..400).map(|seed| pace(&mut Draw::new(seed, "pace"))).collect();
        let none = all.iter().filter(|pace| pace.is_none()).count();
        let unsound = all.iter().flatten().filter(|pace| pace.offers > 20).count();
        assert!((30..100).contains(&none) && (5..40).contains(&unsound), "{none} {unsound}");
        assert!(all.iter().flatten().all(|pace| pace.per_ms <= 3_000));
    }
}
