//! The figures of a report and their JSON keys.

use super::ExpectedWaits;
use routing::Span;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// How one call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallEnd {
    /// An agent took it.
    Served {
        /// How long the contact lasted; it began at arrival + wait.
        service: Span,
        /// Index of the workload's agent.
        agent: u32,
        /// From the offer to the agent's acceptance, the last part of the wait.
        answer: Span,
    },
    /// The caller left before an agent took it.
    Abandoned,
    /// It still waited at the day's end.
    Unserved,
}

/// What became of one call. Times are log time, so virtual time at a speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallRecord {
    /// Arrival since the start, as it was meant.
    pub at: Span,
    /// How much later it arrived: on its way to a cluster. Waits begin with the arrival.
    pub late: Span,
    /// Index of the workload's queue.
    pub queue: u32,
    /// From arrival to the agent's acceptance, to hanging up, or to the day's end.
    pub wait: Span,
    /// Whether it waited at all: no agent was free for it in the instant of its arrival, and the
    /// caller did not leave in that instant either.
    pub waited: bool,
    /// How it ended.
    pub end: CallEnd,
}

/// Real time from the event that made an offer possible to the offer at the agent's desk, ms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LatencyMs {
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p999: f64,
}

/// A confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Serialize for Interval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.low, self.high].serialize(serializer)
    }
}

/// Figures of a day that a log has too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Shares {
    /// Calls that arrived.
    pub arrivals: u64,
    /// Share that waited at all.
    pub waited_share: f64,
    /// Share that left.
    pub abandoned_share: f64,
    /// Mean wait, seconds.
    pub wait_mean_s: f64,
    /// Mean contact time of the served, seconds.
    pub service_mean_s: f64,
}

/// One day of several.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DayFigures {
    /// The workload's name; `total` for all days.
    pub day: String,
    /// As simulated.
    pub simulated: Shares,
    /// As logged, unserved callers being unknown to logs.
    pub logged: Shares,
}

/// Figures of one queue of several; as those of the whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueueFigures {
    /// Its name.
    pub queue: String,
    /// Calls that arrived.
    pub arrivals: u64,
    /// Calls an agent took.
    pub served: u64,
    /// Callers who left before.
    pub abandoned: u64,
    /// Share that waited at all.
    pub waited_share: f64,
    /// Share that left.
    pub abandoned_share: f64,
    /// Mean wait, seconds.
    pub wait_mean_s: f64,
    /// Share answered within the threshold.
    pub service_level: f64,
    /// Probability that an arrival finds no agent free for it.
    pub wait_probability: f64,
    /// `NAME_ci: [low, high]` per figure.
    #[serde(flatten)]
    pub intervals: BTreeMap<String, Interval>,
}

/// The figures. Shares are of all arrivals, waits over all arrivals; what does not apply is null
/// or absent. `arrivals = served + abandoned + unserved`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// `day`, `load` or `demo`.
    pub source: String,
    /// The workload's name.
    pub workload: String,
    /// Calls that arrived.
    pub arrivals: u64,
    /// Calls an agent took.
    pub served: u64,
    /// Callers who left before.
    pub abandoned: u64,
    /// Callers who still waited at the day's end.
    pub unserved: u64,
    /// Share that waited at all.
    pub waited_share: f64,
    /// Share that left.
    pub abandoned_share: f64,
    /// Mean wait, seconds.
    pub wait_mean_s: f64,
    /// 90th percentile of the wait, seconds.
    pub wait_p90_s: f64,
    /// Share answered within the threshold.
    pub service_level: f64,
    /// The threshold of `service_level`, seconds.
    pub threshold_s: f64,
    /// Mean contact time of the served, seconds.
    pub service_mean_s: f64,
    /// Mean time from its offer until the agent had it, of the served, seconds of log time: with
    /// `load` and `demo` the ways of offer and answer, multiplied by the speed.
    pub answer_mean_s: f64,
    /// Contact time by staffed time, a contact that outlasts its shift counting in both.
    pub occupancy: f64,
    /// Null where nothing runs in real time.
    pub offer_latency_ms: Option<LatencyMs>,
    /// From an accept to its answer: `load` and `demo` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_latency_ms: Option<LatencyMs>,
    /// Promises (R-1…) that the checker found broken.
    pub broken_promises: u64,
    /// Probability that an arrival finds no agent free for it, callers of no patience included:
    /// `day` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_probability: Option<f64>,
    /// Commands answered OK: `load` and `demo` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<u64>,
    /// Acknowledged commands whose effect is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
    /// Commands whose outcome stayed unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<u64>,
    /// Longest real time in which work waited, agents were free and no offer arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_gap_ms: Option<f64>,
    /// `NAME_ci: [low, high]` per figure.
    #[serde(flatten)]
    pub intervals: BTreeMap<String, Interval>,
    /// The confidence of the intervals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Replications in these figures, whose counts are sums over them.
    pub replications: u64,
    /// The days that make up these figures, beside what their log says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<DayFigures>,
    /// Its queues, where there are several: `day` only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<QueueFigures>,
    /// How far expected waits were off: `day` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_wait: Option<ExpectedWaits>,
    /// How the workload was made and what the figures mean where it is not plain.
    pub notes: Vec<String>,
}
