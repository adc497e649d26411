//! Consultations: an owner asks another agent. To the core it is an offer whose fallback is that nothing changes; once
//! accepted it lives on like one that is being connected, and its end is the owner's to say.

use super::{ConvNo, Conversation, Cx, Domain, Offer, State};
use crate::Span;
use crate::command::{By, TransferFallback, TransferTarget};
use crate::event::{EventKind, OfferEnd};
use crate::settings::limits::HOPS_MAX;
use crate::shard::PlantedBug;

impl Offer {
    /// How long the consultation may last that it offers a part in, if it is one.
    pub(crate) fn advises(&self) -> Option<Span> {
        match self.transfer {
            Some(TransferFallback::Advice { lasts }) => Some(lasts),
            _ => None,
        }
    }
}

impl Conversation {
    /// Whether its owner consults somebody who has accepted.
    pub(crate) fn is_consulting(&self) -> bool {
        self.offer.as_ref().is_some_and(|offer| offer.connecting && offer.advises().is_some())
    }
}

impl Domain {
    /// How long a consultation may last that is offered.
    pub(crate) fn advises_for(&self, no: ConvNo) -> Option<Span> {
        let lasts = self.conv(no).offer.as_ref().and_then(|offer| offer.advises())?;
        (!self.planted(PlantedBug::AdviceTakesOver)).then_some(lasts)
    }

    /// The owner has the conversation alone again.
    pub(super) fn tell_owner(&mut self, cx: &mut Cx<'_>, no: ConvNo, offer: &Offer, end: OfferEnd) {
        let domain = self.id;
        let Some(owner) = self.conv(no).owner() else { return };
        let (conversation, owner, agent) = (no.id(domain), owner.id(domain), offer.agent.id(domain));
        self.emit(cx, EventKind::ConsultEnded { conversation, owner, agent, end });
    }

    /// The agent who is consulted has the conversation from now on.
    pub(crate) fn hand_over(&mut self, cx: &mut Cx<'_>, no: ConvNo, by: By) {
        let (domain, hop) = (self.id, self.conv(no).hops + 1);
        let Some(offer) = self.conv(no).offer.as_ref() else { return };
        let (target, fallback) = (TransferTarget::Agent(offer.agent.id(domain)), TransferFallback::Source);
        self.conv_mut(no).hops = hop;
        self.emit(cx, EventKind::TransferStarted { conversation: no.id(domain), target, fallback, hop, by });
        self.take_over(cx, no);
    }

    /// The owner of a contact is gone: whoever it consults has the customer on the line, and takes over. Whether
    /// somebody does.
    pub(super) fn hand_to_adviser(&mut self, cx: &mut Cx<'_>, no: ConvNo) -> bool {
        let conversation = self.conv(no);
        let assigned = matches!(conversation.state, State::Assigned(_));
        let hands = assigned
            && conversation.is_consulting()
            && conversation.hops < HOPS_MAX
            && !cx.planted(PlantedBug::AdviceLost);
        if hands {
            self.hand_over(cx, no, By::System);
        }
        hands
    }
}
