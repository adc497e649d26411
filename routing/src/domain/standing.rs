//! Under which policy a conversation stands while it waits, and what the policy's rules do with it.

use super::{ConvNo, Conversation, Cx, Domain, PlaceKind, QueueNo, State};
use crate::command::{By, TransferFallback, TransferTarget};
use crate::deadlines::Due;
use crate::event::{Ending, EventKind, Requeued, Revoked};
use crate::policy::limits::LEVEL_MINUTES;
use crate::policy::{Action, Condition, Measure, Rule, Service, Standing, Target};
use crate::settings::limits::{HOPS_MAX, QUEUES_PER_CONVERSATION_MAX};
use crate::shard::PlantedBug;
use crate::{LogTime, QueueId, TouchpointId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The policy that a conversation stands under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stand {
    pub(crate) queue: QueueNo,
    pub(crate) number: u32,
    pub(crate) since: LogTime,
    /// Rules that are decided.
    pub(crate) decided: u8,
    /// None: no rule is left, or it rests until the conversation comes to wait.
    pub(crate) due: Option<LogTime>,
}

impl Domain {
    /// What a conversation stands under, as the world knows it.
    pub(crate) fn standing_view(&self, stand: &Stand) -> Standing {
        let Stand { queue, number, since, decided, due } = *stand;
        Standing { queue: queue.id(self.id), number, since, decided, due }
    }

    /// A conversation comes to wait: it stands under the policy of one of its queues, goes on to do so, or
    /// does so no more.
    pub(crate) fn stand(&mut self, no: ConvNo, now: LogTime) {
        let conversation = self.conv(no);
        if conversation.place != PlaceKind::Queues {
            self.stand_no_more(no);
            return;
        }
        let Some(first) =
            conversation.queues.iter().copied().find(|queue| self.queues.get(queue.0).is_some())
        else {
            return;
        };
        let stays = conversation.standing.as_deref().is_some_and(|stand| {
            conversation.queues.contains(&stand.queue) && self.queues.get(stand.queue.0).is_some()
        });
        if !stays {
            self.stand_no_more(no);
            self.begin_standing(no, first, now);
        } else if self.conv(no).standing.as_deref().is_some_and(|stand| stand.due.is_none()) {
            self.set_rule_due(no);
        }
    }

    /// A conversation begins to stand under a queue's present policy, if that says anything.
    fn begin_standing(&mut self, no: ConvNo, queue: QueueNo, since: LogTime) {
        let policies = &self.queue(queue).policies;
        if policies.present().is_none_or(crate::policy::Policy::is_empty) {
            return;
        }
        let number = policies.number();
        *self.queue_mut(queue).index.0.standing.entry(number).or_default() += 1;
        let stand = Stand { queue, number, since, decided: 0, due: None };
        self.conv_mut(no).standing = Some(Box::new(stand));
        self.set_rule_due(no);
    }

    /// A conversation stands under no policy any more.
    pub(crate) fn stand_no_more(&mut self, no: ConvNo) {
        self.rest_rules(no);
        let Some(stand) = self.conv_mut(no).standing.take() else { return };
        let Some(queue) = self.queues.get_mut(stand.queue.0) else { return };
        let standing = &mut queue.index.0.standing;
        let Some(count) = standing.get_mut(&stand.number) else { return };
        *count -= 1;
        if *count == 0 {
            standing.remove(&stand.number);
            if stand.number != queue.policies.number() {
                Arc::make_mut(&mut queue.policies).forget(stand.number);
            }
        }
    }

    /// A queue is about to go, and all standing under its policies with it.
    pub(crate) fn nobody_stands_under(&mut self, queue: QueueNo) {
        if self.queue(queue).index.0.standing.is_empty() {
            return;
        }
        let stands =
            |conv: &&Conversation| conv.standing.as_deref().is_some_and(|stand| stand.queue == queue);
        let standing: Vec<ConvNo> = self.conversations.values().filter(stands).map(|conv| conv.no).collect();
        for no in standing {
            self.stand_no_more(no);
        }
    }

    /// No rule of a conversation's is due until it comes to wait again.
    pub(crate) fn rest_rules(&mut self, no: ConvNo) {
        let due = self.conv_mut(no).standing.as_mut().and_then(|stand| stand.due.take());
        if let Some(due) = due {
            self.index.0.deadlines.remove(due, Due::Rule(no));
        }
    }

    /// The next rule of a conversation, and when it is due.
    fn next_rule(&self, no: ConvNo) -> Option<(LogTime, &Rule)> {
        let stand = self.conv(no).standing.as_deref()?;
        let policy = self.queues.get(stand.queue.0)?.policies.version(stand.number)?;
        let rule = policy.rules.get(usize::from(stand.decided))?;
        Some((stand.since + rule.after, rule))
    }

    /// What rested waits in line again, and its rules go on.
    pub(crate) fn rules_go_on(&mut self, no: ConvNo) {
        if self.conv(no).standing.as_deref().is_some_and(|stand| stand.due.is_none()) {
            self.set_rule_due(no);
        }
    }

    fn set_rule_due(&mut self, no: ConvNo) {
        if self.planted(PlantedBug::RulesNeverDue) {
            return;
        }
        let due = self.next_rule(no).map(|(due, _)| due);
        if let Some(stand) = &mut self.conv_mut(no).standing {
            stand.due = due;
        }
        if let Some(due) = due {
            self.index.0.deadlines.add(due, Due::Rule(no));
        }
    }

    /// The time of a conversation's next rule has come.
    pub(crate) fn rule_due(&mut self, cx: &mut Cx<'_>, no: ConvNo) {
        self.rest_rules(no);
        if self.conv(no).state != State::Waiting || self.conv(no).rests_until().is_some() {
            return;
        }
        let Some((due, rule)) = self.next_rule(no) else { return };
        let holds = rule.when.iter().all(|condition| self.condition_holds(no, condition, cx.now));
        let action = rule.then.clone();
        let Some(stand) = &mut self.conv_mut(no).standing else { return };
        stand.decided += 1;
        let (queue, number, rule) = (stand.queue, stand.number, stand.decided);
        if cx.planted(PlantedBug::RulesIgnored) || !holds || !self.can_be_done(no, &action) {
            self.set_rule_due(no);
            return;
        }
        let domain = self.id;
        let (conversation, queue) = (no.id(domain), queue.id(domain));
        self.emit(cx, EventKind::RuleApplied { conversation, queue, number, rule, action: action.clone() });
        self.carry_out_rule(cx, no, due, action);
    }

    fn condition_holds(&self, no: ConvNo, condition: &Condition, now: LogTime) -> bool {
        let Condition { of, measure, is } = *condition;
        let own = self.conv(no).standing.as_deref().map(|stand| stand.queue);
        let queue = match of {
            Some(of) => QueueNo::of(of, self.id),
            None => own,
        };
        queue
            .filter(|queue| self.queues.get(queue.0).is_some())
            .is_some_and(|queue| is.holds(self.measured(no, queue, measure, now)))
    }

    /// A figure of a queue, for a conversation that waits.
    fn measured(&self, no: ConvNo, queue: QueueNo, measure: Measure, now: LogTime) -> u64 {
        let there = self.queue(queue);
        match measure {
            Measure::SignedOn => u64::from(there.index.0.signed_on),
            Measure::Available => there.index.0.ready.len() as u64,
            Measure::Waiting => {
                let itself = self.conv(no).queues.contains(&queue);
                there.waiting() - u64::from(itself)
            }
            Measure::Position => self.better_than(&self.rank_key(no), &[queue], false) + 1,
            Measure::Open => u64::from(there.is_in_hours()),
            Measure::ServiceLevel => there.policies.service_percent(LEVEL_MINUTES, now).unwrap_or(100),
        }
    }

    /// Whether an action would change something now.
    fn can_be_done(&self, no: ConvNo, action: &Action) -> bool {
        let conversation = self.conv(no);
        let there = |queue: QueueId| QueueNo::of(queue, self.id).filter(|no| self.queues.get(no.0).is_some());
        match action {
            Action::Prioritise(priority) => conversation.priority != *priority,
            Action::AddQueue(queue) => there(*queue).is_some_and(|queue| {
                let present = self.present_queues(&conversation.queues);
                present.len() < QUEUES_PER_CONVERSATION_MAX && !present.contains(&queue)
            }),
            Action::MoveTo(queue) => there(*queue).is_some_and(|queue| {
                let queue = self.queue(queue);
                queue.waiting() < queue.settings.waiting_max
            }),
            // Elsewhere nobody would know that the customer hung up, and what was promised is kept.
            Action::SendTo(_) | Action::ToInbox | Action::Close { .. } if conversation.calling.is_some() => {
                false
            }
            Action::CallBack => self.callback.is_some() && conversation.calling.is_none(),
            Action::SendTo(touchpoint) => {
                conversation.hops < HOPS_MAX && self.crossings.check_room(touchpoint.domain).is_ok()
            }
            Action::ToInbox | Action::Close { .. } => true,
        }
    }

    fn carry_out_rule(&mut self, cx: &mut Cx<'_>, no: ConvNo, due: LogTime, action: Action) {
        match action {
            Action::Prioritise(priority) => {
                self.leave_lines(no);
                self.conv_mut(no).priority = priority;
                self.enter_lines(no);
                let conversation = no.id(self.id);
                self.emit(cx, EventKind::Reprioritised { conversation, priority, by: By::System });
                self.set_rule_due(no);
            }
            Action::AddQueue(queue) => {
                self.leave_lines(no);
                let mut queues = self.present_queues(&self.conv(no).queues);
                queues.extend(QueueNo::of(queue, self.id));
                self.conv_mut(no).queues = queues.into();
                self.enter_lines(no);
                self.set_rule_due(no);
            }
            Action::MoveTo(queue) => {
                let queue = QueueNo::of(queue, self.id).expect("just looked at");
                self.move_by_rule(cx, no, due, queue);
            }
            Action::ToInbox => {
                self.count_overflow(no, cx.now);
                self.leave_lines(no);
                self.stop_step(no);
                self.conv_mut(no).place = PlaceKind::Inbox;
                self.enter_place(cx, no, Requeued::Overflow);
            }
            Action::SendTo(touchpoint) => self.send_by_rule(cx, no, touchpoint),
            Action::CallBack => {
                let terms = self.callback.expect("just looked at");
                self.call_back(cx, no, terms, String::new(), None);
                self.set_rule_due(no);
            }
            Action::Close { reason } => {
                self.count_overflow(no, cx.now);
                let ending = Ending::Closed { reason, by: By::System };
                self.end(cx, no, ending, String::new(), Revoked::Closed);
            }
        }
    }

    fn move_by_rule(&mut self, cx: &mut Cx<'_>, no: ConvNo, due: LogTime, queue: QueueNo) {
        self.count_overflow(no, cx.now);
        self.leave_lines(no);
        if cx.planted(PlantedBug::AgeLostByRule) {
            self.conv_mut(no).arrived_at = cx.now;
        }
        self.stand_no_more(no);
        self.conv_mut(no).queues = Box::new([queue]);
        // From this rule's deadline, not from now: after an outage all that would have followed does at once.
        self.begin_standing(no, queue, due);
        // The other queue has other people.
        self.seek_anew(no);
        self.enter_place(cx, no, Requeued::Overflow);
    }

    fn send_by_rule(&mut self, cx: &mut Cx<'_>, no: ConvNo, touchpoint: TouchpointId) {
        self.count_overflow(no, cx.now);
        let hop = self.conv(no).hops + 1;
        self.conv_mut(no).hops = hop;
        let (target, fallback) = (TransferTarget::Touchpoint(touchpoint), TransferFallback::LastQueues);
        let conversation = no.id(self.id);
        self.emit(cx, EventKind::TransferStarted { conversation, target, fallback, hop, by: By::System });
        self.depart(cx, no, touchpoint, fallback);
    }

    /// Counts something of the service that a conversation gets where it stands, if that is measured.
    fn count_service(&mut self, no: ConvNo, now: LogTime, count: impl FnOnce(&mut Service, &Stand, Target)) {
        let Some(stand) = self.conv(no).standing.as_deref().copied() else { return };
        let Some(queue) = self.queues.get_mut(stand.queue.0) else { return };
        let target = queue.policies.version(stand.number).and_then(|policy| policy.target);
        if let Some(target) = target {
            Arc::make_mut(&mut queue.policies).count(now, |service| count(service, &stand, target));
        }
    }

    /// A conversation that stood under a policy is an agent's.
    pub(crate) fn count_answer(&mut self, no: ConvNo, now: LogTime) {
        self.count_service(no, now, |service, stand, target| {
            let waited = now.since(stand.since);
            service.answered += 1;
            service.within += u64::from(waited <= target.within);
            service.waited.0 = service.waited.0.saturating_add(waited.0);
        });
    }

    /// The customer left.
    pub(crate) fn count_abandoned(&mut self, no: ConvNo, now: LogTime) {
        self.count_service(no, now, |service, _, _| service.abandoned += 1);
    }

    fn count_overflow(&mut self, no: ConvNo, now: LogTime) {
        self.count_service(no, now, |service, _, _| service.overflowed += 1);
    }
}
