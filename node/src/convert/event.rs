//! Events, and the names of what is in them.

use super::event_fields::fields;
use proto::v1;
use routing::command::By;
use routing::event::{Ending, How, OfferEnd, Requeued, Revoked, Subject};
use routing::{AgentId, Event, EventKind, OfferId, QueueId};

/// Writes an event of this incarnation.
#[must_use]
pub fn write(event: &Event, incarnation: u64) -> v1::Event {
    let subject = event.kind.subject(event.domain);
    let conversation = match subject {
        Subject::Conversation(conversation) => conversation.to_string(),
        _ => String::new(),
    };
    let id = |id: Option<String>| id.unwrap_or_default();
    v1::Event {
        domain: event.domain.to_string(),
        sequence: event.sequence.0,
        index: event.position.index,
        at_us: event.at.0,
        wall_ms: event.wall_ms,
        version: event.version.0,
        subject: subject_text(subject),
        r#type: type_name(&event.kind).to_owned(),
        conversation,
        agent: id(agent(&event.kind).map(|agent| agent.to_string())),
        queue: id(queue(&event.kind).map(|queue| queue.to_string())),
        offer: id(offer(&event.kind).map(|offer| offer.to_string())),
        json: fields(&event.kind).to_string(),
        incarnation,
    }
}

fn subject_text(subject: Subject) -> String {
    match subject {
        Subject::Domain(id) => id.to_string(),
        Subject::Queue(id) => id.to_string(),
        Subject::Agent(id) => id.to_string(),
        Subject::Touchpoint(id) => id.to_string(),
        Subject::Conversation(id) => id.to_string(),
    }
}

fn agent(kind: &EventKind) -> Option<AgentId> {
    match kind {
        EventKind::AgentCreated(agent)
        | EventKind::SkillsChanged { agent, .. }
        | EventKind::ConsultStarted { agent, .. }
        | EventKind::Consulting { agent, .. }
        | EventKind::ConsultEnded { agent, .. } => Some(*agent),
        _ => kind.desk(),
    }
}

fn queue(kind: &EventKind) -> Option<QueueId> {
    match kind {
        EventKind::QueueCreated(queue)
        | EventKind::QueueChanged(queue)
        | EventKind::QueueDeleted(queue)
        | EventKind::PolicyChanged { queue, .. }
        | EventKind::RuleApplied { queue, .. }
        | EventKind::HoursChanged { queue, .. }
        | EventKind::RingChanged { queue, .. }
        | EventKind::QueueHours { queue, .. }
        | EventKind::QueuePaused { queue, .. } => Some(*queue),
        _ => kind.offered().and_then(|(made, _)| made.queue),
    }
}

fn offer(kind: &EventKind) -> Option<OfferId> {
    match kind {
        EventKind::OfferEnded { offer, .. }
        | EventKind::Connecting { offer, .. }
        | EventKind::Consulting { offer, .. }
        | EventKind::Assigned { how: How::Offer(offer), .. } => Some(*offer),
        _ => kind.offered().map(|(made, _)| made.offer),
    }
}

/// The name of a kind in the API.
#[must_use]
pub fn type_name(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::DomainCreated => "domain_created",
        EventKind::DomainChanged => "domain_changed",
        EventKind::Quarantined { .. } => "quarantined",
        EventKind::QueueCreated(_) => "queue_created",
        EventKind::QueueChanged(_) => "queue_changed",
        EventKind::QueuePaused { .. } => "queue_paused",
        EventKind::QueueDeleted(_) => "queue_deleted",
        EventKind::AgentCreated(_) => "agent_created",
        EventKind::AgentChanged(_) => "agent_changed",
        EventKind::AgentDeleted(_) => "agent_deleted",
        EventKind::TouchpointCreated(_) => "touchpoint_created",
        EventKind::TouchpointChanged(_) => "touchpoint_changed",
        EventKind::TouchpointDeleted(_) => "touchpoint_deleted",
        EventKind::SessionOpened { .. } => "session_opened",
        EventKind::LeaseLost { .. } => "lease_lost",
        EventKind::PresenceChanged { .. } => "presence_changed",
        EventKind::Arrived { .. } => "arrived",
        EventKind::Waiting { .. } => "waiting",
        EventKind::Offered(_) | EventKind::OfferedBecause(..) => "offered",
        EventKind::OfferEnded { .. } => "offer_ended",
        EventKind::Assigned { .. } => "assigned",
        EventKind::Wrapping { .. } => "wrapping",
        EventKind::Released { .. } => "released",
        EventKind::TransferStarted { .. } => "transfer_started",
        EventKind::TransferFailed { .. } => "transfer_failed",
        EventKind::Reprioritised { .. } => "reprioritised",
        EventKind::Ended { .. } => "ended",
        EventKind::ArrivedFrom { .. } => "arrived_from",
        EventKind::Recalled { .. } => "recalled",
        EventKind::TransferRefused { .. } => "transfer_refused",
        EventKind::SkillsChanged { .. } => "skills_changed",
        EventKind::TouchpointCriteriaChanged { .. } => "touchpoint_criteria_changed",
        EventKind::CriteriaChanged { .. } => "criteria_changed",
        EventKind::Relaxed { .. } => "relaxed",
        EventKind::PolicyChanged { .. } => "policy_changed",
        EventKind::RuleApplied { .. } => "rule_applied",

        EventKind::ChannelRulesChanged { .. } => "channel_rules_changed",
        EventKind::HandlingChanged { .. } => "handling_changed",
        EventKind::PaceChanged { .. } => "pace_changed",
        EventKind::Connecting { .. } => "connecting",
        EventKind::IdleChanged { .. } => "idle_changed",
        EventKind::WrapUpExtended { .. } => "wrap_up_extended",
        EventKind::ScheduleChanged { .. } => "schedule_changed",
        EventKind::HoursChanged { .. } => "hours_changed",
        EventKind::RingChanged { .. } => "ring_changed",
        EventKind::QueueHours { .. } => "queue_hours",
        EventKind::CallbackChanged { .. } => "callback_changed",
        EventKind::CallbackRequested { .. } => "callback_requested",
        EventKind::CallbackTried { .. } => "callback_tried",
        EventKind::Resumed { .. } => "resumed",
        EventKind::ConsultStarted { .. } => "consult_started",
        EventKind::Consulting { .. } => "consulting",
        EventKind::ConsultEnded { .. } => "consult_ended",
    }
}

/// The name of an ending in the API.
#[must_use]
pub fn ending_name(ending: &Ending) -> &'static str {
    match ending {
        Ending::Completed { .. } => "completed",
        Ending::Abandoned => "abandoned",
        Ending::Closed { .. } => "closed",
        Ending::Expired => "expired",
        Ending::OwnerLost => "owner_lost",
        Ending::Moved { .. } => "moved",
    }
}

/// The name of an offer's end in the API.
#[must_use]
pub fn end_name(end: &OfferEnd) -> &'static str {
    match end {
        OfferEnd::Accepted => "accepted",
        OfferEnd::Rejected { .. } => "rejected",
        OfferEnd::TimedOut => "timed_out",
        OfferEnd::Revoked(_) => "revoked",
        OfferEnd::NotConnected { .. } => "not_connected",
        OfferEnd::ConsultOver { .. } => "consult_over",
    }
}

/// The name of a reason for a withdrawal in the API.
#[must_use]
pub fn revoked_name(why: Revoked) -> &'static str {
    match why {
        Revoked::Abandoned => "abandoned",
        Revoked::Closed => "closed",
        Revoked::Transferred => "transferred",
        Revoked::Unavailable => "unavailable",
        Revoked::LeaseLost => "lease_lost",
        Revoked::QueueGone => "queue_gone",
        Revoked::Expired => "expired",
        Revoked::CalledBack => "called_back",
        Revoked::Taken => "taken",
    }
}

pub(super) fn requeued_name(cause: Requeued) -> &'static str {
    match cause {
        Requeued::Rejected => "rejected",
        Requeued::TimedOut => "timed_out",
        Requeued::Revoked => "revoked",
        Requeued::LeaseLost => "lease_lost",
        Requeued::OwnerGone => "owner_gone",
        Requeued::Transferred => "transferred",
        Requeued::Fallback => "fallback",
        Requeued::DedicatedFallback => "dedicated_fallback",
        Requeued::Overflow => "overflow",
        Requeued::NotConnected => "not_connected",
    }
}

pub(super) fn by_text(by: &By) -> String {
    match by {
        By::System => "system".to_owned(),
        By::Customer => "customer".to_owned(),
        By::Agent(desk) => desk.agent.to_string(),
        By::Supervisor(name) => format!("supervisor:{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::criteria::{Criteria, Skill, Step};
    use routing::event::Place;
    use routing::policy::{Action, Bound, Condition, Measure, Policy, Rule, Target};
    use routing::{ConversationId, DomainId, LogTime, Position, Sequence, Span, Version};

    #[test]
    fn ids_are_text_everywhere() {
        let domain = DomainId(3);
        let event = Event {
            domain,
            sequence: Sequence(9),
            position: Position { index: 4, ordinal: 1 },
            at: LogTime(5),
            wall_ms: 6,
            version: Version(2),
            kind: EventKind::OfferEnded {
                conversation: ConversationId::new(domain, 1),
                offer: OfferId::new(domain, 2),
                agent: AgentId::new(domain, 7),
                end: OfferEnd::Revoked(Revoked::QueueGone),
            },
        };
        let wire = write(&event, 7);
        assert_eq!(wire.incarnation, 7);
        assert_eq!((wire.r#type.as_str(), wire.subject.as_str()), ("offer_ended", "conv_3_1"));
        assert_eq!((wire.agent.as_str(), wire.offer.as_str()), ("agent_3_7", "offer_3_2"));
        let json: serde_json::Value = serde_json::from_str(&wire.json).expect("an object");
        assert_eq!(json["why"], "queue_gone");
        assert_eq!(json["end"], "revoked");
        assert_eq!(json["offer"], "offer_3_2");
    }

    #[test]
    fn a_consultation_names_who_is_asked_and_who_ended_it() {
        let domain = DomainId(3);
        let conversation = ConversationId::new(domain, 1);
        let (owner, asked) = (AgentId::new(domain, 7), AgentId::new(domain, 8));
        let end = OfferEnd::ConsultOver { by: By::System };
        let kind = EventKind::ConsultEnded { conversation, owner, agent: asked, end };
        assert_eq!(
            (type_name(&kind), agent(&kind), kind.desk()),
            ("consult_ended", Some(asked), Some(owner))
        );
        let wanted = serde_json::json!({
            "conversation": "conv_3_1", "owner": "agent_3_7", "agent": "agent_3_8",
            "end": "consult_over", "why": "system",
        });
        assert_eq!(fields(&kind), wanted);
        let (of, deadline) = (OfferId::new(domain, 2), LogTime(9));
        let kind = EventKind::Consulting { conversation, owner, offer: of, agent: asked, deadline };
        assert_eq!((type_name(&kind), offer(&kind)), ("consulting", Some(of)));
    }

    #[test]
    fn what_is_asked_for_is_as_in_the_api() {
        let domain = DomainId(3);
        let (conversation, agent) = (ConversationId::new(domain, 1), AgentId::new(domain, 7));
        let json = |kind: EventKind| fields(&kind);
        let skills = vec![Skill { name: "es".into(), level: 80 }];
        let changed = json(EventKind::SkillsChanged { agent, skills: skills.clone(), by: By::System });
        assert_eq!(changed["skills"], serde_json::json!([{ "name": "es", "level": 80 }]));
        assert_eq!((&changed["agent"], &changed["by"]), (&"agent_3_7".into(), &"system".into()));
        let named = Step { agents: vec![agent], lasts: Some(Span::seconds(1)), ..Step::default() };
        let skilled = Step { required: skills, widen: vec![QueueId::new(domain, 2)], ..Step::default() };
        let criteria = Criteria { steps: vec![named, skilled] };
        let changed = json(EventKind::CriteriaChanged { conversation, criteria, by: By::System });
        let steps = &changed["criteria"]["steps"];
        assert_eq!((&steps[0]["agents"][0], &steps[0]["lasts_ms"]), (&"agent_3_7".into(), &1_000.into()));
        assert_eq!((&steps[1]["widen"][0], &steps[1]["lasts_ms"]), (&"queue_3_2".into(), &0.into()));
        assert_eq!(steps[1]["required"][0]["level"], 80);
        let queues = vec![QueueId::new(domain, 2)];
        let relaxed = json(EventKind::Relaxed { conversation, step: 2, until: Some(LogTime(9)), queues });
        assert_eq!((&relaxed["step"], &relaxed["until_us"]), (&2.into(), &9.into()));
        assert_eq!(relaxed["queues"][0], "queue_3_2");
    }

    #[test]
    fn rules_between_channels_are_about_the_domain() {
        let kind = EventKind::ChannelRulesChanged { rules: Vec::new(), by: By::Supervisor("sol".into()) };
        assert_eq!(type_name(&kind), "channel_rules_changed");
        assert_eq!(kind.subject(DomainId(3)), Subject::Domain(DomainId(3)));
        assert_eq!(fields(&kind), serde_json::json!({ "rules": [], "by": "supervisor:sol" }));
    }

    #[test]
    fn a_policy_is_as_in_the_api_and_a_rule_names_its_queue_and_conversation() {
        let domain = DomainId(3);
        let (conversation, own, other) =
            (ConversationId::new(domain, 1), QueueId::new(domain, 2), QueueId::new(domain, 4));
        let of = |of, measure, is| Condition { of, measure, is };
        let policy = Policy {
            rules: vec![
                Rule { after: Span::ZERO, when: Vec::new(), then: Action::Prioritise(routing::Priority(9)) },
                Rule {
                    after: Span::seconds(20),
                    when: vec![
                        of(None, Measure::Position, Bound::AtLeast(2)),
                        of(Some(other), Measure::ServiceLevel, Bound::Below(80)),
                    ],
                    then: Action::MoveTo(other),
                },
            ],
            target: Some(Target { within: Span::seconds(30), percent: 80 }),
        };
        let by = By::Supervisor("sol".into());
        let kind = EventKind::PolicyChanged { queue: own, number: 3, policy, by };
        assert_eq!((type_name(&kind), queue(&kind)), ("policy_changed", Some(own)));
        let json = fields(&kind);
        let wanted = serde_json::json!({
            "queue": "queue_3_2", "number": 3, "by": "supervisor:sol",
            "policy": {
                "rules": [
                    { "after_ms": 0, "when": [], "prioritise": 9 },
                    {
                        "after_ms": 20_000,
                        "when": [
                            { "of": "", "measure": "MEASURE_POSITION", "at_least": 2 },
                            { "of": "queue_3_4", "measure": "MEASURE_SERVICE_LEVEL", "below": 80 },
                        ],
                        "move_to": "queue_3_4",
                    },
                ],
                "target": { "within_ms": 30_000, "percent": 80 },
            },
        });
        assert_eq!(json, wanted);

        let action = Action::Close { reason: "late".into() };
        let kind = EventKind::RuleApplied { conversation, queue: own, number: 3, rule: 2, action };
        assert_eq!((type_name(&kind), queue(&kind)), ("rule_applied", Some(own)));
        assert_eq!(kind.subject(domain), Subject::Conversation(conversation));
        let wanted = serde_json::json!({
            "conversation": "conv_3_1", "queue": "queue_3_2", "number": 3, "rule": 2,
            "action": { "close": "late" },
        });
        assert_eq!(fields(&kind), wanted);
        let place = Place::Queues(vec![other]);
        let waits = fields(&EventKind::Waiting { conversation, place, cause: Some(Requeued::Overflow) });
        assert_eq!(waits["cause"], "overflow");
    }
}
