//! Answers: done, or rejected for a reason that is itself deterministic.

use crate::{AgentId, ConversationId, Epoch, LogTime, OfferId, QueueId, Sequence, TouchpointId, Version};
use serde::{Deserialize, Serialize};

/// The answer to one command.
pub type Outcome = Result<Done, Rejected>;

/// What a successful command answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// What the command made or changed.
    pub what: DoneWhat,
    /// Log time of the entry.
    pub at: LogTime,
    /// The domain's last event sequence after the entry.
    pub sequence: Sequence,
    /// Version of the entity the command changed, after the entry.
    pub version: Version,
}

/// The part of an answer that depends on the command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DoneWhat {
    /// Nothing more to say.
    Ok,
    /// A queue was made.
    Queue(QueueId),
    /// An agent was made.
    Agent(AgentId),
    /// A touchpoint was made.
    Touchpoint(TouchpointId),
    /// A conversation was started, and this is where it stands after the same entry.
    Conversation {
        /// Its id.
        id: ConversationId,
        /// The offer that was made for it at once, if any.
        offer: Option<OfferId>,
        /// The agent that has that offer.
        agent: Option<AgentId>,
    },
    /// A session was opened: use this epoch in everything the desk sends.
    Session(Epoch),
    /// A conversation is now this agent's.
    Assigned {
        /// The conversation.
        conversation: ConversationId,
        /// Its owner.
        agent: AgentId,
    },
    /// What became of a conversation from another domain.
    Landed(Landing),
    /// Parts that are here of a domain that comes from another shard.
    Parts(u32),

    /// An offer is accepted, and its conversation the agent's once they are connected: say so before the deadline.
    Connecting {
        /// The conversation.
        conversation: ConversationId,
        /// Whose it will be.
        agent: AgentId,
        /// When it is a miss.
        deadline: LogTime,
    },
    /// As `Conversation`, and it has the place of the one that it continues.
    Resumed {
        /// Its id.
        id: ConversationId,
        /// The offer that was made for it at once, if any.
        offer: Option<OfferId>,
        /// The agent that has that offer.
        agent: Option<AgentId>,
    },
    /// An offer of a part in a consultation is accepted: its owner says what follows, until the deadline.
    Consulting {
        /// The conversation.
        conversation: ConversationId,
        /// Who is consulted.
        agent: AgentId,
        /// When it ends by itself.
        deadline: LogTime,
    },
}

/// What became of a conversation from another domain. Once said it stays so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Landing {
    /// It is here, as this conversation.
    Arrived(ConversationId),
    /// It is not taken.
    Refused(NotTaken),
    /// It had not arrived when it was called back, and never will.
    Withdrawn,
}

/// Why a domain does not take a conversation from another one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error,
)]
pub enum NotTaken {
    /// Nothing crosses accounts.
    #[error("the domain is of another account")]
    OtherAccount,
    /// No such touchpoint there.
    #[error("no such touchpoint")]
    UnknownTouchpoint,
    /// The touchpoint is of another channel.
    #[error("the touchpoint is of another channel")]
    OtherChannel,
    /// The domain, or every queue of the touchpoint, is full.
    #[error("full")]
    Full,
    /// Too many transfers.
    #[error("too many transfers")]
    Hops,
}

/// Why a command was refused. Deterministic: the same on every replica and on every retry.
///
/// Variants only grow at the end (they are stored in request-id tables).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Rejected {
    /// No such domain on this shard.
    #[error("unknown domain: create it first, or ask the placement which shard holds it")]
    UnknownDomain,
    /// The domain exists already with other content.
    #[error("the domain exists already")]
    DomainExists,
    /// The domain is quarantined after a fault; see its alarm.
    #[error("the domain is quarantined after a fault: see its alarm, then restore or replay it")]
    Quarantined,
    /// No such entity.
    #[error("unknown {kind}: {id}")]
    Unknown {
        /// `queue`, `agent`, `touchpoint`, `conversation` or `offer`.
        kind: String,
        /// The id as text.
        id: String,
    },
    /// A value is out of its range.
    #[error("{field}: {problem}")]
    Invalid {
        /// Which field.
        field: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// The conversation is not in a state that allows it.
    #[error("the conversation is {state}: {needed}")]
    WrongState {
        /// The state it is in.
        state: String,
        /// What the command needs.
        needed: String,
    },
    /// Another agent was faster (pull from the inbox, or an offer that went elsewhere).
    #[error("taken by {by}")]
    Taken {
        /// Who has it.
        by: AgentId,
    },
    /// The offer is over (timed out, revoked, answered).
    #[error("offer {offer} is over")]
    OfferOver {
        /// The offer.
        offer: OfferId,
    },
    /// The desk's epoch is older than the agent's.
    #[error("this session is stale: the agent's epoch is {current:?}; open a new session")]
    StaleEpoch {
        /// The agent's present epoch.
        current: Epoch,
    },
    /// The agent has no live lease.
    #[error("the agent has no live session: open one first")]
    NoLease,
    /// Taking the work would exceed the agent's capacity and the account allows no overdraft.
    #[error("no room: load {load} of {capacity}, needs {weight}")]
    NoCapacity {
        /// Points taken.
        load: u32,
        /// Points in all.
        capacity: u32,
        /// Points needed.
        weight: u32,
    },
    /// The agent may not do this (not a member, not the owner, channel not handled).
    #[error("not allowed: {why}")]
    NotAllowed {
        /// The reason.
        why: String,
    },
    /// The expected version differs.
    #[error("version is {current:?}: read again and retry with it")]
    VersionMismatch {
        /// The entity's version.
        current: Version,
    },
    /// More than the allowed number of transfers.
    #[error("hop limit of {limit} reached: close it or keep it")]
    HopLimit {
        /// The limit.
        limit: u32,
    },
    /// A bounded collection is full; nothing was changed.
    #[error("{what} is full ({limit}): {remedy}")]
    Full {
        /// What is full.
        what: String,
        /// Its bound.
        limit: u64,
        /// What to do.
        remedy: String,
    },
    /// The request id's own time stamp is older than the window: its outcome is no longer known.
    #[error(
        "REQUEST_TOO_OLD: the request id is older than the window of {window_s} s; look up the result, then use a new id"
    )]
    RequestTooOld {
        /// The window in seconds.
        window_s: u64,
    },
    /// The same request id came with other content.
    #[error("REQUEST_ID_REUSED: this id was used for another command; make a new id per intent")]
    RequestIdReused,
    /// The entity is still in use.
    #[error("in use: {why}")]
    InUse {
        /// By what.
        why: String,
    },
    /// The command needs a higher apply level than the shard runs at.
    #[error("the cluster runs at level {level}: finish the upgrade first")]
    Level {
        /// The shard's level.
        level: u32,
    },
    /// The domain is on its way between shards. Not done; callers of the cluster do not see it.
    #[error("the domain is moving to another shard: try again with the same request id")]
    Moving,
    /// The domain is on another shard. Not done; callers of the cluster do not see it.
    #[error("the domain has moved to {to}: ask there, with the same request id")]
    Moved {
        /// Where it went.
        to: crate::ShardId,
    },

    /// The agent works on a channel that blocks this one by the domain's rules, and the account allows no overdraft.
    #[error(
        "{channel} is blocked while the agent works on {by}: wait until that is over, or ask another agent"
    )]
    Blocked {
        /// The conversation's channel.
        channel: crate::Channel,
        /// The first channel that the agent works on and that blocks it.
        by: crate::Channel,
    },
}
