//! Latencies in real time, from the moment work was meant to begin.

use crate::report::LatencyMs;
use hdrhistogram::Histogram;
use std::sync::Mutex;
use std::time::Duration;

/// One distribution, microseconds to three figures.
#[derive(Debug)]
pub struct Latency(Mutex<Histogram<u64>>);

impl Default for Latency {
    fn default() -> Self {
        Self(Mutex::new(Histogram::new(3).expect("three figures are within the histogram's range")))
    }
}

impl Latency {
    /// Adds one.
    pub fn record(&self, latency: Duration) {
        let us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        let mut histogram = self.0.lock().expect("no panic holds this lock");
        histogram.record(us).expect("a histogram that resizes itself takes any value");
    }

    /// The figures; `None` when there are none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "reports only")]
    pub fn figures(&self) -> Option<LatencyMs> {
        let histogram = self.0.lock().expect("no panic holds this lock");
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
        (!histogram.is_empty()).then(|| LatencyMs { p50: at(0.5), p99: at(0.99), p999: at(0.999) })
    }
}

impl Latency {
    /// Adds another's.
    pub fn add(&self, other: &Latency) {
        let other = other.0.lock().expect("no panic holds this lock").clone();
        let mut own = self.0.lock().expect("no panic holds this lock");
        own.add(other).expect("a histogram that resizes itself takes any other");
    }
}
