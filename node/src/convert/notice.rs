//! What a desk is told: events that concern it.

use super::event::{by_text, end_name, ending_name, revoked_name};
use super::{intent, scalar::channel_code};
use actors::SessionEnd;
use proto::v1;
use proto::v1::notice::{
    Assigned, Connecting, ConsultEnded, Consulting, Ended, IdleChanged, Notice as Kind, OfferEnded, Released,
    SessionEnded, Wrapping,
};
use routing::event::{How, OfferEnd};
use routing::picked::{Offered, Way};
use routing::{Event, EventKind};

/// Writes the notice of an event for the desk of the agent it concerns; `None` for events that a
/// desk does not show (its own session's opening, changes of settings).
#[must_use]
pub fn write(event: &Event) -> Option<v1::Notice> {
    let kind = match &event.kind {
        EventKind::Offered(made) => Kind::Offered(offered(event, made, false)),
        EventKind::OfferedBecause(made, picked) => {
            Kind::Offered(offered(event, made, picked.way == Way::Consult))
        }
        EventKind::OfferEnded { conversation, offer, end, .. } => Kind::OfferEnded(OfferEnded {
            offer: offer.to_string(),
            conversation: conversation.to_string(),
            end: end_name(end).to_owned(),
            why: why(end),
        }),
        EventKind::Assigned { conversation, how, weight, overdraft, .. } => Kind::Assigned(Assigned {
            conversation: conversation.to_string(),
            offer: match how {
                How::Offer(offer) => offer.to_string(),
                How::Pull => String::new(),
            },
            weight: weight.0.into(),
            overdraft: *overdraft,
        }),
        EventKind::Wrapping { conversation, deadline, .. }
        | EventKind::WrapUpExtended { conversation, deadline, .. } => {
            Kind::Wrapping(Wrapping { conversation: conversation.to_string(), deadline_us: deadline.0 })
        }
        EventKind::Connecting { conversation, offer, deadline, .. } => Kind::Connecting(Connecting {
            conversation: conversation.to_string(),
            offer: offer.to_string(),
            deadline_us: deadline.0,
        }),
        EventKind::Consulting { conversation, offer, agent, deadline, .. } => Kind::Consulting(Consulting {
            conversation: conversation.to_string(),
            offer: offer.to_string(),
            agent: agent.to_string(),
            deadline_us: deadline.0,
        }),
        EventKind::ConsultEnded { conversation, agent, end, .. } => Kind::ConsultEnded(ConsultEnded {
            conversation: conversation.to_string(),
            agent: agent.to_string(),
            end: end_name(end).to_owned(),
            why: match end {
                OfferEnd::Rejected { reason } => reason.clone(),
                end => why(end),
            },
        }),
        EventKind::IdleChanged { conversation, idle, weight, overdraft, .. } => {
            Kind::IdleChanged(IdleChanged {
                conversation: conversation.to_string(),
                idle: *idle,
                weight: weight.0.into(),
                overdraft: *overdraft,
            })
        }
        EventKind::Released { conversation, .. } => {
            Kind::Released(Released { conversation: conversation.to_string() })
        }
        EventKind::PresenceChanged { intent: now, .. } => Kind::Presence(intent::write(now)),
        EventKind::Ended { conversation, ending, .. } => Kind::Ended(Ended {
            conversation: conversation.to_string(),
            ending: ending_name(ending).to_owned(),
        }),
        _ => return None,
    };
    Some(v1::Notice { at_us: event.at.0, notice: Some(kind) })
}

/// The notice of an offer.
fn offered(event: &Event, made: &Offered, consult: bool) -> v1::Offer {
    v1::Offer {
        id: made.offer.to_string(),
        conversation: made.conversation.to_string(),
        agent: made.agent.to_string(),
        queue: made.queue.map(|queue| queue.to_string()).unwrap_or_default(),
        weight: made.weight.0.into(),
        automatic: made.automatic,
        made_at_us: event.at.0,
        deadline_us: made.deadline.0,
        channel: channel_code(made.channel),
        customer: made.customer.clone(),
        connecting: false,
        consult,
    }
}

/// Why an offer ended as it did; empty where its end says all.
fn why(end: &OfferEnd) -> String {
    match end {
        OfferEnd::Revoked(why) => revoked_name(*why).to_owned(),
        OfferEnd::ConsultOver { by } => by_text(by),
        _ => String::new(),
    }
}

/// The last notice of a session.
#[must_use]
pub fn ended(end: SessionEnd, at_us: u64) -> v1::Notice {
    let reason = match end {
        SessionEnd::Closed => "closed",
        SessionEnd::Replaced => "replaced",
        SessionEnd::LoggedOut => "logged_out",
        SessionEnd::LeaseLost => "lease_lost",
        SessionEnd::AgentDeleted => "agent_deleted",
        SessionEnd::TooSlow => "too_slow",
        SessionEnd::Unreachable => "unreachable",
        SessionEnd::Stopping => "stopping",
    };
    let notice = Kind::SessionEnded(SessionEnded { reason: reason.to_owned() });
    v1::Notice { at_us, notice: Some(notice) }
}

/// The notice that the inbox changed.
#[must_use]
pub fn inbox_changed(at_us: u64) -> v1::Notice {
    v1::Notice { at_us, notice: Some(Kind::InboxChanged(v1::notice::InboxChanged {})) }
}
