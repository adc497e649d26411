//! What a queue does with those that wait too long, and what it wants to be measured by (docs/adr/0027).

use crate::{LogTime, Priority, QueueId, Span, TouchpointId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Bounds of policies.
pub mod limits {
    use crate::Span;

    /// Rules of one policy.
    pub const RULES_MAX: usize = 16;
    /// Conditions of one rule.
    pub const CONDITIONS_MAX: usize = 4;
    /// Longest time after which a rule is decided.
    pub const AFTER_MAX: Span = Span::seconds(24 * 3_600);
    /// Versions of a queue's policy that conversations may stand under at once.
    pub const VERSIONS_MAX: usize = 16;
    /// Queues through which rules may move a conversation one after the other.
    pub const MOVES_MAX: usize = 8;
    /// Length of a reason in bytes.
    pub const REASON_BYTES_MAX: usize = 256;
    /// Shortest service target.
    pub const WITHIN_MIN: Span = Span::seconds(1);
    /// Longest service target.
    pub const WITHIN_MAX: Span = Span::seconds(24 * 3_600);
    /// Minutes of log time for which a queue's service is remembered.
    pub const MINUTES_MAX: u64 = 60;
    /// Minutes that the condition on the service level looks at.
    pub const LEVEL_MINUTES: u64 = 15;
}

/// What a queue does with what waits in it. Without rules and target: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// In the order in which they are decided; no rule is earlier than the one before it.
    pub rules: Vec<Rule>,
    /// What its service is measured by; `None`: it is not measured.
    pub target: Option<Target>,
}

impl Policy {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.target.is_none()
    }

    /// Whether a condition of a rule looks at this.
    #[must_use]
    pub fn measures(&self, measure: Measure) -> bool {
        self.rules.iter().flat_map(|rule| &rule.when).any(|condition| condition.measure == measure)
    }

    /// Whether a rule makes callbacks.
    #[must_use]
    pub fn calls_back(&self) -> bool {
        self.rules.iter().any(|rule| rule.then == Action::CallBack)
    }
}

/// What is decided once about a conversation that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// After how long in the queue, up to 24 h; zero: on the way in.
    pub after: Span,
    /// All of these must hold then, else the rule is passed over.
    pub when: Vec<Condition>,
    /// What is done.
    pub then: Action,
}

/// What must hold of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Of which queue; `None`: the policy's own. Of one that is deleted nothing holds.
    pub of: Option<QueueId>,
    /// What is looked at.
    pub measure: Measure,
    /// Which figures will do.
    pub is: Bound,
}

/// A figure of a queue. Variants only grow at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Measure {
    /// Agents that belong to it and have a live session, whatever they mean to do.
    SignedOn,
    /// Those of them that take offers.
    Available,
    /// Conversations that wait in it, for an offer or in its inbox, this one not counted.
    Waiting,
    /// One more than the conversations in its lines that are ranked better than this one.
    Position,
    /// Percent answered in time in the last [15 minutes](limits::LEVEL_MINUTES), rounded down; 100 where nothing was measured.
    ServiceLevel,
    /// 1 while its hours last, or where it has none; else 0, also while those who wait are served out.
    Open,
}

/// Which figures will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bound {
    /// This one and larger ones.
    AtLeast(u32),
    /// Smaller ones.
    Below(u32),
}

impl Bound {
    /// Whether a figure will do.
    #[must_use]
    pub fn holds(self, figure: u64) -> bool {
        match self {
            Self::AtLeast(least) => figure >= u64::from(least),
            Self::Below(bound) => figure < u64::from(bound),
        }
    }
}

/// What a rule does. Variants only grow at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Another priority; its age stays.
    Prioritise(Priority),
    /// It waits in this queue too, as far as there is room (8 queues in all).
    AddQueue(QueueId),
    /// It waits in this queue alone, at its original age, and stands under its policy. Passed over while that queue is full.
    MoveTo(QueueId),
    /// It waits to be pulled by the agents of its queues.
    ToInbox,
    /// It goes to another domain of the account. If that fails, it is back in its queues and the next rule follows.
    SendTo(TouchpointId),
    /// It ends, closed.
    Close {
        /// Why, 1 to 256 bytes.
        reason: String,
    },
    /// It is to be called back, and keeps its place. Passed over where the domain calls nobody back, or it is so already.
    CallBack,
}

impl Action {
    /// Whether the rules after it may still be reached.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        matches!(self, Self::Prioritise(_) | Self::AddQueue(_) | Self::SendTo(_) | Self::CallBack)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prioritise(priority) => write!(f, "priority {}", priority.0),
            Self::AddQueue(queue) => write!(f, "waits in {queue} too"),
            Self::MoveTo(queue) => write!(f, "moves to {queue}"),
            Self::ToInbox => f.write_str("goes to the inbox"),
            Self::SendTo(touchpoint) => write!(f, "goes to {touchpoint}"),
            Self::Close { reason } => write!(f, "is closed: {reason}"),
            Self::CallBack => f.write_str("is to be called back"),
        }
    }
}

/// So many answered within so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// From when a conversation begins to wait in the queue to when it is an agent's, 1 s to 24 h.
    pub within: Span,
    /// How many of a hundred, 1 to 100. For people and colours; nothing is decided by it.
    pub percent: u8,
}

/// The policy that a conversation stands under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Whose policy it is.
    pub queue: QueueId,
    /// Which version of it.
    pub number: u32,
    /// Since when it counts.
    pub since: LogTime,
    /// How many of its rules are decided.
    pub decided: u8,
    /// When the next one is, if there is one and it does not wait for an offer's outcome.
    pub due: Option<LogTime>,
}

/// A queue's policy as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyView {
    /// Its number: how many changes there were; 0: it never had one.
    pub number: u32,
    /// What counts for those who begin to wait.
    pub policy: Policy,
    /// Older versions that conversations stand under.
    pub older: Vec<u32>,
    /// How its service went, by minutes of log time that had something, at most 60, the oldest first.
    pub minutes: Vec<Minute>,
}

impl PolicyView {
    /// Whether there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What the last so many minutes add up to, the running one included.
    #[must_use]
    pub fn last(&self, minutes: u64, now: LogTime) -> Service {
        Service::sum(&self.minutes, minutes, now)
    }
}

/// A queue's service in one minute of log time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minute {
    /// Which: log time in whole minutes.
    pub minute: u64,
    /// What was counted in it.
    pub service: Service,
}

/// Counts of those that stood under a queue's policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Assigned within the target.
    pub within: u64,
    /// Assigned, those within the target included.
    pub answered: u64,
    /// Left by the customer.
    pub abandoned: u64,
    /// Taken elsewhere, or closed, by a rule.
    pub overflowed: u64,
    /// The waits of those that were answered, in all.
    pub waited: Span,
}

impl Service {
    /// Percent answered in time, rounded down: within ÷ (answered + abandoned); `None` where there is neither.
    #[must_use]
    pub fn percent(&self) -> Option<u64> {
        let measured = self.answered + self.abandoned;
        (measured > 0).then(|| self.within * 100 / measured)
    }

    /// The mean wait of those that were answered.
    #[must_use]
    pub fn mean_wait(&self) -> Option<Span> {
        self.waited.0.checked_div(self.answered).map(Span)
    }

    /// What the last so many minutes before `now` add up to, the running one included.
    #[must_use]
    pub fn sum(minutes: &[Minute], last: u64, now: LogTime) -> Self {
        let running = minute_of(now);
        let mut sum = Self::default();
        for Minute { minute, service } in minutes.iter().rev() {
            if minute + last <= running {
                break;
            }
            sum.within += service.within;
            sum.answered += service.answered;
            sum.abandoned += service.abandoned;
            sum.overflowed += service.overflowed;
            sum.waited.0 += service.waited.0;
        }
        sum
    }
}

/// The whole minute of log time.
#[must_use]
pub const fn minute_of(now: LogTime) -> u64 {
    now.0 / 60_000_000
}
