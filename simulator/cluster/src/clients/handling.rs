//! How contacts are handled, and somebody who sets that and makes use of it: with draws of its own, so that all others
//! are as without it.

use super::caller::{Caller, Tries, change};
use super::realm::Realm;
use crate::checks::Stage;
use crate::determinism::Draw;
use proto::v1;
use proto::v1::Channel;
use proto::v1::admin_client::AdminClient;
use proto::v1::routing_client::RoutingClient;
use proto::v1::supervisor_client::SupervisorClient;
use routing::ConversationId;
use std::sync::Arc;
use std::time::Duration;

/// Who acts.
const NAME: &str = "handling@example.org";
/// Of domains: those that have a handling of their own.
const HANDLED: f64 = 0.5;
/// Mean time between two acts.
const EVERY: Duration = Duration::from_secs(3);

/// Acts until everybody is to finish. What was set stays then, and goes on.
pub(super) async fn run(realm: Arc<Realm>, mut caller: Caller) {
    if !caller.draw.chance(HANDLED) {
        return;
    }
    let mut tries = Tries::default();
    while tries.another(&mut caller).await && !set(&realm, &mut caller).await {}
    while caller.acts_again(&realm, EVERY).await {
        match caller.draw.range(0, 9) {
            0 => drop(set(&realm, &mut caller).await),
            1..=4 => rest(&realm, &mut caller).await,
            5..=6 => wake(&realm, &mut caller).await,
            _ => extend(&realm, &mut caller).await,
        }
    }
}

/// Gives the domain another handling; whether it has it.
async fn set(realm: &Realm, caller: &mut Caller) -> bool {
    let request = v1::SetHandlingRequest {
        mutation: None,
        supervisor: NAME.to_owned(),
        domain: realm.domain.to_string(),
        handling: Some(handling(&mut caller.draw)),
    };
    change!(caller, "set_handling", AdminClient, set_handling, request)
}

/// One of those that are at this stage by the record.
fn one(realm: &Realm, draw: &mut Draw, stage: Stage) -> Option<ConversationId> {
    realm.history.some_at(realm.domain, stage, draw.bits())
}

async fn rest(realm: &Realm, caller: &mut Caller) {
    let Some(conversation) = one(realm, &mut caller.draw, Stage::Assigned) else { return };
    let request = v1::SupervisorSetIdleRequest {
        mutation: None,
        supervisor: NAME.to_owned(),
        conversation: conversation.to_string(),
        idle: !caller.draw.chance(0.2),
    };
    change!(caller, "set_idle", SupervisorClient, set_idle, request);
}

/// A customer does something, which mostly wakes nothing.
async fn wake(realm: &Realm, caller: &mut Caller) {
    let Some(conversation) = one(realm, &mut caller.draw, Stage::Assigned) else { return };
    let request = v1::WakeRequest { mutation: None, conversation: conversation.to_string() };
    change!(caller, "wake", RoutingClient, wake, request);
}

async fn extend(realm: &Realm, caller: &mut Caller) {
    let Some(conversation) = one(realm, &mut caller.draw, Stage::Wrapping) else { return };
    let request = v1::SupervisorExtendWrapUpRequest {
        mutation: None,
        supervisor: NAME.to_owned(),
        conversation: conversation.to_string(),
        longer_ms: *caller.draw.pick(&[999, 1_000, 2_000, 5_000]),
    };
    change!(caller, "extend_wrap_up", SupervisorClient, extend_wrap_up, request);
}

fn handling(draw: &mut Draw) -> v1::Handling {
    if draw.chance(0.1) {
        return v1::Handling::default();
    }
    let one = |draw: &mut Draw, channel: Channel, connects: f64| v1::ChannelHandling {
        channel: channel.into(),
        connect_ms: draw.chance(connects).then(|| *draw.pick(&[1_000, 2_000, 4_000])),
        idle_weight: draw.chance(0.6).then(|| *draw.pick(&[0, 0, 5, 20])),
    };
    let mut channels =
        vec![one(draw, Channel::Voice, 0.8), one(draw, Channel::Chat, 0.2), one(draw, Channel::Email, 0.1)];
    // Now and then it is asked for what cannot be, and refused.
    if draw.chance(0.05) {
        channels.push(channels[0]);
    }
    v1::Handling { channels, extend_max_ms: *draw.pick(&[0, 5_000, 20_000]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlings_are_about_everything_and_sound_as_a_rule() {
        let (mut connects, mut rests, mut weightless, mut none, mut unsound) = (0, 0, 0, 0, 0);
        for seed in 0..400 {
            let handling = handling(&mut Draw::new(seed, "handling"));
            none += u32::from(handling == v1::Handling::default());
            unsound += u32::from(handling.channels.len() > 3);
            for one in &handling.channels {
                connects += u32::from(one.connect_ms.is_some());
                rests += u32::from(one.idle_weight.is_some());
                weightless += u32::from(one.idle_weight == Some(0));
            }
        }
        assert!(connects > 200 && rests > 300 && weightless > 100, "{connects} {rests} {weightless}");
        assert!((10..80).contains(&none) && (5..60).contains(&unsound), "{none} {unsound}");
    }
}
