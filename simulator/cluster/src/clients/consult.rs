//! Supervisors who have others asked, and say what comes of it: with draws of their own, so that all others are as without
//! them. What owners do by themselves is at their desks.

use super::caller::{Caller, Manner, change, timed};
use super::realm::Realm;
use crate::checks::Stage;
use proto::v1;
use proto::v1::routing_client::RoutingClient;
use proto::v1::supervisor_client::SupervisorClient;
use routing::ConversationId;
use std::sync::Arc;
use std::time::Duration;

/// Who acts.
const NAME: &str = "consult@example.org";
/// Of domains: those where somebody does.
const ACTS: f64 = 0.4;
/// Mean time between two acts.
const EVERY: Duration = Duration::from_secs(4);
/// From the question to what comes of it, milliseconds.
const THEN_MS: (u64, u64) = (100, 2_500);

/// Acts until everybody is to finish.
pub(super) async fn run(realm: Arc<Realm>, mut caller: Caller) {
    if !caller.draw.chance(ACTS) {
        return;
    }
    while caller.acts_again(&realm, EVERY).await {
        let drawn = caller.draw.bits();
        let Some(id) = realm.history.some_at(realm.domain, Stage::Assigned, drawn) else { continue };
        if !begin(&realm, &mut caller, id).await {
            continue;
        }
        let pause = caller.draw.millis(THEN_MS.0, THEN_MS.1);
        if caller.sleep(pause).await {
            continue;
        }
        match caller.draw.range(0, 5) {
            0 => end(&mut caller, id).await,
            1..=2 => complete(&mut caller, id).await,
            // Whoever is consulted takes over.
            3..=4 => log_owner_out(&mut caller, id).await,
            // Its owner may, or nobody does.
            _ => {}
        }
    }
}

/// Has somebody asked; whether the question stands.
async fn begin(realm: &Realm, caller: &mut Caller, id: ConversationId) -> bool {
    let asked = caller.draw.pick(&realm.agents).id.to_string();
    let request = v1::SupervisorConsultRequest {
        mutation: None,
        supervisor: NAME.to_owned(),
        conversation: id.to_string(),
        asked,
        lasts_ms: *caller.draw.pick(&[1_000, 2_000, 5_000]),
    };
    change!(caller, "consult", SupervisorClient, consult, request)
}

async fn end(caller: &mut Caller, id: ConversationId) {
    let (supervisor, conversation) = (NAME.to_owned(), id.to_string());
    let request = v1::SupervisorEndConsultRequest { mutation: None, supervisor, conversation };
    change!(caller, "end_consult", SupervisorClient, end_consult, request);
}

async fn complete(caller: &mut Caller, id: ConversationId) {
    let (supervisor, conversation) = (NAME.to_owned(), id.to_string());
    let request = v1::SupervisorCompleteConsultRequest { mutation: None, supervisor, conversation };
    change!(caller, "complete_consult", SupervisorClient, complete_consult, request);
}

async fn log_owner_out(caller: &mut Caller, id: ConversationId) {
    let found = caller
        .read(Manner::ONCE, |line, deadline| {
            let request = v1::GetConversationRequest { conversation: id.to_string() };
            async move { RoutingClient::new(line).get_conversation(timed(request, deadline)).await }
        })
        .await;
    let Ok(found) = found else { return };
    if found.stage() != v1::Stage::Assigned || !found.offer.is_some_and(|offer| offer.consult) {
        return;
    }
    let request = v1::LogOutRequest { mutation: None, supervisor: NAME.to_owned(), agent: found.agent };
    change!(caller, "log_out", SupervisorClient, log_out, request);
}
