//! Policies of queues, what stands under them, and their service: "Policies" of the rules.

use super::Did;
use super::state::{Conv, Dom, Line, invalid, not_allowed, unknown};
use routing::command::{By, TransferFallback, TransferTarget};
use routing::event::{Ending, Place, Requeued, Revoked, Subject};
use routing::outcome::DoneWhat;
use routing::policy::{
    Action, Bound, Condition, Measure, Minute, Policy, PolicyView, Rule, Service, Standing, Target,
};
use routing::settings::limits;
use routing::view::{Lease, Stage};
use routing::{ConversationId, EventKind, LogTime, Priority, QueueId, Rejected, Span, TouchpointId};
use std::collections::BTreeSet;

const DAY: Span = Span::seconds(86_400);

fn whole_minutes(time: LogTime) -> u64 {
    time.0 / 60_000_000
}

/// Whether nothing of a policy follows what was done.
fn is_last(action: &Action) -> bool {
    matches!(action, Action::MoveTo(_) | Action::ToInbox | Action::Close { .. })
}

/// The queues to which a policy's rules move what waits.
fn moves(policy: &Policy) -> impl Iterator<Item = QueueId> {
    policy.rules.iter().filter_map(|rule| match rule.then {
        Action::MoveTo(queue) => Some(queue),
        _ => None,
    })
}

/// Whether a policy names a queue, in a condition or in what it does.
fn names(policy: &Policy, queue: QueueId) -> bool {
    policy.rules.iter().any(|rule| {
        let acts = matches!(rule.then, Action::AddQueue(q) | Action::MoveTo(q) if q == queue);
        acts || rule.when.iter().any(|condition| condition.of == Some(queue))
    })
}

fn check_bound(condition: Condition) -> Result<(), Rejected> {
    let (Bound::AtLeast(figure) | Bound::Below(figure)) = condition.is;
    let most = match condition.measure {
        Measure::ServiceLevel => 100,
        Measure::Open => 1,
        _ => u32::MAX,
    };
    if figure == 0 || figure > most { Err(invalid("is")) } else { Ok(()) }
}

fn check_target(target: Option<Target>) -> Result<(), Rejected> {
    let sound = |target: Target| {
        (Span::seconds(1)..=DAY).contains(&target.within) && (1..=100).contains(&target.percent)
    };
    if target.is_none_or(sound) { Ok(()) } else { Err(invalid("target")) }
}

impl Line {
    /// What counts for those who begin to wait; empty where there never was any.
    fn policy(&self) -> Policy {
        self.policies.last().cloned().unwrap_or_default()
    }

    /// A version, by its number.
    fn version(&self, number: u32) -> &Policy {
        &self.policies[number as usize - 1]
    }

    fn percent_in_time(&self, now: LogTime) -> u64 {
        let lately = self.minutes.iter().filter(|minute| minute.minute + 15 > whole_minutes(now));
        let (mut within, mut measured) = (0, 0);
        for minute in lately {
            within += minute.service.within;
            measured += minute.service.answered + minute.service.abandoned;
        }
        (100 * within).checked_div(measured).unwrap_or(100)
    }
}

impl Conv {
    /// When the next rule is due.
    pub fn rule_due_at(&self) -> Option<LogTime> {
        self.standing.and_then(|standing| standing.due)
    }

    pub fn waits_for_an_offer_in(&self, queue: QueueId) -> bool {
        !self.rests()
            && matches!(&self.stage, Stage::Waiting(Place::Queues(queues)) if queues.contains(&queue))
    }

    fn waits_in_the_inbox_of(&self, queue: QueueId) -> bool {
        matches!(&self.stage, Stage::Waiting(Place::Inbox(queues)) if queues.contains(&queue))
    }
}

impl Dom {
    pub fn set_policy(&mut self, queue: QueueId, policy: Policy, by: By) -> Did {
        if let By::Agent(desk) = &by {
            self.check_desk(*desk)?;
        }
        let Some(line) = self.queues.get(&queue) else { return Err(unknown("queue", queue)) };
        self.check_policy(queue, &policy)?;
        if !matches!(by, By::Supervisor(_) | By::System) {
            return Err(not_allowed());
        }
        if policy == line.policy() {
            return Ok((DoneWhat::Ok, Subject::Queue(queue)));
        }
        self.check_moves(queue, &policy)?;
        if self.numbers_in_use(queue).len() >= 16 {
            return Err(Rejected::Full { what: String::new(), limit: 0, remedy: String::new() });
        }
        let line = self.queues.get_mut(&queue).expect("known");
        line.policies.push(policy.clone());
        let number = u32::try_from(line.policies.len()).expect("few");
        self.emit(EventKind::PolicyChanged { queue, number, policy, by });
        Ok((DoneWhat::Ok, Subject::Queue(queue)))
    }

    // ----- what is refused -----

    fn check_policy(&self, own: QueueId, policy: &Policy) -> Result<(), Rejected> {
        if policy.rules.len() > 16 {
            return Err(invalid("rules"));
        }
        let mut before: Option<&Rule> = None;
        for rule in &policy.rules {
            self.check_rule(own, rule, before)?;
            before = Some(rule);
        }
        check_target(policy.target)
    }

    fn check_rule(&self, own: QueueId, rule: &Rule, before: Option<&Rule>) -> Result<(), Rejected> {
        if rule.after > DAY || before.is_some_and(|before| rule.after < before.after) {
            return Err(invalid("after"));
        }
        if before.is_some_and(|before| before.when.is_empty() && is_last(&before.then)) {
            return Err(invalid("unreachable"));
        }
        if rule.when.len() > 4 {
            return Err(invalid("when"));
        }
        for condition in &rule.when {
            if let Some(queue) = condition.of {
                self.check_known(queue)?;
            }
            check_bound(*condition)?;
        }
        self.check_action(own, &rule.then)
    }

    fn check_action(&self, own: QueueId, action: &Action) -> Result<(), Rejected> {
        let sound = match action {
            Action::AddQueue(queue) | Action::MoveTo(queue) => {
                self.check_known(*queue)?;
                *queue != own
            }
            Action::SendTo(to) => to.domain != self.id,
            Action::Close { reason } => (1..=256).contains(&reason.len()),
            Action::Prioritise(_) | Action::ToInbox | Action::CallBack => true,
        };
        if sound { Ok(()) } else { Err(invalid("then")) }
    }

    fn check_known(&self, queue: QueueId) -> Result<(), Rejected> {
        if self.queues.contains_key(&queue) { Ok(()) } else { Err(unknown("queue", queue)) }
    }

    /// Goes nine moves from every queue: who can is in a loop, or in a chain that is too long.
    fn check_moves(&self, own: QueueId, policy: &Policy) -> Result<(), Rejected> {
        let mut reached: BTreeSet<_> = self.queues.keys().copied().collect();
        for _ in 0..9 {
            let from_one = |queue: QueueId| {
                let of_it = if queue == own { policy.clone() } else { self.queues[&queue].policy() };
                moves(&of_it).collect::<Vec<_>>()
            };
            reached = reached.into_iter().flat_map(from_one).collect();
        }
        if reached.is_empty() { Ok(()) } else { Err(invalid("move_to")) }
    }

    /// Whether another queue's present policy names this one.
    pub fn is_named_by_a_policy(&self, queue: QueueId) -> bool {
        self.queues.iter().any(|(id, line)| *id != queue && names(&line.policy(), queue))
    }

    // ----- standing -----

    /// The versions of a queue's policy that conversations stand under.
    fn numbers_in_use(&self, queue: QueueId) -> BTreeSet<u32> {
        let standing = self.convs.values().filter_map(|c| c.standing);
        standing.filter(|standing| standing.queue == queue).map(|standing| standing.number).collect()
    }

    /// It came to wait: it goes on as it stands, begins to stand, or stands under nothing here.
    pub fn stand(&mut self, id: ConversationId) {
        let c = &self.convs[&id];
        let Place::Queues(queues) = &c.home else {
            self.c(id).standing = None;
            return;
        };
        if !c.standing.is_some_and(|standing| queues.contains(&standing.queue)) {
            let standing = queues.first().and_then(|first| self.begun(*first, self.now));
            self.c(id).standing = standing;
        }
        self.set_due(id);
    }

    /// How one stands under a queue's present policy since then, if that says anything.
    fn begun(&self, queue: QueueId, since: LogTime) -> Option<Standing> {
        let policies = &self.queues[&queue].policies;
        let number = u32::try_from(policies.len()).expect("few");
        let says_something = policies.last().is_some_and(|policy| *policy != Policy::default());
        says_something.then_some(Standing { queue, number, since, decided: 0, due: None })
    }

    /// What rested waits in line again.
    pub fn rules_go_on(&mut self, id: ConversationId) {
        self.set_due(id);
    }

    /// The next rule is due, where none is and it waits.
    fn set_due(&mut self, id: ConversationId) {
        let c = &self.convs[&id];
        let Some(standing) = c.standing.filter(|standing| standing.due.is_none()) else { return };
        if !matches!(c.stage, Stage::Waiting(_)) {
            return;
        }
        let rules = &self.queues[&standing.queue].version(standing.number).rules;
        let due = rules.get(usize::from(standing.decided)).map(|rule| standing.since + rule.after);
        self.c(id).standing = Some(Standing { due, ..standing });
    }

    /// On its way to another domain it stands, but nothing is due.
    pub fn rest_rules(&mut self, id: ConversationId) {
        if let Some(standing) = &mut self.c(id).standing {
            standing.due = None;
        }
    }

    /// A queue goes, and with it what stands under its policies.
    pub fn end_standing_under(&mut self, queue: QueueId) {
        for c in self.convs.values_mut() {
            c.standing = c.standing.filter(|standing| standing.queue != queue);
        }
    }

    // ----- rules -----

    /// A rule is due. While an offer is live it waits for that.
    pub fn decide(&mut self, id: ConversationId) {
        let standing = self.convs[&id].standing.expect("a rule of a policy");
        let at = standing.due.expect("it is due");
        if !matches!(self.convs[&id].stage, Stage::Waiting(_)) || self.convs[&id].rests() {
            self.c(id).standing = Some(Standing { due: None, ..standing });
            return;
        }
        let rules = &self.queues[&standing.queue].version(standing.number).rules;
        let Rule { when, then, .. } = rules[usize::from(standing.decided)].clone();
        let decided = standing.decided + 1;
        self.c(id).standing = Some(Standing { decided, due: None, ..standing });
        let holds = when.iter().all(|condition| self.holds(id, standing.queue, *condition));
        if holds && self.can_be_done(id, &then) {
            let Standing { queue, number, .. } = standing;
            let action = then.clone();
            self.emit(EventKind::RuleApplied { conversation: id, queue, number, rule: decided, action });
            if is_last(&then) || matches!(then, Action::SendTo(_)) {
                self.count(standing, |service, _| service.overflowed += 1);
            }
            self.act(id, then, at);
        }
        self.set_due(id);
    }

    fn holds(&self, id: ConversationId, own: QueueId, condition: Condition) -> bool {
        let queue = condition.of.unwrap_or(own);
        if !self.queues.contains_key(&queue) {
            return false;
        }
        let figure = self.measure(id, queue, condition.measure);
        match condition.is {
            Bound::AtLeast(least) => figure >= u64::from(least),
            Bound::Below(bound) => figure < u64::from(bound),
        }
    }

    fn measure(&self, id: ConversationId, queue: QueueId, what: Measure) -> u64 {
        let members = self.people.values().filter(|p| p.settings.queues.contains(&queue));
        let c = &self.convs[&id];
        match what {
            Measure::SignedOn => members.filter(|p| p.lease == Lease::Live).count() as u64,
            Measure::Available => members.filter(|p| p.takes_offers()).count() as u64,
            Measure::Waiting => {
                let here = |c: &&Conv| c.waits_for_an_offer_in(queue) || c.waits_in_the_inbox_of(queue);
                self.convs.values().filter(|other| other.id != id).filter(here).count() as u64
            }
            Measure::Position => {
                let in_line = self.convs.values().filter(|other| other.waits_for_an_offer_in(queue));
                1 + in_line.filter(|other| self.rank(other) < self.rank(c)).count() as u64
            }
            Measure::Open => u64::from(self.queues[&queue].is_in_hours()),
            Measure::ServiceLevel => self.queues[&queue].percent_in_time(self.now),
        }
    }

    /// Whether an action can be done and changes something.
    fn can_be_done(&self, id: ConversationId, action: &Action) -> bool {
        let c = &self.convs[&id];
        if c.calling.is_some() && matches!(action, Action::SendTo(_) | Action::ToInbox | Action::Close { .. })
        {
            return false;
        }
        match action {
            Action::CallBack => self.callback.is_some() && c.calling.is_none(),
            Action::Prioritise(priority) => c.priority != *priority,
            Action::AddQueue(queue) => {
                self.queues.contains_key(queue) && !c.queues.contains(queue) && c.queues.len() < 8
            }
            Action::MoveTo(queue) => {
                self.queues.get(queue).is_some_and(|line| self.waiting_in(*queue) < line.settings.waiting_max)
            }
            Action::SendTo(_) => {
                let away = self.convs.values().filter(|c| c.stage == Stage::Transferring).count();
                c.hops < limits::HOPS_MAX && away < 1_000
            }
            Action::ToInbox | Action::Close { .. } => true,
        }
    }

    /// Does what a rule says, which was due at this time.
    fn act(&mut self, id: ConversationId, action: Action, at: LogTime) {
        match action {
            Action::Prioritise(priority) => self.prioritise(id, priority),
            Action::AddQueue(queue) => self.add_queue(id, queue),
            Action::MoveTo(queue) => self.move_to(id, queue, at),
            Action::ToInbox => {
                let queues = self.convs[&id].queues.clone();
                self.wait(id, Place::Inbox(queues), Some(Requeued::Overflow));
            }
            Action::SendTo(to) => self.send_to(id, to),
            Action::CallBack => {
                let terms = self.callback.expect("looked at");
                self.call_back(id, terms, String::new(), None);
            }
            Action::Close { reason } => {
                let ending = Ending::Closed { reason, by: By::System };
                self.end(id, ending, Revoked::Closed, String::new());
            }
        }
    }

    fn prioritise(&mut self, id: ConversationId, priority: Priority) {
        let done = self.reprioritise(id, priority, By::System);
        done.expect("it waits, and the system may");
    }

    fn add_queue(&mut self, id: ConversationId, queue: QueueId) {
        // As where a step widens its place.
        self.end_hold_for(id);
        let c = self.c(id);
        c.queues.push(queue);
        c.home = Place::Queues(c.queues.clone());
        c.stage = Stage::Waiting(c.home.clone());
    }

    fn move_to(&mut self, id: ConversationId, queue: QueueId, at: LogTime) {
        let c = self.c(id);
        c.queues = vec![queue];
        if let Some(wish) = &mut c.wish {
            (wish.step, wish.until) = (0, None);
        }
        self.wait(id, Place::Queues(vec![queue]), Some(Requeued::Overflow));
        // Since the deadline, and under that policy, whatever queues its first step brings back.
        self.c(id).standing = self.begun(queue, at);
    }

    fn send_to(&mut self, id: ConversationId, to: TouchpointId) {
        let fallback = TransferFallback::LastQueues;
        let target = TransferTarget::Touchpoint(to);
        let done = self.transfer(id, target, fallback, By::System, None);
        done.expect("it waits, and the hop was looked at");
    }

    // ----- service -----

    /// Counts something of one that stands, if the version it stands under has a target.
    fn count(&mut self, standing: Standing, what: impl FnOnce(&mut Service, Target)) {
        let running = whole_minutes(self.now);
        let line = self.queues.get_mut(&standing.queue).expect("standing ends with its queue");
        let Some(target) = line.version(standing.number).target else { return };
        line.minutes.retain(|minute| minute.minute + 60 > running);
        if line.minutes.last().is_none_or(|minute| minute.minute != running) {
            line.minutes.push(Minute { minute: running, service: Service::default() });
        }
        what(&mut line.minutes.last_mut().expect("just seen to").service, target);
    }

    /// It gets an owner.
    pub fn stand_no_more_answered(&mut self, id: ConversationId) {
        let Some(standing) = self.c(id).standing.take() else { return };
        let wait = Span(self.now.0 - standing.since.0);
        self.count(standing, |service, target| {
            service.answered += 1;
            service.within += u64::from(wait <= target.within);
            service.waited.0 += wait.0;
        });
    }

    /// It ends.
    pub fn stand_no_more_ended(&mut self, id: ConversationId, ending: &Ending) {
        let Some(standing) = self.c(id).standing.take() else { return };
        if *ending == Ending::Abandoned {
            self.count(standing, |service, _| service.abandoned += 1);
        }
    }

    // ----- what is shown -----

    pub fn policy_view(&self, queue: QueueId) -> PolicyView {
        let line = &self.queues[&queue];
        let number = u32::try_from(line.policies.len()).expect("few");
        let older = self.numbers_in_use(queue).into_iter().filter(|used| *used < number).collect();
        PolicyView { number, policy: line.policy(), older, minutes: line.minutes.clone() }
    }
}
