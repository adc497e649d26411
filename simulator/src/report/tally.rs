//! Adds up what became of calls, in batches from which intervals are made.

use super::{CallEnd, CallRecord, Interval, QueueFigures, Report, Shares};
use crate::stats::{ratio, student_t_quantile};
use crate::workload::Workload;
use hdrhistogram::Histogram;
use routing::Span;
use std::collections::BTreeMap;

/// Sums over the calls of one batch: a stretch of time, a day, or a replication.
#[derive(Debug, Clone)]
pub struct Batch {
    arrivals: u64,
    served: u64,
    abandoned: u64,
    unserved: u64,
    waited: u64,
    delayed: u64,
    within: u64,
    wait_s: f64,
    service_s: f64,
    answer_s: f64,
    busy_s: f64,
    staffed_s: f64,
    /// Milliseconds, to three figures.
    waits: Histogram<u32>,
    /// By index of the workload's queues; those at the end may be missing.
    queues: Vec<Line>,
}

/// Sums over the calls of one queue in one batch.
#[derive(Debug, Clone, Default)]
struct Line {
    arrivals: u64,
    served: u64,
    abandoned: u64,
    waited: u64,
    delayed: u64,
    within: u64,
    wait_s: f64,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            arrivals: 0,
            served: 0,
            abandoned: 0,
            unserved: 0,
            waited: 0,
            delayed: 0,
            within: 0,
            wait_s: 0.0,
            service_s: 0.0,
            answer_s: 0.0,
            busy_s: 0.0,
            staffed_s: 0.0,
            waits: Histogram::new(3).expect("three figures are within the histogram's range"),
            queues: Vec::new(),
        }
    }
}

impl Batch {
    fn merge(&mut self, other: &Batch) {
        self.arrivals += other.arrivals;
        self.served += other.served;
        self.abandoned += other.abandoned;
        self.unserved += other.unserved;
        self.waited += other.waited;
        self.delayed += other.delayed;
        self.within += other.within;
        self.wait_s += other.wait_s;
        self.service_s += other.service_s;
        self.answer_s += other.answer_s;
        self.busy_s += other.busy_s;
        self.staffed_s += other.staffed_s;
        self.waits.add(&other.waits).expect("a histogram that resizes itself takes any other");
        for (queue, other) in other.queues.iter().enumerate() {
            let line = self.line(queue);
            line.arrivals += other.arrivals;
            line.served += other.served;
            line.abandoned += other.abandoned;
            line.waited += other.waited;
            line.delayed += other.delayed;
            line.within += other.within;
            line.wait_s += other.wait_s;
        }
    }

    fn line(&mut self, queue: usize) -> &mut Line {
        if self.queues.len() <= queue {
            self.queues.resize_with(queue + 1, Line::default);
        }
        &mut self.queues[queue]
    }

    /// All batches as one.
    #[must_use]
    pub fn sum<'a>(batches: impl IntoIterator<Item = &'a Batch>) -> Batch {
        let mut sum = Batch::default();
        for batch in batches {
            sum.merge(batch);
        }
        sum
    }

    /// The figures that a log has too.
    #[must_use]
    pub fn shares(&self) -> Shares {
        Shares {
            arrivals: self.arrivals,
            waited_share: part(self.waited, self.arrivals),
            abandoned_share: part(self.abandoned, self.arrivals),
            wait_mean_s: by(self.wait_s, real(self.arrivals)),
            service_mean_s: by(self.service_s, real(self.served)),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a day")]
    fn p90_s(&self) -> f64 {
        self.waits.value_at_quantile(0.9) as f64 / 1e3
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of calls")]
fn real(count: u64) -> f64 {
    count as f64
}

fn by(sum: f64, count: f64) -> f64 {
    if count == 0.0 { 0.0 } else { sum / count }
}

fn part(count: u64, all: u64) -> f64 {
    by(real(count), real(all))
}

/// Collects the calls of one run over one workload.
#[derive(Debug)]
pub struct Tally<'a> {
    workload: &'a Workload,
    from: Span,
    threshold: Span,
    /// Equal stretches of time from `from` to the workload's length.
    batches: Vec<Batch>,
}

impl<'a> Tally<'a> {
    /// Collects calls that arrive from `warm_up` on into this many batches (at least 1).
    /// `threshold` is the service level's.
    #[must_use]
    pub fn new(workload: &'a Workload, warm_up: Span, threshold: Span, batches: usize) -> Self {
        let mut tally =
            Self { workload, from: warm_up, threshold, batches: vec![Batch::default(); batches.max(1)] };
        for shift in workload.agents.iter().flat_map(|agent| &agent.shifts) {
            tally.spread(shift.from, shift.to, |batch, seconds| batch.staffed_s += seconds);
        }
        tally
    }

    /// Adds one call.
    pub fn add(&mut self, call: &CallRecord) {
        if let CallEnd::Served { service, agent, .. } = call.end {
            let from = Span(call.at.0 + call.wait.0);
            let to = Span(from.0.saturating_add(service.0));
            self.spread(from, to, |batch, seconds| batch.busy_s += seconds);
            let workload = self.workload;
            if let Some(agent) = workload.agents.get(agent as usize) {
                self.outside_shifts(from, to, &agent.shifts);
            }
        }
        let threshold = self.threshold;
        let Some(index) = self.batch_at(call.at) else { return };
        let batch = &mut self.batches[index];
        batch.arrivals += 1;
        batch.waited += u64::from(call.waited);
        batch.wait_s += call.wait.as_seconds_f64();
        batch.waits.record(call.wait.0 / 1_000).expect("a histogram that resizes itself takes any value");
        match call.end {
            CallEnd::Served { service, answer, .. } => {
                batch.served += 1;
                batch.service_s += service.as_seconds_f64();
                batch.answer_s += answer.as_seconds_f64();
                batch.within += u64::from(call.wait <= threshold);
                batch.delayed += u64::from(call.waited);
            }
            CallEnd::Abandoned => {
                batch.abandoned += 1;
                batch.delayed += 1;
            }
            CallEnd::Unserved => {
                batch.unserved += 1;
                batch.delayed += 1;
            }
        }
        let served = matches!(call.end, CallEnd::Served { .. });
        let line = batch.line(call.queue as usize);
        line.arrivals += 1;
        line.served += u64::from(served);
        line.abandoned += u64::from(call.end == CallEnd::Abandoned);
        line.waited += u64::from(call.waited);
        line.delayed += u64::from(call.waited || !served);
        line.within += u64::from(served && call.wait <= threshold);
        line.wait_s += call.wait.as_seconds_f64();
    }

    /// The batches, in order of time.
    #[must_use]
    pub fn into_batches(self) -> Vec<Batch> {
        self.batches
    }

    /// A contact's time that no shift covers is staffed time all the same.
    fn outside_shifts(&mut self, from: Span, to: Span, shifts: &[crate::workload::Shift]) {
        let mut reached = from;
        let first = shifts.partition_point(|shift| shift.to <= from);
        for shift in &shifts[first..] {
            if shift.from >= to {
                break;
            }
            if shift.from > reached {
                self.spread(reached, shift.from, |batch, seconds| batch.staffed_s += seconds);
            }
            reached = reached.max(shift.to);
        }
        if reached < to {
            self.spread(reached, to, |batch, seconds| batch.staffed_s += seconds);
        }
    }

    fn batch_at(&self, at: Span) -> Option<usize> {
        let length = self.workload.length.0.saturating_sub(self.from.0);
        let since = at.0.checked_sub(self.from.0)?;
        // The last moment of the day still belongs to it.
        let since = if since == length { length.checked_sub(1)? } else { since };
        let index = u128::from(since) * self.batches.len() as u128 / u128::from(length.max(1));
        usize::try_from(index).ok().filter(|index| *index < self.batches.len())
    }

    fn batch_end(&self, index: usize) -> u64 {
        let length = u128::from(self.workload.length.0.saturating_sub(self.from.0));
        let count = self.batches.len() as u128;
        // Rounded up: the first moment whose batch is the next.
        let end = ((index as u128 + 1) * length).div_ceil(count);
        self.from.0 + u64::try_from(end).unwrap_or(u64::MAX)
    }

    /// Gives each batch its seconds of a stretch of time.
    fn spread(&mut self, from: Span, to: Span, give: impl Fn(&mut Batch, f64)) {
        let mut from = from.0.max(self.from.0);
        let to = to.0.min(self.workload.length.0);
        while from < to {
            let Some(index) = self.batch_at(Span(from)) else { return };
            let end = self.batch_end(index).clamp(from + 1, to);
            give(&mut self.batches[index], Span(end - from).as_seconds_f64());
            from = end;
        }
    }
}

/// The figures of batches that are taken to be independent, with their intervals at a confidence
/// such as 0.99. What only some sources know is left empty.
#[must_use]
pub fn report(source: &str, workload: &str, batches: &[Batch], threshold: Span, confidence: f64) -> Report {
    let sum = Batch::sum(batches);
    let mut intervals = BTreeMap::new();
    let mut estimate = |name: &str, y: fn(&Batch) -> f64, x: fn(&Batch) -> f64| {
        let pairs: Vec<(f64, f64)> = batches.iter().map(|batch| (y(batch), x(batch))).collect();
        let estimate = ratio(&pairs, confidence);
        if let Some(interval) = estimate.interval {
            intervals.insert(format!("{name}_ci"), interval);
        }
        estimate.value
    };
    let arrivals = |batch: &Batch| real(batch.arrivals);
    let mut report = Report {
        source: source.to_owned(),
        workload: workload.to_owned(),
        arrivals: sum.arrivals,
        served: sum.served,
        abandoned: sum.abandoned,
        unserved: sum.unserved,
        waited_share: estimate("waited_share", |batch| real(batch.waited), arrivals),
        abandoned_share: estimate("abandoned_share", |batch| real(batch.abandoned), arrivals),
        wait_mean_s: estimate("wait_mean_s", |batch| batch.wait_s, arrivals),
        wait_p90_s: sum.p90_s(),
        service_level: estimate("service_level", |batch| real(batch.within), arrivals),
        threshold_s: threshold.as_seconds_f64(),
        service_mean_s: estimate("service_mean_s", |batch| batch.service_s, |batch| real(batch.served)),
        answer_mean_s: by(sum.answer_s, real(sum.served)),
        occupancy: estimate("occupancy", |batch| batch.busy_s, |batch| batch.staffed_s),
        offer_latency_ms: None,
        accept_latency_ms: None,
        broken_promises: 0,
        wait_probability: Some(estimate("wait_probability", |batch| real(batch.delayed), arrivals)),
        acknowledged: None,
        lost: None,
        unknown: None,
        longest_gap_ms: None,
        intervals: BTreeMap::new(),
        confidence: (batches.len() > 1).then_some(confidence),
        replications: 1,
        days: Vec::new(),
        queues: Vec::new(),
        expected_wait: None,
        notes: Vec::new(),
    };
    if let Some(interval) = p90_interval(batches, report.wait_p90_s, confidence) {
        intervals.insert("wait_p90_s_ci".to_owned(), interval);
    }
    report.intervals = intervals;
    report
}

/// The figures of each queue, by its index, from batches that are taken to be independent.
#[must_use]
pub fn queue_figures<'a>(
    names: impl Iterator<Item = &'a str>,
    batches: &[Batch],
    confidence: f64,
) -> Vec<QueueFigures> {
    let sum = Batch::sum(batches);
    let none = Line::default();
    let figures = |(index, name): (usize, &str)| {
        let mut intervals = BTreeMap::new();
        let mut estimate = |name: &str, y: fn(&Line) -> f64| {
            let pair = |batch: &Batch| {
                batch.queues.get(index).map_or((0.0, 0.0), |line| (y(line), real(line.arrivals)))
            };
            let estimate = ratio(&batches.iter().map(pair).collect::<Vec<_>>(), confidence);
            if let Some(interval) = estimate.interval {
                intervals.insert(format!("{name}_ci"), interval);
            }
            estimate.value
        };
        let line = sum.queues.get(index).unwrap_or(&none);
        QueueFigures {
            queue: name.to_owned(),
            arrivals: line.arrivals,
            served: line.served,
            abandoned: line.abandoned,
            waited_share: estimate("waited_share", |line| real(line.waited)),
            abandoned_share: estimate("abandoned_share", |line| real(line.abandoned)),
            wait_mean_s: estimate("wait_mean_s", |line| line.wait_s),
            service_level: estimate("service_level", |line| real(line.within)),
            wait_probability: estimate("wait_probability", |line| real(line.delayed)),
            intervals,
        }
    };
    names.enumerate().map(figures).collect()
}

/// By sectioning: the whole sample's quantile, with the spread of the batches' quantiles about it.
fn p90_interval(batches: &[Batch], whole: f64, confidence: f64) -> Option<Interval> {
    let sections: Vec<f64> = batches.iter().filter(|batch| batch.arrivals > 0).map(Batch::p90_s).collect();
    if sections.len() < 2 {
        return None;
    }
    let count = real(sections.len() as u64);
    let squares: f64 = sections.iter().map(|section| (section - whole).powi(2)).sum();
    let error = (squares / (count * (count - 1.0))).sqrt();
    let half = student_t_quantile(f64::midpoint(1.0, confidence), count - 1.0) * error;
    Some(Interval { low: (whole - half).max(0.0), high: whole + half })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Agent, Shift};

    fn s(seconds: u64) -> Span {
        Span::seconds(seconds)
    }

    fn served(seconds: u64) -> CallEnd {
        CallEnd::Served { service: s(seconds), agent: 0, answer: s(seconds / 10) }
    }

    fn workload() -> Workload {
        let shifts = vec![Shift { from: s(0), to: s(40) }, Shift { from: s(60), to: s(100) }];
        Workload {
            length: s(100),
            agents: vec![Agent { name: "a".to_owned(), queues: vec![0], shifts, skills: Vec::new() }],
            ..Workload::default()
        }
    }

    fn call(at: u64, wait: u64, end: CallEnd) -> CallRecord {
        CallRecord { at: s(at), late: Span::ZERO, queue: 0, wait: s(wait), waited: wait > 0, end }
    }

    #[test]
    fn figures_are_those_counted_by_hand() {
        let workload = workload();
        let mut tally = Tally::new(&workload, s(0), s(20), 2);
        tally.add(&call(0, 0, served(30)));
        // Outlasts its shift by 10 s, which then count as staffed: 90 s in all.
        tally.add(&call(10, 20, served(20)));
        tally.add(&call(15, 0, CallEnd::Abandoned));
        tally.add(&call(60, 25, served(10)));
        tally.add(&call(90, 10, CallEnd::Unserved));
        let batches = tally.into_batches();
        assert_eq!((batches[0].arrivals, batches[1].arrivals), (3, 2));
        let report = report("day", "w", &batches, s(20), 0.99);
        assert_eq!((report.arrivals, report.served, report.abandoned, report.unserved), (5, 3, 1, 1));
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} is not {b}");
        near(report.waited_share, 0.6);
        near(report.wait_probability.unwrap(), 0.8);
        near(report.abandoned_share, 0.2);
        near(report.service_level, 0.4);
        near(report.wait_mean_s, 11.0);
        near(report.service_mean_s, 20.0);
        near(report.occupancy, 60.0 / 90.0);
        assert!((report.wait_p90_s - 25.0).abs() < 0.05);
        assert!(report.intervals.contains_key("wait_mean_s_ci"));
    }

    #[test]
    fn the_warm_up_counts_for_nothing() {
        let workload = workload();
        let mut tally = Tally::new(&workload, s(50), s(20), 5);
        tally.add(&call(45, 0, served(10)));
        let sum = Batch::sum(&tally.into_batches());
        assert_eq!(sum.arrivals, 0);
        assert!((sum.busy_s - 5.0).abs() < 1e-9);
        // 40 s of shift, and the contact's 5 s within the window that no shift covers.
        assert!((sum.staffed_s - 45.0).abs() < 1e-9);
    }

    #[test]
    fn json_has_the_keys_that_are_promised() {
        let json = serde_json::to_value(report("day", "w", &[], s(20), 0.99)).unwrap();
        for key in "arrivals served abandoned unserved waited_share abandoned_share wait_mean_s wait_p90_s \
                    service_level service_mean_s occupancy offer_latency_ms broken_promises wait_probability"
            .split_whitespace()
        {
            assert!(json.get(key).is_some(), "{key}");
        }
        assert!(json["offer_latency_ms"].is_null());
    }
}
