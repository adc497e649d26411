//! Why an offer went to its agent: what the core looked at when it decided, kept with the offer's event.

use crate::settings::PickPolicy;
use crate::view::Gate;
use crate::{AgentId, ConversationId, LogTime, Points, Priority};
use serde::{Deserialize, Serialize};

/// Why an agent was offered a conversation, as decided. From feature level
/// [`PICKS`](crate::level::PICKS) on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picked {
    /// How the agent came to be the one.
    pub way: Way,
    /// The conversation's priority.
    pub priority: Priority,
    /// When the conversation arrived: with its priority, its rank.
    pub arrived_at: LogTime,
    /// Skills that it prefers and the agent has, counted from the first of its list.
    pub preferred: u8,
    /// Where the agent stood in the queue's order; `None` where no order was asked.
    pub order: Option<Order>,
    /// Agents who stood before it, had room and did not get it: the first [`Picked::SHOWN_MAX`], and why
    /// not. [`Gate::None`]: one passed every gate, but lacks a preferred skill that the winner has.
    pub passed_over: Vec<(AgentId, Gate)>,
    /// Who would have had it next: of the [`Picked::LOOKS_MAX`] with room after it in the order, those who
    /// could have had it too; [`Picked::SHOWN_MAX`] at most. Of those named, the rest of the list is looked at.
    pub next: Vec<Candidate>,
}

impl Picked {
    /// Agents passed over, and agents next in order, that are kept.
    pub const SHOWN_MAX: usize = 2;
    /// Agents looked at for those who are next.
    pub const LOOKS_MAX: usize = 4;

    /// Without anybody else looked at.
    #[must_use]
    pub fn by(way: Way, priority: Priority, arrived_at: LogTime) -> Self {
        let (passed_over, next) = (Vec::new(), Vec::new());
        Self { way, priority, arrived_at, preferred: 0, order: None, passed_over, next }
    }
}

/// How an agent came to be the one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// The first of the queue's order, of those with the most preferred skills.
    Policy(PickPolicy),
    /// Nobody else could: it gave up the room that it held for this one.
    Held(ConversationId),
    /// The conversation names it, at this place of its list, from 1.
    Named(u8),
    /// The conversation is for it alone.
    Dedicated,
    /// Somebody chose it: a transfer.
    Transfer,
    /// Somebody chose it, to ask for advice: the conversation stays its owner's.
    Consult,
}

impl Way {
    /// Whether somebody chose the agent: what routing must not do of itself, a human may.
    #[must_use]
    pub fn is_by_hand(self) -> bool {
        matches!(self, Self::Transfer | Self::Consult)
    }
}

/// Where an agent stands in a queue's order; the smaller, the sooner, but for proficiency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Idle since then.
    IdleSince(LogTime),
    /// Points taken, and idle since then.
    Load(u32, LogTime),
    /// The number of its last offer; 0: it had none.
    LastOffer(u64),
    /// Skills that it has, and idle since then.
    Skills(u32, LogTime),
    /// Levels of the skills asked for, in all (the larger, the sooner), and idle since then.
    Proficiency(u32, LogTime),
}

/// An agent who might have had it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Who.
    pub agent: AgentId,
    /// Where it stood; `None` for one that the conversation names.
    pub order: Option<Order>,
}

/// An offer, as its event has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// Which.
    pub conversation: ConversationId,
    /// The offer.
    pub offer: crate::OfferId,
    /// To whom.
    pub agent: AgentId,
    /// From which queue; `None` for dedicated work and direct transfers.
    pub queue: Option<crate::QueueId>,
    /// Points taken.
    pub weight: Points,
    /// Whether the desk confirms by itself.
    pub automatic: bool,
    /// When it becomes a miss.
    pub deadline: LogTime,
    /// How, for the desk.
    pub channel: crate::Channel,
    /// The customer, for the desk.
    pub customer: String,
}
