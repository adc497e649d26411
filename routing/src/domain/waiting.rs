//! Entering and leaving waiting places, and ending.

use super::{ConvNo, Cx, Domain, PlaceKind, State};
use crate::deadlines::Due;
use crate::event::{Ending, EventKind, Requeued, Revoked};
use crate::shard::PlantedBug;

impl Domain {
    /// A conversation comes to its place from outside: arrival, owner, transfer. Its place and
    /// queues are set; it waits there, or ends if the place is gone.
    pub(crate) fn enter_place(&mut self, cx: &mut Cx<'_>, no: ConvNo, cause: impl Into<Option<Requeued>>) {
        let wait_max = self.settings.wait_max;
        self.clear_wait(no);
        let conversation = self.conv_mut(no);
        conversation.hold_until = None;
        let deadline = conversation.arrived_at.max(conversation.waits_since) + wait_max;
        // A callback has a limit of its own.
        if !self.planted(PlantedBug::NoWaitLimit) && self.conv(no).calling.is_none() {
            self.conv_mut(no).wait_deadline = Some(deadline);
            self.index.0.deadlines.add(deadline, Due::Wait(no));
        }
        self.wait_at_place(cx, no, cause.into());
    }

    /// A conversation waits again where it waited before its offer.
    pub(crate) fn wait_again(&mut self, cx: &mut Cx<'_>, no: ConvNo, cause: Requeued) {
        self.wait_at_place(cx, no, Some(cause));
    }

    fn wait_at_place(&mut self, cx: &mut Cx<'_>, no: ConvNo, cause: Option<Requeued>) {
        let conversation = self.conv(no);
        let there = match conversation.place {
            PlaceKind::Queues | PlaceKind::Inbox => {
                conversation.queues.iter().any(|queue| self.queues.get(queue.0).is_some())
            }
            PlaceKind::Dedicated(agent) => self.agents.get(agent.0).is_some(),
        };
        if !there {
            let conversation = self.conv(no);
            if matches!(conversation.place, PlaceKind::Dedicated(_))
                && !self.present_queues(&conversation.queues).is_empty()
            {
                self.conv_mut(no).place = PlaceKind::Queues;
            } else {
                self.conclude(cx, no, Ending::Expired, String::new(), None);
                return;
            }
        }
        self.drop_stale_fallback(no);
        self.callback_runs_on(no);
        self.stand(no, cx.now);
        self.start_step(cx, no);
        let domain = self.id;
        self.conv_mut(no).state = State::Waiting;
        if cause.is_some() && self.planted(PlantedBug::AgeLost) {
            self.conv_mut(no).arrived_at = cx.now;
        }
        self.enter_lines(no);
        let place = self.place_view(no);
        self.emit(cx, EventKind::Waiting { conversation: no.id(domain), place, cause });
    }

    /// A deadline of a dedicated line means nothing once the conversation waits elsewhere.
    fn drop_stale_fallback(&mut self, no: ConvNo) {
        let conversation = self.conv_mut(no);
        if !matches!(conversation.place, PlaceKind::Dedicated(_))
            && let Some(deadline) = conversation.fallback_deadline.take()
        {
            self.index.0.deadlines.remove(deadline, Due::Fallback(no));
        }
    }

    /// The deadlines of waiting are gone.
    pub(crate) fn clear_wait(&mut self, no: ConvNo) {
        let conversation = self.conv_mut(no);
        if let Some(deadline) = conversation.wait_deadline.take() {
            self.index.0.deadlines.remove(deadline, Due::Wait(no));
        }
    }

    /// As [`Domain::clear_wait`], and the dedicated line's with it.
    pub(crate) fn clear_waiting_deadlines(&mut self, no: ConvNo) {
        self.clear_wait(no);
        let conversation = self.conv_mut(no);
        if let Some(deadline) = conversation.fallback_deadline.take() {
            self.index.0.deadlines.remove(deadline, Due::Fallback(no));
        }
        self.stop_step(no);
        self.rest_rules(no);
        self.clear_exclusions(no);
        self.end_callback(no);
    }

    /// Ends a live conversation for good and frees everything it held.
    pub(crate) fn end(&mut self, cx: &mut Cx<'_>, no: ConvNo, ending: Ending, notes: String, why: Revoked) {
        if self.conv(no).offer.is_some() && !self.planted(PlantedBug::ZombieOffer) {
            self.take_offers(cx, no, why);
        }
        if self.conv(no).state == State::Waiting {
            self.leave_lines(no);
        }
        let owner = self.conv(no).owner();
        if owner.is_some() {
            self.release(cx, no);
        }
        self.conclude(cx, no, ending, notes, owner);
        if let Some(owner) = owner {
            self.settle_draining(cx, owner);
        }
    }

    /// The last step of every ending: the conversation holds nothing any more.
    fn conclude(
        &mut self,
        cx: &mut Cx<'_>,
        no: ConvNo,
        ending: Ending,
        notes: String,
        owner: Option<super::AgentNo>,
    ) {
        let forget_at = cx.now + self.settings.closed_retention;
        if ending == Ending::Abandoned {
            self.count_abandoned(no, cx.now);
        }
        self.stand_no_more(no);
        self.conv_mut(no).state = State::Ended(Box::new(ending.clone()));
        self.clear_waiting_deadlines(no);
        self.count_classes(no, false);
        let conversation = self.conv_mut(no);
        conversation.ended_at = Some(cx.now);
        conversation.forget_at = Some(forget_at);
        self.index.0.deadlines.add(forget_at, Due::Forget(no));
        self.index.0.live -= 1;
        let domain = self.id;
        let agent = owner.map(|owner| owner.id(domain));
        if self.planted(PlantedBug::EndedTwice) {
            let (ending, notes) = (ending.clone(), notes.clone());
            self.emit(cx, EventKind::Ended { conversation: no.id(domain), ending, agent, notes });
        }
        self.emit(cx, EventKind::Ended { conversation: no.id(domain), ending, agent, notes });
    }
}
