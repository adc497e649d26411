//! Reads: one enum, so that they travel between nodes as they are.

use routing::expected::ExpectedWait;
use routing::view::{
    AgentView, ConversationView, DeskView, DomainSummary, QueueExplanation, QueueView, TouchpointView,
    WaitExplanation,
};
use routing::{AgentId, Channel, ConversationId, DomainId, LogTime, Priority, QueueId, TouchpointId};
use serde::{Deserialize, Serialize};
use std::slice::{from_mut, from_ref};

/// What can be read. Lists are in the order of ids, after `after`, at most `limit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Query {
    /// A domain at a glance.
    Domain(DomainId),
    /// One agent.
    Agent(AgentId),
    /// Agents of a domain.
    Agents {
        /// Whose.
        domain: DomainId,
        /// The last id of the former page.
        after: Option<AgentId>,
        /// Page size, at most [`Query::LIMIT_MAX`].
        limit: u32,
    },
    /// One queue with its figures.
    Queue(QueueId),
    /// Queues of a domain.
    Queues {
        /// Whose.
        domain: DomainId,
        /// The last id of the former page.
        after: Option<QueueId>,
        /// Page size, at most [`Query::LIMIT_MAX`].
        limit: u32,
    },
    /// One touchpoint.
    Touchpoint(TouchpointId),
    /// Touchpoints of a domain.
    Touchpoints {
        /// Whose.
        domain: DomainId,
        /// The last id of the former page.
        after: Option<TouchpointId>,
        /// Page size, at most [`Query::LIMIT_MAX`].
        limit: u32,
    },
    /// One conversation.
    Conversation(ConversationId),
    /// Conversations of a domain.
    Conversations {
        /// Whose.
        domain: DomainId,
        /// The last id of the former page.
        after: Option<ConversationId>,
        /// Page size, at most [`Query::LIMIT_MAX`].
        limit: u32,
    },
    /// What an agent may pull, in rank order.
    Inbox {
        /// Who.
        agent: AgentId,
        /// Page size, at most [`Query::LIMIT_MAX`].
        limit: u32,
    },
    /// What an agent's desk must show.
    Desk(AgentId),
    /// Why a conversation waits.
    ExplainWait(ConversationId),
    /// Why nobody of a queue gets work. From feature level [`PICKS`](routing::level::PICKS) on: nodes that know
    /// less cannot read it.
    ExplainQueue(QueueId),
    /// How long a conversation may expect to wait. From feature level [`EXPECTED`](routing::level::EXPECTED) on.
    ExpectedWait(ConversationId),
    /// How long somebody may expect to wait who would arrive at a queue now. From that level on too.
    ExpectedOnArrival {
        /// Where.
        queue: QueueId,
        /// By which channel.
        channel: Channel,
        /// With which priority.
        priority: Priority,
    },
}

impl Query {
    /// Largest page; a larger `limit` is cut to it.
    pub const LIMIT_MAX: u32 = 1_000;

    /// The domain that is asked.
    #[must_use]
    pub fn domain(&self) -> DomainId {
        match self {
            Self::Domain(domain)
            | Self::Agents { domain, .. }
            | Self::Queues { domain, .. }
            | Self::Touchpoints { domain, .. }
            | Self::Conversations { domain, .. } => *domain,
            Self::Agent(agent) | Self::Inbox { agent, .. } | Self::Desk(agent) => agent.domain,
            Self::Queue(queue) | Self::ExplainQueue(queue) | Self::ExpectedOnArrival { queue, .. } => {
                queue.domain
            }
            Self::Touchpoint(touchpoint) => touchpoint.domain,
            Self::Conversation(conversation)
            | Self::ExplainWait(conversation)
            | Self::ExpectedWait(conversation) => conversation.domain,
        }
    }
}

/// The answer to a query. An unknown id is refused with `Rejected::Unknown` instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Log time of the state that was read.
    pub now: LogTime,
    /// What was found.
    pub found: Found,
}

/// What a query found; each variant belongs to the query of its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Found {
    /// For [`Query::Domain`].
    Domain(DomainSummary),
    /// For [`Query::Agent`].
    Agent(AgentView),
    /// For [`Query::Agents`].
    Agents(Vec<AgentView>),
    /// For [`Query::Queue`].
    Queue(QueueView),
    /// For [`Query::Queues`].
    Queues(Vec<QueueView>),
    /// For [`Query::Touchpoint`].
    Touchpoint(TouchpointView),
    /// For [`Query::Touchpoints`].
    Touchpoints(Vec<TouchpointView>),
    /// For [`Query::Conversation`].
    Conversation(ConversationView),
    /// For [`Query::Conversations`] and [`Query::Inbox`].
    Conversations(Vec<ConversationView>),
    /// For [`Query::Desk`].
    Desk(DeskView),
    /// For [`Query::ExplainWait`].
    ExplainWait(WaitExplanation),
    /// For [`Query::ExplainQueue`].
    ExplainQueue(QueueExplanation),
    /// For [`Query::ExpectedWait`] and [`Query::ExpectedOnArrival`].
    ExpectedWait(ExpectedWait),
}

/// For what stands beside the encoded form: nobody else needs to know which variants show what.
impl Found {
    /// All agents in it.
    pub(crate) fn agents(&self) -> &[AgentView] {
        match self {
            Self::Agent(one) => from_ref(one),
            Self::Agents(all) => all,
            Self::Desk(desk) => from_ref(&desk.agent),
            _ => &[],
        }
    }

    pub(crate) fn agents_mut(&mut self) -> &mut [AgentView] {
        match self {
            Self::Agent(one) => from_mut(one),
            Self::Agents(all) => all,
            Self::Desk(desk) => from_mut(&mut desk.agent),
            _ => &mut [],
        }
    }

    /// All queues in it.
    pub(crate) fn queues(&self) -> &[QueueView] {
        match self {
            Self::Queue(one) => from_ref(one),
            Self::Queues(all) => all,
            _ => &[],
        }
    }

    pub(crate) fn queues_mut(&mut self) -> &mut [QueueView] {
        match self {
            Self::Queue(one) => from_mut(one),
            Self::Queues(all) => all,
            _ => &mut [],
        }
    }

    /// All touchpoints in it.
    pub(crate) fn touchpoints(&self) -> &[TouchpointView] {
        match self {
            Self::Touchpoint(one) => from_ref(one),
            Self::Touchpoints(all) => all,
            _ => &[],
        }
    }

    pub(crate) fn touchpoints_mut(&mut self) -> &mut [TouchpointView] {
        match self {
            Self::Touchpoint(one) => from_mut(one),
            Self::Touchpoints(all) => all,
            _ => &mut [],
        }
    }

    /// All conversations in it.
    pub(crate) fn conversations(&self) -> &[ConversationView] {
        match self {
            Self::Conversation(one) => from_ref(one),
            Self::Conversations(all) => all,
            _ => &[],
        }
    }

    pub(crate) fn conversations_mut(&mut self) -> &mut [ConversationView] {
        match self {
            Self::Conversation(one) => from_mut(one),
            Self::Conversations(all) => all,
            _ => &mut [],
        }
    }
}
