//! One textbook queue: Poisson arrivals, exponential contacts, identical agents, and exponential
//! patience or none (M/M/n+M, M/M/n).

use super::{Agent, Call, Queue, Shift, Workload, span_of};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};
use routing::{Priority, Span};

/// Parameters of a textbook queue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Textbook {
    /// Arrivals per second, above 0.
    pub arrivals_per_s: f64,
    /// Mean contact time in seconds, above 0.
    pub service_s: f64,
    /// Agents, at least 1.
    pub agents: u32,
    /// Mean patience in seconds, above 0; `None` waits for ever.
    pub patience_s: Option<f64>,
    /// Hours of arrivals, the warm-up included, above 0.
    pub hours: f64,
}

impl Textbook {
    /// The calls, one after the other, without end. The same seed makes the same calls.
    pub fn calls(self, seed: u64) -> impl Iterator<Item = Call> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut now_s = 0.0;
        let exponential = |mean: f64, rng: &mut ChaCha8Rng| {
            let unit: f64 = Exp1.sample(rng);
            unit * mean
        };
        std::iter::repeat_with(move || {
            now_s += exponential(1.0 / self.arrivals_per_s, &mut rng);
            Call {
                at: span_of(now_s),
                queue: 0,
                priority: Priority(0),
                service: span_of(exponential(self.service_s, &mut rng)),
                answer: None,
                patience: self.patience_s.map(|mean| span_of(exponential(mean, &mut rng))),
            }
        })
    }

    /// Everything but the calls.
    #[must_use]
    pub fn without_calls(self) -> Workload {
        let length = span_of(self.hours * 3_600.0);
        // Beyond the length, for callers who wait then still to be served.
        let shift = Shift { from: Span::ZERO, to: Span(u64::MAX / 4) };
        let agent = |number| Agent {
            name: format!("agent {number}"),
            queues: vec![0],
            shifts: vec![shift],
            skills: Vec::new(),
        };
        let patience = match self.patience_s {
            Some(mean) => format!("exponential patience of {mean} s"),
            None => "callers who never hang up".to_owned(),
        };
        Workload {
            name: format!(
                "{} calls/s of {} s for {} agents, {patience}",
                self.arrivals_per_s, self.service_s, self.agents
            ),
            queues: vec![Queue::named("queue")],
            credits: Vec::new(),
            calls: Vec::new(),
            agents: (1..=self.agents).map(agent).collect(),
            length,
            notes: vec!["Poisson arrivals, exponential contact times.".to_owned()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_those_asked_for() {
        let textbook = Textbook {
            arrivals_per_s: 0.5,
            service_s: 100.0,
            agents: 60,
            patience_s: Some(40.0),
            hours: 1.0,
        };
        let calls: Vec<Call> = textbook.calls(3).take(100_000).collect();
        let mean =
            |f: fn(&Call) -> Span| calls.iter().map(|call| f(call).as_seconds_f64()).sum::<f64>() / 1e5;
        assert!((calls[99_999].at.as_seconds_f64() / 1e5 - 2.0).abs() < 0.03);
        assert!((mean(|call| call.service) - 100.0).abs() < 1.5);
        assert!((mean(|call| call.patience.unwrap()) - 40.0).abs() < 0.6);
        assert!(calls.is_sorted_by_key(|call| call.at));
        assert!(textbook.calls(3).take(9).eq(textbook.calls(3).take(9)));
    }
}
