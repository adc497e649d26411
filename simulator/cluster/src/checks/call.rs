//! One attempt of one intent, and what became of it.

use consensus::NodeId;
use routing::{AgentId, ConversationId, DomainId, OfferId, QueueId};

/// The desk that acts: whose, and of which session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seat {
    /// Whose.
    pub agent: AgentId,
    /// The session's epoch.
    pub epoch: u64,
}

/// What a client asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A conversation, with the client's own reference, unique to the intent.
    Start(String),
    /// To tell that the customer left.
    Abandon(ConversationId),
    /// To end a contact, from the customer's side.
    CustomerEnds(ConversationId),
    /// To close what nobody owns.
    Close(ConversationId),
    /// To take an offer.
    Accept(Seat, OfferId),
    /// To decline an offer.
    Reject(Seat, OfferId),
    /// To say that agent and customer are connected.
    Connected(Seat, OfferId),
    /// To say that they are not.
    ConnectFailed(Seat, OfferId),
    /// To pull from an inbox.
    Assign(Seat, ConversationId),
    /// To end a contact.
    EndContact(Seat, ConversationId),
    /// To end a wrap-up.
    Complete(Seat, ConversationId),
    /// To pass a contact on; to an agent, or else to a queue or inbox.
    DeskTransfer(Seat, ConversationId, Option<AgentId>),
    /// To ask another agent about a contact.
    Consult(Seat, ConversationId),
    /// To end that.
    EndConsult(Seat, ConversationId),
    /// To hand the contact over to whoever was asked.
    CompleteConsult(Seat, ConversationId),
    /// To change the own intent; to available or not.
    DeskPresence(Seat, bool),
    /// To move a conversation, by a supervisor.
    Transfer(ConversationId, Option<AgentId>),
    /// To end a conversation, by a supervisor.
    ForceClose(ConversationId),
    /// To change an agent's intent, by a supervisor.
    Presence(AgentId, bool),
    /// To log an agent out, by a supervisor.
    LogOut(AgentId),
    /// To change a priority.
    Reprioritise(ConversationId, u8),
    /// To pause or to resume a queue.
    Pause(QueueId, bool),
    /// To delete a queue.
    DeleteQueue(QueueId),
    /// To delete an agent.
    DeleteAgent(AgentId),
    /// A change of configuration by the name of its method.
    Configure(&'static str),
}

impl Asked {
    /// The name of the method, for counts.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self {
            Asked::Start(_) => "start",
            Asked::Abandon(_) => "abandon",
            Asked::CustomerEnds(_) => "customer_ends",
            Asked::Close(_) => "close",
            Asked::Accept(..) => "accept",
            Asked::Reject(..) => "reject",
            Asked::Connected(..) => "connected",
            Asked::ConnectFailed(..) => "connect_failed",
            Asked::Assign(..) => "assign",
            Asked::EndContact(..) => "end_contact",
            Asked::Complete(..) => "complete",
            Asked::DeskTransfer(..) => "desk_transfer",
            Asked::Consult(..) => "consult",
            Asked::EndConsult(..) => "end_consult",
            Asked::CompleteConsult(..) => "complete_consult",
            Asked::DeskPresence(..) => "desk_presence",
            Asked::Transfer(..) => "transfer",
            Asked::ForceClose(_) => "force_close",
            Asked::Presence(..) => "presence",
            Asked::LogOut(_) => "log_out",
            Asked::Reprioritise(..) => "reprioritise",
            Asked::Pause(..) => "pause_queue",
            Asked::DeleteQueue(_) => "delete_queue",
            Asked::DeleteAgent(_) => "delete_agent",
            Asked::Configure(name) => name,
        }
    }

    /// The desk that asks, if one does.
    #[must_use]
    pub fn seat(&self) -> Option<Seat> {
        match self {
            Asked::Accept(seat, _)
            | Asked::Reject(seat, _)
            | Asked::Connected(seat, _)
            | Asked::ConnectFailed(seat, _)
            | Asked::Assign(seat, _)
            | Asked::EndContact(seat, _)
            | Asked::Complete(seat, _)
            | Asked::DeskTransfer(seat, ..)
            | Asked::Consult(seat, _)
            | Asked::EndConsult(seat, _)
            | Asked::CompleteConsult(seat, _)
            | Asked::DeskPresence(seat, _) => Some(*seat),
            _ => None,
        }
    }
}

/// An OK answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answer {
    /// The domain's event sequence after the call; 0 where the answer has none.
    pub sequence: u64,
    /// The changed entity's version.
    pub version: u64,
    /// Log time of the call, microseconds.
    pub at_us: u64,
    /// The conversation named, if any.
    pub conversation: Option<ConversationId>,
    /// The offer named, if any.
    pub offer: Option<OfferId>,
    /// The agent named, if any.
    pub agent: Option<AgentId>,
}

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Answered OK.
    Done(Answer),
    /// Refused for a reason of the core's own, the same on every retry.
    Refused(String),
    /// Certainly not done by this attempt, as the node said; the next one may be.
    NotDone,
    /// No answer, or one that says nothing about the command.
    Unknown,
}

impl Outcome {
    /// For counts.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Done(_) => "ok",
            Outcome::Refused(_) => "refused",
            Outcome::NotDone => "not_done",
            Outcome::Unknown => "unknown",
        }
    }
}

/// One attempt. Retries are calls of their own with the same request id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The domain asked, once it has an id.
    pub domain: Option<DomainId>,
    /// The request id.
    pub request: u128,
    /// What was asked.
    pub asked: Asked,
    /// Of which node.
    pub node: NodeId,
    /// When, in simulated microseconds.
    pub sent_us: u64,
    /// When the answer or the failure came.
    pub returned_us: u64,
    /// How it ended.
    pub outcome: Outcome,
}
