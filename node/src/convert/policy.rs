//! Policies of queues: both ways, and how they stand.

use super::Read;
use super::ids::{id, optional_id};
use super::scalar::{millis, priority, span};
use crate::problem::Problem;
use proto::v1;
use proto::v1::condition::Is;
use proto::v1::rule::Then;
use routing::LogTime;
use routing::policy::{
    Action, Bound, Condition, Measure, Policy, PolicyView, Rule, Service, Standing, Target, limits,
};

/// Minutes of log time that a queue's service is summed up over.
const SERVICE_MINUTES: [u32; 3] = [5, 15, 60];

/// Reads a policy that must be there.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field.
pub fn read_required(policy: Option<v1::Policy>) -> Read<Policy> {
    let missing = || Problem::field("policy", "is required: without rules and target, the queue has none");
    read(policy.ok_or_else(missing)?)
}

/// Reads a policy.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field.
pub fn read(policy: v1::Policy) -> Read<Policy> {
    let rule = |(place, rule)| read_rule(&format!("policy.rules[{place}]"), rule);
    Ok(Policy {
        rules: policy.rules.into_iter().enumerate().map(rule).collect::<Read<_>>()?,
        target: policy.target.map(read_target).transpose()?,
    })
}

fn read_target(target: v1::ServiceTarget) -> Read<Target> {
    let v1::ServiceTarget { within_ms, percent } = target;
    let out_of_range =
        |_| Problem::field("policy.target.percent", format!("{percent} is out of range: 1 to 100"));
    Ok(Target {
        within: span("policy.target.within_ms", within_ms)?,
        percent: u8::try_from(percent).map_err(out_of_range)?,
    })
}

fn read_rule(field: &str, rule: v1::Rule) -> Read<Rule> {
    let condition = |(place, one)| read_condition(&format!("{field}.when[{place}]"), one);
    Ok(Rule {
        after: span(&format!("{field}.after_ms"), rule.after_ms)?,
        when: rule.when.iter().enumerate().map(condition).collect::<Read<_>>()?,
        then: read_then(field, rule.then)?,
    })
}

fn read_then(field: &str, then: Option<Then>) -> Read<Action> {
    let named = |name: &str| format!("{field}.{name}");
    Ok(match then {
        Some(Then::Prioritise(to)) => Action::Prioritise(priority(&named("prioritise"), to)?),
        Some(Then::AddQueue(queue)) => Action::AddQueue(id(&named("add_queue"), &queue)?),
        Some(Then::MoveTo(queue)) => Action::MoveTo(id(&named("move_to"), &queue)?),
        Some(Then::ToInbox(true)) => Action::ToInbox,
        Some(Then::ToInbox(false)) => {
            return Err(Problem::field(named("to_inbox"), "false is no action: give true, or another one"));
        }
        Some(Then::SendTo(touchpoint)) => Action::SendTo(id(&named("send_to"), &touchpoint)?),
        Some(Then::Close(reason)) => Action::Close { reason },
        Some(Then::CallBack(true)) => Action::CallBack,
        Some(Then::CallBack(false)) => {
            return Err(Problem::field(named("call_back"), "false is no action: give true, or another one"));
        }
        None => {
            let actions = "prioritise, add_queue, move_to, to_inbox, send_to, close or call_back";
            return Err(Problem::field(field, format!("says nothing to do: give one of {actions}")));
        }
    })
}

fn read_condition(field: &str, condition: &v1::Condition) -> Read<Condition> {
    let is = match condition.is {
        Some(Is::AtLeast(bound)) => Bound::AtLeast(bound),
        Some(Is::Below(bound)) => Bound::Below(bound),
        None => {
            return Err(Problem::field(field, "says nothing to compare with: give at_least or below"));
        }
    };
    Ok(Condition {
        of: optional_id(&format!("{field}.of"), &condition.of)?,
        measure: read_measure(&format!("{field}.measure"), condition.measure)?,
        is,
    })
}

fn read_measure(field: &str, code: i32) -> Read<Measure> {
    use v1::condition::Measure as Wire;
    let problem = match Wire::try_from(code) {
        Ok(Wire::SignedOn) => return Ok(Measure::SignedOn),
        Ok(Wire::Available) => return Ok(Measure::Available),
        Ok(Wire::Waiting) => return Ok(Measure::Waiting),
        Ok(Wire::Position) => return Ok(Measure::Position),
        Ok(Wire::ServiceLevel) => return Ok(Measure::ServiceLevel),
        Ok(Wire::Open) => return Ok(Measure::Open),
        Ok(Wire::Unspecified) => "is required, for example MEASURE_AVAILABLE or MEASURE_WAITING".to_owned(),
        Err(_) => {
            format!("{code} is not a measure: use MEASURE_SIGNED_ON (1) to MEASURE_OPEN (6)")
        }
    };
    Err(Problem::field(field, problem))
}

/// A measure as the API names it.
pub(super) fn measure(measure: Measure) -> v1::condition::Measure {
    use v1::condition::Measure as Wire;
    match measure {
        Measure::SignedOn => Wire::SignedOn,
        Measure::Available => Wire::Available,
        Measure::Waiting => Wire::Waiting,
        Measure::Position => Wire::Position,
        Measure::ServiceLevel => Wire::ServiceLevel,
        Measure::Open => Wire::Open,
    }
}

/// Writes a policy.
#[must_use]
pub fn write(policy: &Policy) -> v1::Policy {
    let target = |target: Target| v1::ServiceTarget {
        within_ms: millis(target.within),
        percent: target.percent.into(),
    };
    v1::Policy { rules: policy.rules.iter().map(write_rule).collect(), target: policy.target.map(target) }
}

fn write_rule(rule: &Rule) -> v1::Rule {
    let then = match &rule.then {
        Action::Prioritise(to) => Then::Prioritise(to.0.into()),
        Action::AddQueue(queue) => Then::AddQueue(queue.to_string()),
        Action::MoveTo(queue) => Then::MoveTo(queue.to_string()),
        Action::ToInbox => Then::ToInbox(true),
        Action::SendTo(touchpoint) => Then::SendTo(touchpoint.to_string()),
        Action::Close { reason } => Then::Close(reason.clone()),
        Action::CallBack => Then::CallBack(true),
    };
    v1::Rule {
        after_ms: millis(rule.after),
        when: rule.when.iter().map(write_condition).collect(),
        then: Some(then),
    }
}

fn write_condition(condition: &Condition) -> v1::Condition {
    v1::Condition {
        of: condition.of.map(|of| of.to_string()).unwrap_or_default(),
        measure: measure(condition.measure).into(),
        is: Some(match condition.is {
            Bound::AtLeast(bound) => Is::AtLeast(bound),
            Bound::Below(bound) => Is::Below(bound),
        }),
    }
}

/// Writes a queue's policy as it stands at `now`; none where it never had one.
#[must_use]
pub fn write_state(view: &PolicyView, now: LogTime) -> Option<v1::PolicyState> {
    if view.is_empty() {
        return None;
    }
    let measured = view.policy.target.is_some() || !view.minutes.is_empty();
    let service = |minutes: &u32| write_service(*minutes, &view.last((*minutes).into(), now));
    Some(v1::PolicyState {
        number: view.number,
        policy: Some(write(&view.policy)),
        older: view.older.clone(),
        service: if measured { SERVICE_MINUTES.iter().map(service).collect() } else { Vec::new() },
    })
}

fn write_service(minutes: u32, service: &Service) -> v1::Service {
    v1::Service {
        minutes,
        answered: service.answered,
        within: service.within,
        abandoned: service.abandoned,
        overflowed: service.overflowed,
        percent: service.percent().map(|percent| u32::try_from(percent).unwrap_or(u32::MAX)),
        mean_wait_ms: service.mean_wait().map(millis),
    }
}

/// Writes what a conversation stands under.
#[must_use]
pub fn write_standing(standing: &Standing) -> v1::Standing {
    v1::Standing {
        queue: standing.queue.to_string(),
        number: standing.number,
        since_us: standing.since.0,
        decided: standing.decided.into(),
        due_us: standing.due.map(|due| due.0),
    }
}

const _: () = assert!(SERVICE_MINUTES[2] as u64 == limits::MINUTES_MAX);

#[cfg(test)]
mod tests {
    use super::*;
    use routing::policy::Minute;
    use routing::{DomainId, Priority, QueueId, Span, TouchpointId};

    const MINUTE: u64 = 60_000_000;

    fn policy() -> Policy {
        let other = QueueId::new(DomainId(1), 2);
        let measures = [
            (None, Measure::SignedOn, Bound::Below(1)),
            (Some(other), Measure::Available, Bound::AtLeast(2)),
            (None, Measure::Waiting, Bound::AtLeast(u32::MAX)),
            (None, Measure::Position, Bound::AtLeast(3)),
        ];
        let low = Condition { of: None, measure: Measure::ServiceLevel, is: Bound::Below(80) };
        let shut = Condition { of: Some(other), measure: Measure::Open, is: Bound::Below(1) };
        let rule = |after, when, then| Rule { after: Span::millis(after), when, then };
        Policy {
            rules: vec![
                rule(0, Vec::new(), Action::Prioritise(Priority(255))),
                rule(
                    1_500,
                    measures.map(|(of, measure, is)| Condition { of, measure, is }).into(),
                    Action::AddQueue(other),
                ),
                rule(2_000, vec![low], Action::MoveTo(other)),
                rule(2_000, vec![low, shut], Action::ToInbox),
                rule(2_000, Vec::new(), Action::SendTo(TouchpointId::new(DomainId(2), 1))),
                rule(86_400_000, Vec::new(), Action::Close { reason: "too late".into() }),
            ],
            target: Some(Target { within: Span::seconds(20), percent: 80 }),
        }
    }

    #[test]
    fn policies_round_trip() {
        assert_eq!(read_required(Some(write(&policy()))), Ok(policy()));
        assert_eq!(read_required(Some(v1::Policy::default())), Ok(Policy::default()));
    }

    #[test]
    fn what_is_missing_or_unknown_is_named_and_nothing_is_cut() {
        use v1::condition::Measure as Wire;
        let condition = |of: &str, measure: i32, is| v1::Condition { of: of.into(), measure, is };
        let waiting = Wire::Waiting.into();
        let rule = |when, then| v1::Policy {
            rules: vec![write_rule(&policy().rules[0]), v1::Rule { after_ms: 1, when, then }],
            target: None,
        };
        let when =
            |one| rule(vec![condition("", waiting, Some(Is::Below(1))), one], Some(Then::ToInbox(true)));
        let then = |then| rule(Vec::new(), then);
        let target = |within_ms, percent| v1::Policy {
            rules: Vec::new(),
            target: Some(v1::ServiceTarget { within_ms, percent }),
        };
        let below = Some(Is::Below(1));
        let table = [
            (when(condition("", waiting, None)), "policy.rules[1].when[1]", "at_least or below"),
            (when(condition("", 0, below)), "policy.rules[1].when[1].measure", "is required, for example"),
            (when(condition("", 7, below)), "policy.rules[1].when[1].measure", "7 is not a measure"),
            (when(condition("sales", waiting, below)), "policy.rules[1].when[1].of", "queue_1_1"),
            (then(None), "policy.rules[1]", "give one of prioritise, add_queue"),
            (then(Some(Then::Prioritise(256))), "policy.rules[1].prioritise", "256 is out of range"),
            (then(Some(Then::ToInbox(false))), "policy.rules[1].to_inbox", "give true"),
            (then(Some(Then::AddQueue(String::new()))), "policy.rules[1].add_queue", "is required"),
            (then(Some(Then::MoveTo("touch_1_1".into()))), "policy.rules[1].move_to", "queue_1_1"),
            (then(Some(Then::SendTo("queue_1_1".into()))), "policy.rules[1].send_to", "touch_1_1"),
            (target(1_000, 256 + 80), "policy.target.percent", "336 is out of range"),
            (target(u64::MAX, 80), "policy.target.within_ms", "is out of range"),
        ];
        for (policy, field, said) in table {
            let problem = read(policy.clone()).expect_err(field);
            assert_eq!(problem.field.as_deref(), Some(field), "{policy:?}");
            assert!(problem.message.contains(said), "{}", problem.message);
        }
        let problem = read_required(None).expect_err("not there");
        assert_eq!(problem.field.as_deref(), Some("policy"));
    }

    #[test]
    fn service_is_summed_up_where_it_is_measured() {
        let service =
            Service { within: 2, answered: 3, abandoned: 1, overflowed: 4, waited: Span::seconds(30) };
        let minutes = vec![Minute { minute: 10, service }, Minute { minute: 16, service }];
        let view = PolicyView { number: 2, policy: policy(), older: vec![1], minutes };
        let now = LogTime(20 * MINUTE);
        let state = write_state(&view, now).expect("a policy");
        assert_eq!((state.number, &state.older), (2, &vec![1]));
        let figures: Vec<_> =
            state.service.iter().map(|one| (one.minutes, one.answered, one.overflowed)).collect();
        assert_eq!(figures, [(5, 3, 4), (15, 6, 8), (60, 6, 8)]);
        let five = state.service[0];
        assert_eq!((five.within, five.abandoned), (2, 1));
        assert_eq!((five.percent, five.mean_wait_ms), (Some(50), Some(10_000)));
        let later = write_state(&view, LogTime(100 * MINUTE)).expect("a policy").service;
        assert_eq!((later[2].percent, later[2].mean_wait_ms), (None, None));

        let without = Policy { target: None, ..policy() };
        let rules_only = PolicyView { number: 1, policy: without, ..PolicyView::default() };
        assert_eq!(write_state(&rules_only, now).expect("a policy").service, []);
        let gone = PolicyView { number: 3, policy: Policy::default(), older: Vec::new(), ..view };
        assert_eq!(write_state(&gone, now).expect("it had one").service.len(), 3);
        assert_eq!(write_state(&PolicyView::default(), now), None);
    }
}
