//! Reader of call traces: the CSV format of docs/trace-format.md.

mod date;
mod reader;

pub use date::{BadDate, Date};
pub use reader::{TraceError, read, read_from};

use routing::Span;
use std::collections::BTreeSet;

/// How a call of the log ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoggedEnd {
    /// Served.
    Agent {
        /// Contact time.
        service: Span,
        /// Who served, if the log knows.
        agent: Option<String>,
    },
    /// The caller hung up after waiting.
    Hang,
}

/// One line of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedCall {
    /// Its day.
    pub date: Date,
    /// Arrival since midnight.
    pub arrival: Span,
    /// Its type, which is its queue.
    pub kind: String,
    /// Its priority.
    pub priority: u8,
    /// How long it waited, whatever the end.
    pub queue: Span,
    /// Its end.
    pub end: LoggedEnd,
}

impl LoggedCall {
    /// When its contact began and ended, and with whom.
    #[must_use]
    pub fn contact(&self) -> Option<(&str, Span, Span)> {
        match &self.end {
            LoggedEnd::Agent { service, agent: Some(agent) } => {
                let from = Span(self.arrival.0 + self.queue.0);
                Some((agent, from, Span(from.0 + service.0)))
            }
            _ => None,
        }
    }
}

/// A whole trace, in the order of date and arrival.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// All calls.
    pub calls: Vec<LoggedCall>,
}

impl Trace {
    /// The days of the trace, ascending.
    #[must_use]
    pub fn dates(&self) -> Vec<Date> {
        self.calls.iter().map(|call| call.date).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The calls of one day.
    pub fn day(&self, date: Date) -> impl Iterator<Item = &LoggedCall> {
        let from = self.calls.partition_point(|call| call.date < date);
        self.calls[from..].iter().take_while(move |call| call.date == date)
    }
}
