//! What queues do with those who wait, drawn apart from the rest of a log.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use routing::policy::{Action, Bound, Condition, Measure, Policy, Rule, Target};
use routing::{DomainId, Priority, QueueId, Span, TouchpointId};

/// Touchpoints that every domain has.
const TOUCHPOINTS: u64 = 7;

pub struct Policies {
    rng: ChaCha8Rng,
}

impl Policies {
    pub fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed ^ 0x0b01_1c1e) }
    }

    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_ratio(percent, 100)
    }

    fn one<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        if all.is_empty() { None } else { Some(all[self.rng.random_range(0..all.len())]) }
    }

    /// One of these queues, and another policy for it.
    pub fn change(&mut self, queues: &[QueueId], domains: u32) -> Option<(QueueId, Policy)> {
        let own = self.one(queues)?;
        Some((own, self.policy(own, queues, domains)))
    }

    pub fn policy(&mut self, own: QueueId, queues: &[QueueId], domains: u32) -> Policy {
        let mut rules: Vec<Rule> = Vec::new();
        let mut after = Span::ZERO;
        for _ in 0..self.rng.random_range(0..4) {
            if self.chance(75) {
                after = Span(after.0 + Span::millis(self.rng.random_range(100..4_000)).0);
            }
            let then = self.action(own, queues, domains);
            // Not everything that comes is swept away.
            let sweeps = !matches!(then, Action::Prioritise(_) | Action::AddQueue(_));
            let must = sweeps && after == Span::ZERO || matches!(then, Action::Close { .. });
            let when = if must || self.chance(50) { vec![self.condition(queues)] } else { Vec::new() };
            let ends = when.is_empty() && !then.goes_on();
            rules.push(Rule { after, when, then });
            if ends {
                break;
            }
        }
        let target = self.chance(70).then(|| Target { within: Span::seconds(3), percent: 80 });
        Policy { rules, target }
    }

    /// Rules move to queues that are younger alone, so that none leads back.
    fn action(&mut self, own: QueueId, queues: &[QueueId], domains: u32) -> Action {
        let younger: Vec<_> = queues.iter().copied().filter(|queue| *queue > own).collect();
        let others: Vec<_> = queues.iter().copied().filter(|queue| *queue != own).collect();
        let far: Vec<_> = (1..=domains).map(DomainId).filter(|domain| *domain != own.domain).collect();
        let touchpoint = self.rng.random_range(1..=TOUCHPOINTS);
        let priority = Action::Prioritise(Priority(self.rng.random_range(0..4)));
        let drawn = match self.rng.random_range(0..100) {
            0..25 => self.one(&younger).map(Action::MoveTo),
            25..45 => self.one(&others).map(Action::AddQueue),
            45..55 => self.one(&far).map(|far| Action::SendTo(TouchpointId::new(far, touchpoint))),
            55..65 => Some(Action::ToInbox),
            65..70 => Some(Action::Close { reason: "too long".to_owned() }),
            _ => None,
        };
        drawn.unwrap_or(priority)
    }

    fn condition(&mut self, queues: &[QueueId]) -> Condition {
        const MEASURES: [Measure; 5] = [
            Measure::SignedOn,
            Measure::Available,
            Measure::Waiting,
            Measure::Position,
            Measure::ServiceLevel,
        ];
        let measure = MEASURES[self.rng.random_range(0..MEASURES.len())];
        let most = if measure == Measure::ServiceLevel { 100 } else { 4 };
        let figure = self.rng.random_range(1..=most);
        let of = if self.chance(30) { self.one(queues) } else { None };
        let is = if self.chance(50) { Bound::AtLeast(figure) } else { Bound::Below(figure) };
        Condition { of, measure, is }
    }
}
