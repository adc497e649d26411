//! Deadlines: found by scanning, done in the order of the rules.

use super::state::Dom;
use routing::command::{By, Intent, Recall};
use routing::event::{Ending, OfferEnd, Place, Requeued, Revoked};
use routing::settings::LeaseLoss;
use routing::view::Stage;
use routing::{AgentId, Command, ConversationId, LogTime, OfferId, QueueId};

/// What can become due, in the order in which one moment's go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Hours(QueueId),
    Offer(ConversationId),
    Exclusion(ConversationId, AgentId),
    Waiver(ConversationId),
    Hold(AgentId),
    WrapUp(ConversationId),
    Assigned(ConversationId),
    Grace(ConversationId),
    Dedicated(ConversationId),
    Step(ConversationId),
    Rule(ConversationId),
    Wait(ConversationId),
    MissReturn(AgentId),
    Forget(ConversationId),
    Recall(ConversationId),
    Pace(AgentId),
    Rested(ConversationId),
    Callback(ConversationId),
}

/// Something due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    pub at: LogTime,
    pub kind: Kind,
}

impl Dom {
    pub fn all_deadlines(&self) -> Vec<Due> {
        let mut all = Vec::new();
        let mut add = |at: Option<LogTime>, kind| all.extend(at.map(|at| Due { at, kind }));
        for c in self.convs.values() {
            if let Stage::Ended(_) = c.stage {
                add(c.ended_at.map(|at| at + self.settings.closed_retention), Kind::Forget(c.id));
                continue;
            }
            add(c.offer.as_ref().map(|o| o.deadline), Kind::Offer(c.id));
            for (agent, until) in &c.excluded {
                add(Some(*until), Kind::Exclusion(c.id, *agent));
            }
            add(c.waiver, Kind::Waiver(c.id));
            match &c.stage {
                Stage::Wrapping(_) => add(c.owner_deadline, Kind::WrapUp(c.id)),
                Stage::Assigned(_) => add(c.owner_deadline, Kind::Assigned(c.id)),
                Stage::Waiting(place) | Stage::Offered(place) => {
                    if matches!(place, Place::Dedicated(_)) {
                        add(c.goes_on.as_ref().map(|(_, at)| *at), Kind::Dedicated(c.id));
                    }
                    add(c.relaxes_at(), Kind::Step(c.id));
                    add(c.rule_due_at(), Kind::Rule(c.id));
                    add(Some(c.wait_ends).filter(|_| c.calling.is_none()), Kind::Wait(c.id));
                    add(c.rests_until(), Kind::Rested(c.id));
                    add(c.callback_ends(), Kind::Callback(c.id));
                }
                Stage::Transferring => add(c.way.as_ref().and_then(|way| way.deadline), Kind::Recall(c.id)),
                Stage::Ended(_) => {}
            }
            add(c.grace, Kind::Grace(c.id));
        }
        for queue in self.queues.keys() {
            add(self.is_to_be_looked_at(*queue).then_some(LogTime(0)), Kind::Hours(*queue));
        }
        for p in self.people.values() {
            add(p.holds.map(|(_, until)| until), Kind::Hold(p.id));
            add(p.returns_at, Kind::MissReturn(p.id));
            add(p.paced, Kind::Pace(p.id));
        }
        all
    }

    pub fn next_due(&self, now: LogTime) -> Option<Due> {
        self.all_deadlines().into_iter().filter(|due| due.at <= now).min()
    }

    /// Does the first of what is due; says whether there was anything.
    pub fn expire_one(&mut self) -> bool {
        let Some(due) = self.next_due(self.now) else { return false };
        self.expire(due.kind);
        true
    }

    /// What the command itself touches.
    pub fn expire_touched(&mut self, command: &Command) -> bool {
        let (conversation, agent, offer) = touched(command);
        let conversation = conversation.or_else(|| self.conversation_of(offer?));
        let next = self
            .all_deadlines()
            .into_iter()
            .filter(|due| due.at <= self.now)
            .filter(|due| match due.kind {
                Kind::Hold(a) | Kind::MissReturn(a) | Kind::Pace(a) => Some(a) == agent,
                Kind::Hours(_) => false,
                Kind::Offer(c)
                | Kind::Exclusion(c, _)
                | Kind::Waiver(c)
                | Kind::WrapUp(c)
                | Kind::Assigned(c)
                | Kind::Grace(c)
                | Kind::Dedicated(c)
                | Kind::Step(c)
                | Kind::Rule(c)
                | Kind::Wait(c)
                | Kind::Recall(c)
                | Kind::Rested(c)
                | Kind::Callback(c)
                | Kind::Forget(c) => Some(c) == conversation,
            })
            .min();
        let Some(due) = next else { return false };
        self.expire(due.kind);
        true
    }

    pub fn conversation_of(&self, offer: OfferId) -> Option<ConversationId> {
        self.offered(offer).map(|c| c.id)
    }

    fn expire(&mut self, kind: Kind) {
        match kind {
            Kind::Hours(queue) => self.look_at_hours(queue, false),
            Kind::Offer(id) => self.miss(id),
            Kind::Exclusion(id, agent) => drop(self.c(id).excluded.remove(&agent)),
            Kind::Waiver(id) => {
                self.c(id).waiver = None;
                if self.nobody_is_left(&self.convs[&id]) {
                    self.c(id).excluded.clear();
                }
            }
            Kind::Hold(agent) => self.p(agent).holds = None,
            Kind::WrapUp(id) => self.complete_silently(id),
            Kind::Assigned(id) => self.contact_over(id),
            Kind::Grace(id) => self.grace_over(id),
            Kind::Dedicated(id) => {
                let (queues, _) = self.c(id).goes_on.take().expect("a fallback");
                // Its queue was deleted: it stays on its line, for which the time is over all the same.
                if queues.is_empty() {
                    return;
                }
                self.end_offers(id, Revoked::Expired);
                self.wait(id, Place::Queues(queues), Some(Requeued::DedicatedFallback));
            }
            Kind::Step(id) => {
                let at = self.convs[&id].relaxes_at().expect("its clock runs");
                self.next_step(id, at);
            }
            Kind::Rule(id) => self.decide(id),
            Kind::Wait(id) => self.end(id, Ending::Expired, Revoked::Expired, String::new()),
            Kind::MissReturn(agent) => {
                self.p(agent).returns_at = None;
                self.set_intent(agent, Intent::Available, By::System);
            }
            Kind::Rested(id) => self.rested(id),
            Kind::Callback(id) => self.callback_over(id),
            Kind::Pace(agent) => self.p(agent).paced = None,
            Kind::Forget(id) => drop(self.convs.remove(&id)),
            Kind::Recall(id) => self.recall(id, Recall::TimedOut),
        }
    }

    fn miss(&mut self, id: ConversationId) {
        if self.convs[&id].is_consulting() {
            self.end_offer(id, OfferEnd::ConsultOver { by: By::System });
            return;
        }
        for _ in 1..self.convs[&id].offers().count() {
            self.miss_by(id, OfferEnd::TimedOut, Requeued::TimedOut);
        }
        let (end, cause) = match self.convs[&id].is_connecting() {
            true => (OfferEnd::NotConnected { reason: String::new() }, Requeued::NotConnected),
            false => (OfferEnd::TimedOut, Requeued::TimedOut),
        };
        self.miss_by(id, end, cause);
    }

    /// An offer came to nothing by its agent's doing.
    pub fn miss_by(&mut self, id: ConversationId, end: OfferEnd, cause: Requeued) {
        let agent = self.convs[&id].offer.as_ref().expect("live").agent;
        self.fail_offer(id, end, cause);
        self.p(agent).misses += 1;
        let limit = self.settings.miss_limit;
        let person = &self.people[&agent];
        // Who accepted and left for lunch meanwhile left for lunch.
        if limit == 0 || person.misses < limit || person.intent != Intent::Available {
            return;
        }
        self.set_intent(agent, Intent::Unavailable { reason: "missed".to_owned() }, By::System);
        let returns_at = self.settings.miss_return.map(|span| self.now + span);
        self.p(agent).returns_at = returns_at;
        self.stopped(agent, Revoked::Unavailable);
    }

    fn grace_over(&mut self, id: ConversationId) {
        self.c(id).grace = None;
        let (channel, stage) = (self.convs[&id].channel, self.convs[&id].stage.clone());
        match (stage, self.settings.lease[channel.index()].then) {
            (_, LeaseLoss::Keep) => {}
            (Stage::Wrapping(_), _) => self.complete_silently(id),
            (_, LeaseLoss::Requeue) => self.requeue(id, Requeued::LeaseLost),
            (_, LeaseLoss::Close) if self.adviser_takes_over(id) => {}
            (_, LeaseLoss::Close) => self.end(id, Ending::OwnerLost, Revoked::Closed, String::new()),
        }
    }
}

fn touched(command: &Command) -> (Option<ConversationId>, Option<AgentId>, Option<OfferId>) {
    match command {
        Command::UpdateAgent { agent, .. }
        | Command::DeleteAgent { agent }
        | Command::OpenSession { agent }
        | Command::SetSkills { agent, .. }
        | Command::SetPresence { agent, .. }
        | Command::LogOut { agent, .. } => (None, Some(*agent), None),
        Command::CloseSession { desk } | Command::LoseLease { desk } => (None, Some(desk.agent), None),
        Command::Accept { desk, offer }
        | Command::Reject { desk, offer, .. }
        | Command::Connected { desk, offer }
        | Command::ConnectFailed { desk, offer, .. } => (None, Some(desk.agent), Some(*offer)),
        Command::Assign { desk, conversation } | Command::Complete { desk, conversation, .. } => {
            (Some(*conversation), Some(desk.agent), None)
        }
        Command::Abandon { conversation }
        | Command::RequestCallback { conversation, .. }
        | Command::CancelCallback { conversation }
        | Command::EndContact { conversation, .. }
        | Command::Transfer { conversation, .. }
        | Command::Close { conversation, .. }
        | Command::ForceClose { conversation, .. }
        | Command::Settle { conversation, .. }
        | Command::ChangeCriteria { conversation, .. }
        | Command::TransferAnew { conversation, .. }
        | Command::SetIdle { conversation, .. }
        | Command::ExtendWrapUp { conversation, .. }
        | Command::Reprioritise { conversation, .. } => (Some(*conversation), None, None),
        _ => (None, None, None),
    }
}
