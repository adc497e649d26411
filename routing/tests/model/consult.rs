//! Consultations: "Transfers with consultation" of the rules.

use super::Did;
use super::state::{Conv, Dom, invalid, not_allowed, wrong_state};
use routing::command::{By, TransferFallback, TransferTarget};
use routing::event::{OfferEnd, Revoked, Subject};
use routing::outcome::DoneWhat;
use routing::picked::{Picked, Way};
use routing::settings::limits;
use routing::view::{OfferView, Stage};
use routing::{AgentId, Command, ConversationId, EventKind, Rejected, Span};

/// Whether a command is unknown below the level of consultations.
pub fn is_of_consultations(command: &Command) -> bool {
    matches!(command, Command::Consult { .. } | Command::EndConsult { .. } | Command::CompleteConsult { .. })
}

/// The refusal of what would end it in another way.
pub fn consulting() -> Rejected {
    Rejected::WrongState { state: "consulting".to_owned(), needed: String::new() }
}

/// Whether an offer is for advice alone.
pub fn advises(offer: &OfferView) -> bool {
    matches!(offer.transfer, Some(TransferFallback::Advice { .. }))
}

impl Conv {
    pub fn is_consulting(&self) -> bool {
        self.offer.as_ref().is_some_and(|offer| advises(offer) && offer.connecting)
    }
}

impl Dom {
    pub fn consult(&mut self, id: ConversationId, agent: AgentId, lasts: Span, by: By) -> Did {
        if let By::Agent(desk) = &by {
            self.check_desk(*desk)?;
        }
        let c = self.conv(id)?;
        let Stage::Assigned(owner) = c.stage else { return Err(wrong_state(c)) };
        may_say(&by, owner)?;
        let person = self.person(agent)?.clone();
        if lasts.0 < 1_000_000 || lasts.0 > 4 * 3_600_000_000 {
            return Err(invalid("lasts"));
        }
        if agent == owner {
            return Err(invalid("target"));
        }
        if !person.takes_offers() || !person.settings.channels.contains(self.convs[&id].channel) {
            return Err(not_allowed());
        }
        self.needs_room(agent, id)?;
        self.end_offers(id, Revoked::Transferred);
        self.emit(EventKind::ConsultStarted { conversation: id, agent, by });
        let c = &self.convs[&id];
        let chosen = Picked::by(Way::Consult, c.priority, c.arrived_at);
        self.make_offer(id, agent, None, Some(TransferFallback::Advice { lasts }), chosen);
        Ok((DoneWhat::Ok, Subject::Conversation(id)))
    }

    pub fn end_consult(&mut self, id: ConversationId, by: By) -> Did {
        let (owner, offer) = self.consulted(id, &by)?;
        let adviser = matches!(&by, By::Agent(desk) if desk.agent == offer.agent && offer.connecting);
        if !adviser {
            may_say(&by, owner)?;
        }
        self.end_offer(id, OfferEnd::ConsultOver { by });
        Ok((DoneWhat::Ok, Subject::Conversation(id)))
    }

    pub fn complete_consult(&mut self, id: ConversationId, by: By) -> Did {
        let (owner, offer) = self.consulted(id, &by)?;
        may_say(&by, owner)?;
        if !offer.connecting {
            return Err(wrong_state(&self.convs[&id]));
        }
        if self.convs[&id].hops == limits::HOPS_MAX {
            return Err(Rejected::HopLimit { limit: limits::HOPS_MAX });
        }
        self.hand_over(id, by);
        Ok((DoneWhat::Ok, Subject::Conversation(id)))
    }

    fn hand_over(&mut self, id: ConversationId, by: By) {
        let c = self.c(id);
        c.hops += 1;
        let (hop, offer) = (c.hops, c.offer.clone().expect("somebody is consulted"));
        let (target, fallback) = (TransferTarget::Agent(offer.agent), TransferFallback::Source);
        self.emit(EventKind::TransferStarted { conversation: id, target, fallback, hop, by });
        let taken = self.take(id, offer.agent, offer.id);
        assert!(taken.is_ok());
    }

    /// Whether who is consulted takes over from an owner who is gone.
    pub fn adviser_takes_over(&mut self, id: ConversationId) -> bool {
        let c = &self.convs[&id];
        let takes = c.is_consulting() && c.hops < limits::HOPS_MAX;
        if takes {
            self.hand_over(id, By::System);
        }
        takes
    }

    /// The owner and the offer of what somebody is asked about.
    fn consulted(&self, id: ConversationId, by: &By) -> Result<(AgentId, OfferView), Rejected> {
        if let By::Agent(desk) = by {
            self.check_desk(*desk)?;
        }
        let c = self.conv(id)?;
        match (&c.stage, &c.offer) {
            (Stage::Assigned(owner), Some(offer)) if advises(offer) => Ok((*owner, offer.clone())),
            _ => Err(wrong_state(c)),
        }
    }
}

fn may_say(by: &By, owner: AgentId) -> Result<(), Rejected> {
    match by {
        By::Supervisor(_) | By::System => Ok(()),
        By::Agent(desk) if desk.agent == owner => Ok(()),
        By::Agent(_) | By::Customer => Err(not_allowed()),
    }
}
