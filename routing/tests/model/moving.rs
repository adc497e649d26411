//! Transfers.

use super::Did;
use super::state::{Dom, invalid, not_allowed, unknown, wrong_state};
use routing::command::{By, TransferFallback, TransferTarget};
use routing::event::{OfferEnd, Place, Requeued, Revoked, Subject};
use routing::outcome::DoneWhat;
use routing::settings::limits;
use routing::view::Stage;
use routing::{ConversationId, EventKind, Rejected};

impl Dom {
    pub fn transfer(
        &mut self,
        id: ConversationId,
        target: TransferTarget,
        fallback: TransferFallback,
        by: By,
    ) -> Did {
        if let By::Agent(desk) = &by {
            self.check_desk(*desk)?;
        }
        let c = self.conv(id)?;
        match target {
            TransferTarget::Agent(agent) => drop(self.person(agent)?),
            TransferTarget::Queue(q) | TransferTarget::Inbox(q) if !self.queues.contains_key(&q) => {
                return Err(unknown("queue", q));
            }
            _ => {}
        }
        if let TransferFallback::Queue(q) = fallback
            && !self.queues.contains_key(&q)
        {
            return Err(unknown("queue", q));
        }
        let owner = match c.stage {
            Stage::Assigned(owner) => Some(owner),
            Stage::Waiting(_) | Stage::Offered(_) => None,
            Stage::Wrapping(_) | Stage::Ended(_) | Stage::Transferring => return Err(wrong_state(c)),
        };
        match &by {
            By::Customer => return Err(not_allowed()),
            By::Agent(desk) if owner != Some(desk.agent) => return Err(not_allowed()),
            _ => {}
        }
        let hop = c.hops + 1;
        if hop > limits::HOPS_MAX {
            return Err(Rejected::HopLimit { limit: limits::HOPS_MAX });
        }
        if matches!(target, TransferTarget::Touchpoint(to) if to.domain == self.id) {
            return Err(invalid("target"));
        }
        if let TransferTarget::Agent(agent) = target {
            if owner == Some(agent) {
                return Err(invalid("target"));
            }
            let person = &self.people[&agent];
            if !person.takes_offers() || !person.settings.channels.contains(self.convs[&id].channel) {
                return Err(not_allowed());
            }
            self.needs_room(agent, id)?;
        }
        if self.convs[&id].offer.is_some() {
            self.end_offer(id, OfferEnd::Revoked(Revoked::Transferred));
        }
        self.c(id).hops = hop;
        self.emit(EventKind::TransferStarted { conversation: id, target, fallback, hop, by });
        match target {
            TransferTarget::Touchpoint(to) => self.depart(id, to, fallback),
            TransferTarget::Agent(agent) => self.make_offer(id, agent, None, Some(fallback)),
            TransferTarget::Queue(q) => {
                self.c(id).queues = vec![q];
                self.release(id, owner, Place::Queues(vec![q]), Requeued::Transferred);
            }
            TransferTarget::Inbox(q) => {
                self.c(id).queues = vec![q];
                self.release(id, owner, Place::Inbox(vec![q]), Requeued::Transferred);
            }
        }
        Ok((DoneWhat::Ok, Subject::Conversation(id)))
    }
}
