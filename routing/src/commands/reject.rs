//! `Reject`: the agent declines an offer.

use super::accept::live_offer;
use super::checks::{Answered, done, text};
use crate::OfferId;
use crate::command::{Decline, Desk};
use crate::domain::{Cx, Domain};
use crate::event::{OfferEnd, Requeued, Subject};
use crate::outcome::DoneWhat;
use crate::settings::limits::TEXT_BYTES_MAX;

pub(super) fn apply(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    desk: Desk,
    id: OfferId,
    decline: &Decline,
) -> Answered {
    domain.desk(desk)?;
    text("reason", &decline.reason, TEXT_BYTES_MAX)?;
    let (agent, no) = live_offer(domain, desk, id)?;
    let span = domain.settings.exclude_rejected;
    let offer = domain.take_offer(cx, no, OfferEnd::Rejected { reason: decline.reason.clone() });
    if domain.wait_after_offer(cx, no, &offer, Requeued::Rejected) {
        domain.exclude(cx.now, no, agent, span);
    }
    done(DoneWhat::Ok, Subject::Conversation(no.id(domain.id)))
}
