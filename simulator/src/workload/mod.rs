//! What is asked of a contact centre for a day: calls and staff. The one input of `day`, `load`
//! and `demo`, whatever it was made from.

mod abilities;
mod from_trace;
mod profile;
mod staff;
mod textbook;

pub use abilities::{Pick, Skills};
pub use from_trace::Imputer;
pub use profile::{BadProfile, CallType, Credit, Hours, Patience, PriorityShare, Profile, Staff, Survival};
pub use textbook::Textbook;

use routing::criteria::Skill;
use routing::settings::PickPolicy;
use routing::{Priority, Span};

/// A queue of the workload; calls and agents name it by its index in [`Workload::queues`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name: in a trace, the call type.
    pub name: String,
    /// After-call time, during which the agent takes nothing: the core's wrap-up, left to end by
    /// itself. Zero for none.
    pub wrap_up: Span,
    /// How its agents are picked. Only `day` heeds it.
    pub pick: PickPolicy,
    /// What its calls ask of agents, for as long as they wait. Only `day` heeds it.
    pub required: Vec<Skill>,
}

impl Queue {
    /// A queue whose calls any of its agents may take, longest idle first, without wrap-up.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), wrap_up: Span::ZERO, pick: PickPolicy::LongestIdle, required: Vec::new() }
    }
}

/// One call. Times are since the workload's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// When it arrives.
    pub at: Span,
    /// Index in [`Workload::queues`].
    pub queue: u32,
    /// Its priority, worth [`Workload::credits`] of waiting.
    pub priority: Priority,
    /// How long the caller waits for an agent before hanging up. Zero leaves unless an agent is
    /// free in the very instant of arrival; `None` never leaves.
    pub patience: Option<Span>,
    /// How long the contact lasts once an agent has taken it.
    pub service: Span,
    /// How long agents take to answer when they are offered it, less than the longest ring time
    /// ([`routing::settings::limits::RING_MAX`]); `None`: as the run's options say. Only `day` heeds it.
    pub answer: Option<Span>,
}

/// Time in which an agent takes calls: from `from` on, and before `to`. A contact under way at
/// `to` is finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shift {
    /// Start.
    pub from: Span,
    /// End, after the start.
    pub to: Span,
}

/// One agent. All take voice with one call at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its name.
    pub name: String,
    /// Indices in [`Workload::queues`], ascending, each once.
    pub queues: Vec<u32>,
    /// Ascending, not overlapping; a break is the time between two.
    pub shifts: Vec<Shift>,
    /// What it can. Only `day` heeds it.
    pub skills: Vec<Skill>,
}

/// Calls and staff of one day, or of one stretch of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workload {
    /// Name for people: the date, the profile, the textbook queue.
    pub name: String,
    /// All queues.
    pub queues: Vec<Queue>,
    /// Waiting credit by priority (rank policy `Aging`); first come, first served when empty.
    pub credits: Vec<(Priority, Span)>,
    /// Calls in the order of arrival.
    pub calls: Vec<Call>,
    /// All agents.
    pub agents: Vec<Agent>,
    /// When the day ends: who waits then is unserved, who is being served is served. Not before
    /// the last arrival.
    pub length: Span,
    /// How the workload was made, imputations included: the report repeats them.
    pub notes: Vec<String>,
}

impl Workload {
    /// Whether something of it is for `day` alone: skills, or another way to pick than the longest idle.
    #[must_use]
    pub fn is_for_day_alone(&self) -> bool {
        self.queues.iter().any(|queue| !queue.required.is_empty() || queue.pick != PickPolicy::LongestIdle)
            || self.agents.iter().any(|agent| !agent.skills.is_empty())
    }
}

/// A number of seconds as a span; what is negative or no number is none.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of a float saturates")]
pub fn span_of(seconds: f64) -> Span {
    Span((seconds * 1e6).round() as u64)
}
