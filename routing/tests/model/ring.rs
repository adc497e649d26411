//! Offers to several agents at once: "Offers to several" of the rules.

use super::Did;
use super::state::{Conv, Dom, invalid, not_allowed, unknown};
use routing::command::By;
use routing::event::{OfferEnd, Revoked, Subject};
use routing::outcome::DoneWhat;
use routing::settings::AcceptMode;
use routing::view::OfferView;
use routing::{AgentId, ConversationId, EventKind, OfferId, QueueId};

impl Conv {
    /// Its live offers, by number.
    pub fn offers(&self) -> impl Iterator<Item = &OfferView> {
        self.offer.iter().chain(&self.also)
    }

    pub fn offer_to(&self, agent: AgentId) -> Option<&OfferView> {
        self.offers().find(|offer| offer.agent == agent)
    }
}

impl Dom {
    pub fn set_ring(&mut self, queue: QueueId, agents: u8, by: By) -> Did {
        if let By::Agent(desk) = &by {
            self.check_desk(*desk)?;
        }
        let Some(line) = self.queues.get_mut(&queue) else { return Err(unknown("queue", queue)) };
        if agents == 0 || agents > 10 {
            return Err(invalid("ring.agents"));
        }
        if !matches!(by, By::Supervisor(_) | By::System) {
            return Err(not_allowed());
        }
        if line.ring != agents {
            line.ring = agents;
            self.emit(EventKind::RingChanged { queue, agents, by });
        }
        Ok((DoneWhat::Ok, Subject::Queue(queue)))
    }

    /// From here on the first offer is this one.
    pub fn front(&mut self, id: ConversationId, which: OfferId) {
        let c = self.c(id);
        let mut all: Vec<OfferView> = c.offer.take().into_iter().chain(c.also.drain(..)).collect();
        all.sort_by_key(|offer| (offer.id != which, offer.id));
        let mut all = all.into_iter();
        c.offer = all.next();
        c.also = all.collect();
    }

    /// All but the first stop ringing.
    pub fn withdraw_others(&mut self, id: ConversationId) {
        let first = self.convs[&id].offer.as_ref().expect("live").id;
        let others: Vec<OfferId> = self.convs[&id].also.iter().map(|offer| offer.id).collect();
        for other in others {
            self.front(id, other);
            self.end_offer(id, OfferEnd::Revoked(Revoked::Taken));
        }
        self.front(id, first);
    }

    /// Ends all live offers of a conversation.
    pub fn end_offers(&mut self, id: ConversationId, why: Revoked) {
        while self.convs[&id].offer.is_some() {
            self.end_offer(id, OfferEnd::Revoked(why));
        }
    }

    /// Offers what was offered just now to more agents, who are free though nothing waits for them.
    pub fn ring_at_more(&mut self, id: ConversationId, offers_left: &mut usize) {
        while *offers_left > 0 {
            let c = &self.convs[&id];
            let Some(queue) = c.offer.as_ref().and_then(|offer| offer.queue) else { return };
            let by_hand = matches!(c.accept, AcceptMode::Manual { .. });
            if !by_hand || c.offers().count() >= usize::from(self.queues[&queue].ring) {
                return;
            }
            let fitting: Vec<AgentId> =
                self.people.keys().copied().filter(|a| self.may_ring(*a, c, queue)).collect();
            let Some(agent) = self.pick(c, Some(queue), &fitting) else { return };
            if self.to_hold_for(agent, id).is_some() {
                return;
            }
            let why = self.why(c, Some(queue), agent, &fitting);
            self.make_offer(id, agent, Some(queue), None, why);
            *offers_left -= 1;
        }
    }

    fn may_ring(&self, agent: AgentId, c: &Conv, queue: QueueId) -> bool {
        self.passes(agent, c, Some(queue))
            && self.fits(agent, c)
            && self.people[&agent].holds.is_none()
            && c.offer_to(agent).is_none()
    }

    /// The number of a live offer says which conversation it is of.
    pub fn offered(&self, offer: OfferId) -> Option<&Conv> {
        self.convs.values().find(|c| c.offers().any(|live| live.id == offer))
    }
}
