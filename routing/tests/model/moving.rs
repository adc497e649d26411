//! Transfers.

use super::Did;
use super::state::{Dom, invalid, not_allowed, unknown, wrong_state};
use routing::command::{By, TransferFallback, TransferTarget};
use routing::criteria::Criteria;
use routing::event::{Place, Requeued, Revoked, Subject};
use routing::outcome::DoneWhat;
use routing::picked::{Picked, Way};
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
        anew: Option<Criteria>,
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
        if matches!(target, TransferTarget::Touchpoint(_)) && anew.is_some() {
            return Err(invalid("criteria"));
        }
        if self.convs[&id].calling.is_some()
            && matches!(target, TransferTarget::Inbox(_) | TransferTarget::Touchpoint(_))
        {
            return Err(super::callback::called_back());
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
        if let Some(criteria) = &anew {
            self.check_criteria(criteria)?;
            self.check_classes(criteria)?;
        }
        self.end_offers(id, Revoked::Transferred);
        self.c(id).hops = hop;
        self.emit(EventKind::TransferStarted { conversation: id, target, fallback, hop, by: by.clone() });
        let anew = anew.map(|criteria| (criteria, by));
        if !matches!(target, TransferTarget::Agent(_) | TransferTarget::Touchpoint(_))
            && let Some(wish) = &mut self.c(id).wish
        {
            (wish.step, wish.until) = (0, None);
        }
        match target {
            TransferTarget::Touchpoint(to) => self.depart(id, to, fallback),
            TransferTarget::Agent(agent) => {
                if let Some((criteria, by)) = anew {
                    self.ask(id, criteria, by);
                    self.begin_step(id);
                }
                let c = &self.convs[&id];
                let chosen = Picked::by(Way::Transfer, c.priority, c.arrived_at);
                self.make_offer(id, agent, None, Some(fallback), chosen);
            }
            TransferTarget::Queue(q) => {
                self.c(id).queues = vec![q];
                self.release_asking(id, owner, Place::Queues(vec![q]), Requeued::Transferred, anew);
            }
            TransferTarget::Inbox(q) => {
                self.c(id).queues = vec![q];
                self.release_asking(id, owner, Place::Inbox(vec![q]), Requeued::Transferred, anew);
            }
        }
        Ok((DoneWhat::Ok, Subject::Conversation(id)))
    }
}
