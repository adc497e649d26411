//! Callbacks and resumed places, and somebody who sets how that goes and makes use of it: with draws of its own, so that
//! all others are as without it.

use super::caller::{Caller, Manner, Settled, Tries, change, timed};
use super::realm::Realm;
use super::request::{mutation, request_id};
use crate::checks::{Asked, Stage};
use crate::determinism::Draw;
use proto::v1;
use proto::v1::admin_client::AdminClient;
use proto::v1::routing_client::RoutingClient;
use routing::ConversationId;
use std::sync::Arc;
use std::time::Duration;

/// Who acts.
const NAME: &str = "callback@example.org";
/// Of domains: those that call back.
const CALLS: f64 = 0.5;
/// Mean time between two acts.
const EVERY: Duration = Duration::from_secs(3);

/// Acts until everybody is to finish. Desks dial what was asked for by then.
pub(super) async fn run(realm: Arc<Realm>, mut caller: Caller) {
    if !caller.draw.chance(CALLS) {
        return;
    }
    let mut tries = Tries::default();
    while tries.another(&mut caller).await && !set(&realm, &mut caller).await {}
    let mut asked = Vec::new();
    let mut comes_back = 0;
    while caller.acts_again(&realm, EVERY).await {
        match caller.draw.range(0, 9) {
            0 => drop(set(&realm, &mut caller).await),
            1..=5 => asked.extend(request(&realm, &mut caller).await),
            6 => cancel(&mut caller, &asked).await,
            _ => {
                comes_back += 1;
                leave_and_come_back(&realm, &mut caller, comes_back).await;
            }
        }
    }
}

/// Lets the domain call back in another way; whether it does.
async fn set(realm: &Realm, caller: &mut Caller) -> bool {
    let request = v1::SetCallbackRequest {
        mutation: None,
        supervisor: NAME.to_owned(),
        domain: realm.domain.to_string(),
        callback: settings(&mut caller.draw),
    };
    change!(caller, "set_callback", AdminClient, set_callback, request)
}

/// Somebody who waits, or whom it rings for, wants to be called back.
async fn request(realm: &Realm, caller: &mut Caller) -> Option<ConversationId> {
    let stage = if caller.draw.chance(0.8) { Stage::Waiting } else { Stage::Offered };
    let conversation = realm.history.some_at(realm.domain, stage, caller.draw.bits())?;
    let request = v1::RequestCallbackRequest {
        mutation: None,
        conversation: conversation.to_string(),
        contact: "+34 600".to_owned(),
        not_before_ms: *caller.draw.pick(&[0, 0, 1_000, 4_000]),
    };
    change!(caller, "request_callback", RoutingClient, request_callback, request).then_some(conversation)
}

/// One of those who wanted to be called back has changed their mind, perhaps too late.
async fn cancel(caller: &mut Caller, asked: &[ConversationId]) {
    if asked.is_empty() {
        return;
    }
    let conversation = caller.draw.pick(asked).to_string();
    let request = v1::CancelCallbackRequest { mutation: None, conversation };
    change!(caller, "cancel_callback", RoutingClient, cancel_callback, request);
}

/// Somebody who waits is cut off, and comes back for the place.
async fn leave_and_come_back(realm: &Realm, caller: &mut Caller, number: u64) {
    let Some(left) = realm.history.some_at(realm.domain, Stage::Waiting, caller.draw.bits()) else { return };
    let id = request_id(&mut caller.draw);
    let abandon = v1::AbandonRequest { mutation: mutation(id), conversation: left.to_string() };
    let settled = caller
        .settle(&Asked::Abandon(left), id, Manner::ORDINARY, |line, deadline| {
            let abandon = abandon.clone();
            async move { RoutingClient::new(line).abandon(timed(abandon, deadline)).await }
        })
        .await;
    if !matches!(settled, Settled::Done(..)) {
        return;
    }
    // Whoever was cut off may dial twice: the place is there once.
    let calls = if caller.draw.chance(0.5) { 2 } else { 1 };
    let touchpoint = caller.draw.pick(&realm.touchpoints).to_string();
    for call in 1..=calls {
        let pause = caller.draw.millis(0, 3_000 / calls);
        caller.sleep(pause).await;
        let reference = format!("back {number}, call {call}, of {}", realm.domain);
        come_back(caller, left, touchpoint.clone(), reference).await;
    }
}

/// Somebody who left calls again.
async fn come_back(caller: &mut Caller, left: ConversationId, touchpoint: String, reference: String) {
    let id = request_id(&mut caller.draw);
    let start = v1::StartRequest {
        mutation: mutation(id),
        touchpoint,
        customer: "back".to_owned(),
        reference: reference.clone(),
        priority: None,
        continues: left.to_string(),
        criteria: None,
    };
    caller
        .settle(&Asked::Start(reference), id, Manner::ORDINARY, |line, deadline| {
            let start = start.clone();
            async move { RoutingClient::new(line).start(timed(start, deadline)).await }
        })
        .await;
}

/// Now and then none, or what cannot be.
fn settings(draw: &mut Draw) -> Option<v1::CallbackSettings> {
    if draw.chance(0.1) {
        return None;
    }
    Some(v1::CallbackSettings {
        attempts: if draw.chance(0.05) { 11 } else { *draw.pick(&[1, 2, 2, 3]) },
        retry_after_ms: *draw.pick(&[1_000, 2_000, 4_000]),
        dial_ms: *draw.pick(&[1_000, 2_000, 4_000]),
        expires_after_ms: 60_000,
        resume_within_ms: *draw.pick(&[0, 2_000, 5_000, 5_000]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_short_and_sound_as_a_rule() {
        let all: Vec<_> = (0..400).map(|seed| settings(&mut Draw::new(seed, "callback"))).collect();
        let none = all.iter().filter(|one| one.is_none()).count();
        let unsound = all.iter().flatten().filter(|one| one.attempts > 10).count();
        let resumes = all.iter().flatten().filter(|one| one.resume_within_ms > 0).count();
        assert!((15..80).contains(&none) && (5..40).contains(&unsound), "{none} {unsound}");
        assert!(resumes > 200, "{resumes}");
        assert!(all.iter().flatten().all(|one| one.retry_after_ms <= 4_000));
    }
}
