//! `Start`: a conversation arrives.

use super::checks::{Answered, done, invalid, text};
use crate::command::Arrival;
use crate::deadlines::Due;
use crate::domain::{AgentNo, ConvNo, Conversation, Cx, Domain, PlaceKind, QueueNo, State};
use crate::event::{EventKind, Subject};
use crate::outcome::DoneWhat;
use crate::settings::limits::{CONVERSATIONS_LIVE_MAX, TEXT_BYTES_MAX};
use crate::settings::{AcceptMode, RoutingMode};
use crate::{Points, Priority, QueueId, Rejected, Span, Version};

/// How an inbox conversation is offered, should it come to a queue later.
const INBOX_ACCEPT: AcceptMode = AcceptMode::Manual { ring: Span::seconds(30) };

pub(super) fn apply(domain: &mut Domain, cx: &mut Cx<'_>, arrival: &Arrival) -> Answered {
    text("customer", &arrival.customer, TEXT_BYTES_MAX)?;
    text("reference", &arrival.reference, TEXT_BYTES_MAX)?;
    if arrival.continues.is_some_and(|continued| continued.domain != domain.id) {
        return invalid("continues", "a conversation of another domain");
    }
    let touchpoint = domain.named_touchpoint(arrival.touchpoint)?;
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
    check_room(domain, place, &queues)?;

    domain.counters.conversation += 1;
    let no = ConvNo(domain.counters.conversation);
    let id = no.id(domain.id);
    let priority = arrival.priority.unwrap_or(priority);
    let mut texts = String::with_capacity(arrival.customer.len() + arrival.reference.len());
    texts.push_str(&arrival.customer);
    texts.push_str(&arrival.reference);
    let fallback_deadline = fallback.map(|after| cx.now + after);
    let conversation = Conversation {
        no,
        version: Version(0),
        touchpoint,
        channel,
        priority,
        state: State::Waiting,
        place,
        arrived_at: cx.now,
        waits_since: cx.now,
        queues,
        accept,
        offer: None,
        excluded: Vec::new(),
        waive_at: None,
        hold_until: None,
        held_by: None,
        hops: 0,
        weight: Points(0),
        from_queue: None,
        wait_deadline: None,
        fallback_deadline,
        work_deadline: None,
        grace_deadline: None,
        forget_at: None,
        texts: texts.into_boxed_str(),
        customer_bytes: u16::try_from(arrival.customer.len()).expect("bounded above"),
        assigned_at: None,
        ended_at: None,
        last_agent: None,
    };
    domain.conversations.insert(no, Box::new(conversation));
    domain.index.0.live += 1;
    if let Some(at) = fallback_deadline {
        domain.index.0.deadlines.add(at, Due::Fallback(no));
    }
    domain.emit(
        cx,
        EventKind::Arrived {
            conversation: id,
            touchpoint: arrival.touchpoint,
            channel,
            priority,
            customer: arrival.customer.clone(),
            reference: arrival.reference.clone(),
            continues: arrival.continues,
        },
    );
    domain.enter_place(cx, no, None);
    done(DoneWhat::Conversation { id, offer: None, agent: None }, Subject::Conversation(id))
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
