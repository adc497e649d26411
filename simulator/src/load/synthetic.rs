//! A plain workload made of numbers: so many agents, so many calls a second.

use crate::workload::{Agent, Call, Queue, Shift, Workload, span_of};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};
use routing::{Priority, Span};

/// Parameters. All times are log time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Synthetic {
    /// Agents, at least 1.
    pub agents: u32,
    /// Queues, at least 1; each agent belongs to two of them where there are two.
    pub queues: u32,
    /// Calls a second, above 0.
    pub rate_per_s: f64,
    /// For how long calls arrive.
    pub duration: Span,
    /// Share of the agents' time that calls take, 0 to 1.
    pub occupancy: f64,
    /// Mean patience.
    pub patience: Span,
}

impl Synthetic {
    /// The workload. The same seed makes the same calls.
    #[must_use]
    pub fn workload(&self, seed: u64) -> Workload {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (agents, queues) = (self.agents.max(1), self.queues.max(1));
        let service_s = self.occupancy * f64::from(agents) / self.rate_per_s;
        let end_s = self.duration.as_seconds_f64();
        let mut calls = Vec::new();
        let mut now_s = 0.0;
        loop {
            let gap: f64 = Exp1.sample(&mut rng);
            now_s += gap / self.rate_per_s;
            if now_s >= end_s {
                break;
            }
            let (service, patience): (f64, f64) = (Exp1.sample(&mut rng), Exp1.sample(&mut rng));
            calls.push(Call {
                at: span_of(now_s),
                queue: rng.random_range(0..queues),
                priority: Priority(0),
                patience: Some(span_of(patience * self.patience.as_seconds_f64())),
                service: span_of(service * service_s),
                answer: None,
            });
        }
        // Time for those who came last.
        let length = Span(self.duration.0 + span_of(3.0 * service_s).0.min(self.duration.0));
        let agent = |number: u32| {
            let mut of = vec![number % queues, (number + 1) % queues];
            of.sort_unstable();
            of.dedup();
            let shifts = vec![Shift { from: Span::ZERO, to: length }];
            Agent { name: format!("agent {number}"), queues: of, shifts, skills: Vec::new() }
        };
        Workload {
            name: format!("{agents} agents, {} calls/s for {end_s} s", self.rate_per_s),
            queues: (0..queues).map(|n| Queue::named(format!("queue {n}"))).collect(),
            credits: Vec::new(),
            calls,
            agents: (0..agents).map(agent).collect(),
            length,
            notes: vec![format!(
                "Poisson arrivals, exponential contacts of {service_s:.2} s and exponential patience of {} s, all in log \
                 time.",
                self.patience.as_seconds_f64()
            )],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_asked_for() {
        let synthetic = Synthetic {
            agents: 100,
            queues: 3,
            rate_per_s: 50.0,
            duration: Span::seconds(100),
            occupancy: 0.8,
            patience: Span::seconds(30),
        };
        let workload = synthetic.workload(7);
        assert_eq!(workload, synthetic.workload(7));
        assert!(workload.calls.len().abs_diff(5_000) < 300, "{}", workload.calls.len());
        let work: f64 = workload.calls.iter().map(|call| call.service.as_seconds_f64()).sum();
        assert!((work / 100.0 / 100.0 - 0.8).abs() < 0.08, "{work}");
        assert!(workload.calls.is_sorted_by_key(|call| call.at));
        assert!(workload.length >= Span::seconds(100));
    }
}
