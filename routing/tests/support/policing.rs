//! What queues do with those who wait, drawn: mostly sound, some of it not.

use super::by::by;
use super::draw::Draw;
use crate::model::Dom;
use routing::command::By;
use routing::level;
use routing::policy::{Action, Bound, Condition, Measure, Policy, Rule, Target};
use routing::settings::{QueueSettings, RoutingMode};
use routing::{Command, Priority, QueueId, Span, TouchpointId};

const HOUR: Span = Span::seconds(3_600);
/// Queues of a chain: as many as rules may lead through, and one more, and the one where it begins.
const CHAIN: u64 = 10;

/// Draws of its own, so that the rest of a run is as without it.
pub struct Policing {
    draw: Draw,
    /// Queues have policies from the beginning.
    begins: bool,
    /// Some queues are a chain, through which nobody comes but by rules.
    chained: bool,
    /// A queue that is to go.
    doomed: Option<QueueId>,
    /// How many in a hundred commands are about policies.
    percent: u64,
    /// How many in a hundred of those are not sound.
    unsound_percent: u64,
    /// Draws of whether queues are open, and whether there is a level for it.
    opening: Draw,
    open: bool,
    /// The same of callbacks.
    calling: Draw,
    calls: bool,
}

/// What policies may name.
struct Around<'a> {
    /// Whose policy it is.
    own: QueueId,
    /// All queues of the domain.
    queues: &'a [QueueId],
    /// Touchpoints of other domains.
    far: &'a [TouchpointId],
}

impl Around<'_> {
    /// Rules lead to queues that are younger alone, so that none leads back.
    fn younger(&self) -> Vec<QueueId> {
        self.queues.iter().copied().filter(|queue| *queue > self.own).collect()
    }

    fn others(&self) -> Vec<QueueId> {
        self.queues.iter().copied().filter(|queue| *queue != self.own).collect()
    }
}

impl Policing {
    pub fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed ^ 0x0b01_1c1e);
        let (begins, chained) = (draw.chance(50), draw.chance(15));
        let (percent, unsound_percent) = (draw.among([2, 4, 8]), draw.among([8, 20]));
        let (opening, calling) = (Draw::new(seed ^ 0x0be9), Draw::new(seed ^ 0x0ca11));
        Self {
            draw,
            begins,
            chained,
            doomed: None,
            percent,
            unsound_percent,
            opening,
            open: false,
            calling,
            calls: false,
        }
    }

    /// What a domain begins with, where the shard is at this level then.
    pub fn begin(&mut self, at_level: u32, queues: &[QueueId], far: &[TouchpointId]) -> Vec<Command> {
        if at_level < level::POLICIES {
            return Vec::new();
        }
        self.open = at_level >= level::HOURS;
        self.calls = at_level >= level::CALLBACK;
        let mut all = Vec::new();
        let with_policies = if self.begins { queues } else { &[] };
        for own in with_policies.iter().copied() {
            let policy = self.sound(&Around { own, queues, far });
            all.push(Command::SetPolicy { queue: own, policy, by: By::System });
        }
        if let Some(last) = queues.last().filter(|_| self.chained) {
            all.extend(chain(*last));
        }
        all
    }

    /// Whether what domains owe one another is seen to now: rules send more than people do.
    pub fn hurries(&mut self) -> bool {
        self.begins && self.draw.chance(15)
    }

    /// A command about policies, if it is time for one.
    pub fn command(&mut self, dom: &Dom, touchpoints: &[TouchpointId]) -> Option<Command> {
        if self.doomed.is_some_and(|queue| queue.domain == dom.id) && self.draw.chance(50) {
            return self.doom(dom);
        }
        if !self.draw.chance(self.percent) {
            return None;
        }
        self.open = dom.level >= level::HOURS;
        self.calls = dom.level >= level::CALLBACK;
        let queues: Vec<_> = dom.queues.keys().copied().collect();
        let far: Vec<_> = touchpoints.iter().copied().filter(|there| there.domain != dom.id).collect();
        if self.draw.chance(10) {
            self.doomed = self.find_doomed(dom);
        }
        let queue = self.draw.one(&queues)?;
        let around = Around { own: queue, queues: &queues, far: &far };
        let by = by(&mut self.draw, dom);
        let mut policy = match self.draw.number(1, 100) {
            1..=6 => dom.policy_view(queue).policy,
            7..=14 => Policy::default(),
            _ => self.sound(&around),
        };
        if self.draw.chance(self.unsound_percent) {
            self.spoil(&mut policy, &around);
        }
        let odd = QueueId::new(queue.domain, 9_999);
        Some(Command::SetPolicy { queue: if self.draw.chance(1) { odd } else { queue }, policy, by })
    }

    /// The next thing to do so that the doomed queue can go, and its going: what names it names another one.
    fn doom(&mut self, dom: &Dom) -> Option<Command> {
        let doomed = self.doomed.filter(|queue| dom.queues.contains_key(queue))?;
        if let Some((queue, policy)) = naming_policy(dom, doomed) {
            let rules = policy.rules.into_iter().filter(|rule| !names(rule, doomed)).collect();
            let policy = Policy { rules, ..policy };
            return Some(Command::SetPolicy { queue, policy, by: By::System });
        }
        if let Some((touchpoint, settings)) =
            dom.touchpoints.iter().find(|(_, it)| leads_to(&it.mode, doomed))
        {
            let others: Vec<_> = dom.queues.keys().copied().filter(|queue| *queue != doomed).collect();
            let mut settings = settings.clone();
            lead_elsewhere(&mut settings.mode, doomed, self.draw.one(&others)?);
            return Some(Command::UpdateTouchpoint { touchpoint: *touchpoint, settings });
        }
        self.doomed = None;
        Some(Command::DeleteQueue { queue: doomed })
    }

    /// A queue under whose policy somebody stands, if there is one.
    fn find_doomed(&mut self, dom: &Dom) -> Option<QueueId> {
        let standing = dom.convs.values().filter_map(|c| c.standing);
        let queues: Vec<_> = standing.map(|standing| standing.queue).collect();
        self.draw.one(&queues).filter(|_| dom.queues.len() > 3)
    }

    // ----- what is sound -----

    fn sound(&mut self, around: &Around<'_>) -> Policy {
        let count = self.draw.number(0, 4);
        let mut rules: Vec<Rule> = Vec::new();
        let mut after = Span::ZERO;
        for _ in 0..count {
            if self.draw.chance(70) {
                after = Span(after.0 + Span::millis(self.draw.number(1, 5_000)).0);
            }
            let rule = self.rule(after, around);
            let ends = rule.when.is_empty() && !rule.then.goes_on();
            rules.push(rule);
            if ends {
                break;
            }
        }
        let target = self.draw.chance(80).then(|| self.target());
        Policy { rules, target }
    }

    fn target(&mut self) -> Target {
        Target { within: Span::seconds(self.draw.number(1, 9)), percent: self.draw.small(1, 100) }
    }

    fn rule(&mut self, after: Span, around: &Around<'_>) -> Rule {
        let then = self.action(around);
        // Not everything is swept away on its way in.
        let at_once = after == Span::ZERO && !then.goes_on();
        let least = usize::from(at_once || (!then.goes_on() && self.draw.chance(60)));
        let most = self.draw.among([1, 1, 2, 4]);
        let when = if least > 0 || self.draw.chance(50) {
            (0..most).map(|_| self.condition(around)).collect()
        } else {
            Vec::new()
        };
        Rule { after, when, then }
    }

    fn action(&mut self, around: &Around<'_>) -> Action {
        let priority = Action::Prioritise(Priority(self.draw.small(0, 5)));
        let younger = self.draw.one(&around.younger());
        let other = self.draw.one(&around.others());
        let far = self.draw.one(around.far);
        let drawn = match self.draw.number(1, 100) {
            1..=25 => younger.map(Action::MoveTo),
            26..=45 => other.map(Action::AddQueue),
            46..=60 => far.map(Action::SendTo),
            61..=73 => Some(Action::ToInbox),
            74..=81 => Some(Action::Close { reason: "too long".to_owned() }),
            _ => None,
        };
        if self.calls && self.calling.chance(12) {
            return Action::CallBack;
        }
        drawn.unwrap_or(priority)
    }

    fn condition(&mut self, around: &Around<'_>) -> Condition {
        let draw = &mut self.draw;
        let of = draw.one(around.queues).filter(|_| draw.chance(35));
        let measure = draw.among([
            Measure::SignedOn,
            Measure::Available,
            Measure::Waiting,
            Measure::Position,
            Measure::ServiceLevel,
        ]);
        let figure = match measure {
            Measure::ServiceLevel => u32::from(draw.small(1, 100)),
            _ => u32::from(draw.small(1, 4)),
        };
        let is = if draw.chance(50) { Bound::AtLeast(figure) } else { Bound::Below(figure) };
        if self.open && self.opening.chance(20) {
            let is = if self.opening.chance(30) { Bound::AtLeast(1) } else { Bound::Below(1) };
            return Condition { of, measure: Measure::Open, is };
        }
        Condition { of, measure, is }
    }

    // ----- what is not -----

    fn spoil(&mut self, policy: &mut Policy, around: &Around<'_>) {
        match self.draw.number(1, 4) {
            1 => self.spoil_target(policy),
            2 => self.spoil_rules(policy, around),
            kind => {
                let mut rule = self.rule(HOUR, around);
                if kind == 3 {
                    let condition = self.bad_condition(around);
                    rule.when.push(condition);
                } else {
                    rule.then = self.bad_action(around);
                }
                policy.rules.push(rule);
            }
        }
    }

    fn spoil_target(&mut self, policy: &mut Policy) {
        let mut target = self.target();
        if self.draw.chance(50) {
            target.within = self.draw.among([Span::ZERO, Span::millis(999), Span(24 * HOUR.0 + 1)]);
        } else {
            target.percent = self.draw.among([0, 101]);
        }
        policy.target = Some(target);
    }

    fn spoil_rules(&mut self, policy: &mut Policy, around: &Around<'_>) {
        let idle = |after| Rule { after, when: Vec::new(), then: Action::Prioritise(Priority(1)) };
        match self.draw.number(1, 5) {
            1 => policy.rules.extend((0..17).map(|_| idle(HOUR))),
            2 => policy.rules.push(idle(Span(24 * HOUR.0 + 1))),
            3 => policy.rules.extend([idle(HOUR), idle(Span::ZERO)]),
            4 => {
                let last = Rule { then: Action::ToInbox, ..idle(HOUR) };
                policy.rules.extend([last, idle(HOUR)]);
            }
            _ => {
                let when = (0..5).map(|_| self.condition(around)).collect();
                policy.rules.push(Rule { when, ..idle(HOUR) });
            }
        }
    }

    fn bad_condition(&mut self, around: &Around<'_>) -> Condition {
        let (of, measure) = (None, Measure::Waiting);
        let level = Measure::ServiceLevel;
        if self.open && self.opening.chance(20) {
            return Condition { of, measure: Measure::Open, is: Bound::AtLeast(2) };
        }
        match self.draw.number(1, 5) {
            1 => Condition { of, measure, is: Bound::Below(0) },
            2 => Condition { of, measure, is: Bound::AtLeast(0) },
            3 => Condition { of, measure: level, is: Bound::AtLeast(101) },
            4 => Condition { of, measure: level, is: Bound::Below(101) },
            _ => Condition { of: Some(nowhere(around)), measure, is: Bound::Below(self.draw.among([0, 1])) },
        }
    }

    /// Some of these are sound by themselves: moves to an older queue may be, or may lead around.
    fn bad_action(&mut self, around: &Around<'_>) -> Action {
        let reason = |length: usize| Action::Close { reason: "x".repeat(length) };
        match self.draw.number(1, 10) {
            1 => Action::AddQueue(around.own),
            2 => Action::MoveTo(around.own),
            3 => Action::AddQueue(nowhere(around)),
            4 => Action::MoveTo(nowhere(around)),
            5 => Action::SendTo(TouchpointId::new(around.own.domain, 1)),
            6 => reason(self.draw.among([0, 257])),
            7 => reason(256),
            _ => Action::MoveTo(self.draw.one(around.queues).expect("its own")),
        }
    }
}

fn nowhere(around: &Around<'_>) -> QueueId {
    QueueId::new(around.own.domain, 9_999)
}

fn names(rule: &Rule, queue: QueueId) -> bool {
    let acts = matches!(rule.then, Action::AddQueue(q) | Action::MoveTo(q) if q == queue);
    acts || rule.when.iter().any(|condition| condition.of == Some(queue))
}

/// Another queue whose present policy names this one.
fn naming_policy(dom: &Dom, queue: QueueId) -> Option<(QueueId, Policy)> {
    let others = dom.queues.keys().filter(|other| **other != queue);
    let mut policies = others.map(|other| (*other, dom.policy_view(*other).policy));
    policies.find(|(_, policy)| policy.rules.iter().any(|rule| names(rule, queue)))
}

fn leads_to(mode: &RoutingMode, queue: QueueId) -> bool {
    match mode {
        RoutingMode::Simplified { queues } => queues.contains(&queue),
        RoutingMode::Dedicated { fallback, .. } => fallback.is_some_and(|(q, _)| q == queue),
        RoutingMode::ToQueue(step) => step.queues.contains(&queue),
    }
}

/// Without this queue, to that one if it would lead nowhere else.
fn lead_elsewhere(mode: &mut RoutingMode, queue: QueueId, other: QueueId) {
    let instead = |queues: &mut Vec<QueueId>| {
        queues.retain(|q| *q != queue);
        if queues.is_empty() {
            queues.push(other);
        }
    };
    match mode {
        RoutingMode::Simplified { queues } => instead(queues),
        RoutingMode::Dedicated { fallback, .. } => *fallback = fallback.map(|(_, span)| (other, span)),
        RoutingMode::ToQueue(step) => instead(&mut step.queues),
    }
}

/// Queues of which each moves what waits to the next, soon or at once, from this one on; their policies are
/// set from the end. The move out of this one is one too many, and refused.
fn chain(from: QueueId) -> Vec<Command> {
    let domain = from.domain;
    let settings = QueueSettings { name: "chain".to_owned(), waiting_max: 50, ..QueueSettings::default() };
    let mut all: Vec<_> = (1..CHAIN).map(|_| Command::CreateQueue { settings: settings.clone() }).collect();
    for number in (from.number..from.number + CHAIN - 1).rev() {
        let then = Action::MoveTo(QueueId::new(domain, number + 1));
        let rules = vec![Rule { after: Span::seconds(number / 6), when: Vec::new(), then }];
        let policy = Policy { rules, target: None };
        all.push(Command::SetPolicy { queue: QueueId::new(domain, number), policy, by: By::System });
    }
    all
}
