//! `Arrive`: a conversation comes from another domain, once however often it is sent.

use super::checks::{Answered, done};
use super::start::{Admission, admit};
use crate::command::{Crossing, Incoming};
use crate::domain::crossings::Known;
use crate::domain::{Cx, Domain};
use crate::event::{EventKind, Subject};
use crate::outcome::{DoneWhat, Landing, NotTaken};
use crate::settings::limits::HOPS_MAX;
use crate::{ConversationId, LogTime, PlantedBug, Rejected};

pub(super) fn apply(domain: &mut Domain, cx: &mut Cx<'_>, incoming: &Incoming) -> Answered {
    let landing = match domain.crossings.meet(&incoming.crossing) {
        Known::Settled => return settled(&incoming.crossing),
        Known::Landed(Landing::Arrived(_)) if cx.planted(PlantedBug::ArrivedTwice) => {
            take(domain, cx, incoming)
        }
        Known::Landed(landing) => landing,
        Known::New => take(domain, cx, incoming),
    };
    domain.crossings.land(&incoming.crossing, landing.clone());
    done(DoneWhat::Landed(landing), Subject::Domain(domain.id))
}

/// A message that came late: its transfer is settled over there, and nobody waits for an answer.
pub(super) fn settled(crossing: &Crossing) -> Answered {
    let id = format!("{} of {}", crossing.number, crossing.from);
    Err(Rejected::Unknown { kind: "transfer".to_owned(), id })
}

fn take(domain: &mut Domain, cx: &mut Cx<'_>, incoming: &Incoming) -> Landing {
    enter(domain, cx, incoming).map_or_else(Landing::Refused, Landing::Arrived)
}

fn enter(domain: &mut Domain, cx: &mut Cx<'_>, incoming: &Incoming) -> Result<ConversationId, NotTaken> {
    if incoming.account != domain.account {
        return Err(NotTaken::OtherAccount);
    }
    if incoming.hop > HOPS_MAX {
        return Err(NotTaken::Hops);
    }
    let touchpoint = domain.named_touchpoint(incoming.to).map_err(|_| NotTaken::UnknownTouchpoint)?;
    if domain.touchpoints.get(touchpoint.0).is_none_or(|there| there.settings.channel != incoming.channel) {
        return Err(NotTaken::OtherChannel);
    }
    let admission = Admission {
        touchpoint,
        customer: &incoming.customer,
        reference: &incoming.reference,
        priority: Some(incoming.priority),
        arrived_at: LogTime(cx.now.0.saturating_sub(incoming.age.0)),
        seeks: domain.touchpoints.get(touchpoint.0).expect("just found").criteria.clone(),
        hops: incoming.hop,
        resumes: None,
    };
    let event = |id, channel, priority| EventKind::ArrivedFrom {
        conversation: id,
        from: incoming.crossing.from,
        touchpoint: incoming.to,
        channel,
        priority,
        customer: incoming.customer.clone(),
        reference: incoming.reference.clone(),
        age: incoming.age,
        hop: incoming.hop,
    };
    admit(domain, cx, &admission, event).map_err(|_| NotTaken::Full)
}
