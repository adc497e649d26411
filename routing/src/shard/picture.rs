//! A domain as it was at one entry, to be read while the next ones are applied.

use super::Shard;
use crate::view::{AgentView, ConversationView, DomainSummary, QueueView, TouchpointView};
use crate::{AgentId, ConversationId, DomainId, LogTime, Sequence, ShardId, TouchpointId};

/// A domain as it was when the picture was taken ([`Shard::picture`]). It shares its memory with the
/// shard; what the shard changes meanwhile is in memory twice.
#[derive(Debug)]
pub struct Picture {
    summary: DomainSummary,
    /// Their figures are kept in indexes, which a copy has not.
    queues: Vec<QueueView>,
    /// The domain without what serves decisions alone.
    copy: Shard,
}

impl Shard {
    /// A copy of one domain to be read. It costs as much as there are queues, and pages of agents,
    /// conversations and answers; not as much as there are agents and conversations.
    #[must_use]
    pub fn picture(&mut self, id: DomainId) -> Option<Picture> {
        self.check_here(id).ok()?;
        let (now, level) = (self.now_of(id), self.level);
        let domain = self.domains.get_mut(&id)?;
        let summary = domain.summary(now);
        let queues = domain.queues.iter().map(|queue| domain.queue_view(queue)).collect();
        let copy = Self { now, level, domains: [(id, domain.frozen())].into(), ..Self::new(self.id) };
        Some(Picture { summary, queues, copy })
    }
}

impl Picture {
    /// The domain at a glance.
    #[must_use]
    pub fn domain(&self) -> &DomainSummary {
        &self.summary
    }

    /// The shard that holds it.
    #[must_use]
    pub fn shard(&self) -> ShardId {
        self.copy.id()
    }

    /// The last event in it.
    #[must_use]
    pub fn sequence(&self) -> Sequence {
        self.summary.sequence
    }

    /// Time of the last entry in it.
    #[must_use]
    pub fn now(&self) -> LogTime {
        self.copy.now()
    }

    /// All queues with their figures, in the order of ids.
    #[must_use]
    pub fn queues(&self) -> &[QueueView] {
        &self.queues
    }

    /// See [`Shard::agents`].
    #[must_use]
    pub fn agents(&self, after: Option<AgentId>, limit: usize) -> Vec<AgentView> {
        self.copy.agents(self.summary.id, after, limit)
    }

    /// See [`Shard::touchpoints`].
    #[must_use]
    pub fn touchpoints(&self, after: Option<TouchpointId>, limit: usize) -> Vec<TouchpointView> {
        self.copy.touchpoints(self.summary.id, after, limit)
    }

    /// See [`Shard::conversations`].
    #[must_use]
    pub fn conversations(&self, after: Option<ConversationId>, limit: usize) -> Vec<ConversationView> {
        self.copy.conversations(self.summary.id, after, limit)
    }
}
