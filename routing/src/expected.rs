//! How long somebody may expect to wait for an agent: what is said of it, and by which way it was estimated
//! (docs/adr/0031). Read from state and stored nowhere.

use crate::{ConversationId, LogTime, QueueId, Span};
use serde::{Deserialize, Serialize};

/// Bounds of estimates.
pub mod limits {
    use crate::Span;

    /// Complete minutes of log time, before the running one, whose exits an estimate looks at.
    pub const MINUTES: u64 = 60;
    /// Mean wait of those answered in a minute from which on it is a busy one. Less may be no more than the ringing.
    pub const BUSY_WAIT: Span = Span::seconds(15);
    /// Fewest exits in busy minutes that make a rate.
    pub const EXITS_MIN: u64 = 5;

    const _: () = assert!(MINUTES <= crate::policy::limits::MINUTES_MAX, "older minutes are not remembered");
}

/// How a wait was estimated. Variants only grow at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Way {
    /// An agent is free for it now: no wait.
    AtOnce,
    /// Queue length (QL): position × time ÷ exits, over the busy minutes of the last [hour](limits::MINUTES) of a
    /// queue whose service is measured (W. Whitt, Predicting queueing delays, Management Science 45, 1999: the
    /// place in line by the rate of departures). Exits are those answered, abandoned and overflowed. A minute is
    /// busy whose answered had waited [some time](limits::BUSY_WAIT) on average: in others agents are idle, and as
    /// many leave as come, which says nothing of how many could.
    QueueLength,
    /// Delay of the head of the line (HOL): who stands first there now, with the same channel and requirements,
    /// has waited so long; so long it takes in all. Less what the one who asks has waited already (R. Ibrahim
    /// and W. Whitt, Real-time delay estimation based on delay history in many-server service systems with
    /// time-varying arrivals, 2009).
    HeadOfLine,
}

/// A remaining wait, and how it was estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// How.
    pub way: Way,
    /// From now to the offer, in microseconds of log time.
    pub wait: Span,
}

/// Why there is no estimate. Variants only grow at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unknown {
    /// It does not wait: it is offered, an agent's, on its way, or over.
    NotWaiting,
    /// It waits in an inbox, to be pulled: no line is worked off there.
    ToBePulled,
    /// It waits for certain agents, not for whoever of a queue is next.
    ForCertainAgents,
    /// The queue is paused.
    Paused,
    /// Nobody of the queue is available.
    NobodyAvailable,
    /// Nobody stands before it in its line, and the queue's service is not measured, or was not busy lately.
    NothingToGoBy,
    /// The queue is closed, until then in Unix milliseconds; none: its schedule never opens it.
    Closed(Option<u64>),
    /// The customer is not to be called back before then.
    Rests(LogTime),
}

/// What may be expected in one queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InQueue {
    /// Which.
    pub queue: QueueId,
    /// Conversations in its lines that are ranked better, plus one.
    pub position: u64,
    /// By every way that knows something, the best way first: that is the answer, the others are to compare.
    pub estimates: Vec<Estimate>,
    /// Why there is none, if there is none.
    pub unknown: Option<Unknown>,
}

impl InQueue {
    /// The answer.
    #[must_use]
    pub fn estimate(&self) -> Option<Estimate> {
        self.estimates.first().copied()
    }

    /// What one way says.
    #[must_use]
    pub fn by(&self, way: Way) -> Option<Span> {
        self.estimates.iter().find(|estimate| estimate.way == way).map(|estimate| estimate.wait)
    }
}

/// How long somebody may expect to wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedWait {
    /// Who; none: somebody who would arrive now.
    pub conversation: Option<ConversationId>,
    /// Log time of the state that was looked at.
    pub now: LogTime,
    /// Since it arrived.
    pub waited: Span,
    /// In each queue that it waits in, in its own order; at most 8.
    pub queues: Vec<InQueue>,
    /// Why there is nothing to say of any queue.
    pub unknown: Option<Unknown>,
}

impl ExpectedWait {
    /// The queue that is expected to be the first: the shortest estimate, then the own order. Without an
    /// estimate the lowest position.
    #[must_use]
    pub fn best(&self) -> Option<&InQueue> {
        let known = |one: &&InQueue| one.estimate().map_or(Span(u64::MAX), |estimate| estimate.wait);
        self.queues.iter().min_by_key(|one| (one.estimates.is_empty(), known(one), one.position))
    }
}
