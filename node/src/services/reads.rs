//! Reads through the engine, each with the answer of its own kind.

use super::call::{about, unexpected};
use crate::problem::Problem;
use actors::{Engine, Found, Query};
use routing::expected::ExpectedWait;
use routing::view::{
    AgentView, ConversationView, DeskView, DomainSummary, QueueExplanation, QueueView, TouchpointView,
    WaitExplanation,
};
use routing::{AgentId, ConversationId, DomainId, LogTime};
use std::time::Duration;

macro_rules! read {
    ($name:ident, $variant:ident, $found:ty, $what:literal) => {
        pub(super) async fn $name(
            engine: &Engine,
            query: Query,
            deadline: Duration,
        ) -> Result<($found, LogTime), Problem> {
            about(query.domain());
            let answer = engine.query(query, deadline).await?;
            match answer.found {
                Found::$variant(found) => Ok((found, answer.now)),
                _ => Err(unexpected($what)),
            }
        }
    };
}

read!(agents, Agents, Vec<AgentView>, "a list of agents");
read!(queues, Queues, Vec<QueueView>, "a list of queues");
read!(touchpoints, Touchpoints, Vec<TouchpointView>, "a list of touchpoints");
read!(conversations, Conversations, Vec<ConversationView>, "a list of conversations");
read!(one_domain, Domain, DomainSummary, "a domain");
read!(one_conversation, Conversation, ConversationView, "a conversation");
read!(one_desk, Desk, DeskView, "a desk");
read!(one_explanation, ExplainWait, WaitExplanation, "an explanation");
read!(one_expected_wait, ExpectedWait, ExpectedWait, "an expected wait");
read!(one_queue_explained, ExplainQueue, QueueExplanation, "why a queue's agents get nothing");

/// A domain at a glance.
pub(super) async fn domain(
    engine: &Engine,
    domain: DomainId,
    deadline: Duration,
) -> Result<DomainSummary, Problem> {
    Ok(one_domain(engine, Query::Domain(domain), deadline).await?.0)
}

/// A conversation and the log time of its picture.
pub(super) async fn conversation(
    engine: &Engine,
    conversation: ConversationId,
    deadline: Duration,
) -> Result<(ConversationView, LogTime), Problem> {
    one_conversation(engine, Query::Conversation(conversation), deadline).await
}

/// What an agent's desk must show.
pub(super) async fn desk(engine: &Engine, agent: AgentId, deadline: Duration) -> Result<DeskView, Problem> {
    Ok(one_desk(engine, Query::Desk(agent), deadline).await?.0)
}

/// What an agent may pull.
pub(super) async fn inbox(
    engine: &Engine,
    agent: AgentId,
    limit: u32,
    deadline: Duration,
) -> Result<(Vec<ConversationView>, LogTime), Problem> {
    conversations(engine, Query::Inbox { agent, limit }, deadline).await
}
