//! How offers and ownership end, and what follows.

use super::Did;
use super::consult::consulting;
use super::handling::connecting;
use super::state::{Conv, Dom, not_allowed, wrong_state};
use routing::command::{By, Decline, Desk, TransferFallback};
use routing::criteria::Criteria;
use routing::event::{Ending, How, OfferEnd, Place, Requeued, Revoked, Subject};
use routing::outcome::DoneWhat;
use routing::settings::WrapUpHold;
use routing::view::{OfferView, Stage};
use routing::{AgentId, ConversationId, EventKind, OfferId, Points, Rejected, Span};

impl Dom {
    /// Ends a live offer without assignment, with what follows.
    pub fn fail_offer(&mut self, id: ConversationId, end: OfferEnd, cause: Requeued) {
        let exclusion = match end {
            OfferEnd::Rejected { .. } => self.settings.exclude_rejected,
            OfferEnd::TimedOut | OfferEnd::NotConnected { .. } => self.settings.exclude_missed,
            _ => Span::ZERO,
        };
        let offer = self.end_offer(id, end);
        self.after_offer(id, &offer, cause);
        let stage = &self.convs[&id].stage;
        if stage.owner().is_none() && !stage.is_terminal() {
            self.exclude(id, offer.agent, exclusion);
        }
    }

    /// What follows where an offer ended without assignment.
    pub fn after_offer(&mut self, id: ConversationId, offer: &OfferView, cause: Requeued) {
        // It rings elsewhere.
        if self.convs[&id].offer.is_some() {
            return;
        }
        match offer.transfer {
            // Whoever was asked for advice is not: the owner has it as before.
            Some(TransferFallback::Advice { .. }) => {}
            None => match self.convs[&id].home.clone() {
                // It named the agent and lived by the offer alone: its queues were deleted meanwhile.
                Place::Queues(queues) if queues.is_empty() => {
                    self.end(id, Ending::Expired, Revoked::Expired, String::new());
                }
                // The dedicated agent was there: the fallback need not wait.
                Place::Dedicated(_) if offer.connecting && !self.convs[&id].queues.is_empty() => {
                    let queues = self.convs[&id].queues.clone();
                    self.wait(id, Place::Queues(queues), Some(cause));
                }
                place => self.wait(id, place, Some(cause)),
            },
            Some(fallback) => {
                self.emit(EventKind::TransferFailed { conversation: id });
                self.fall_back(id, fallback);
            }
        }
    }

    fn fall_back(&mut self, id: ConversationId, fallback: TransferFallback) {
        let c = &self.convs[&id];
        let owner = c.stage.owner();
        let last = (!c.queues.is_empty()).then(|| Place::Queues(c.queues.clone()));
        let target = match fallback {
            TransferFallback::Source | TransferFallback::Advice { .. } => None,
            TransferFallback::Queue(q) if self.queues.contains_key(&q) => Some(Place::Queues(vec![q])),
            TransferFallback::LastQueues | TransferFallback::Queue(_) => last,
        };
        match (target, owner) {
            (None, Some(_)) => {}
            (None, None) => self.wait_where_it_was(id),
            (Some(place), owner) => {
                if let Place::Queues(queues) = &place {
                    self.c(id).queues = queues.clone();
                }
                self.release(id, owner, place, Requeued::Fallback);
            }
        }
    }

    /// Nobody owned it: it waits at its place again. That may be gone, since the offer outlives it.
    pub fn wait_where_it_was(&mut self, id: ConversationId) {
        let c = &self.convs[&id];
        let there = match &c.home {
            Place::Queues(queues) | Place::Inbox(queues) => !queues.is_empty(),
            Place::Dedicated(agent) => self.people.contains_key(agent),
        };
        let place = match there {
            true => Some(c.home.clone()),
            false => (!c.queues.is_empty()).then(|| Place::Queues(c.queues.clone())),
        };
        match place {
            Some(place) => self.wait(id, place, Some(Requeued::Fallback)),
            None => self.end(id, Ending::Expired, Revoked::Expired, String::new()),
        }
    }

    /// The owner, if any, loses it and it waits there.
    pub fn release(&mut self, id: ConversationId, owner: Option<AgentId>, place: Place, cause: Requeued) {
        self.release_asking(id, owner, place, cause, None);
    }

    /// The same, with other criteria of somebody, if there are any.
    pub fn release_asking(
        &mut self,
        id: ConversationId,
        owner: Option<AgentId>,
        place: Place,
        cause: Requeued,
        anew: Option<(Criteria, By)>,
    ) {
        if let Some(agent) = owner {
            self.emit(EventKind::Released { conversation: id, agent });
        }
        if let Some((criteria, by)) = anew {
            self.ask(id, criteria, by);
        }
        self.wait(id, place, Some(cause));
        if let Some(agent) = owner {
            self.free_owner(agent);
        }
    }

    /// The owner is gone for good: it waits again at the place it had.
    pub fn requeue(&mut self, id: ConversationId, cause: Requeued) {
        if self.adviser_takes_over(id) {
            return;
        }
        self.end_offers(id, Revoked::Transferred);
        let c = &self.convs[&id];
        let owner = c.stage.owner();
        let queues = (!c.queues.is_empty()).then(|| Place::Queues(c.queues.clone()));
        let place = match &c.home {
            Place::Queues(left) | Place::Inbox(left) => (!left.is_empty()).then(|| c.home.clone()).or(queues),
            // The dedicated agent came and went: the fallback need not wait again.
            Place::Dedicated(agent) => {
                let there = self.people.contains_key(agent);
                queues.or_else(|| there.then(|| c.home.clone()))
            }
        };
        match place {
            Some(place) => self.release(id, owner, place, cause),
            None => self.release_nowhere(id, owner),
        }
    }

    /// The owner loses it first, as if it went on; then it ends, since there is nowhere to wait.
    fn release_nowhere(&mut self, id: ConversationId, owner: Option<AgentId>) {
        if let Some(agent) = owner {
            self.emit(EventKind::Released { conversation: id, agent });
        }
        let c = self.c(id);
        c.last_agent = owner.or(c.last_agent);
        c.stage = Stage::Waiting(c.home.clone());
        self.end(id, Ending::Expired, Revoked::Transferred, String::new());
        if let Some(agent) = owner {
            self.free_owner(agent);
        }
    }

    /// A dedicated line is gone: the fallback queue, or the end.
    pub fn leave_dedicated(&mut self, id: ConversationId, why: Revoked) {
        self.end_offers(id, why);
        let queues = self.convs[&id].queues.clone();
        if queues.is_empty() {
            self.end(id, Ending::Expired, why, String::new());
        } else {
            self.wait(id, Place::Queues(queues), Some(Requeued::OwnerGone));
        }
    }

    /// Ends a conversation for good.
    pub fn end(&mut self, id: ConversationId, ending: Ending, why: Revoked, notes: String) {
        self.end_offers(id, why);
        let now = self.now;
        let c = self.c(id);
        let agent = c.stage.owner();
        if agent.is_some() {
            c.last_agent = agent;
        }
        c.ended_owned = agent.is_some();
        c.nobody_handles_it();
        c.stop_clock();
        c.stage = Stage::Ended(ending.clone());
        c.ended_at = Some(now);
        c.calling = None;
        c.excluded.clear();
        c.waiver = None;
        c.owner_deadline = None;
        c.grace = None;
        c.goes_on = None;
        self.end_hold_for(id);
        self.stand_no_more_ended(id, &ending);
        self.emit(EventKind::Ended { conversation: id, ending, agent, notes });
        if let Some(agent) = agent {
            self.free_owner(agent);
        }
    }

    /// The contact is over: wrap-up, or the end.
    pub fn contact_over(&mut self, id: ConversationId) {
        if self.convs[&id].offer.is_some() {
            self.end_offer(id, OfferEnd::Revoked(Revoked::Closed));
        }
        let c = &self.convs[&id];
        let Stage::Assigned(agent) = c.stage else { panic!("not assigned") };
        let queue = c.came_from.filter(|q| self.queues.contains_key(q)).or(c.queues.first().copied());
        let wrap_up = queue.map_or(Span::ZERO, |q| self.queues[&q].settings.wrap_up_max);
        let gone = self.people[&agent].lease != routing::view::Lease::Live;
        if wrap_up == Span::ZERO || gone {
            self.end(id, Ending::Completed { disposition: None }, Revoked::Closed, String::new());
            return;
        }
        self.rest(id, agent, false, By::System);
        let hold = self.settings.wrap_up_hold;
        let deadline = self.now + wrap_up;
        let c = self.c(id);
        let weight = c.weight;
        c.weight = match hold {
            WrapUpHold::All => weight,
            WrapUpHold::Some(most) => weight.min(most),
            WrapUpHold::None => Points(0),
        };
        c.stage = Stage::Wrapping(agent);
        c.owner_deadline = Some(deadline);
        self.emit(EventKind::Wrapping { conversation: id, agent, deadline });
    }

    pub fn complete_silently(&mut self, id: ConversationId) {
        self.end(id, Ending::Completed { disposition: None }, Revoked::Expired, String::new());
    }

    /// Makes it the agent's.
    pub fn give(&mut self, id: ConversationId, agent: AgentId, how: How, weight: Points) {
        let now = self.now;
        let assigned_max = self.settings.assigned_max;
        let c = self.c(id);
        c.stage = Stage::Assigned(agent);
        c.nobody_handles_it();
        c.calling = None;
        c.weight = weight;
        c.assigned_at = c.assigned_at.or(Some(now));
        c.last_agent = Some(agent);
        c.excluded.clear();
        c.stop_clock();
        c.waiver = None;
        c.hold_until = None;
        c.owner_deadline = assigned_max.map(|span| now + span);
        c.grace = None;
        self.end_hold_for(id);
        self.stand_no_more_answered(id);
        let load = self.load(agent);
        let overdraft = load.saturating_sub(u32::from(self.people[&agent].settings.capacity.0));
        self.emit(EventKind::Assigned { conversation: id, agent, how, weight, overdraft });
    }

    /// The conversation of a live offer to this desk's agent.
    pub fn live_offer(&self, desk: Desk, offer: OfferId) -> Result<ConversationId, Rejected> {
        self.check_desk(desk)?;
        let own = |c: &&Conv| c.offer_to(desk.agent).is_some_and(|own| own.id == offer);
        Ok(self.offered(offer).filter(own).ok_or(Rejected::OfferOver { offer })?.id)
    }

    pub fn accept(&mut self, desk: Desk, offer: OfferId) -> Did {
        let id = self.live_offer(desk, offer)?;
        if self.convs[&id].is_consulting() {
            return Err(consulting());
        }
        if self.convs[&id].is_connecting() {
            return Err(connecting());
        }
        self.front(id, offer);
        self.withdraw_others(id);
        if let Some(TransferFallback::Advice { lasts }) =
            self.convs[&id].offer.as_ref().and_then(|offer| offer.transfer)
        {
            return Ok(self.connect(id, lasts));
        }
        let by_channel = self.handling.connect[self.convs[&id].channel.index()];
        let dial = self.convs[&id].calling.as_ref().map(|calling| calling.terms.dial);
        if let Some(within) = dial.or(by_channel) {
            return Ok(self.connect(id, within));
        }
        self.c(id).came_from = self.convs[&id].offer.as_ref().expect("live").queue;
        self.take(id, desk.agent, offer)
    }

    /// The conversation of a live offer becomes its agent's.
    pub fn take(&mut self, id: ConversationId, agent: AgentId, offer: OfferId) -> Did {
        let source = self.convs[&id].stage.owner();
        let taken = self.end_offer(id, OfferEnd::Accepted);
        if let Some(source) = source {
            self.emit(EventKind::Released { conversation: id, agent: source });
        }
        self.p(agent).misses = 0;
        if taken.transfer.is_some() {
            self.c(id).came_from = None;
        }
        self.give(id, agent, How::Offer(offer), taken.weight);
        if let Some(source) = source {
            self.free_owner(source);
        }
        Ok((DoneWhat::Assigned { conversation: id, agent }, Subject::Conversation(id)))
    }

    pub fn reject(&mut self, desk: Desk, offer: OfferId, decline: Decline) -> Did {
        let id = self.live_offer(desk, offer)?;
        if self.convs[&id].is_consulting() {
            return Err(consulting());
        }
        self.front(id, offer);
        self.fail_offer(id, OfferEnd::Rejected { reason: decline.reason }, Requeued::Rejected);
        Ok((DoneWhat::Ok, Subject::Conversation(id)))
    }

    pub fn assign(&mut self, desk: Desk, id: ConversationId) -> Did {
        self.check_desk(desk)?;
        let agent = desk.agent;
        let c = self.conv(id)?;
        let queues = match &c.stage {
            Stage::Assigned(owner) if *owner == agent => {
                return Ok((DoneWhat::Assigned { conversation: id, agent }, Subject::Conversation(id)));
            }
            Stage::Wrapping(owner) if *owner == agent => return Err(wrong_state(c)),
            Stage::Assigned(by) | Stage::Wrapping(by) => return Err(Rejected::Taken { by: *by }),
            Stage::Waiting(Place::Inbox(queues)) => queues.clone(),
            Stage::Ended(_) | Stage::Transferring => return Err(wrong_state(c)),
            Stage::Waiting(_) | Stage::Offered(_) => return Err(not_allowed()),
        };
        let person = &self.people[&agent];
        if !queues.iter().any(|q| person.settings.queues.contains(q))
            || !person.settings.channels.contains(c.channel)
        {
            return Err(not_allowed());
        }
        let weight = self.weight_now(c.channel);
        self.needs_room(agent, id)?;
        self.c(id).came_from = None;
        self.give(id, agent, How::Pull, weight);
        Ok((DoneWhat::Assigned { conversation: id, agent }, Subject::Conversation(id)))
    }

    /// Room is points and channel cap; a human may overdraw where the domain allows it.
    pub fn needs_room(&self, agent: AgentId, id: ConversationId) -> Result<(), Rejected> {
        let c = &self.convs[&id];
        let weight = self.weight_now(c.channel);
        let settings = &self.people[&agent].settings;
        let capped = settings.caps[c.channel.index()]
            .is_some_and(|cap| self.by_channel(agent, c.channel) >= usize::from(cap));
        if !self.settings.overdraft && (capped || u32::from(weight.0) > self.free(agent)) {
            return Err(Rejected::NoCapacity {
                load: self.load(agent),
                capacity: u32::from(settings.capacity.0),
                weight: u32::from(weight.0),
            });
        }
        match self.what_blocks(agent, c.channel) {
            Some(by) if !self.settings.overdraft => Err(Rejected::Blocked { channel: c.channel, by }),
            _ => Ok(()),
        }
    }
}
