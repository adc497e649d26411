//! Rules between channels, and somebody who sets them: with draws of its own, so that all others are as without it.

use super::caller::{Caller, Manner, Settled, Tries, timed};
use super::realm::Realm;
use super::request::{mutation, request_id};
use crate::checks::Asked;
use crate::determinism::Draw;
use proto::v1;
use proto::v1::Channel;
use proto::v1::admin_client::AdminClient;
use proto::v1::channel_rule::Effect;
use std::sync::Arc;
use std::time::Duration;

/// Who acts.
const NAME: &str = "rules@example.org";
/// Of domains: those that have rules.
const RULED: f64 = 0.5;
/// Mean time between two changes.
const EVERY: Duration = Duration::from_secs(15);
/// The channels by which customers come here.
const CHANNELS: [Channel; 3] = [Channel::Voice, Channel::Chat, Channel::Email];

/// Sets rules until everybody is to finish. They stay then, and go on.
pub(super) async fn run(realm: Arc<Realm>, mut caller: Caller) {
    if !caller.draw.chance(RULED) {
        return;
    }
    let mut tries = Tries::default();
    while tries.another(&mut caller).await && !set(&realm, &mut caller).await {}
    while caller.acts_again(&realm, EVERY).await {
        set(&realm, &mut caller).await;
    }
}

/// Gives the domain other rules; whether it has them.
async fn set(realm: &Realm, caller: &mut Caller) -> bool {
    let rules = rules(&mut caller.draw);
    let id = request_id(&mut caller.draw);
    let request = v1::SetChannelRulesRequest {
        mutation: mutation(id),
        supervisor: NAME.to_owned(),
        domain: realm.domain.to_string(),
        rules: Some(v1::ChannelRules { rules }),
    };
    let settled = caller
        .settle(&Asked::Configure("set_channel_rules"), id, Manner::ORDINARY, |line, deadline| {
            let request = request.clone();
            async move { AdminClient::new(line).set_channel_rules(timed(request, deadline)).await }
        })
        .await;
    matches!(settled, Settled::Done(..))
}

fn rules(draw: &mut Draw) -> Vec<v1::ChannelRule> {
    if draw.chance(0.15) {
        return Vec::new();
    }
    let count = draw.range(1, 3);
    let mut rules: Vec<_> = (0..count).map(|_| rule(draw)).collect();
    // Now and then it is asked for what cannot be, and refused.
    if draw.chance(0.05) {
        rules.push(v1::ChannelRule { channels: Vec::new(), ..rule(draw) });
    }
    rules
}

fn rule(draw: &mut Draw) -> v1::ChannelRule {
    let effect = if draw.chance(0.75) { Effect::Block } else { Effect::Allow };
    v1::ChannelRule { effect: effect.into(), channels: channels(draw), during: channels(draw) }
}

/// One, mostly: what blocks everything leaves little to do.
fn channels(draw: &mut Draw) -> Vec<i32> {
    let first = *draw.pick(&CHANNELS);
    let second = draw.chance(0.25).then(|| *draw.pick(&CHANNELS)).filter(|second| *second != first);
    [Some(first), second].into_iter().flatten().map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_about_everything_and_sound_as_a_rule() {
        let (mut pairs, mut none, mut unsound) = ([0; 2], 0, 0);
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..400 {
            let rules = rules(&mut Draw::new(seed, "rules"));
            none += u32::from(rules.is_empty());
            unsound += u32::from(rules.iter().any(|rule| rule.channels.is_empty()));
            for rule in &rules {
                pairs[usize::from(rule.effect() == Effect::Block)] += 1;
                assert!(!rule.during.is_empty() && rule.channels.len() <= 2, "{rule:?}");
                for channel in &rule.channels {
                    seen.extend(rule.during.iter().map(|during| (*channel, *during)));
                }
            }
        }
        assert!(pairs.iter().all(|count| *count > 50) && none > 20, "{pairs:?} {none}");
        assert!((5..60).contains(&unsound), "{unsound}");
        assert_eq!(seen.len(), 9, "each of three during each of them");
    }
}
