//! A workload from a trace: what the log knows as it is, what it cannot know from a seed.

use super::{Call, Queue, Workload, span_of, staff};
use crate::stats::{KaplanMeier, Lognormal};
use crate::trace::{Date, LoggedCall, LoggedEnd, Trace};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use routing::{Priority, Span};
use std::collections::BTreeMap;

/// Longest contact that is drawn; a lognormal tail knows no end of a working day.
const SERVICE_MAX: Span = Span::seconds(4 * 3_600);

/// Makes workloads from a trace. Everything is fitted to the whole trace, whatever day is asked
/// for, so that a day comes out the same alone and among others.
#[derive(Debug, Clone)]
pub struct Imputer<'a> {
    trace: &'a Trace,
    credits: Vec<(Priority, Span)>,
    queues: Vec<Queue>,
    queue_of: BTreeMap<String, u32>,
    service: Vec<Option<Lognormal>>,
    service_all: Option<Lognormal>,
    patience: KaplanMeier,
    turnaround: Span,
}

impl<'a> Imputer<'a> {
    /// Fits. `credits` is the waiting credit by priority.
    #[must_use]
    pub fn new(trace: &'a Trace, credits: Vec<(Priority, Span)>) -> Self {
        let mut served: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for call in &trace.calls {
            let of_kind = served.entry(&call.kind).or_default();
            if let LoggedEnd::Agent { service, .. } = call.end {
                of_kind.push(service.as_seconds_f64());
            }
        }
        let turnaround = staff::turnaround(trace);
        let queue = |name: &&str| Queue { wrap_up: turnaround, ..Queue::named(*name) };
        let patience =
            trace.calls.iter().map(|call| (call.queue.as_seconds_f64(), call.end == LoggedEnd::Hang));
        Self {
            trace,
            credits,
            queues: served.keys().map(queue).collect(),
            queue_of: served.keys().zip(0..).map(|(name, index)| ((*name).to_owned(), index)).collect(),
            service: served.values().map(|times| Lognormal::fit(times.iter().copied())).collect(),
            service_all: Lognormal::fit(served.values().flatten().copied()),
            patience: KaplanMeier::fit(patience),
            turnaround,
        }
    }

    /// The workload of one day. The same seed makes the same day.
    #[must_use]
    pub fn day(&self, date: Date, seed: u64) -> Workload {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(date.number());
        let calls: Vec<Call> = self.trace.day(date).map(|call| self.call(call, &mut rng)).collect();
        let agents = staff::of_day(self.trace, date, &self.queue_of);
        let last_shift = agents.iter().flat_map(|agent| &agent.shifts).map(|shift| shift.to).max();
        Workload {
            name: date.to_string(),
            queues: self.queues.clone(),
            credits: self.credits.clone(),
            calls,
            agents,
            length: last_shift.unwrap_or_default().max(Span::seconds(86_400)),
            notes: self.notes(),
        }
    }

    fn call(&self, call: &LoggedCall, rng: &mut ChaCha8Rng) -> Call {
        let queue = self.queue_of[&call.kind];
        let (patience, service) = match &call.end {
            LoggedEnd::Agent { service, .. } => {
                let waited = call.queue.as_seconds_f64();
                (self.patience.draw_beyond(waited, rng).map(span_of), *service)
            }
            LoggedEnd::Hang => {
                let fitted = self.service[queue as usize].or(self.service_all);
                let drawn = fitted.map_or(Span::ZERO, |fit| span_of(fit.draw(rng)));
                (Some(call.queue), drawn.min(SERVICE_MAX))
            }
        };
        Call { at: call.arrival, queue, priority: Priority(call.priority), patience, service, answer: None }
    }

    fn notes(&self) -> Vec<String> {
        vec![
            "Types are queues. Arrivals, types, priorities, contact times of the served and patience of those who \
             hung up are the log's."
                .to_owned(),
            "Imputed from the seed: contact times of callers who hung up (lognormal, fitted per type to the served, \
             at most 4 h); patience of the served (Kaplan-Meier of the whole log, given that it exceeds what they \
             waited; beyond its last hang-up an exponential tail with the log's hang-ups per second waited)."
                .to_owned(),
            "A patience of 0 leaves if not answered in the instant of arrival.".to_owned(),
            "Staff: queues are the types an agent took that day; shifts run from first to last contact, without gaps \
             over 30 min and gaps in which callers of those types waited for more than 20 s."
                .to_owned(),
            format!(
                "After each contact an agent needs {:.0} s (wrap-up): the log's median between contacts when the \
                 next caller was waiting already.",
                self.turnaround.as_seconds_f64()
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::read_from;

    const TRACE: &str = "date,arrival_s,type,priority,queue_s,outcome,service_s,agent
1999-02-01,0,PS,0,0,AGENT,100,A1
1999-02-01,90,PS,2,16,AGENT,50,A1
1999-02-01,95,NW,0,30,HANG,0,
1999-02-01,99,NW,0,0,HANG,0,
1999-02-01,200,NW,0,0,AGENT,60,A2
1999-02-02,10,PS,0,0,AGENT,5,A1
1999-02-02,20,NW,0,40,AGENT,600,A1
1999-02-02,30,PS,0,90,HANG,0,
1999-02-02,30,PS,0,60,HANG,0,
1999-02-02,30,PS,0,45,HANG,0,
1999-02-02,30,PS,0,20,HANG,0,
";

    fn day(seed: u64) -> Workload {
        let trace = read_from("t.csv", TRACE.as_bytes()).unwrap();
        let date = trace.dates()[0];
        Imputer::new(&trace, vec![(Priority(2), Span::seconds(90))]).day(date, seed)
    }

    #[test]
    fn the_log_is_kept_and_the_rest_comes_from_the_seed() {
        let day1 = day(1);
        assert_eq!(day1, day(1));
        assert_ne!(day1.calls, day(2).calls);
        assert_eq!(day1.queues.iter().map(|queue| &queue.name[..]).collect::<Vec<_>>(), ["NW", "PS"]);
        assert_eq!(day1.queues[0].wrap_up, Span::seconds(6));
        let s = Span::seconds;
        assert_eq!(day1.calls[0].service, s(100));
        assert_eq!(day1.calls[1].priority, Priority(2));
        assert!(day1.calls[1].patience.unwrap() > s(16));
        assert_eq!(day1.calls[2].patience, Some(s(30)));
        assert!(day1.calls[2].service > Span::ZERO);
        assert_eq!(day1.calls[3].patience, Some(Span::ZERO));
        assert_eq!(day1.agents.len(), 2);
        assert_eq!((day1.agents[0].shifts[0].from, day1.agents[0].shifts[0].to), (s(0), s(156)));
        assert_eq!(day1.agents[1].queues, [0]);
    }
}
