//! What deadlines do. Every entry first expires what is due at its time.

use crate::command::{By, Intent, Recall};
use crate::deadlines::Due;
use crate::domain::{AgentNo, ConvNo, Cx, Domain, PlaceKind, State};
use crate::event::{Ending, Requeued, Revoked};
use crate::shard::PlantedBug;
use crate::{Command, LogTime};

impl Domain {
    /// Expires what is due, as far as the entry's bound allows.
    pub(crate) fn expire_due(&mut self, cx: &mut Cx<'_>) {
        while cx.expiries_left > 0 && self.expire_next(cx) {}
    }

    /// Expires the next that is due; whether there was one.
    pub(crate) fn expire_next(&mut self, cx: &mut Cx<'_>) -> bool {
        let Some((_, due)) = self.index.0.deadlines.pop_due(cx.now) else { return false };
        cx.expiries_left = cx.expiries_left.saturating_sub(1);
        self.expire(cx, due);
        true
    }

    /// Expires what a command touches, though the bound was reached before it: a late accept is
    /// late however long the list of what is due.
    pub(crate) fn expire_touched(&mut self, cx: &mut Cx<'_>, command: &Command) {
        if self.index.0.deadlines.next().is_none_or(|next| next > cx.now) {
            return;
        }
        let (agent, conversation) = self.touched(command);
        // One expiry can make another due; each makes the entity's list shorter or later.
        while let Some((at, due)) = self.first_due_of(cx.now, agent, conversation) {
            self.index.0.deadlines.remove(at, due);
            self.expire(cx, due);
        }
    }

    fn touched(&self, command: &Command) -> (Option<AgentNo>, Option<ConvNo>) {
        use crate::event::Subject;
        let desk = match command {
            Command::Accept { desk, .. }
            | Command::Reject { desk, .. }
            | Command::Connected { desk, .. }
            | Command::ConnectFailed { desk, .. }
            | Command::Assign { desk, .. }
            | Command::Complete { desk, .. } => AgentNo::of(desk.agent, self.id),
            _ => None,
        };
        match self.subject_of(command) {
            Some(Subject::Agent(agent)) => (AgentNo::of(agent, self.id), None),
            Some(Subject::Conversation(conversation)) => (desk, ConvNo::of(conversation, self.id)),
            _ => (desk, None),
        }
    }

    fn first_due_of(
        &self,
        now: LogTime,
        agent: Option<AgentNo>,
        conversation: Option<ConvNo>,
    ) -> Option<(LogTime, Due)> {
        let mut all: Vec<(LogTime, Due)> = Vec::new();
        let mut add =
            |at: Option<LogTime>, due: Due| all.extend(at.filter(|at| *at <= now).map(|at| (at, due)));
        if let Some(agent) = agent.and_then(|no| self.agents.get(no.0)) {
            add(agent.hold.map(|(_, until)| until), Due::Hold(agent.no));
            add(agent.miss_return, Due::MissReturn(agent.no));
            add(agent.paced_until(), Due::Pace(agent.no));
            for no in &agent.offers {
                add(self.offer_ends(*no), Due::Offer(*no));
            }
        }
        if let Some(conversation) = conversation.and_then(|no| self.conversations.get(&no)) {
            let no = conversation.no;
            let wrapping = matches!(conversation.state, State::Wrapping(_));
            add(self.offer_ends(no), Due::Offer(no));
            for (agent, until) in &conversation.excluded {
                add(Some(*until), Due::Exclusion(no, *agent));
            }
            add(conversation.waive_at, Due::Waive(no));
            add(conversation.work_deadline, if wrapping { Due::WrapUp(no) } else { Due::Assigned(no) });
            add(conversation.grace_deadline, Due::Grace(no));
            add(conversation.fallback_deadline, Due::Fallback(no));
            add(conversation.seeking.as_ref().and_then(|seeking| seeking.until), Due::Step(no));
            add(conversation.standing.as_ref().and_then(|stand| stand.due), Due::Rule(no));
            add(conversation.wait_deadline, Due::Wait(no));
            add(conversation.rests_until(), Due::Rested(no));
            add(conversation.calling.as_ref().and_then(|calling| calling.due), Due::Callback(no));
            add(conversation.forget_at, Due::Forget(no));
            add(conversation.departure.as_ref().and_then(|departure| departure.deadline), Due::Recall(no));
        }
        all.into_iter().min()
    }

    /// When a conversation's offer is over: at once if its queue was paused.
    fn offer_ends(&self, no: ConvNo) -> Option<LogTime> {
        let offer = self.conv(no).offer.as_ref()?;
        Some(if self.offer_is_paused(no) { LogTime(0) } else { offer.deadline })
    }

    fn expire(&mut self, cx: &mut Cx<'_>, due: Due) {
        match due {
            Due::Revoke(queue) => self.revoke_oldest(cx, queue),
            Due::Hours(queue) => self.look_at_hours(cx, queue, false),
            Due::Offer(no) if self.offer_is_paused(no) => {
                for _ in 0..self.conv(no).offers().count() {
                    self.revoke_offer(cx, no, Revoked::QueueGone);
                }
            }
            Due::Offer(no) if self.conv(no).is_connecting() && cx.planted(PlantedBug::NeverConnected) => {}
            Due::Offer(no) => self.missed(cx, no),
            Due::Exclusion(no, agent) => {
                if !cx.planted(PlantedBug::ExclusionForever) {
                    self.include(no, agent);
                }
            }
            Due::Waive(no) => self.waive_exclusions(no),
            Due::Hold(agent) => self.end_hold(agent),
            Due::WrapUp(no) => {
                self.conv_mut(no).work_deadline = None;
                let ending = Ending::Completed { disposition: None };
                self.end(cx, no, ending, String::new(), Revoked::Closed);
            }
            Due::Assigned(no) => {
                self.conv_mut(no).work_deadline = None;
                self.end_contact(cx, no);
            }
            Due::Grace(no) => self.grace_over(cx, no),
            Due::Fallback(no) => self.fall_back(cx, no),
            Due::Step(no) => self.step_over(cx, no),
            Due::Rule(no) => self.rule_due(cx, no),
            Due::Wait(no)
                if self.conv(no).place == PlaceKind::Inbox && cx.planted(PlantedBug::InboxNeverExpires) =>
            {
                self.conv_mut(no).wait_deadline = None;
            }
            Due::Wait(no) => {
                self.conv_mut(no).wait_deadline = None;
                self.end(cx, no, Ending::Expired, String::new(), Revoked::Expired);
            }
            Due::MissReturn(agent) => {
                self.agent_mut(agent).miss_return = None;
                self.set_intent(cx, agent, Intent::Available, By::System);
            }
            Due::Forget(no) => {
                self.conversations.remove(&no);
            }
            Due::Pace(agent) => self.pace_over(cx, agent),
            Due::Rested(no) => self.rested(no),
            Due::Callback(no) => self.callback_over(cx, no),
            Due::Recall(no) => self.recall(cx, no, &Recall::TimedOut),
        }
    }

    /// A dedicated agent did not come in time: the conversation waits in its fallback queue.
    fn fall_back(&mut self, cx: &mut Cx<'_>, no: ConvNo) {
        self.conv_mut(no).fallback_deadline = None;
        if self.present_queues(&self.conv(no).queues).is_empty() {
            return;
        }
        if self.conv(no).offer.is_some() {
            self.take_offers(cx, no, Revoked::Expired);
        } else {
            self.leave_lines(no);
        }
        self.conv_mut(no).place = PlaceKind::Queues;
        self.wait_again(cx, no, Requeued::DedicatedFallback);
    }
}
