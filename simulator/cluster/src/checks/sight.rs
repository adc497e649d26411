//! What a desk was told.

use routing::{AgentId, ConversationId, OfferId};

/// An offer as a desk is shown it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Which.
    pub offer: OfferId,
    /// Of which conversation.
    pub conversation: ConversationId,
    /// To whom, as it says itself.
    pub agent: AgentId,
    /// Log time at which it was made.
    pub made_at_us: u64,
    /// Log time at which it becomes a miss.
    pub deadline_us: u64,
    /// Whether it was accepted, and is being connected.
    pub connecting: bool,
    /// Whether the desk is asked for advice.
    pub consult: bool,
}

/// An agent as a read or a welcome shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSeen {
    /// Who.
    pub agent: AgentId,
    /// Version.
    pub version: u64,
    /// Present epoch.
    pub epoch: u64,
    /// Whether its lease is live.
    pub live: bool,
    /// Whether it is available.
    pub available: bool,
    /// Live offers, in the order of their ids.
    pub offers: Vec<OfferId>,
    /// Held conversations, and whether in wrap-up, in the order of their ids.
    pub holdings: Vec<(ConversationId, bool)>,
}

/// What a desk was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Everything, at this cursor.
    Welcome(Box<AgentSeen>, Vec<Shown>),
    /// An offer.
    Offered(Shown),
    /// An offer is over; accepted or not.
    OfferEnded(OfferId, bool),
    /// A conversation is this desk's.
    Assigned(ConversationId),
    /// Wrap-up runs.
    Wrapping(ConversationId),
    /// A conversation is no longer this desk's, and goes on.
    Released(ConversationId),
    /// A conversation of this desk ended.
    Ended(ConversationId),
    /// The intent changed; available or not.
    Presence(bool),
    /// The session is over, for this reason.
    SessionEnded(String),
    /// Something else moved the cursor.
    Other,
}

/// One message of a desk's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// Whose desk.
    pub agent: AgentId,
    /// The desk's epoch.
    pub epoch: u64,
    /// The stream, numbered over all desks; a welcome begins another run of it.
    pub stream: u64,
    /// When it was read, simulated microseconds.
    pub at_us: u64,
    /// The domain's event sequence up to which the desk has been told.
    pub cursor: u64,
    /// What it said.
    pub said: Said,
}
