//! `Consult`, `EndConsult` and `CompleteConsult`: a transfer with consultation.

use super::checks::{Answered, done, invalid, not_allowed, supervises};
use super::transfer::check_agent;
use super::wrong_state;
use crate::command::{By, TransferFallback};
use crate::domain::{AgentNo, ConvNo, Cx, Domain, State};
use crate::event::{EventKind, OfferEnd, Revoked, Subject};
use crate::outcome::DoneWhat;
use crate::settings::limits::{CONSULT_MAX, CONSULT_MIN, HOPS_MAX};
use crate::{AgentId, ConversationId, Rejected, Span};

pub(super) fn begin(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    id: ConversationId,
    agent: AgentId,
    lasts: Span,
    by: &By,
) -> Answered {
    let caller = domain.caller(by)?;
    let no = domain.named_conversation(id)?;
    let State::Assigned(owner) = domain.conv(no).state else {
        return wrong_state(domain, no, "only who has an assigned one consults about it");
    };
    owned_by(caller, owner, by)?;
    let target = domain.named_agent(agent)?;
    if !(CONSULT_MIN..=CONSULT_MAX).contains(&lasts) {
        return invalid("lasts", "a consultation lasts 1 s to 4 h");
    }
    check_agent(domain, no, target, Some(owner))?;
    if domain.conv(no).offer.is_some() {
        domain.take_offers(cx, no, Revoked::Transferred);
    }
    domain.emit(cx, EventKind::ConsultStarted { conversation: id, agent, by: by.clone() });
    domain.make_offer(cx, no, target, None, Some(TransferFallback::Advice { lasts }), None);
    done(DoneWhat::Ok, Subject::Conversation(id))
}

pub(super) fn end(domain: &mut Domain, cx: &mut Cx<'_>, id: ConversationId, by: &By) -> Answered {
    let (caller, no, owner) = named(domain, id, by)?;
    let asked = domain.conv(no).offer.as_ref().filter(|offer| offer.connecting).map(|offer| offer.agent);
    if caller.is_none() || caller != asked {
        owned_by(caller, owner, by)?;
    }
    domain.take_offer(cx, no, OfferEnd::ConsultOver { by: by.clone() });
    done(DoneWhat::Ok, Subject::Conversation(id))
}

pub(super) fn complete(domain: &mut Domain, cx: &mut Cx<'_>, id: ConversationId, by: &By) -> Answered {
    let (caller, no, owner) = named(domain, id, by)?;
    owned_by(caller, owner, by)?;
    if !domain.conv(no).is_consulting() {
        return wrong_state(domain, no, "the agent who is asked has not accepted yet");
    }
    if domain.conv(no).hops >= HOPS_MAX {
        return Err(Rejected::HopLimit { limit: HOPS_MAX });
    }
    domain.hand_over(cx, no, by.clone());
    done(DoneWhat::Ok, Subject::Conversation(id))
}

/// Who asks, about which conversation, and whose it is; somebody is consulted about it, or is asked to be.
fn named(
    domain: &Domain,
    id: ConversationId,
    by: &By,
) -> Result<(Option<AgentNo>, ConvNo, AgentNo), Rejected> {
    let caller = domain.caller(by)?;
    let no = domain.named_conversation(id)?;
    let conversation = domain.conv(no);
    let asks = conversation.offer.as_ref().is_some_and(|offer| offer.advises().is_some());
    match conversation.state {
        State::Assigned(owner) if asks => Ok((caller, no, owner)),
        _ => wrong_state(domain, no, "nobody is consulted about it"),
    }
}

fn owned_by(caller: Option<AgentNo>, owner: AgentNo, by: &By) -> Result<(), Rejected> {
    if supervises(by) || caller == Some(owner) {
        return Ok(());
    }
    not_allowed("only its owner or a supervisor says whom it consults")
}
