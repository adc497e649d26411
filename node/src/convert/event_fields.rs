//! All fields of an event's kind as JSON, ids and names as text.

use super::callback;
use super::channel_rules;
use super::event::{by_text, end_name, ending_name, requeued_name, revoked_name};
use super::handling;
use super::hours;
use super::pace;
use super::scalar::millis;
use super::{picked, policy_fields};
use routing::EventKind;
use routing::command::{Intent, Recall, TransferFallback, TransferTarget};
use routing::criteria::{Criteria, Skill, Step};
use routing::event::{Ending, How, OfferEnd, Place};
use routing::picked::Offered;
use serde_json::{Value, json};

fn text(value: impl ToString) -> Value {
    Value::String(value.to_string())
}

fn option(value: Option<impl ToString>) -> Value {
    value.map_or(Value::Null, text)
}

fn texts<T: ToString>(values: &[T]) -> Value {
    values.iter().map(ToString::to_string).collect()
}

fn intent(intent: &Intent) -> Value {
    match intent {
        Intent::Available => json!({ "intent": "available" }),
        Intent::Unavailable { reason } => json!({ "intent": "unavailable", "reason": reason }),
        Intent::Draining { next } => json!({ "intent": "draining", "next": next }),
    }
}

fn offered(made: &Offered) -> Value {
    json!({
        "conversation": text(made.conversation), "offer": text(made.offer), "agent": text(made.agent),
        "queue": option(made.queue), "weight": made.weight.0, "automatic": made.automatic,
        "deadline_us": made.deadline.0, "channel": text(made.channel), "customer": made.customer,
    })
}

fn place(place: &Place) -> Value {
    match place {
        Place::Queues(queues) => json!({ "queues": texts(queues) }),
        Place::Inbox(queues) => json!({ "inbox": texts(queues) }),
        Place::Dedicated(agent) => json!({ "dedicated": text(agent) }),
    }
}

fn target(target: TransferTarget) -> Value {
    match target {
        TransferTarget::Agent(agent) => json!({ "agent": text(agent) }),
        TransferTarget::Queue(queue) => json!({ "queue": text(queue) }),
        TransferTarget::Inbox(queue) => json!({ "inbox": text(queue) }),
        TransferTarget::Touchpoint(there) => json!({ "touchpoint": text(there) }),
    }
}

fn fallback(fallback: TransferFallback) -> Value {
    match fallback {
        TransferFallback::Source => text("source"),
        TransferFallback::LastQueues => text("last_queues"),
        TransferFallback::Queue(queue) => text(queue),
        TransferFallback::Advice { .. } => text("advice"),
    }
}

fn skills(skills: &[Skill]) -> Value {
    skills.iter().map(|skill| json!({ "name": skill.name, "level": skill.level })).collect()
}

/// Why an offer ended as it did.
fn why(end: &OfferEnd) -> Value {
    match end {
        OfferEnd::Revoked(why) => text(revoked_name(*why)),
        OfferEnd::Rejected { reason } | OfferEnd::NotConnected { reason } => text(reason),
        OfferEnd::ConsultOver { by } => text(by_text(by)),
        OfferEnd::Accepted | OfferEnd::TimedOut => Value::Null,
    }
}

/// As the message of that name in the API.
fn criteria(criteria: &Criteria) -> Value {
    let step = |step: &Step| {
        json!({
            "agents": texts(&step.agents), "required": skills(&step.required),
            "preferred": skills(&step.preferred), "widen": texts(&step.widen),
            "lasts_ms": step.lasts.map_or(0, millis),
        })
    };
    json!({ "steps": criteria.steps.iter().map(step).collect::<Value>() })
}

/// The fields of a kind, as a JSON object.
pub(super) fn fields(kind: &EventKind) -> Value {
    match kind {
        EventKind::DomainCreated | EventKind::DomainChanged => json!({}),
        EventKind::Quarantined { reason } => json!({ "reason": reason }),
        EventKind::QueueCreated(queue) | EventKind::QueueChanged(queue) | EventKind::QueueDeleted(queue) => {
            json!({ "queue": text(queue) })
        }
        EventKind::QueuePaused { queue, paused, by } => {
            json!({ "queue": text(queue), "paused": paused, "by": by_text(by) })
        }
        EventKind::AgentCreated(agent) | EventKind::AgentChanged(agent) | EventKind::AgentDeleted(agent) => {
            json!({ "agent": text(agent) })
        }
        EventKind::TouchpointCreated(touchpoint)
        | EventKind::TouchpointChanged(touchpoint)
        | EventKind::TouchpointDeleted(touchpoint) => json!({ "touchpoint": text(touchpoint) }),
        EventKind::SessionOpened { agent, epoch } | EventKind::LeaseLost { agent, epoch } => {
            json!({ "agent": text(agent), "epoch": epoch.0 })
        }
        EventKind::PresenceChanged { agent, intent: now, by } => {
            json!({ "agent": text(agent), "intent": intent(now), "by": by_text(by) })
        }
        EventKind::SkillsChanged { agent, skills: now, by } => {
            json!({ "agent": text(agent), "skills": skills(now), "by": by_text(by) })
        }
        EventKind::TouchpointCriteriaChanged { touchpoint, criteria: now, by } => {
            json!({ "touchpoint": text(touchpoint), "criteria": criteria(now), "by": by_text(by) })
        }
        EventKind::PolicyChanged { queue, number, policy, by } => json!({
            "queue": text(queue), "number": number, "policy": policy_fields::policy(policy),
            "by": by_text(by),
        }),
        EventKind::ChannelRulesChanged { rules, by } => {
            json!({ "rules": channel_rules::fields(rules), "by": by_text(by) })
        }
        EventKind::HandlingChanged { handling: now, by } => {
            json!({ "handling": handling::fields(now), "by": by_text(by) })
        }
        EventKind::PaceChanged { pace: now, by } => {
            json!({ "pace": pace::fields(*now), "by": by_text(by) })
        }
        EventKind::CallbackChanged { callback: now, by } => {
            json!({ "callback": callback::fields(*now), "by": by_text(by) })
        }
        EventKind::ScheduleChanged { name, schedule, by } => json!({
            "name": name, "schedule": schedule.as_ref().map(hours::fields), "by": by_text(by),
        }),
        EventKind::HoursChanged { queue, hours, by } => json!({
            "queue": text(queue), "schedule": hours.as_ref().map(|hours| &hours.schedule),
            "closing": hours.as_ref().map(|hours| hours::closing(hours.closing).as_str_name()),
            "by": by_text(by),
        }),
        EventKind::RingChanged { queue, agents, by } => {
            json!({ "queue": text(queue), "agents": agents, "by": by_text(by) })
        }
        EventKind::QueueHours { queue, state, until_ms } => json!({
            "queue": text(queue), "state": hours::state(*state).as_str_name(), "until_ms": until_ms,
        }),
        _ => conversation_fields(kind),
    }
}

fn conversation_fields(kind: &EventKind) -> Value {
    match kind {
        EventKind::Arrived {
            conversation,
            touchpoint,
            channel,
            priority,
            customer,
            reference,
            continues,
        } => {
            json!({
                "conversation": text(conversation), "touchpoint": text(touchpoint), "channel": text(channel),
                "priority": priority.0, "customer": customer, "reference": reference,
                "continues": option(*continues),
            })
        }
        EventKind::Waiting { conversation, place: at, cause } => json!({
            "conversation": text(conversation), "place": place(at), "cause": option(cause.map(requeued_name)),
        }),
        EventKind::Offered(made) => offered(made),
        EventKind::OfferedBecause(made, why) => {
            let mut fields = offered(made);
            fields["picked"] = picked::fields(why);
            fields
        }
        EventKind::OfferEnded { conversation, offer, agent, end } => json!({
            "conversation": text(conversation), "offer": text(offer), "agent": text(agent),
            "end": end_name(end), "why": why(end),
        }),
        EventKind::Assigned { conversation, agent, how, weight, overdraft } => json!({
            "conversation": text(conversation), "agent": text(agent), "weight": weight.0,
            "overdraft": overdraft,
            "offer": match how { How::Offer(offer) => text(offer), How::Pull => Value::Null },
        }),
        EventKind::Wrapping { conversation, agent, deadline } => json!({
            "conversation": text(conversation), "agent": text(agent), "deadline_us": deadline.0,
        }),
        EventKind::Connecting { conversation, offer, agent, deadline } => json!({
            "conversation": text(conversation), "offer": text(offer), "agent": text(agent),
            "deadline_us": deadline.0,
        }),
        EventKind::ConsultStarted { conversation, agent, by } => json!({
            "conversation": text(conversation), "agent": text(agent), "by": by_text(by),
        }),
        EventKind::Consulting { conversation, owner, offer, agent, deadline } => json!({
            "conversation": text(conversation), "owner": text(owner), "offer": text(offer),
            "agent": text(agent), "deadline_us": deadline.0,
        }),
        EventKind::ConsultEnded { conversation, owner, agent, end } => json!({
            "conversation": text(conversation), "owner": text(owner), "agent": text(agent),
            "end": end_name(end), "why": why(end),
        }),
        EventKind::IdleChanged { conversation, agent, idle, weight, overdraft, by } => json!({
            "conversation": text(conversation), "agent": text(agent), "idle": idle, "weight": weight.0,
            "overdraft": overdraft, "by": by_text(by),
        }),
        EventKind::WrapUpExtended { conversation, agent, deadline, by } => json!({
            "conversation": text(conversation), "agent": text(agent), "deadline_us": deadline.0,
            "by": by_text(by),
        }),
        EventKind::CallbackRequested { conversation, contact, not_before, expires_at } => json!({
            "conversation": text(conversation), "contact": contact,
            "not_before_us": not_before.map(|at| at.0), "expires_at_us": expires_at.0,
        }),
        EventKind::CallbackTried { conversation, attempts, not_before } => json!({
            "conversation": text(conversation), "attempts": attempts,
            "not_before_us": not_before.map(|at| at.0),
        }),
        EventKind::Resumed { conversation, from, arrived_at } => json!({
            "conversation": text(conversation), "from": text(from), "arrived_at_us": arrived_at.0,
        }),
        EventKind::Released { conversation, agent } => {
            json!({ "conversation": text(conversation), "agent": text(agent) })
        }
        EventKind::TransferStarted { conversation, target: to, fallback: then, hop, by } => json!({
            "conversation": text(conversation), "target": target(*to), "fallback": fallback(*then),
            "hop": hop, "by": by_text(by),
        }),
        EventKind::TransferFailed { conversation } => json!({ "conversation": text(conversation) }),
        EventKind::ArrivedFrom {
            conversation,
            from,
            touchpoint,
            channel,
            priority,
            customer,
            reference,
            age,
            hop,
        } => json!({
            "conversation": text(conversation), "from": text(from), "touchpoint": text(touchpoint),
            "channel": text(channel), "priority": priority.0, "customer": customer,
            "reference": reference, "age_us": age.0, "hop": hop,
        }),
        EventKind::Recalled { conversation, recall } => match recall {
            Recall::TimedOut => json!({ "conversation": text(conversation), "recall": "timed_out" }),
            Recall::Abandoned => json!({ "conversation": text(conversation), "recall": "abandoned" }),
            Recall::Closed { reason, by } => json!({
                "conversation": text(conversation), "recall": "closed", "reason": reason,
                "by": by_text(by),
            }),
        },
        EventKind::TransferRefused { conversation, why } => {
            json!({ "conversation": text(conversation), "why": why.to_string() })
        }
        EventKind::Reprioritised { conversation, priority, by } => json!({
            "conversation": text(conversation), "priority": priority.0, "by": by_text(by),
        }),
        EventKind::CriteriaChanged { conversation, criteria: now, by } => json!({
            "conversation": text(conversation), "criteria": criteria(now), "by": by_text(by),
        }),
        EventKind::Relaxed { conversation, step, until, queues } => json!({
            "conversation": text(conversation), "step": step, "until_us": until.map(|until| until.0),
            "queues": texts(queues),
        }),
        EventKind::RuleApplied { conversation, queue, number, rule, action } => json!({
            "conversation": text(conversation), "queue": text(queue), "number": number, "rule": rule,
            "action": policy_fields::action(action),
        }),
        EventKind::Ended { conversation, ending, agent, notes } => {
            let mut fields = json!({
                "conversation": text(conversation), "ending": ending_name(ending),
                "agent": option(*agent), "notes": notes,
            });
            match ending {
                Ending::Completed { disposition } => fields["disposition"] = json!(disposition),
                Ending::Closed { reason, by } => {
                    fields["reason"] = json!(reason);
                    fields["by"] = json!(by_text(by));
                }
                Ending::Moved { to } => fields["to"] = json!(to.to_string()),
                Ending::Abandoned | Ending::Expired | Ending::OwnerLost => {}
            }
            fields
        }
        _ => json!({}),
    }
}
