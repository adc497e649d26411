//! What reads showed.

use super::sight::AgentSeen;
use routing::{AgentId, ConversationId};

/// Where a conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// In line, for queues or one agent.
    Waiting,
    /// In an inbox.
    Inbox,
    /// Held out to somebody.
    Offered,
    /// Somebody's.
    Assigned,
    /// In wrap-up.
    Wrapping,
    /// On its way to another domain.
    Transferring,
    /// Over; abandoned or otherwise.
    Ended {
        /// Whether the customer left first.
        abandoned: bool,
    },
}

/// A conversation as a read shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationSeen {
    /// Which.
    pub id: ConversationId,
    /// Version.
    pub version: u64,
    /// Where it is.
    pub stage: Stage,
    /// Whose it is.
    pub owner: Option<AgentId>,
    /// Its priority.
    pub priority: u32,
    /// Log time of arrival.
    pub arrived_at_us: u64,
    /// Who is looked for: the reference of whoever started it.
    pub reference: String,
}

/// A read of one conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// When it was asked, simulated microseconds.
    pub sent_us: u64,
    /// When it was answered.
    pub returned_us: u64,
    /// What it showed.
    pub seen: ConversationSeen,
}

/// Everything of a domain read at one sequence, when the cluster was at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// The domain's event sequence, the same before and after.
    pub sequence: u64,
    /// All conversations that the core still knows.
    pub conversations: Vec<ConversationSeen>,
    /// All agents.
    pub agents: Vec<AgentSeen>,
}
