//! `Transfer`: to an agent, a queue or an inbox of the domain.

use super::assign::check_room;
use super::checks::{Answered, done, invalid, not_allowed, supervises};
use super::wrong_state;
use crate::command::{By, TransferFallback, TransferTarget};
use crate::domain::{AgentNo, ConvNo, Cx, Domain, PlaceKind, QueueNo, State};
use crate::event::{EventKind, OfferEnd, Requeued, Revoked, Subject};
use crate::outcome::DoneWhat;
use crate::settings::limits::HOPS_MAX;
use crate::{ConversationId, Rejected};

enum Target {
    Agent(AgentNo),
    Place(PlaceKind, QueueNo),
}

pub(super) fn apply(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    id: ConversationId,
    target: TransferTarget,
    fallback: TransferFallback,
    by: &By,
) -> Answered {
    let caller = domain.caller(by)?;
    let no = domain.named_conversation(id)?;
    let owner = match domain.conv(no).state {
        State::Assigned(owner) => Some(owner),
        State::Waiting | State::Offered => None,
        _ => return wrong_state(domain, no, "only a waiting or an assigned one can be moved"),
    };
    if !supervises(by) && (caller.is_none() || owner != caller) {
        return not_allowed("only its owner or a supervisor moves it");
    }
    let hop = domain.conv(no).hops + 1;
    if hop > HOPS_MAX {
        return Err(Rejected::HopLimit { limit: HOPS_MAX });
    }
    let to = match target {
        TransferTarget::Agent(agent) => Target::Agent(domain.named_agent(agent)?),
        TransferTarget::Queue(queue) => Target::Place(PlaceKind::Queues, domain.named_queue(queue)?),
        TransferTarget::Inbox(queue) => Target::Place(PlaceKind::Inbox, domain.named_queue(queue)?),
    };
    if let TransferFallback::Queue(queue) = fallback {
        domain.named_queue(queue)?;
    }
    if let Target::Agent(agent) = to {
        check_agent(domain, no, agent, owner)?;
    }

    if domain.conv(no).offer.is_some() {
        domain.take_offer(cx, no, OfferEnd::Revoked(Revoked::Transferred));
    }
    domain.conv_mut(no).hops = hop;
    domain.emit(cx, EventKind::TransferStarted { conversation: id, target, fallback, hop, by: by.clone() });
    match to {
        Target::Agent(agent) => {
            if domain.conv(no).state == State::Waiting {
                domain.leave_lines(no);
            }
            if owner.is_none() {
                domain.conv_mut(no).state = State::Offered;
            }
            domain.make_offer(cx, no, agent, None, Some(fallback));
        }
        Target::Place(place, queue) => {
            if domain.conv(no).state == State::Waiting {
                domain.leave_lines(no);
            }
            domain.release_to_wait(cx, no);
            let conversation = domain.conv_mut(no);
            conversation.place = place;
            conversation.queues = Box::new([queue]);
            domain.enter_place(cx, no, Requeued::Transferred);
        }
    }
    done(DoneWhat::Ok, Subject::Conversation(id))
}

/// Whether an agent can be offered a conversation by hand.
fn check_agent(domain: &Domain, no: ConvNo, agent: AgentNo, owner: Option<AgentNo>) -> Result<(), Rejected> {
    if owner == Some(agent) {
        return invalid("target", "the agent owns it already");
    }
    if !domain.agent(agent).takes_offers() {
        return not_allowed("the agent takes no offers");
    }
    check_room(domain, agent, no)
}
