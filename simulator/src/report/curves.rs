//! Curves over the day, from what became of its calls and from its staff.

use super::{CallEnd, CallRecord};
use crate::workload::Workload;
use routing::Span;

/// Points of a curve over a day.
const BINS: usize = 288;

/// One value per bin: (hours since the start, value).
pub(super) type Curve = Vec<(f64, f64)>;

/// What is drawn over time.
#[derive(Debug)]
pub(super) struct Curves {
    /// Mean number waiting.
    pub(super) waiting: Curve,
    /// Most that waited at once in the bin.
    pub(super) waiting_peak: Curve,
    /// Mean number of agents in contact.
    pub(super) busy: Curve,
    /// Mean number of agents on shift.
    pub(super) present: Curve,
    /// Median and 99th percentile of latencies, milliseconds; bins without any are left out.
    pub(super) latency: (Curve, Curve),
    /// End of the time axis in hours.
    pub(super) hours: f64,
}

impl Curves {
    pub(super) fn new(workload: &Workload, records: &[CallRecord], latencies: &[(Span, f64)]) -> Self {
        // A run that was cut short is drawn as far as it is known.
        let decided = |call: &CallRecord| call.at.0 + call.wait.0;
        let known = records.iter().map(decided).max().unwrap_or_default();
        let end = if records.is_empty() { workload.length.0 } else { workload.length.0.min(known) };
        let bins = Bins { width: (end / BINS as u64).max(1) };
        let mut waiting = vec![0.0; BINS];
        let mut busy = vec![0.0; BINS];
        let mut present = vec![0.0; BINS];
        for call in records {
            let decided = decided(call);
            bins.spread(&mut waiting, call.at.0, decided);
            if let CallEnd::Served { service, .. } = call.end {
                bins.spread(&mut busy, decided, decided.saturating_add(service.0));
            }
        }
        for shift in workload.agents.iter().flat_map(|agent| &agent.shifts) {
            bins.spread(&mut present, shift.from.0, shift.to.0);
        }
        Self {
            waiting: bins.curve(&waiting),
            waiting_peak: bins.curve(&bins.peaks(records)),
            busy: bins.curve(&busy),
            present: bins.curve(&present),
            latency: bins.latencies(latencies),
            hours: Span(end).as_seconds_f64() / 3_600.0,
        }
    }
}

struct Bins {
    width: u64,
}

impl Bins {
    fn of(&self, at: u64) -> usize {
        usize::try_from(at / self.width).unwrap_or(usize::MAX)
    }

    /// Adds the part of each bin that a stretch covers.
    #[expect(clippy::cast_precision_loss, reason = "for pictures")]
    fn spread(&self, values: &mut [f64], from: u64, to: u64) {
        let first = self.of(from);
        for (value, index) in values.iter_mut().zip(0_u64..).skip(first) {
            let begin = from.max(index * self.width);
            let end = to.min((index + 1) * self.width);
            if begin >= end {
                break;
            }
            *value += (end - begin) as f64 / self.width as f64;
        }
    }

    /// The most that wait at once within each bin.
    fn peaks(&self, records: &[CallRecord]) -> Vec<f64> {
        let mut changes: Vec<(u64, i32)> = records
            .iter()
            .filter(|call| call.wait > Span::ZERO)
            .flat_map(|call| [(call.at.0, 1), (call.at.0 + call.wait.0, -1)])
            .collect();
        changes.sort_unstable();
        let mut peaks = vec![0.0; BINS];
        let mut now = 0_i32;
        let mut reached = 0;
        for (at, change) in changes {
            let bin = self.of(at).min(BINS - 1);
            for peak in &mut peaks[reached..=bin] {
                *peak = f64::from(now).max(*peak);
            }
            now += change;
            peaks[bin] = f64::from(now).max(peaks[bin]);
            reached = bin;
        }
        peaks
    }

    fn latencies(&self, latencies: &[(Span, f64)]) -> (Curve, Curve) {
        let mut of_bin: Vec<Vec<f64>> = vec![Vec::new(); BINS];
        for (at, latency) in latencies {
            of_bin[self.of(at.0).min(BINS - 1)].push(*latency);
        }
        let (mut median, mut high) = (Vec::new(), Vec::new());
        for (values, index) in of_bin.iter_mut().zip(0_u64..).filter(|(values, _)| !values.is_empty()) {
            values.sort_by(f64::total_cmp);
            let at = |part: usize| values[(values.len() * part / 100).min(values.len() - 1)];
            median.push((self.hour(index), at(50)));
            high.push((self.hour(index), at(99)));
        }
        (median, high)
    }

    fn hour(&self, index: u64) -> f64 {
        Span(index * self.width + self.width / 2).as_seconds_f64() / 3_600.0
    }

    fn curve(&self, values: &[f64]) -> Curve {
        values.iter().zip(0..).map(|(value, index)| (self.hour(index), *value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Agent, Shift};

    #[test]
    fn curves_hold_what_waits_and_works() {
        let s = Span::seconds;
        let shifts = vec![Shift { from: s(0), to: s(1_440) }];
        let workload = Workload {
            length: s(2_880),
            agents: vec![Agent { name: "a".to_owned(), queues: vec![0], shifts, skills: Vec::new() }],
            ..Workload::default()
        };
        let call = |at, wait, end| CallRecord {
            at: s(at),
            late: Span::ZERO,
            queue: 0,
            wait: s(wait),
            waited: wait > 0,
            end,
        };
        let records = [
            call(0, 100, CallEnd::Served { service: s(50), agent: 0, answer: Span::ZERO }),
            call(95, 15, CallEnd::Abandoned),
            call(2_870, 10, CallEnd::Unserved),
        ];
        let curves = Curves::new(&workload, &records, &[(s(5), 1.0), (s(6), 3.0), (s(2_880), 9.0)]);
        let sum = |curve: &Curve| curve.iter().map(|(_, value)| value).sum::<f64>() * 10.0;
        assert!((sum(&curves.waiting) - 125.0).abs() < 1e-9);
        assert!((sum(&curves.busy) - 50.0).abs() < 1e-9);
        assert!((sum(&curves.present) - 1_440.0).abs() < 1e-9);
        let peak = |bin: usize| curves.waiting_peak[bin].1;
        assert_eq!((peak(0), peak(9), peak(10), peak(12), peak(287)), (1.0, 2.0, 2.0, 0.0, 1.0));
        assert_eq!(curves.latency.0.len(), 2);
        assert!((curves.latency.0[0].1 - 3.0).abs() < 1e-9);
        assert!((curves.hours - 0.8).abs() < 1e-9);
    }
}
