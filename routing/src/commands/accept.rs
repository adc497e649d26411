//! `Accept`: the agent takes an offer.

use super::checks::{Answered, done};
use crate::command::Desk;
use crate::domain::{ConvNo, Cx, Domain, State};
use crate::event::{EventKind, How, OfferEnd, Subject};
use crate::outcome::DoneWhat;
use crate::{OfferId, Rejected};

pub(super) fn apply(domain: &mut Domain, cx: &mut Cx<'_>, desk: Desk, id: OfferId) -> Answered {
    let (agent, no) = live_offer(domain, desk, id)?;
    let offer = domain.take_offer(cx, no, OfferEnd::Accepted);
    domain.agent_mut(agent).misses = 0;
    if let State::Assigned(source) = domain.conv(no).state {
        domain.release(cx, no);
        let (conversation, released) = (no.id(domain.id), source.id(domain.id));
        domain.emit(cx, EventKind::Released { conversation, agent: released });
        domain.settle_draining(cx, source);
    }
    domain.conv_mut(no).from_queue = offer.queue;
    domain.assign(cx, no, agent, offer.weight, How::Offer(id));
    let conversation = no.id(domain.id);
    done(DoneWhat::Assigned { conversation, agent: desk.agent }, Subject::Conversation(conversation))
}

/// The agent of a desk and the conversation of an offer that is live and this agent's.
pub(super) fn live_offer(
    domain: &Domain,
    desk: Desk,
    id: OfferId,
) -> Result<(crate::domain::AgentNo, ConvNo), Rejected> {
    let agent = domain.desk(desk)?;
    domain
        .offered(id)
        .filter(|no| domain.conv(*no).offer.as_ref().is_some_and(|offer| offer.agent == agent))
        .map(|no| (agent, no))
        .ok_or(Rejected::OfferOver { offer: id })
}
