//! What a domain has to do at a time, in the order in which it is done.

use crate::LogTime;
use crate::domain::{AgentNo, ConvNo, QueueNo};
use std::collections::BTreeSet;

/// What is due. The order of the variants is the order in which equal times expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// The oldest offer of a paused queue is revoked. Always due at time zero, before all else.
    Revoke(QueueNo),
    /// Whether a queue is open is to be looked at. Always due at time zero: what makes it due is wall time, which
    /// entries bring.
    Hours(QueueNo),
    /// An offer is a miss.
    Offer(ConvNo),
    /// An agent's exclusion ends.
    Exclusion(ConvNo, AgentNo),
    /// Whether the exclusions leave nobody.
    Waive(ConvNo),
    /// A hold of free points ends.
    Hold(AgentNo),
    /// A wrap-up ends by itself.
    WrapUp(ConvNo),
    /// A contact ends by itself.
    Assigned(ConvNo),
    /// The owner did not come back.
    Grace(ConvNo),
    /// The dedicated agent did not come in time.
    Fallback(ConvNo),
    /// A step of what a conversation asks for expires.
    Step(ConvNo),
    /// A rule of the policy that a conversation stands under is to be decided.
    Rule(ConvNo),
    /// Waited too long.
    Wait(ConvNo),
    /// An agent that missed offers is available again.
    MissReturn(AgentNo),
    /// A terminal conversation is forgotten.
    Forget(ConvNo),
    /// Another domain did not take a conversation in time.
    Recall(ConvNo),
    /// An agent may be offered something again.
    Pace(AgentNo),
    /// A callback may be offered from now on.
    Rested(ConvNo),
    /// A callback stood for as long as it may.
    Callback(ConvNo),
}

/// All deadlines of a domain. Derived: rebuilt from the entities when restored.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deadlines {
    all: BTreeSet<(LogTime, Due)>,
}

impl Deadlines {
    pub(crate) fn next(&self) -> Option<LogTime> {
        self.all.first().map(|(at, _)| *at)
    }

    pub(crate) fn add(&mut self, at: LogTime, due: Due) {
        self.all.insert((at, due));
    }

    pub(crate) fn remove(&mut self, at: LogTime, due: Due) {
        self.all.remove(&(at, due));
    }

    /// The next that is due at `now`; it is taken out.
    pub(crate) fn pop_due(&mut self, now: LogTime) -> Option<(LogTime, Due)> {
        if self.all.first()?.0 > now { None } else { self.all.pop_first() }
    }
}
