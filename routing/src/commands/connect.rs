//! `Connected` and `ConnectFailed`: the second step of an accept.

use super::accept::{consulting, live_offer, take};
use super::checks::{Answered, done, text};
use crate::command::Desk;
use crate::domain::{AgentNo, ConvNo, Cx, Domain};
use crate::event::{OfferEnd, Requeued, Subject};
use crate::handling::limits::REASON_BYTES_MAX;
use crate::outcome::DoneWhat;
use crate::{OfferId, PlantedBug, Rejected};

pub(super) fn made(domain: &mut Domain, cx: &mut Cx<'_>, desk: Desk, id: OfferId) -> Answered {
    let (agent, no) = accepted(domain, desk, id)?;
    domain.bring_forward(no, agent);
    take(domain, cx, no)
}

pub(super) fn failed(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    desk: Desk,
    id: OfferId,
    reason: &str,
) -> Answered {
    domain.desk(desk)?;
    text("reason", reason, REASON_BYTES_MAX)?;
    let (_, no) = accepted(domain, desk, id)?;
    if domain.conv(no).calling.is_some() {
        domain.not_reached(cx, no, reason.to_owned());
        return done(DoneWhat::Ok, Subject::Conversation(no.id(domain.id)));
    }
    domain.miss(cx, no, OfferEnd::NotConnected { reason: reason.to_owned() }, Requeued::NotConnected);
    done(DoneWhat::Ok, Subject::Conversation(no.id(domain.id)))
}

/// The agent of a desk and the conversation of a live offer that this agent has accepted.
fn accepted(domain: &Domain, desk: Desk, id: OfferId) -> Result<(AgentNo, ConvNo), Rejected> {
    let (agent, no) = live_offer(domain, desk, id)?;
    if domain.conv(no).is_consulting() {
        return consulting();
    }
    if !domain.conv(no).is_connecting() && !domain.planted(PlantedBug::ConnectedUnaccepted) {
        let needed = "accept the offer first".to_owned();
        return Err(Rejected::WrongState { state: "offered".to_owned(), needed });
    }
    Ok((agent, no))
}
