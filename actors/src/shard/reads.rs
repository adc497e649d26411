//! Queries on a replica's state.

use crate::{Answer, Found, Query};
use routing::{Rejected, Shard};
use std::fmt::Display;

fn limit(limit: u32) -> usize {
    limit.clamp(1, Query::LIMIT_MAX) as usize
}

fn known<T>(found: Option<T>, kind: &str, id: &impl Display) -> Result<T, Rejected> {
    found.ok_or_else(|| Rejected::Unknown { kind: kind.to_owned(), id: id.to_string() })
}

/// Answers a query from this state.
pub(crate) fn read(shard: &Shard, query: &Query) -> Result<Answer, Rejected> {
    shard.check_here(query.domain())?;
    let found = match query {
        Query::Domain(id) => Found::Domain(known(shard.domain(*id), "domain", id)?),
        Query::Agent(id) => Found::Agent(known(shard.agent(*id), "agent", id)?),
        Query::Agents { domain, after, limit: most } => {
            Found::Agents(shard.agents(*domain, *after, limit(*most)))
        }
        Query::Queue(id) => Found::Queue(known(shard.queue(*id), "queue", id)?),
        Query::Queues { domain, after, limit: most } => {
            Found::Queues(shard.queues(*domain, *after, limit(*most)))
        }
        Query::Touchpoint(id) => Found::Touchpoint(known(shard.touchpoint(*id), "touchpoint", id)?),
        Query::Touchpoints { domain, after, limit: most } => {
            Found::Touchpoints(shard.touchpoints(*domain, *after, limit(*most)))
        }
        Query::Conversation(id) => Found::Conversation(known(shard.conversation(*id), "conversation", id)?),
        Query::Conversations { domain, after, limit: most } => {
            Found::Conversations(shard.conversations(*domain, *after, limit(*most)))
        }
        Query::Inbox { agent, limit: most } => {
            known(shard.agent(*agent), "agent", agent)?;
            Found::Conversations(shard.inbox(*agent, limit(*most)))
        }
        Query::Desk(id) => Found::Desk(known(shard.desk(*id), "agent", id)?),
        Query::ExplainQueue(id) => Found::ExplainQueue(known(shard.explain_queue(*id), "queue", id)?),
        Query::ExpectedWait(id) => Found::ExpectedWait(known(shard.expected_wait(*id), "conversation", id)?),
        Query::ExpectedOnArrival { queue, channel, priority } => {
            let expected = shard.expected_on_arrival(*queue, *channel, *priority);
            Found::ExpectedWait(known(expected, "queue", queue)?)
        }
        Query::ExplainWait(id) => Found::ExplainWait(known(shard.explain_wait(*id), "conversation", id)?),
    };
    Ok(Answer { now: shard.now_of(query.domain()), found })
}
