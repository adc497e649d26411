//! Policies of queues, and another supervisor who sets them: with draws of its own, so that all others are as without it.

use super::caller::{Caller, Manner, Settled, Tries, timed};
use super::realm::Realm;
use super::request::{mutation, request_id};
use crate::checks::Asked;
use crate::determinism::Draw;
use proto::v1;
use proto::v1::condition::{Is, Measure};
use proto::v1::rule::Then;
use proto::v1::supervisor_client::SupervisorClient;
use routing::QueueId;
use std::sync::Arc;
use std::time::Duration;

/// Who acts.
const NAME: &str = "planner@example.org";
/// Of domains: those whose queues have policies.
const POLICED: f64 = 0.75;
/// Mean time between two changes.
const EVERY: Duration = Duration::from_secs(12);

/// What a policy may name.
struct Around {
    /// Whose policy it is.
    own: QueueId,
    /// Queues that stay.
    queues: Vec<QueueId>,
    /// Touchpoints of other domains.
    far: Vec<String>,
}

impl Around {
    /// Rules move to queues that are younger, mostly: so none leads back.
    fn younger(&self) -> Vec<QueueId> {
        self.queues.iter().copied().filter(|queue| *queue > self.own).collect()
    }

    fn others(&self) -> Vec<QueueId> {
        self.queues.iter().copied().filter(|queue| *queue != self.own).collect()
    }
}

/// Sets policies until everybody is to finish. They stay then, and go on.
pub(super) async fn run(realm: Arc<Realm>, mut caller: Caller) {
    if !caller.draw.chance(POLICED) {
        return;
    }
    for place in 0..realm.queues.len() {
        if caller.draw.chance(0.25) {
            continue;
        }
        let mut tries = Tries::default();
        while tries.another(&mut caller).await && !set(&realm, &mut caller, realm.queues[place].0).await {}
    }
    while caller.acts_again(&realm, EVERY).await {
        let extra: Vec<QueueId> = realm.changes().queues.iter().copied().collect();
        let queue = if !extra.is_empty() && caller.draw.chance(0.2) {
            *caller.draw.pick(&extra)
        } else {
            caller.draw.pick(&realm.queues).0
        };
        set(&realm, &mut caller, queue).await;
    }
}

/// Gives a queue another policy; whether it has it.
async fn set(realm: &Realm, caller: &mut Caller, queue: QueueId) -> bool {
    let around = Around {
        own: queue,
        // Those made besides are deleted again, and what a policy names is not.
        queues: realm.queues.iter().map(|(id, _)| *id).collect(),
        far: realm.history.touchpoints_beyond(realm.domain).iter().map(ToString::to_string).collect(),
    };
    let wanted = policy(&mut caller.draw, &around);
    let id = request_id(&mut caller.draw);
    let request = v1::SetPolicyRequest {
        mutation: mutation(id),
        supervisor: NAME.to_owned(),
        queue: queue.to_string(),
        policy: Some(wanted),
    };
    let settled = caller
        .settle(&Asked::Configure("set_policy"), id, Manner::ORDINARY, |line, deadline| {
            let request = request.clone();
            async move { SupervisorClient::new(line).set_policy(timed(request, deadline)).await }
        })
        .await;
    matches!(settled, Settled::Done(..))
}

fn policy(draw: &mut Draw, around: &Around) -> v1::Policy {
    if draw.chance(0.08) {
        return v1::Policy::default();
    }
    let mut rules: Vec<v1::Rule> = Vec::new();
    let mut after_ms = 0;
    for _ in 0..draw.range(1, 4) {
        if draw.chance(0.75) {
            after_ms += draw.range(100, 4_000);
        }
        let rule = rule(draw, around, after_ms);
        let last = rule.when.is_empty() && ends(rule.then.as_ref());
        rules.push(rule);
        // Nothing after it would be reached; now and then it is asked for all the same, and refused.
        if last && draw.chance(0.95) {
            break;
        }
    }
    let target =
        draw.chance(0.8).then(|| v1::ServiceTarget { within_ms: draw.range(1_000, 8_000), percent: 80 });
    v1::Policy { rules, target }
}

/// Whether no rule is reached after this.
fn ends(then: Option<&Then>) -> bool {
    matches!(then, Some(Then::MoveTo(_) | Then::ToInbox(_) | Then::Close(_)))
}

fn rule(draw: &mut Draw, around: &Around, after_ms: u64) -> v1::Rule {
    let then = action(draw, around);
    // Not everything that comes is swept away.
    let sweeps = !matches!(then, Then::Prioritise(_) | Then::AddQueue(_) | Then::CallBack(_));
    let must = matches!(then, Then::Close(_)) || sweeps && after_ms == 0;
    let count = match &then {
        _ if must => draw.range(1, 2),
        Then::ToInbox(_) if draw.chance(0.7) => 1,
        _ if draw.chance(0.4) => draw.range(1, 2),
        _ => 0,
    };
    let when = (0..count).map(|_| condition(draw, around)).collect();
    v1::Rule { after_ms, when, then: Some(then) }
}

fn action(draw: &mut Draw, around: &Around) -> Then {
    let some = |draw: &mut Draw, of: &[QueueId]| (!of.is_empty()).then(|| draw.pick(of).to_string());
    let drawn = match draw.range(1, 100) {
        1..=22 => some(draw, &around.younger()).map(Then::MoveTo),
        // This may lead around: then it is refused.
        23..=26 => some(draw, &around.others()).map(Then::MoveTo),
        27..=46 => some(draw, &around.others()).map(Then::AddQueue),
        47..=60 if !around.far.is_empty() => Some(Then::SendTo(draw.pick(&around.far).clone())),
        61..=72 => Some(Then::ToInbox(true)),
        73..=78 => Some(Then::Close("nobody has time".to_owned())),
        79..=86 => Some(Then::CallBack(true)),
        _ => None,
    };
    drawn.unwrap_or_else(|| Then::Prioritise(u32::try_from(draw.range(0, 3)).unwrap_or(0)))
}

fn condition(draw: &mut Draw, around: &Around) -> v1::Condition {
    let of = if draw.chance(0.35) { draw.pick(&around.queues).to_string() } else { String::new() };
    use Measure::{Available, Position, ServiceLevel, SignedOn, Waiting};
    let measure = *draw.pick(&[SignedOn, Available, Waiting, Position, ServiceLevel]);
    let most = if measure == ServiceLevel { 100 } else { 4 };
    let figure = u32::try_from(draw.range(1, most)).unwrap_or(1);
    let is = if draw.chance(0.5) { Is::AtLeast(figure) } else { Is::Below(figure) };
    v1::Condition { of, measure: measure.into(), is: Some(is) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::DomainId;

    #[test]
    fn policies_do_everything_and_measure_everything() {
        let queues: Vec<QueueId> = (1..=3).map(|number| QueueId::new(DomainId(1), number)).collect();
        let (mut done, mut measured, mut at_once) = ([0; 7], [0; 6], 0);
        for seed in 0..300 {
            let far = vec!["touchpoint_2_1".to_owned()];
            let around = Around { own: queues[0], queues: queues.clone(), far };
            let policy = policy(&mut Draw::new(seed, "policy"), &around);
            assert!(policy.rules.is_sorted_by_key(|rule| rule.after_ms), "{policy:?}");
            for rule in policy.rules {
                let then = rule.then.expect("an action");
                let sweeps = !matches!(then, Then::Prioritise(_) | Then::AddQueue(_) | Then::CallBack(_));
                at_once += u32::from(rule.after_ms == 0);
                assert!(rule.after_ms > 0 || !sweeps || !rule.when.is_empty(), "everything goes at once");
                for condition in rule.when {
                    measured[usize::try_from(condition.measure).unwrap()] += 1;
                }
                done[match then {
                    Then::Prioritise(_) => 0,
                    Then::AddQueue(_) => 1,
                    Then::MoveTo(_) => 2,
                    Then::ToInbox(_) => 3,
                    Then::SendTo(_) => 4,
                    Then::Close(_) => 5,
                    Then::CallBack(_) => 6,
                }] += 1;
            }
        }
        assert!(done.iter().chain(&measured[1..]).all(|count| *count > 10) && at_once > 10);
        assert_eq!(measured[0], 0);
    }
}
