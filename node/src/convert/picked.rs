//! Why an offer went to its agent: as fields of its event, and in words.

use super::explain::write_gate;
use super::queue::write_pick;
use proto::v1;
use proto::v1::explain_pick_response::{Next, PassedOver};
use routing::picked::{Order, Picked, Way};
use routing::settings::PickPolicy;
use routing::view::Gate;
use routing::{Event, LogTime};
use serde_json::{Value, json};

/// The fields in an event, for machines.
#[must_use]
pub fn fields(picked: &Picked) -> Value {
    let passed = picked
        .passed_over
        .iter()
        .map(|(agent, gate)| json!({ "agent": agent.to_string(), "gate": write_gate(gate, LogTime(0)).0 }));
    let next = picked
        .next
        .iter()
        .map(|one| json!({ "agent": one.agent.to_string(), "place": one.order.map(order_fields) }));
    json!({
        "way": way_name(picked.way),
        "policy": policy(picked.way).map(policy_name),
        "held": match picked.way {
            Way::Held(conversation) => Some(conversation.to_string()),
            _ => None,
        },
        "named": match picked.way {
            Way::Named(place) => Some(place),
            _ => None,
        },
        "priority": picked.priority.0,
        "arrived_at_us": picked.arrived_at.0,
        "preferred": picked.preferred,
        "place": picked.order.map(order_fields),
        "passed_over": passed.collect::<Value>(),
        "next": next.collect::<Value>(),
    })
}

/// Writes the explanation of an offer by its event; `None` if it is not the event of an offer.
#[must_use]
pub fn write(event: &Event) -> Option<v1::ExplainPickResponse> {
    let (made, picked) = event.kind.offered()?;
    let queue = made.queue.map(|queue| queue.to_string()).unwrap_or_default();
    let known = v1::ExplainPickResponse {
        offer: made.offer.to_string(),
        conversation: made.conversation.to_string(),
        agent: made.agent.to_string(),
        queue: queue.clone(),
        sequence: event.sequence.0,
        made_at_us: event.at.0,
        detail: "made below feature level 8: why this agent is not on record".to_owned(),
        ..Default::default()
    };
    let Some(picked) = picked else { return Some(known) };
    let order = |order: Option<Order>| order.map(|order| order_text(order, event.at)).unwrap_or_default();
    let passed_over = picked.passed_over.iter().map(|(agent, gate)| {
        let (name, detail) = match gate {
            Gate::None => ("none", "lacks a preferred skill that the other has".to_owned()),
            gate => write_gate(gate, event.at),
        };
        PassedOver { agent: agent.to_string(), gate: name.to_owned(), detail }
    });
    let next = picked.next.iter().map(|one| Next { agent: one.agent.to_string(), place: order(one.order) });
    Some(v1::ExplainPickResponse {
        way: way_name(picked.way).to_owned(),
        detail: way_text(picked.way, &queue),
        priority: picked.priority.0.into(),
        waited_us: event.at.since(picked.arrived_at).0,
        policy: policy(picked.way).map_or(v1::PickPolicy::Unspecified, write_pick).into(),
        place: order(picked.order),
        preferred: picked.preferred.into(),
        passed_over: passed_over.collect(),
        next: next.collect(),
        ..known
    })
}

fn policy(way: Way) -> Option<PickPolicy> {
    match way {
        Way::Policy(policy) => Some(policy),
        _ => None,
    }
}

fn way_name(way: Way) -> &'static str {
    match way {
        Way::Policy(_) => "policy",
        Way::Held(_) => "held",
        Way::Named(_) => "named",
        Way::Dedicated => "dedicated",
        Way::Transfer => "transfer",
        Way::Consult => "consult",
    }
}

fn policy_name(policy: PickPolicy) -> &'static str {
    match policy {
        PickPolicy::LongestIdle => "longest_idle",
        PickPolicy::LeastLoaded => "least_loaded",
        PickPolicy::RoundRobin => "round_robin",
        PickPolicy::LeastFlexible => "least_flexible",
        PickPolicy::MostProficient => "most_proficient",
    }
}

fn way_text(way: Way, queue: &str) -> String {
    match way {
        Way::Policy(policy) => {
            let order = match policy {
                PickPolicy::LongestIdle => "the longest idle goes first",
                PickPolicy::LeastLoaded => "the least loaded goes first",
                PickPolicy::RoundRobin => "who was offered something longest ago goes first",
                PickPolicy::LeastFlexible => "who has the fewest skills goes first",
                PickPolicy::MostProficient => "the most proficient in what is asked for goes first",
            };
            format!("in {queue} {order}")
        }
        Way::Held(conversation) => {
            format!(
                "in {queue} nobody else could: the room was held for {conversation}, which is ranked lower"
            )
        }
        Way::Named(place) => format!("the conversation names it, at place {place} of its list"),
        Way::Dedicated => "the conversation is for this agent alone".to_owned(),
        Way::Transfer => "somebody chose this agent: a transfer".to_owned(),
        Way::Consult => "somebody chose this agent, to ask for advice".to_owned(),
    }
}

fn order_fields(order: Order) -> Value {
    match order {
        Order::IdleSince(since) => json!({ "idle_since_us": since.0 }),
        Order::Load(load, since) => json!({ "load": load, "idle_since_us": since.0 }),
        Order::LastOffer(number) => json!({ "last_offer": number }),
        Order::Skills(skills, since) => json!({ "skills": skills, "idle_since_us": since.0 }),
        Order::Proficiency(levels, since) => json!({ "proficiency": levels, "idle_since_us": since.0 }),
    }
}

fn order_text(order: Order, at: LogTime) -> String {
    let idle = |since: LogTime| format!("idle for {:.0} s", at.since(since).as_seconds_f64());
    match order {
        Order::IdleSince(since) => idle(since),
        Order::Load(load, since) => format!("{load} points taken, {}", idle(since)),
        Order::LastOffer(0) => "never offered anything".to_owned(),
        Order::LastOffer(number) => format!("last offer was number {number}"),
        Order::Skills(1, since) => format!("1 skill, {}", idle(since)),
        Order::Skills(skills, since) => format!("{skills} skills, {}", idle(since)),
        Order::Proficiency(0, since) => format!("no skill is asked for, {}", idle(since)),
        Order::Proficiency(levels, since) => {
            format!("levels of what is asked for: {levels} in all, {}", idle(since))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::criteria::Skill;
    use routing::picked::{Candidate, Offered};
    use routing::{
        AgentId, Channel, ConversationId, DomainId, EventKind, OfferId, Points, Position, Priority, QueueId,
        Sequence, Version,
    };

    const DOMAIN: DomainId = DomainId(3);

    fn made() -> Box<Offered> {
        Box::new(Offered {
            conversation: ConversationId::new(DOMAIN, 7),
            offer: OfferId::new(DOMAIN, 9),
            agent: AgentId::new(DOMAIN, 2),
            queue: Some(QueueId::new(DOMAIN, 1)),
            weight: Points(51),
            automatic: false,
            deadline: LogTime(60_000_000),
            channel: Channel::Voice,
            customer: "c".to_owned(),
        })
    }

    fn at(kind: EventKind) -> Event {
        Event {
            domain: DOMAIN,
            sequence: Sequence(44),
            position: Position::default(),
            at: LogTime(50_000_000),
            wall_ms: 0,
            version: Version(4),
            kind,
        }
    }

    fn picked() -> Picked {
        let required = Skill { name: "es".to_owned(), level: 50 };
        Picked {
            preferred: 1,
            order: Some(Order::IdleSince(LogTime(20_000_000))),
            passed_over: vec![
                (AgentId::new(DOMAIN, 1), Gate::Skill { required, has: 40 }),
                (AgentId::new(DOMAIN, 3), Gate::None),
            ],
            next: vec![Candidate {
                agent: AgentId::new(DOMAIN, 4),
                order: Some(Order::IdleSince(LogTime(40_000_000))),
            }],
            ..Picked::by(Way::Policy(PickPolicy::LongestIdle), Priority(3), LogTime(45_000_000))
        }
    }

    #[test]
    fn it_is_said_for_people() {
        let why = write(&at(EventKind::OfferedBecause(made(), Box::new(picked())))).expect("an offer");
        assert_eq!((why.offer.as_str(), why.agent.as_str(), why.sequence), ("offer_3_9", "agent_3_2", 44));
        assert_eq!(why.detail, "in queue_3_1 the longest idle goes first");
        assert_eq!((why.place.as_str(), why.waited_us, why.priority), ("idle for 30 s", 5_000_000, 3));
        let passed: Vec<_> =
            why.passed_over.iter().map(|one| (one.gate.as_str(), one.detail.as_str())).collect();
        assert_eq!(
            passed,
            [("skill", "es at 40, 50 required"), ("none", "lacks a preferred skill that the other has")]
        );
        assert_eq!((why.next[0].agent.as_str(), why.next[0].place.as_str()), ("agent_3_4", "idle for 10 s"));
    }

    #[test]
    fn an_older_offer_says_that_it_does_not_know_and_other_events_are_none() {
        let why = write(&at(EventKind::Offered(made()))).expect("an offer");
        assert_eq!((why.way.as_str(), why.passed_over.len(), why.waited_us), ("", 0, 0));
        assert!(why.detail.contains("level 8"));
        assert_eq!(write(&at(EventKind::DomainCreated)), None);
    }

    #[test]
    fn machines_get_numbers() {
        let said = fields(&picked());
        assert_eq!(said["policy"], "longest_idle");
        assert_eq!(said["place"]["idle_since_us"], 20_000_000);
        assert_eq!(said["passed_over"][0], json!({ "agent": "agent_3_1", "gate": "skill" }));
        assert_eq!(said["next"][0]["place"]["idle_since_us"], 40_000_000);
    }
}
