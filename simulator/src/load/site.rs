//! One domain under load: its workload, its ids, its clock and its record.

use super::board::Board;
use super::clock::{Lead, LogClock};
use super::recorder::Recorder;
use crate::checker::Facts;
use crate::workload::Workload;
use routing::{AgentId, DomainId, Span, TouchpointId};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How desks misbehave, to show that the cluster withstands it. Shares of offers, 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Manners {
    /// Declines.
    pub reject: f64,
    /// Declines, and then accepts what was declined.
    pub fickle: f64,
    /// Accepts after the deadline.
    pub late: f64,
}

/// One domain under load.
pub struct Site {
    /// The domain.
    pub domain: DomainId,
    /// What is asked of it.
    pub workload: Workload,
    /// By the workload's index of queues.
    pub touchpoints: Vec<TouchpointId>,
    /// By the workload's index.
    pub agents: Vec<AgentId>,
    /// What was set up.
    pub facts: Facts,
    /// Its log time.
    pub clock: LogClock,
    /// How far ahead a contact's end must be sent.
    pub end_lead: Lead,
    /// The same for customers who leave.
    pub leave_lead: Lead,
    /// Calls and desks.
    pub board: Board,
    /// For the checker.
    pub recorder: Recorder,
    /// Names of this run's customers begin with it.
    pub run: String,
    /// How desks behave.
    pub manners: Manners,
    /// Time for one intent to be answered.
    pub patience: Duration,
    /// Log time of the workload's start, microseconds; may lie before the log's own start.
    pub origin_us: OnceLock<i64>,
}

impl Site {
    /// Log time of a moment of the workload.
    #[must_use]
    pub fn log_us(&self, at: Span) -> u64 {
        let origin = self.origin_us.get().copied().unwrap_or(0);
        u64::try_from(origin.saturating_add(i64::try_from(at.0).unwrap_or(i64::MAX))).unwrap_or(0)
    }

    /// The real moment of a moment of the workload.
    #[must_use]
    pub fn real_at(&self, at: Span) -> Instant {
        self.clock.real_at(self.log_us(at))
    }

    /// The workload's time of a log time.
    #[must_use]
    pub fn span_of(&self, log_us: u64) -> Span {
        let origin = self.origin_us.get().copied().unwrap_or(0);
        let since = i64::try_from(log_us).unwrap_or(i64::MAX).saturating_sub(origin);
        Span(u64::try_from(since).unwrap_or(0))
    }

    /// The workload's time now.
    #[must_use]
    pub fn now(&self) -> Span {
        self.span_of(self.clock.log_at(Instant::now()))
    }

    /// The customer's name of a call; also its reference.
    #[must_use]
    pub fn customer(&self, call: usize) -> String {
        format!("{}-{call}", self.run)
    }

    /// The call of a customer's name.
    #[must_use]
    pub fn call_of(&self, customer: &str) -> Option<usize> {
        let rest = customer.strip_prefix(self.run.as_str())?.strip_prefix('-')?;
        rest.parse().ok().filter(|call| *call < self.workload.calls.len())
    }
}
