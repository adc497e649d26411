//! `Start`: a conversation arrives.

use super::checks::{Answered, done, invalid, text};
use crate::command::{Arrival, By};
use crate::criteria::Criteria;
use crate::deadlines::Due;
use crate::domain::{
    AgentNo, Asked, ConvNo, Conversation, Cx, Domain, Handled, PlaceKind, QueueNo, State, TouchNo,
};
use crate::event::{EventKind, Subject};
use crate::outcome::DoneWhat;
use crate::settings::limits::{CONVERSATIONS_LIVE_MAX, TEXT_BYTES_MAX};
use crate::settings::{AcceptMode, RoutingMode};
use crate::{Channel, ConversationId, LogTime, Points, Priority, QueueId, Rejected, Span, Version};

/// How an inbox conversation is offered, should it come to a queue later.
const INBOX_ACCEPT: AcceptMode = AcceptMode::Manual { ring: Span::seconds(30) };

/// A conversation as it comes in.
pub(super) struct Admission<'a> {
    pub(super) touchpoint: TouchNo,
    pub(super) customer: &'a str,
    pub(super) reference: &'a str,
    /// Overrides the touchpoint's.
    pub(super) priority: Option<Priority>,
    pub(super) arrived_at: LogTime,
    pub(super) hops: u32,
    /// What it asks for.
    pub(super) seeks: Box<[Asked]>,
    /// The abandoned conversation whose place it has, and with it the arrival.
    pub(super) resumes: Option<ConvNo>,
}

pub(super) fn apply(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    arrival: &Arrival,
    criteria: Option<&Criteria>,
) -> Answered {
    text("customer", &arrival.customer, TEXT_BYTES_MAX)?;
    text("reference", &arrival.reference, TEXT_BYTES_MAX)?;
    if arrival.continues.is_some_and(|continued| continued.domain != domain.id) {
        return invalid("continues", "a conversation of another domain");
    }
    let touchpoint = domain.named_touchpoint(arrival.touchpoint)?;
    let seeks = match criteria {
        Some(own) => {
            let settings = &domain.touchpoints.get(touchpoint.0).expect("just found").settings;
            if matches!(settings.mode, RoutingMode::Simplified { .. }) && !own.steps.is_empty() {
                return invalid(
                    "criteria",
                    "what is pulled from an inbox asks for nobody: use a touchpoint that routes",
                );
            }
            super::criteria::check(domain, own).map(|()| domain.numbered(own))?
        }
        None => domain.touchpoints.get(touchpoint.0).expect("just found").criteria.clone(),
    };
    let channel = domain.touchpoints.get(touchpoint.0).expect("just found").settings.channel;
    let resumes = arrival.continues.and_then(|former| ConvNo::of(former, domain.id));
    let resumes = resumes.filter(|former| domain.resumes(cx, *former, channel));
    let admission = Admission {
        touchpoint,
        customer: &arrival.customer,
        reference: &arrival.reference,
        priority: arrival.priority,
        arrived_at: resumes.map_or(cx.now, |former| domain.conv(former).arrived_at),
        hops: 0,
        seeks,
        resumes,
    };
    let id = admit(domain, cx, &admission, |id, channel, priority| EventKind::Arrived {
        conversation: id,
        touchpoint: arrival.touchpoint,
        channel,
        priority,
        customer: arrival.customer.clone(),
        reference: arrival.reference.clone(),
        continues: arrival.continues,
    })?;
    let (offer, agent) = (None, None);
    let what = match resumes {
        Some(_) => DoneWhat::Resumed { id, offer, agent },
        None => DoneWhat::Conversation { id, offer, agent },
    };
    done(what, Subject::Conversation(id))
}

/// Takes a conversation in, routed as its touchpoint says, and tells of it by this event.
///
/// # Errors
/// The domain, or every queue it could wait in, is full; nothing was changed.
pub(super) fn admit(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    admission: &Admission<'_>,
    event: impl FnOnce(ConversationId, Channel, Priority) -> EventKind,
) -> Result<ConversationId, Rejected> {
    let touchpoint = admission.touchpoint;
    let settings = &domain.touchpoints.get(touchpoint.0).expect("just found").settings;
    let channel = settings.channel;
    let numbers = |queues: &[QueueId]| {
        queues.iter().filter_map(|queue| QueueNo::of(*queue, domain.id)).collect::<Box<[_]>>()
    };
    let (place, queues, accept, priority, fallback) = match &settings.mode {
        RoutingMode::Simplified { queues } => {
            (PlaceKind::Inbox, numbers(queues), INBOX_ACCEPT, Priority::default(), None)
        }
        RoutingMode::Dedicated { agent, accept, fallback } => {
            let agent = AgentNo::of(*agent, domain.id).expect("checked when the touchpoint was made");
            let queues = fallback.map_or_else(Box::default, |(queue, _)| numbers(&[queue]));
            (
                PlaceKind::Dedicated(agent),
                queues,
                *accept,
                Priority::default(),
                fallback.map(|(_, after)| after),
            )
        }
        RoutingMode::ToQueue(step) => {
            (PlaceKind::Queues, numbers(&step.queues), step.accept, step.priority, None)
        }
    };
    // What is pulled from an inbox asks for nobody.
    let seeks = if place == PlaceKind::Inbox { &[][..] } else { &admission.seeks };
    check_room(domain, place, &queues)?;
    domain.check_classes(seeks.iter().map(|asked| &asked.required))?;

    domain.counters.conversation += 1;
    let no = ConvNo(domain.counters.conversation);
    let id = no.id(domain.id);
    let priority = admission.priority.unwrap_or(priority);
    let mut texts = String::with_capacity(admission.customer.len() + admission.reference.len());
    texts.push_str(admission.customer);
    texts.push_str(admission.reference);
    let fallback_deadline = fallback.map(|after| cx.now + after);
    let conversation = Conversation {
        no,
        version: Version(0),
        touchpoint,
        channel,
        priority,
        state: State::Waiting,
        place,
        arrived_at: admission.arrived_at,
        waits_since: cx.now,
        queues,
        accept,
        offer: None,
        excluded: Vec::new(),
        waive_at: None,
        hold_until: None,
        held_by: None,
        hops: admission.hops,
        weight: Points(0),
        from_queue: None,
        wait_deadline: None,
        fallback_deadline,
        work_deadline: None,
        grace_deadline: None,
        forget_at: None,
        texts: texts.into_boxed_str(),
        customer_bytes: u16::try_from(admission.customer.len()).expect("bounded above"),
        assigned_at: None,
        ended_at: None,
        last_agent: None,
        departure: None,
        seeking: None,
        standing: None,
        handled: Handled::default(),
        calling: None,
        resumed: false,
        also: None,
    };
    domain.conversations.insert(no, conversation);
    domain.index.0.live += 1;
    if let Some(at) = fallback_deadline {
        domain.index.0.deadlines.add(at, Due::Fallback(no));
    }
    domain.emit(cx, event(id, channel, priority));
    if let Some(former) = admission.resumes {
        domain.conv_mut(former).resumed = true;
        let (from, arrived_at) = (former.id(domain.id), admission.arrived_at);
        domain.emit(cx, EventKind::Resumed { conversation: id, from, arrived_at });
    }
    if !seeks.is_empty() {
        domain.seek(no, seeks.into());
        let criteria = domain.criteria_view(seeks);
        domain.emit(cx, EventKind::CriteriaChanged { conversation: id, criteria, by: By::System });
    }
    domain.enter_place(cx, no, None);
    Ok(id)
}

/// Refuses when the domain, or every queue it could wait in, is full.
fn check_room(domain: &Domain, place: PlaceKind, queues: &[QueueNo]) -> Result<(), Rejected> {
    if domain.index.0.live >= CONVERSATIONS_LIVE_MAX {
        return Err(Rejected::Full {
            what: "the domain's live conversations".to_owned(),
            limit: CONVERSATIONS_LIVE_MAX,
            remedy: "try again when some have ended".to_owned(),
        });
    }
    let full = |queue: &QueueNo| domain.queue(*queue).waiting() >= domain.queue(*queue).settings.waiting_max;
    if !matches!(place, PlaceKind::Dedicated(_)) && queues.iter().all(full) {
        let limit = queues.iter().map(|queue| domain.queue(*queue).settings.waiting_max).max().unwrap_or(0);
        return Err(Rejected::Full {
            what: "every queue of the touchpoint".to_owned(),
            limit,
            remedy: "try again later, or raise waiting_max".to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::command::Arrival;
    use crate::scene::{Row, Scene, as_it_is, play};
    use crate::settings::RoutingMode;
    use crate::testing::{DOMAIN, supervisor};
    use crate::{Channel, Command, ConversationId, DomainId, Points, Priority, Span, TouchpointId};

    fn arrival(touchpoint: TouchpointId) -> Arrival {
        let (customer, reference) = ("c".to_owned(), String::new());
        Arrival { touchpoint, customer, reference, priority: None, continues: None }
    }

    fn call(s: &mut Scene) -> Command {
        Command::Start(arrival(s.voice))
    }

    fn mail(s: &mut Scene) -> Command {
        Command::Start(arrival(s.mail))
    }

    fn continuing(s: &Scene, domain: DomainId) -> Command {
        let continues = Some(ConversationId::new(domain, 77));
        Command::Start(Arrival { continues, ..arrival(s.voice) })
    }

    /// The queue takes one at a time, and one waits there.
    fn full(s: &mut Scene) {
        let mut settings = s.world.shard.queue(s.queue).expect("made").settings;
        settings.waiting_max = 1;
        s.world.ok(Command::UpdateQueue { queue: s.queue, settings });
        s.waiting();
    }

    #[test]
    fn table() {
        let rows: &[Row] = &[
            ("nobody", as_it_is, call, "done", "Arrived Waiting"),
            ("somebody", |s| s.ready(s.a), call, "done", "Arrived Waiting Offered"),
            ("an inbox offers to nobody", |s| s.ready(s.a), mail, "done", "Arrived Waiting"),
            (
                "a call does not fit beside a call",
                |s| {
                    s.assigned();
                },
                call,
                "done",
                "Arrived Waiting",
            ),
            (
                "unknown touchpoint",
                as_it_is,
                |_| Command::Start(arrival(TouchpointId::new(DOMAIN, 9))),
                "Unknown",
                "",
            ),
            (
                "a deleted one",
                |s| {
                    s.world.ok(Command::DeleteTouchpoint { touchpoint: s.voice });
                },
                call,
                "Unknown",
                "",
            ),
            ("continues a forgotten one", as_it_is, |s| continuing(s, DOMAIN), "done", "Arrived Waiting"),
            ("continues one of another domain", as_it_is, |s| continuing(s, DomainId(2)), "Invalid", ""),
            (
                "too long a text",
                as_it_is,
                |s| Command::Start(Arrival { customer: "x".repeat(1_025), ..arrival(s.voice) }),
                "Invalid",
                "",
            ),
            ("full", full, call, "Full queued", ""),
            ("full, its inbox counts", full, mail, "Full queued", ""),
            (
                "an offered one waits no more",
                |s| {
                    full(s);
                    s.ready(s.a);
                },
                call,
                "done offered",
                "Arrived Waiting",
            ),
            (
                "full, but the other queue is not",
                |s| {
                    full(s);
                    s.voice = s.world.touchpoint(Channel::Voice, &[s.queue, s.plain]);
                },
                call,
                "done queued",
                "Arrived Waiting",
            ),
            (
                "dedicated is never full",
                |s| {
                    full(s);
                    s.voice = s.dedicated(Some((s.queue, Span::seconds(9))));
                },
                call,
                "done queued",
                "Arrived Waiting",
            ),
        ];
        play(rows);
    }

    #[test]
    fn priorities() {
        let mut s = Scene::new();
        let accept = crate::settings::AcceptMode::Manual { ring: Span::seconds(20) };
        let step = crate::settings::ToQueue { queues: vec![s.queue], priority: Priority(5), accept };
        let with = s.world.touchpoint_with(Channel::Voice, RoutingMode::ToQueue(step));
        for (touchpoint, own, expected) in
            [(with, None, 5), (with, Some(7), 7), (s.mail, None, 0), (s.mail, Some(3), 3)]
        {
            let (id, _) = s.world.started(touchpoint, own.map(Priority));
            assert_eq!(s.world.shard.conversation(id).expect("known").priority, Priority(expected));
        }
    }

    #[test]
    fn the_agent_takes_highest_priority_then_age_and_wrap_up_room_counts() {
        let mut s = Scene::new();
        let chat = s.world.touchpoint(Channel::Chat, &[s.queue]);
        let ids: Vec<_> = [0, 9, 0, 9, 0].map(|p| s.world.started(chat, Some(Priority(p))).0).into();
        s.change(s.a.agent, |settings| settings.capacity = Points(99));
        s.ready(s.a);
        let offered: Vec<bool> = ids.iter().map(|id| s.world.stage(*id) == "offered").collect();
        assert_eq!(offered, [true, true, false, true, false]);
        assert_eq!(s.world.load(s.a), 75);
    }

    fn stage_after(s: &mut Scene, seconds: u64) -> (&'static str, Vec<String>) {
        s.pass(seconds);
        s.world.tick();
        (s.stage(), s.world.events())
    }

    #[test]
    fn a_dedicated_one_waits_for_its_agent_then_falls_back() {
        let mut s = Scene::new();
        s.ready(s.b);
        s.dedicated(Some((s.plain, Span::seconds(9))));
        assert_eq!(stage_after(&mut s, 8), ("queued", vec![]), "the other is free and gets nothing");
        assert_eq!(stage_after(&mut s, 1).1, ["Waiting", "Offered"]);
        assert_eq!(s.world.offer_of(s.id).map(|(_, agent)| agent), Some(s.b.agent));

        let mut s = Scene::new();
        s.ready(s.a);
        s.dedicated(Some((s.plain, Span::seconds(9))));
        assert_eq!(s.stage(), "offered");
        assert_eq!(
            stage_after(&mut s, 9).1,
            ["OfferEnded", "Waiting", "Offered"],
            "offered all the same: its time is over"
        );

        let mut s = Scene::new();
        s.ready(s.b);
        s.dedicated(None);
        assert_eq!(stage_after(&mut s, 3_600), ("queued", vec![]));
        s.ready(s.a);
        assert_eq!(s.world.events(), ["PresenceChanged", "Offered"]);
        s.world.accept(s.id);
        s.world.ok(Command::LogOut { agent: s.a.agent, by: supervisor() });
        assert_eq!(s.stage(), "queued", "waits for its agent again");
    }
}
