//! `SetPolicy`: what a queue does with those who wait too long, and what its service is measured by.

use super::checks::{Answered, done, invalid, supervisors_only, text};
use crate::command::By;
use crate::domain::{Cx, Domain, QueueNo};
use crate::event::{EventKind, Subject};
use crate::outcome::DoneWhat;
use crate::policy::limits::{
    AFTER_MAX, CONDITIONS_MAX, MOVES_MAX, REASON_BYTES_MAX, RULES_MAX, VERSIONS_MAX, WITHIN_MAX, WITHIN_MIN,
};
use crate::policy::{Action, Bound, Condition, Measure, Policy, Rule, Target};
use crate::{QueueId, Rejected};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn set(domain: &mut Domain, cx: &mut Cx<'_>, id: QueueId, policy: &Policy, by: &By) -> Answered {
    domain.caller(by)?;
    let no = domain.named_queue(id)?;
    check(domain, id, policy)?;
    supervisors_only(by)?;
    let policies = &domain.queue(no).policies;
    if policies.present().map_or(policy.is_empty(), |present| present == policy) {
        return done(DoneWhat::Ok, Subject::Queue(id));
    }
    check_moves(domain, no, policy)?;
    let number = policies.number();
    let queue = domain.queue(no);
    if queue.index.0.standing.len() >= VERSIONS_MAX {
        return Err(Rejected::Full {
            what: "older versions of the policy that conversations stand under".to_owned(),
            limit: VERSIONS_MAX as u64,
            remedy: "change it when some of those do not wait any more, or transfer them".to_owned(),
        });
    }
    let stands = queue.index.0.standing.contains_key(&number);
    let queue = domain.queue_mut(no);
    let policies = Arc::make_mut(&mut queue.policies);
    policies.push(policy.clone());
    if !stands {
        policies.forget(number);
    }
    let number = queue.policies.number();
    domain.emit(cx, EventKind::PolicyChanged { queue: id, number, policy: policy.clone(), by: by.clone() });
    done(DoneWhat::Ok, Subject::Queue(id))
}

/// Refuses unknown names, values out of range, and rules that can never be reached.
fn check(domain: &Domain, own: QueueId, policy: &Policy) -> Result<(), Rejected> {
    let rules = &policy.rules;
    if rules.len() > RULES_MAX {
        return invalid("policy.rules", format!("{} rules, at most {RULES_MAX} are kept", rules.len()));
    }
    for (place, rule) in rules.iter().enumerate() {
        let field = |name: &str| format!("policy.rules[{place}].{name}");
        check_time(rules, place, &field)?;
        if rule.when.len() > CONDITIONS_MAX {
            let found = rule.when.len();
            return invalid(&field("when"), format!("{found} conditions, at most {CONDITIONS_MAX} are kept"));
        }
        for condition in &rule.when {
            check_condition(domain, condition, &field("when"))?;
        }
        check_action(domain, own, &rule.then, &field("then"))?;
    }
    policy.target.map_or(Ok(()), check_target)
}

fn check_time(rules: &[Rule], place: usize, field: &dyn Fn(&str) -> String) -> Result<(), Rejected> {
    let after = rules[place].after;
    if after > AFTER_MAX {
        return invalid(&field("after"), "use at most 24 h");
    }
    let Some(before) = place.checked_sub(1).map(|before| &rules[before]) else { return Ok(()) };
    if after < before.after {
        return invalid(
            &field("after"),
            "earlier than the rule before it: put the rules in the order of their times",
        );
    }
    if before.when.is_empty() && !before.then.goes_on() {
        return invalid(
            &field("after"),
            "never reached: the rule before it has no condition, and nothing follows what it does",
        );
    }
    Ok(())
}

fn check_condition(domain: &Domain, condition: &Condition, field: &str) -> Result<(), Rejected> {
    let Condition { of, measure, is } = *condition;
    if let Some(of) = of {
        domain.named_queue(of)?;
    }
    let percent = measure == Measure::ServiceLevel;
    match is {
        Bound::Below(0) => invalid(field, "nothing is below 0: the rule would never be carried out"),
        Bound::AtLeast(0) => invalid(field, "everything is at least 0: leave the condition out"),
        Bound::AtLeast(bound) | Bound::Below(bound) if measure == Measure::Open && bound > 1 => {
            invalid(field, "a queue is open (1) or not (0): use at least 1, or below 1")
        }
        Bound::AtLeast(bound) | Bound::Below(bound) if percent && bound > 100 => {
            invalid(field, "a service level is a percentage: use 1 to 100")
        }
        Bound::AtLeast(_) | Bound::Below(_) => Ok(()),
    }
}

fn check_action(domain: &Domain, own: QueueId, action: &Action, field: &str) -> Result<(), Rejected> {
    match action {
        Action::AddQueue(queue) | Action::MoveTo(queue) if *queue == own => {
            invalid(field, "it waits in this queue already: name another one")
        }
        Action::AddQueue(queue) | Action::MoveTo(queue) => domain.named_queue(*queue).map(drop),
        Action::SendTo(touchpoint) if touchpoint.domain == domain.id => {
            invalid(field, "a touchpoint of this domain: name a queue of it instead")
        }
        Action::Close { reason } if reason.is_empty() => {
            invalid(field, "without a reason: say why it is closed")
        }
        Action::Close { reason } => text(field, reason, REASON_BYTES_MAX),
        Action::Prioritise(_) | Action::ToInbox | Action::SendTo(_) | Action::CallBack => Ok(()),
    }
}

fn check_target(target: Target) -> Result<(), Rejected> {
    let Target { within, percent } = target;
    if !(WITHIN_MIN..=WITHIN_MAX).contains(&within) {
        return invalid("policy.target.within", "use 1 s to 24 h");
    }
    if percent == 0 || percent > 100 {
        return invalid("policy.target.percent", format!("{percent}, use 1 to 100"));
    }
    Ok(())
}

/// Refuses a policy by which rules could move a conversation round, or through too many queues.
fn check_moves(domain: &Domain, own: QueueNo, policy: &Policy) -> Result<(), Rejected> {
    let moves = Moves { domain, own, policy };
    if let Some(way) = moves.way_back() {
        let way: Vec<String> = way.iter().map(|no| no.id(domain.id).to_string()).collect();
        let way = way.join(" to ");
        return invalid("policy.rules", format!("it moves round, {way}: use add_queue, or end the way"));
    }
    let mut longest = BTreeMap::new();
    for queue in domain.queues.iter() {
        let length = moves.longest(queue.no, &mut longest);
        if length > MOVES_MAX {
            let from = queue.no.id(domain.id);
            return invalid(
                "policy.rules",
                format!("{length} moves one after the other from {from}, at most {MOVES_MAX} are allowed"),
            );
        }
    }
    Ok(())
}

/// Where rules move what waits, by the present policies and a new one.
struct Moves<'a> {
    domain: &'a Domain,
    own: QueueNo,
    policy: &'a Policy,
}

impl Moves<'_> {
    fn from(&self, queue: QueueNo) -> impl Iterator<Item = QueueNo> {
        let policy = if queue == self.own {
            Some(self.policy)
        } else {
            self.domain.queues.get(queue.0).and_then(|queue| queue.policies.present())
        };
        let domain = self.domain.id;
        policy.into_iter().flat_map(|policy| &policy.rules).filter_map(move |rule| match rule.then {
            Action::MoveTo(to) => QueueNo::of(to, domain),
            _ => None,
        })
    }

    /// The shortest way from the queue with the new policy back to it.
    fn way_back(&self) -> Option<Vec<QueueNo>> {
        let mut came_from: BTreeMap<QueueNo, QueueNo> = BTreeMap::new();
        let mut ahead = std::collections::VecDeque::from([self.own]);
        while let Some(queue) = ahead.pop_front() {
            for to in self.from(queue) {
                if to == self.own {
                    let mut way = vec![to, queue];
                    let mut at = queue;
                    while at != self.own {
                        at = came_from[&at];
                        way.push(at);
                    }
                    way.reverse();
                    return Some(way);
                }
                came_from.entry(to).or_insert_with(|| {
                    ahead.push_back(to);
                    queue
                });
            }
        }
        None
    }

    /// The longest chain of moves from a queue. No way leads back: the policies in force have none, nor
    /// has the new one; and those in force have no longer chain than is allowed, so this goes at most
    /// twice as deep.
    fn longest(&self, queue: QueueNo, known: &mut BTreeMap<QueueNo, usize>) -> usize {
        if let Some(length) = known.get(&queue) {
            return *length;
        }
        let next: Vec<QueueNo> = self.from(queue).collect();
        let length = next.into_iter().map(|to| 1 + self.longest(to, known)).max().unwrap_or(0);
        known.insert(queue, length);
        length
    }
}

impl Domain {
    /// Another queue whose present policy names this one.
    pub(super) fn policy_that_names(&self, no: QueueNo) -> Option<QueueNo> {
        let id = no.id(self.id);
        let names = |rule: &Rule| {
            let acts = matches!(&rule.then, Action::AddQueue(queue) | Action::MoveTo(queue) if *queue == id);
            acts || rule.when.iter().any(|condition| condition.of == Some(id))
        };
        let others = self.queues.iter().filter(|queue| queue.no != no);
        let mut others = others
            .filter(|queue| queue.policies.present().is_some_and(|policy| policy.rules.iter().any(names)));
        others.next().map(|queue| queue.no)
    }
}
