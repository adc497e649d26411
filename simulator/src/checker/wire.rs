//! From the API's events to the checker's.

use super::model::{
    Action, ChannelRule, Event, Kind, MISSED, OfferEnd, Place, Policy, Rule, Skills, Step, Why,
};
use proto::v1;
use routing::{AgentId, Channel, ConversationId, QueueId};
use serde_json::Value;
use std::collections::BTreeSet;
use std::str::FromStr;

/// An event that cannot be read: a bug of the server, or a version that is not known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {sequence} of type '{kind}': field '{field}' is missing or not understood in {json}")]
pub struct Unreadable {
    /// Its sequence.
    pub sequence: u64,
    /// Its type.
    pub kind: String,
    /// The field.
    pub field: &'static str,
    /// All its fields.
    pub json: String,
}

/// An enum's value: a name, or an object whose one key is the name.
fn variant(value: &Value) -> Option<(&str, &Value)> {
    match value {
        Value::String(name) => Some((name, &Value::Null)),
        Value::Object(fields) => fields.iter().next().map(|(name, inner)| (name.as_str(), inner)),
        _ => None,
    }
}

fn id<T: FromStr>(value: &Value) -> Option<T> {
    value.as_str()?.parse().ok()
}

/// What a rule does: one of these fields is there.
fn action(value: &Value) -> Option<Action> {
    let priority = |value: &Value| u8::try_from(value.as_u64()?).ok().map(Action::Prioritise);
    let found = |(name, inner): (&String, &Value)| match name.as_str() {
        "prioritise" => priority(inner),
        "add_queue" => id(inner).map(Action::AddQueue),
        "move_to" => id(inner).map(Action::MoveTo),
        "to_inbox" => (inner == &Value::Bool(true)).then_some(Action::ToInbox),
        "send_to" => id(inner).map(Action::SendTo),
        "close" => inner.as_str().map(|reason| Action::Close(reason.to_owned())),
        "call_back" => (inner == &Value::Bool(true)).then_some(Action::CallBack),
        _ => None,
    };
    value.as_object()?.iter().find_map(found)
}

struct Fields<'a> {
    event: &'a v1::Event,
    value: Value,
}

impl Fields<'_> {
    fn bad(&self, field: &'static str) -> Unreadable {
        Unreadable {
            sequence: self.event.sequence,
            kind: self.event.r#type.clone(),
            field,
            json: self.event.json.clone(),
        }
    }

    fn get(&self, field: &'static str) -> Option<&Value> {
        self.value.get(field).filter(|value| !value.is_null())
    }

    fn need(&self, field: &'static str) -> Result<&Value, Unreadable> {
        self.get(field).ok_or_else(|| self.bad(field))
    }

    fn number(&self, field: &'static str) -> Result<u64, Unreadable> {
        self.need(field)?.as_u64().ok_or_else(|| self.bad(field))
    }

    fn small<T: TryFrom<u64>>(&self, field: &'static str) -> Result<T, Unreadable> {
        T::try_from(self.number(field)?).map_err(|_| self.bad(field))
    }

    fn text(&self, field: &'static str) -> String {
        self.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn entity<T: FromStr>(&self, field: &'static str) -> Result<T, Unreadable> {
        id(self.need(field)?).ok_or_else(|| self.bad(field))
    }

    fn conversation(&self) -> Result<ConversationId, Unreadable> {
        self.entity("conversation")
    }

    fn agent(&self) -> Result<AgentId, Unreadable> {
        self.entity("agent")
    }

    fn queue(&self) -> Result<QueueId, Unreadable> {
        self.entity("queue")
    }

    fn not_before(&self) -> Result<Option<u64>, Unreadable> {
        let at = self.get("not_before_us");
        at.map(|at| at.as_u64().ok_or_else(|| self.bad("not_before_us"))).transpose()
    }

    fn pace(&self) -> Result<Option<(u32, u64)>, Unreadable> {
        let Some(pace) = self.get("pace") else { return Ok(None) };
        let number = |field| pace.get(field).and_then(Value::as_u64).ok_or_else(|| self.bad("pace"));
        let offers = u32::try_from(number("offers")?).map_err(|_| self.bad("pace"))?;
        Ok(Some((offers, number("per_ms")?.saturating_mul(1_000))))
    }

    fn variant(&self, field: &'static str) -> Result<(&str, &Value), Unreadable> {
        variant(self.need(field)?).ok_or_else(|| self.bad(field))
    }

    fn place(&self) -> Result<Place, Unreadable> {
        let (name, inner) = self.variant("place")?;
        let queues = || inner.as_array()?.iter().map(id).collect::<Option<Vec<QueueId>>>();
        match name {
            "queues" => queues().map(Place::Queues),
            "inbox" => queues().map(Place::Inbox),
            "dedicated" => id(inner).map(Place::Dedicated),
            _ => None,
        }
        .ok_or_else(|| self.bad("place"))
    }

    fn skills(&self, field: &'static str, value: &Value) -> Result<Skills, Unreadable> {
        let all = value.as_array().ok_or_else(|| self.bad(field))?;
        let one = |skill: &Value| {
            let level = u8::try_from(skill.get("level")?.as_u64()?).ok()?;
            Some((skill.get("name")?.as_str()?.to_owned(), level))
        };
        all.iter().map(|skill| one(skill).ok_or_else(|| self.bad(field))).collect()
    }

    fn ids<T: FromStr>(&self, field: &'static str, value: &Value) -> Result<Vec<T>, Unreadable> {
        let all = value.as_array().ok_or_else(|| self.bad(field))?;
        all.iter().map(|value| id(value).ok_or_else(|| self.bad(field))).collect()
    }

    fn steps(&self) -> Result<Vec<Step>, Unreadable> {
        const FIELD: &str = "criteria";
        let steps =
            self.need(FIELD)?.get("steps").and_then(Value::as_array).ok_or_else(|| self.bad(FIELD))?;
        let of = |step: &Value| {
            let get = |key: &str| step.get(key).ok_or_else(|| self.bad(FIELD));
            Ok(Step {
                agents: self.ids(FIELD, get("agents")?)?,
                required: self.skills(FIELD, get("required")?)?,
                widen: self.ids(FIELD, get("widen")?)?,
            })
        };
        steps.iter().map(of).collect()
    }

    fn policy(&self) -> Result<Policy, Unreadable> {
        const FIELD: &str = "policy";
        let policy = self.need(FIELD)?;
        let rules = policy.get("rules").and_then(Value::as_array).ok_or_else(|| self.bad(FIELD))?;
        let of = |rule: &Value| {
            let after_us = rule.get("after_ms")?.as_u64()?.checked_mul(1_000)?;
            Some(Rule { after_us, then: action(rule)? })
        };
        let rules = rules.iter().map(|rule| of(rule).ok_or_else(|| self.bad(FIELD)));
        let measured = policy.get("target").is_some_and(|target| !target.is_null());
        Ok(Policy { rules: rules.collect::<Result<_, _>>()?, measured })
    }

    fn action(&self) -> Result<Action, Unreadable> {
        action(self.need("action")?).ok_or_else(|| self.bad("action"))
    }

    fn channel_rules(&self) -> Result<Vec<ChannelRule>, Unreadable> {
        const FIELD: &str = "rules";
        let channels = |value: Option<&Value>| {
            let name = |name: &Value| name.as_str()?.strip_prefix("CHANNEL_")?.to_lowercase().parse().ok();
            value?.as_array()?.iter().map(name).collect::<Option<BTreeSet<Channel>>>()
        };
        let rule = |rule: &Value| {
            let blocks = match rule.get("effect")?.as_str()? {
                "EFFECT_BLOCK" => true,
                "EFFECT_ALLOW" => false,
                _ => return None,
            };
            let (about, during) = (channels(rule.get("channels"))?, channels(rule.get("during"))?);
            Some(ChannelRule { blocks, channels: about, during })
        };
        let rules = self.need(FIELD)?.as_array().ok_or_else(|| self.bad(FIELD))?;
        rules.iter().map(|one| rule(one).ok_or_else(|| self.bad(FIELD))).collect()
    }

    fn channel(&self) -> Result<Channel, Unreadable> {
        self.entity("channel")
    }

    /// At whose wish the intent changed.
    fn why(&self) -> Result<Why, Unreadable> {
        let by = self.need("by")?.as_str().ok_or_else(|| self.bad("by"))?;
        let reason = self.need("intent")?.get("reason").and_then(Value::as_str);
        Ok(match (by, reason) {
            ("system", Some(MISSED)) => Why::Missed,
            ("system", _) => Why::Itself,
            _ => Why::Asked,
        })
    }

    fn offer_end(&self) -> Result<OfferEnd, Unreadable> {
        match self.variant("end")?.0 {
            "accepted" => Ok(OfferEnd::Accepted),
            "rejected" => Ok(OfferEnd::Rejected),
            "timed_out" => Ok(OfferEnd::TimedOut),
            "revoked" => Ok(OfferEnd::Revoked),
            "not_connected" => Ok(OfferEnd::NotConnected),
            "consult_over" => Ok(OfferEnd::ConsultOver),
            _ => Err(self.bad("end")),
        }
    }
}

/// Reads one event of the API.
///
/// # Errors
/// [`Unreadable`] when a field that a promise depends on is missing or not understood.
pub fn from_wire(event: &v1::Event) -> Result<Event, Unreadable> {
    let value = serde_json::from_str(&event.json).unwrap_or(Value::Null);
    let f = Fields { event, value };
    let kind = match event.r#type.as_str() {
        "session_opened" => Kind::SessionOpened { agent: f.agent()?, epoch: f.number("epoch")? },
        "lease_lost" => Kind::LeaseLost { agent: f.agent()? },
        "presence_changed" => {
            let intent = f.need("intent")?.get("intent").and_then(Value::as_str);
            let available = intent.ok_or_else(|| f.bad("intent"))? == "available";
            Kind::Presence { agent: f.agent()?, available, why: f.why()? }
        }
        "agent_changed" => Kind::AgentChanged(f.agent()?),
        "agent_deleted" => Kind::AgentDeleted(f.agent()?),
        "queue_paused" => Kind::QueuePaused {
            queue: f.queue()?,
            paused: f.need("paused")?.as_bool().ok_or_else(|| f.bad("paused"))?,
        },
        "queue_hours" => Kind::QueueHours {
            queue: f.queue()?,
            open: f.text("state") == "STATE_OPEN",
            closed: f.text("state") == "STATE_CLOSED",
        },
        "ring_changed" => Kind::RingChanged { queue: f.queue()?, agents: f.small("agents")? },
        "queue_deleted" => Kind::QueueDeleted(f.queue()?),
        "domain_changed" => Kind::DomainChanged,
        "quarantined" => Kind::Quarantined,
        "arrived" => Kind::Arrived {
            conversation: f.conversation()?,
            channel: f.channel()?,
            priority: f.small("priority")?,
            reference: f.text("reference"),
            from: None,
        },
        "arrived_from" => Kind::Arrived {
            conversation: f.conversation()?,
            channel: f.channel()?,
            priority: f.small("priority")?,
            reference: f.text("reference"),
            from: Some((f.entity("from")?, f.number("age_us")?)),
        },
        "recalled" => Kind::Recalled { conversation: f.conversation()? },
        "waiting" => Kind::Waiting {
            conversation: f.conversation()?,
            place: f.place()?,
            again: f.get("cause").is_some(),
            owner_lost: f.text("cause") == "lease_lost",
            overflow: f.text("cause") == "overflow",
        },
        "offered" => Kind::Offered {
            conversation: f.conversation()?,
            offer: f.entity("offer")?,
            agent: f.agent()?,
            weight: f.small("weight")?,
            deadline_us: f.number("deadline_us")?,
            consult: f.get("picked").and_then(|picked| picked["way"].as_str()) == Some("consult"),
        },
        "offer_ended" => Kind::OfferEnded {
            conversation: f.conversation()?,
            offer: f.entity("offer")?,
            end: f.offer_end()?,
        },
        "assigned" => Kind::Assigned {
            conversation: f.conversation()?,
            agent: f.agent()?,
            offer: f.get("offer").and_then(id),
            weight: f.small("weight")?,
            overdraft: f.small("overdraft")?,
        },
        "wrapping" => Kind::Wrapping { conversation: f.conversation()? },
        "released" => Kind::Released { conversation: f.conversation()?, agent: f.agent()? },
        "transfer_started" => {
            let target = f.variant("target")?;
            let agent = (target.0 == "agent").then(|| id(target.1)).flatten();
            if target.0 == "touchpoint" {
                Kind::Departed { conversation: f.conversation()? }
            } else {
                Kind::TransferStarted { conversation: f.conversation()?, agent }
            }
        }
        "transfer_failed" => Kind::TransferFailed { conversation: f.conversation()? },
        "reprioritised" => Kind::Reprioritised {
            conversation: f.conversation()?,
            priority: f.small("priority")?,
            by_rule: f.text("by") == "system",
        },
        "skills_changed" => {
            Kind::SkillsChanged { agent: f.agent()?, skills: f.skills("skills", f.need("skills")?)? }
        }
        "criteria_changed" => Kind::CriteriaChanged { conversation: f.conversation()?, steps: f.steps()? },
        "relaxed" => Kind::Relaxed {
            conversation: f.conversation()?,
            step: f.small("step")?,
            queues: f.ids("queues", f.need("queues")?)?,
        },
        "policy_changed" => {
            Kind::PolicyChanged { queue: f.queue()?, number: f.small("number")?, policy: f.policy()? }
        }
        "rule_applied" => Kind::RuleApplied {
            conversation: f.conversation()?,
            queue: f.queue()?,
            number: f.small("number")?,
            rule: f.small("rule")?,
            action: f.action()?,
        },
        "ended" => {
            let ending = f.variant("ending")?.0;
            Kind::Ended {
                conversation: f.conversation()?,
                abandoned: ending == "abandoned",
                owner_lost: ending == "owner_lost",
            }
        }
        "handling_changed" => Kind::HandlingChanged,
        "pace_changed" => Kind::PaceChanged { pace: f.pace()? },
        "connecting" => Kind::Connecting {
            conversation: f.conversation()?,
            offer: f.entity("offer")?,
            agent: f.agent()?,
            deadline_us: f.number("deadline_us")?,
        },
        "consult_started" => Kind::ConsultStarted { conversation: f.conversation()?, agent: f.agent()? },
        "consulting" => Kind::Consulting {
            conversation: f.conversation()?,
            owner: f.entity("owner")?,
            offer: f.entity("offer")?,
            agent: f.agent()?,
            deadline_us: f.number("deadline_us")?,
        },
        "consult_ended" => Kind::ConsultEnded {
            conversation: f.conversation()?,
            owner: f.entity("owner")?,
            agent: f.agent()?,
            end: f.offer_end()?,
            leaves: f.text("end") == "revoked" && f.text("why") == "transferred",
        },
        "idle_changed" => Kind::IdleChanged {
            conversation: f.conversation()?,
            agent: f.agent()?,
            weight: f.small("weight")?,
            overdraft: f.small("overdraft")?,
        },
        "wrap_up_extended" => Kind::WrapUpExtended { conversation: f.conversation()? },
        "callback_changed" => Kind::CallbackChanged,
        "callback_requested" => {
            Kind::CallbackRequested { conversation: f.conversation()?, not_before_us: f.not_before()? }
        }
        "callback_tried" => Kind::CallbackTried {
            conversation: f.conversation()?,
            attempts: f.number("attempts")?,
            not_before_us: f.not_before()?,
        },
        "resumed" => Kind::Resumed {
            conversation: f.conversation()?,
            from: f.entity("from")?,
            arrived_at_us: f.number("arrived_at_us")?,
        },
        "channel_rules_changed" => Kind::ChannelRulesChanged { rules: f.channel_rules()? },
        _ => Kind::Other(event.r#type.clone()),
    };
    Ok(Event {
        sequence: event.sequence,
        entry: (event.index, 0),
        at_us: event.at_us,
        subject: event.subject.clone(),
        version: event.version,
        kind,
    })
}
