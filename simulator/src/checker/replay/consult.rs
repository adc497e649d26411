//! Consultations, as told: who is asked, who owns it all the while, and who has it in the end.

use super::Replay;
use crate::checker::model::{Event, OfferEnd};
use crate::checker::violation::Promise;
use routing::{AgentId, ConversationId, OfferId};

/// Transfers of one conversation.
const TRANSFERS_MAX: u32 = 11;

/// The end of an offer, which may be one of a part in a consultation.
#[derive(Debug, Clone, Copy)]
pub(super) struct AdviceOver {
    pub(super) offer: OfferId,
    pub(super) agent: AgentId,
    pub(super) end: OfferEnd,
    pub(super) consult: bool,
    /// Whether the agent had accepted it.
    pub(super) accepted: bool,
}

impl Replay<'_> {
    /// The owner, where all of a conversation is known.
    fn known_owner(&self, id: ConversationId) -> Option<Option<AgentId>> {
        self.conversations.get(&id).filter(|known| known.arrived_at.is_some()).map(|known| known.owner)
    }

    /// an owner asks somebody else.
    pub(super) fn consult_started(&mut self, id: ConversationId, agent: AgentId) {
        let known = self.conversations.entry(id).or_default();
        known.advice.asks = Some(agent);
        known.advice.left_out = None;
        known.transfer_to = None;
        let Some(owner) = self.known_owner(id) else { return };
        if owner.is_none_or(|owner| owner == agent) {
            let what = format!("{agent} is to be asked about it, which is owned by {owner:?}");
            self.broken(Promise::R1, &[id.to_string(), agent.to_string()], what);
        }
    }

    /// who was asked has accepted a part in a consultation, and who owns the conversation stays.
    pub(super) fn consulting(&mut self, id: ConversationId, owner: AgentId, offer: OfferId, agent: AgentId) {
        let who = [id.to_string(), owner.to_string(), agent.to_string(), offer.to_string()];
        if self.offers.get(&offer).is_some_and(|known| !known.consult) {
            let what = "consulted by an offer of the conversation itself".to_owned();
            self.broken(Promise::R1, &who, what);
        }
        if let Some(own) = self.known_owner(id).filter(|own| *own != Some(owner)) {
            self.broken(Promise::R1, &who, format!("asked by {owner}, while {own:?} owns it"));
        }
    }

    /// who is asked for advice is not connected with the customer to have the conversation.
    pub(super) fn not_for_advice(&mut self, id: ConversationId, offer: OfferId, agent: AgentId) {
        if self.offers.get(&offer).is_some_and(|known| known.consult) {
            let who = [id.to_string(), agent.to_string(), offer.to_string()];
            let what = "to be connected, though its agent was asked for advice".to_owned();
            self.broken(Promise::R1, &who, what);
        }
    }

    /// who was asked has the conversation only if it was transferred, and after its own consent. R-19: what was
    /// accepted ends as a consultation, and nothing else does.
    pub(super) fn advice_over(&mut self, event: &Event, id: ConversationId, over: AdviceOver) {
        let AdviceOver { offer, agent, end, consult, accepted } = over;
        let who = [id.to_string(), agent.to_string(), offer.to_string()];
        if !consult {
            if end == OfferEnd::ConsultOver {
                self.broken(Promise::R19, &who, "ends as a consultation, and was none".to_owned());
            }
            return;
        }
        let known = self.conversations.entry(id).or_default();
        if end == OfferEnd::Accepted {
            let handed = known.transfer_in == Some(event.entry) && known.transfer_to == Some(agent);
            if !(handed && accepted) {
                let what = format!(
                    "has what it was asked for advice about: transferred to it {handed}, consulted {accepted}"
                );
                self.broken(Promise::R1, &who, what);
            }
            return;
        }
        known.advice.untold = Some((agent, accepted));
        if accepted && !matches!(end, OfferEnd::ConsultOver | OfferEnd::Revoked) {
            self.broken(Promise::R19, &who, format!("ends as {end:?}, though it was accepted"));
        }
    }

    /// the owner is told that it has the conversation alone, and it is so.
    pub(super) fn consult_ended(
        &mut self,
        id: ConversationId,
        owner: AgentId,
        agent: AgentId,
        end: OfferEnd,
        leaves: bool,
    ) {
        let known = self.conversations.entry(id).or_default();
        let untold = known.advice.untold.take();
        if leaves && known.transfers < TRANSFERS_MAX && untold == Some((agent, true)) {
            known.advice.left_out = Some(agent);
        }
        let Some(own) = self.known_owner(id) else { return };
        let who = [id.to_string(), owner.to_string(), agent.to_string()];
        if own != Some(owner) {
            self.broken(Promise::R1, &who, format!("{owner} is said to own it, while {own:?} does"));
        }
        if untold.is_none_or(|(asked, _)| asked != agent) || end == OfferEnd::Accepted {
            let what = format!("a consultation with {agent} ends as {end:?}, over was one with {untold:?}");
            self.broken(Promise::R3, &who, what);
        }
    }

    /// an owner is told, in the same entry. R-18: who was consulted and is there has what its owner left.
    pub(super) fn advice_settled(&mut self, id: ConversationId) {
        let Some(entry) = self.events.get(self.now).map(|event| event.entry) else { return };
        let Some(known) = self.conversations.get_mut(&id) else { return };
        let advice = std::mem::take(&mut known.advice);
        let (owner, over, moved) = (known.owner, known.ended.is_some(), known.transfer_in == Some(entry));
        if let (Some((agent, _)), Some(owner), false) = (advice.untold, owner, over) {
            let who = [id.to_string(), owner.to_string(), agent.to_string()];
            self.broken(Promise::R3, &who, "the owner was not told that nobody is consulted".to_owned());
        }
        if let Some(agent) = advice.left_out.filter(|_| owner.is_none() && !over && !moved) {
            let who = [id.to_string(), agent.to_string()];
            let what = "waits again, though its owner had somebody consulted who was there".to_owned();
            self.broken(Promise::R18, &who, what);
        }
    }
}
