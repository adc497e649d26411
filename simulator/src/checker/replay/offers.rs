//! Offers and what comes of them, as told.

use super::consult::AdviceOver;
use super::{OfferFacts, Replay};
use crate::checker::entities::Work;
use crate::checker::model::{Event, OfferEnd};
use crate::checker::violation::Promise;
use routing::{AgentId, ConversationId, OfferId};

/// An offer as told.
#[derive(Debug, Clone, Copy)]
pub(super) struct OfferTold {
    pub(super) offer: OfferId,
    pub(super) agent: AgentId,
    pub(super) weight: u32,
    pub(super) consult: bool,
}

impl Replay<'_> {
    pub(super) fn offered(&mut self, event: &Event, id: ConversationId, told: OfferTold, deadline_us: u64) {
        let OfferTold { offer, agent, weight, consult } = told;
        let who = [id.to_string(), agent.to_string(), offer.to_string()];
        let (live, accepted_in, connecting) = (true, None, false);
        let facts = OfferFacts { agent, deadline_us, live, accepted_in, connecting, consult, made: self.now };
        if self.offers.insert(offer, facts).is_some() {
            self.broken(Promise::R1, &who, "the offer's id was used before".to_owned());
        }
        let known = self.conversations.entry(id).or_default();
        let asked = known.advice.asks.take() == Some(agent);
        // What holds routing back does not hold back whoever chooses an agent.
        let transfer = consult || known.transfer_to == Some(agent);
        let (other, owner, channel) = (known.offers.keys().next().copied(), known.owner, known.channel);
        let (known_arrival, my_key) = (known.arrived_at.is_some(), self.lines.key_of(id));
        let fits_place = self.fits_place(id, agent);
        if let Some(other) = other.filter(|_| transfer || !self.may_ring_too(event, id, agent, deadline_us)) {
            self.broken(Promise::R1, &who, format!("offered while {other} is live"));
        }
        if let Some(owner) = owner.filter(|_| !transfer) {
            self.broken(Promise::R1, &who, format!("offered while {owner} owns it"));
        }
        if known_arrival && asked != consult {
            let what = format!("offered as a consultation: {consult}, which was asked for: {asked}");
            self.broken(Promise::R1, &who, what);
        }
        let known = self.agents.entry(agent).or_default();
        if !known.live || !known.available {
            let (live, available) = (known.live, known.available);
            let what = format!("offered to an agent with live session: {live}, available: {available}");
            self.broken(Promise::R4, &who, what);
        }
        if deadline_us <= event.at_us {
            self.broken(Promise::R4, &who, "offered without a deadline to come".to_owned());
        }
        if known_arrival && !transfer && !fits_place {
            self.broken(Promise::R4, &who, "offered to an agent who is not eligible".to_owned());
        }
        if let (Some(my_key), false) = (my_key, transfer) {
            self.rank(&who, id, agent, my_key);
        }
        let known = self.agents.entry(agent).or_default();
        let capped = channel.is_some_and(|channel| known.facts.is_some() && !known.has_channel(channel));
        let blocked = channel.and_then(|channel| self.blocks.by(known, channel, self.settings_known));
        let work = Work { points: weight, channel, since: self.now, wrapping: false };
        known.offers.insert(offer, work);
        let load = known.load();
        let capacity = known.facts.as_ref().map(|facts| facts.capacity);
        if let Some(capacity) = capacity.filter(|capacity| load > *capacity && !transfer) {
            let what = format!("the offer brings the load to {load} of {capacity} points");
            self.broken(Promise::R2, &who, what);
        }
        if capped && !transfer {
            self.broken(Promise::R2, &who, "the channel's cap was reached or is not handled".to_owned());
        }
        if let Some(by) = blocked.filter(|_| !transfer) {
            let what = format!("offered while the agent works on {by}, which blocks the channel");
            self.broken(Promise::R4, &who, what);
        }
        self.paced(event, id, offer, agent, transfer);
        self.called_too_early(event, id, offer, agent, transfer);
        self.conversations.entry(id).or_default().offers.insert(offer, agent);
        self.stand(id);
    }

    pub(super) fn offer_ended(&mut self, event: &Event, id: ConversationId, offer: OfferId, end: OfferEnd) {
        let Some(known) = self.offers.get_mut(&offer) else {
            // Made before the history began, or never.
            if self.conversations.get(&id).is_some_and(|known| known.arrived_at.is_some()) {
                let what = "an offer ends that was never made".to_owned();
                self.broken(Promise::R1, &[id.to_string(), offer.to_string()], what);
            }
            return;
        };
        let (agent, was_live, deadline_us) = (known.agent, known.live, known.deadline_us);
        let (connecting, consult) = (known.connecting, known.consult);
        let accepted_here = known.accepted_in == Some(event.entry);
        known.live = false;
        if end == OfferEnd::Accepted {
            known.accepted_in = Some(event.entry);
        }
        let who = [id.to_string(), agent.to_string(), offer.to_string()];
        if !(was_live || accepted_here && end == OfferEnd::Accepted) {
            self.broken(Promise::R1, &who, "an offer ends that was over".to_owned());
        }
        if end == OfferEnd::Accepted && was_live && event.at_us >= deadline_us {
            self.broken(Promise::R4, &who, "accepted after its deadline".to_owned());
        }
        if end == OfferEnd::NotConnected && !connecting {
            self.broken(Promise::R19, &who, "not connected, but it was never accepted".to_owned());
        }
        self.advice_over(event, id, AdviceOver { offer, agent, end, consult, accepted: connecting });
        self.drop_offer(id, offer, agent);
        if matches!(end, OfferEnd::Rejected | OfferEnd::TimedOut | OfferEnd::NotConnected) {
            let known = self.conversations.entry(id).or_default();
            let anew = known.refused.insert(agent);
            known.excluded_last = Some(agent).filter(|_| anew && end == OfferEnd::NotConnected);
        }
        if end == OfferEnd::Accepted {
            // Its place is gone until the event that says who has it.
            self.lines.put(id, None, self.now);
        } else {
            self.conversations.entry(id).or_default().again = true;
            self.stand(id);
        }
    }

    pub(super) fn drop_offer(&mut self, id: ConversationId, offer: OfferId, agent: AgentId) {
        self.conversations.entry(id).or_default().offers.remove(&offer);
        if let Some(known) = self.agents.get_mut(&agent) {
            known.offers.remove(&offer);
        }
        self.touched_agents.insert(agent);
    }

    pub(super) fn assigned(
        &mut self,
        event: &Event,
        id: ConversationId,
        agent: AgentId,
        offer: Option<OfferId>,
        weight: u32,
        overdraft: u32,
    ) {
        let mut who = vec![id.to_string(), agent.to_string()];
        who.extend(offer.map(|offer| offer.to_string()));
        if let Some(offer) = offer {
            match self.offers.get_mut(&offer) {
                Some(known) if known.live => {
                    known.live = false;
                    known.accepted_in = Some(event.entry);
                    let (deadline_us, to) = (known.deadline_us, known.agent);
                    if event.at_us >= deadline_us {
                        self.broken(Promise::R4, &who, "accepted after its deadline".to_owned());
                    }
                    if to != agent {
                        self.broken(Promise::R1, &who, format!("assigned by an offer made to {to}"));
                    }
                    self.drop_offer(id, offer, to);
                }
                Some(known) if known.accepted_in == Some(event.entry) => {}
                Some(_) => self.broken(Promise::R1, &who, "assigned by an offer that was over".to_owned()),
                None => {}
            }
        }
        self.callback_done(id, agent, offer);
        let known = self.conversations.entry(id).or_default();
        let transfer = known.transfer_to.take() == Some(agent);
        let (owner, other) = (known.owner, known.offers.keys().next().copied());
        let channel = known.channel;
        known.refused.clear();
        if let Some(owner) = owner.filter(|owner| *owner != agent) {
            if !transfer {
                self.broken(Promise::R1, &who, format!("assigned while {owner} owns it"));
            }
            self.let_go(id);
        }
        if let Some(other) = other {
            self.broken(Promise::R1, &who, format!("assigned while {other} is live"));
        }
        let known = self.conversations.entry(id).or_default();
        known.owner = Some(agent);
        known.standing.clear();
        known.again = true;
        let known = self.agents.entry(agent).or_default();
        let made = offer.and_then(|offer| self.offers.get(&offer)).map(|offer| offer.made);
        let since = made.unwrap_or(self.now);
        known.holdings.insert(id, Work { points: weight, channel, since, wrapping: false });
        let load = known.load();
        let over = known.facts.as_ref().map(|facts| load.saturating_sub(facts.capacity));
        if let Some(over) = over.filter(|over| *over != overdraft) {
            let what = format!("load {load}: {over} points over capacity, the core says {overdraft}");
            self.broken(Promise::R2, &who, what);
        }
        // An offer that fitted when it was made may be taken after a pull that overdrew: that it
        // fitted is judged where it is made.
        self.stand(id);
    }
}
