//! Owners: assignment, wrap-up, release, and what happens when an owner goes.

use super::{AgentNo, ConvNo, Cx, Domain, Handled, QueueNo, State};
use crate::command::{By, Intent};
use crate::deadlines::Due;
use crate::event::{Ending, EventKind, How, OfferEnd, Requeued, Revoked};
use crate::settings::{LeaseLoss, WrapUpHold};
use crate::shard::PlantedBug;
use crate::view::Lease;
use crate::{LogTime, Points};

impl Domain {
    /// Makes a conversation an agent's. Its points are the agent's already.
    pub(crate) fn assign(&mut self, cx: &mut Cx<'_>, no: ConvNo, to: AgentNo, weight: Points, how: How) {
        let deadline = self.settings.assigned_max.map(|max| cx.now + max);
        self.conv_mut(no).state = State::Assigned(to);
        self.count_answer(no, cx.now);
        self.stand_no_more(no);
        self.clear_waiting_deadlines(no);
        let conversation = self.conv_mut(no);
        conversation.weight = weight;
        conversation.assigned_at.get_or_insert(cx.now);
        conversation.last_agent = Some(to);
        conversation.work_deadline = deadline;
        if let Some(seeking) = &mut conversation.seeking {
            seeking.joined = true;
        }
        if let Some(deadline) = deadline {
            self.index.0.deadlines.add(deadline, Due::Assigned(no));
        }
        let agent = self.agent_mut(to);
        if let Err(position) = agent.holdings.binary_search(&no) {
            agent.holdings.insert(position, no);
        }
        let overdraft = agent.load.saturating_sub(agent.capacity());
        let domain = self.id;
        self.emit(
            cx,
            EventKind::Assigned { conversation: no.id(domain), agent: to.id(domain), how, weight, overdraft },
        );
    }

    /// The conversation of an accepted offer becomes its agent's, and whoever owned it loses it. To whom.
    pub(crate) fn take_over(&mut self, cx: &mut Cx<'_>, no: ConvNo) -> AgentNo {
        let offer = self.take_offer(cx, no, OfferEnd::Accepted);
        self.agent_mut(offer.agent).misses = 0;
        if offer.transfer.is_some() {
            self.conv_mut(no).from_queue = None;
        }
        self.release_to_wait(cx, no);
        self.assign(cx, no, offer.agent, offer.weight, How::Offer(offer.id(self.id)));
        offer.agent
    }

    /// The owner loses a conversation and its points are free. The caller says what it is now.
    pub(crate) fn release(&mut self, cx: &mut Cx<'_>, no: ConvNo) -> AgentNo {
        let owner = self.conv(no).owner().expect("only owned conversations are released");
        self.clear_work_deadlines(no);
        let conversation = self.conv_mut(no);
        conversation.waits_since = cx.now;
        let (weight, channel) = (conversation.weight, conversation.channel);
        conversation.handled = Handled::default();
        let kept = cx.planted(PlantedBug::PointsKept);
        self.change_load(owner, |agent| {
            agent.holdings.retain(|held| *held != no);
            if !kept {
                agent.load -= u32::from(weight.0);
            }
            agent.index.0.counts[channel.index()] -= 1;
            agent.index.0.busy[channel.index()] -= u16::from(weight.0 > 0);
            agent.idle_since = cx.now;
        });
        self.dirty.agent(owner);
        owner
    }

    fn clear_work_deadlines(&mut self, no: ConvNo) {
        let conversation = self.conv_mut(no);
        let wrapping = matches!(conversation.state, State::Wrapping(_));
        let (work, grace) = (conversation.work_deadline.take(), conversation.grace_deadline.take());
        let deadlines = &mut self.index.0.deadlines;
        if let Some(at) = work {
            deadlines.remove(at, if wrapping { Due::WrapUp(no) } else { Due::Assigned(no) });
        }
        if let Some(at) = grace {
            deadlines.remove(at, Due::Grace(no));
        }
    }

    /// Releases a conversation that goes on; one that nobody owns is left as it is.
    pub(crate) fn release_to_wait(&mut self, cx: &mut Cx<'_>, no: ConvNo) {
        if self.conv(no).owner().is_some() {
            let owner = self.release(cx, no);
            if let Some(seeking) = &mut self.conv_mut(no).seeking {
                seeking.joined = false;
            }
            let domain = self.id;
            self.emit(cx, EventKind::Released { conversation: no.id(domain), agent: owner.id(domain) });
            self.settle_draining(cx, owner);
        }
    }

    /// A draining agent whose last work is done becomes unavailable.
    pub(crate) fn settle_draining(&mut self, cx: &mut Cx<'_>, no: AgentNo) {
        let agent = self.agent(no);
        if let Intent::Draining { next } = &agent.intent
            && agent.holdings.is_empty()
            && !self.is_connecting(no)
        {
            let intent = Intent::Unavailable { reason: next.clone() };
            self.set_intent(cx, no, intent, By::System);
        }
    }

    /// Sets an intent that differs from the present one, with all that follows.
    pub(crate) fn set_intent(&mut self, cx: &mut Cx<'_>, no: AgentNo, intent: Intent, by: By) {
        let domain = self.id;
        let now = cx.now;
        let agent = self.agent_mut(no);
        let was_available = agent.intent == Intent::Available;
        let returns = if cx.planted(PlantedBug::BackFromOwnBreak) { None } else { agent.miss_return.take() };
        agent.intent = intent.clone();
        agent.intent_by = by.clone();
        if intent == Intent::Available && !was_available {
            agent.idle_since = now;
            agent.misses = 0;
        }
        if let Some(at) = returns {
            self.index.0.deadlines.remove(at, Due::MissReturn(no));
        }
        self.refresh(no);
        self.emit(cx, EventKind::PresenceChanged { agent: no.id(domain), intent: intent.clone(), by });
        if intent == Intent::Available {
            self.dirty.agent(no);
        } else {
            if !cx.planted(PlantedBug::OffersOutliveAvailability) {
                self.revoke_ringing(cx, no, Revoked::Unavailable);
            }
            self.end_hold(no);
            self.settle_draining(cx, no);
        }
    }

    /// The contact of an assigned conversation is over.
    pub(crate) fn end_contact(&mut self, cx: &mut Cx<'_>, no: ConvNo) {
        if self.conv(no).offer.is_some() {
            self.take_offer(cx, no, OfferEnd::Revoked(Revoked::Closed));
        }
        let owner = self.conv(no).owner().expect("assigned");
        let wrap_up_max =
            self.wrap_up_queue(no).map_or(crate::Span::ZERO, |queue| self.queue(queue).settings.wrap_up_max);
        if wrap_up_max == crate::Span::ZERO || self.agent(owner).lease != Lease::Live {
            let ending = Ending::Completed { disposition: None };
            self.end(cx, no, ending, String::new(), Revoked::Closed);
            return;
        }
        self.set_idle(cx, no, false, By::System);
        self.clear_work_deadlines(no);
        let deadline = cx.now + wrap_up_max;
        let hold = self.settings.wrap_up_hold;
        let conversation = self.conv_mut(no);
        let (before, channel) = (conversation.weight, conversation.channel.index());
        let after = match hold {
            WrapUpHold::All => before,
            WrapUpHold::Some(points) => before.min(points),
            WrapUpHold::None => Points(0),
        };
        conversation.state = State::Wrapping(owner);
        conversation.weight = after;
        conversation.work_deadline = Some(deadline);
        self.index.0.deadlines.add(deadline, Due::WrapUp(no));
        if after != before {
            self.change_load(owner, |agent| {
                agent.load -= u32::from(before.0 - after.0);
                agent.index.0.busy[channel] -= u16::from(after.0 == 0);
            });
            self.dirty.agent(owner);
        }
        let domain = self.id;
        let (conversation, agent) = (no.id(domain), owner.id(domain));
        self.emit(cx, EventKind::Wrapping { conversation, agent, deadline });
    }

    /// The queue whose wrap-up rules count: where it came from, else its first.
    pub(crate) fn wrap_up_queue(&self, no: ConvNo) -> Option<QueueNo> {
        let conversation = self.conv(no);
        conversation
            .from_queue
            .iter()
            .chain(conversation.queues.iter())
            .copied()
            .find(|queue| self.queues.get(queue.0).is_some())
    }

    /// The owner is gone: a wrap-up completes, a contact waits again where it waited.
    pub(crate) fn owner_gone(&mut self, cx: &mut Cx<'_>, no: ConvNo, cause: Requeued) {
        if matches!(self.conv(no).state, State::Wrapping(_)) {
            let ending = Ending::Completed { disposition: None };
            self.end(cx, no, ending, String::new(), Revoked::Closed);
            return;
        }
        if self.hand_to_adviser(cx, no) {
            return;
        }
        if self.conv(no).offer.is_some() {
            self.take_offers(cx, no, Revoked::Transferred);
        }
        self.release_to_wait(cx, no);
        // The dedicated agent came and went: the fallback, where there is one, need not wait again.
        self.leave_dedicated_line(no);
        self.enter_place(cx, no, cause);
    }

    /// The grace time after a lost lease is over for one conversation.
    pub(crate) fn grace_over(&mut self, cx: &mut Cx<'_>, no: ConvNo) {
        let conversation = self.conv_mut(no);
        conversation.grace_deadline = None;
        let wrapping = matches!(conversation.state, State::Wrapping(_));
        let then = self.settings.lease[self.conv(no).channel.index()].then;
        match then {
            LeaseLoss::Keep => {}
            LeaseLoss::Close if !wrapping => {
                if self.hand_to_adviser(cx, no) {
                    return;
                }
                self.end(cx, no, Ending::OwnerLost, String::new(), Revoked::Closed);
            }
            LeaseLoss::Requeue | LeaseLoss::Close => self.owner_gone(cx, no, Requeued::LeaseLost),
        }
    }

    /// The lease is lost: offers end, grace runs for what is held.
    pub(crate) fn lose_lease(&mut self, cx: &mut Cx<'_>, no: AgentNo) {
        let domain = self.id;
        let agent = self.agent_mut(no);
        let epoch = agent.epoch;
        agent.lease = Lease::LostSince(cx.now);
        self.refresh(no);
        self.emit(cx, EventKind::LeaseLost { agent: no.id(domain), epoch });
        self.revoke_offers(cx, no, Revoked::LeaseLost);
        self.end_hold(no);
        for held in self.agent(no).holdings.clone() {
            let policy = self.settings.lease[self.conv(held).channel.index()];
            if policy.then != LeaseLoss::Keep {
                let deadline = cx.now + policy.grace;
                self.conv_mut(held).grace_deadline = Some(deadline);
                self.index.0.deadlines.add(deadline, Due::Grace(held));
            }
        }
    }

    /// The desk is back: no grace runs any more.
    pub(crate) fn clear_grace(&mut self, no: AgentNo) {
        for held in self.agent(no).holdings.clone() {
            if let Some(deadline) = self.conv_mut(held).grace_deadline.take() {
                self.index.0.deadlines.remove(deadline, Due::Grace(held));
            }
        }
    }

    /// Its offers were not answered in time.
    pub(crate) fn missed(&mut self, cx: &mut Cx<'_>, no: ConvNo) {
        if self.conv(no).is_consulting() {
            self.take_offer(cx, no, OfferEnd::ConsultOver { by: By::System });
            return;
        }
        // What rings at several agents rings everywhere for as long, and what connects is one.
        for _ in 1..self.conv(no).offers().count() {
            self.miss(cx, no, OfferEnd::TimedOut, Requeued::TimedOut);
        }
        let (end, cause) = if self.conv(no).is_connecting() {
            (OfferEnd::NotConnected { reason: String::new() }, Requeued::NotConnected)
        } else {
            (OfferEnd::TimedOut, Requeued::TimedOut)
        };
        self.miss(cx, no, end, cause);
    }

    /// An offer came to nothing by its agent's doing.
    pub(crate) fn miss(&mut self, cx: &mut Cx<'_>, no: ConvNo, end: OfferEnd, cause: Requeued) {
        let span = self.settings.exclude_missed;
        let offer = self.take_offer(cx, no, end);
        if self.wait_after_offer(cx, no, &offer, cause) {
            self.exclude(cx.now, no, offer.agent, span);
        }
        let limit = self.settings.miss_limit;
        let returns: Option<LogTime> = self.settings.miss_return.map(|span| cx.now + span);
        let agent = self.agent_mut(offer.agent);
        agent.misses += 1;
        if limit > 0 && agent.misses >= limit && agent.intent == Intent::Available {
            let intent = Intent::Unavailable { reason: "missed".to_owned() };
            self.set_intent(cx, offer.agent, intent, By::System);
            if let Some(at) = returns {
                self.agent_mut(offer.agent).miss_return = Some(at);
                self.index.0.deadlines.add(at, Due::MissReturn(offer.agent));
            }
        }
    }
}
