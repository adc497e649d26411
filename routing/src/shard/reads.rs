//! What can be asked of a shard without changing it.

use super::Shard;
use crate::digest::digest;
use crate::domain::crossings::Owed;
use crate::domain::{AgentNo, ConvNo, Domain, QueueNo, TouchNo};
use crate::expected::ExpectedWait;
use crate::view::{
    AgentView, ConversationView, DeskView, DomainSummary, DomainView, QueueExplanation, QueueView,
    TouchpointView, WaitExplanation,
};
use crate::{
    AgentId, Channel, ConversationId, DomainId, Epoch, LogTime, Priority, QueueId, ShardId, Span,
    TouchpointId,
};
use std::hash::Hasher;

impl Shard {
    /// Which shard this is.
    #[must_use]
    pub fn id(&self) -> ShardId {
        self.id
    }

    /// Time of the last applied entry.
    #[must_use]
    pub fn now(&self) -> LogTime {
        self.now
    }

    /// When the leader must propose a `Tick` at the latest; `None` when nothing is due ever.
    #[must_use]
    pub fn next_deadline(&self) -> Option<LogTime> {
        let index = &self.index.0;
        let due = index.deadlines.first().map(|(at, _)| *at);
        // As far as log time goes as wall time does from the last entry on.
        let change =
            self.next_change_ms().map(|at| self.now + Span::millis(at.saturating_sub(index.wall_ms)));
        due.into_iter().chain(change).min()
    }

    /// When a queue opens or its hours end, in Unix milliseconds, if that is to come: the leader must propose a
    /// `Tick` when its wall clock says so, whatever log time is. `None`: nothing changes ever.
    #[must_use]
    pub fn next_change_ms(&self) -> Option<u64> {
        self.index.0.changes.first().map(|(at, _)| *at)
    }

    /// Whether the leader must propose a `Continue` now.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        let due = self.index.0.deadlines.first().is_some_and(|(at, _)| *at <= self.now);
        due || !self.index.0.unmatched.is_empty()
    }

    /// Whether a domain owes something to another one.
    #[must_use]
    pub fn owes(&self) -> bool {
        !self.index.0.owing.is_empty()
    }

    /// Messages owed to other domains at this log time, at most so many, but for transfers that are
    /// left out (by the domain it goes to, conversation and number).
    #[must_use]
    pub fn owed(
        &self,
        now: LogTime,
        most: usize,
        leave_out: &dyn Fn(DomainId, ConversationId, u64) -> bool,
    ) -> Vec<Owed> {
        let mut owed = Vec::new();
        for domain in self.index.0.owing.iter().filter_map(|id| self.domains.get(id)) {
            let now = self.time_in(domain.id, now);
            let skip = |to, no: ConvNo, number| leave_out(to, no.id(domain.id), number);
            let room = most - owed.len();
            owed.extend(domain.owed(now, &skip).take(room));
        }
        owed
    }

    /// The apply level: which behaviour the entries get.
    #[must_use]
    pub fn level(&self) -> u32 {
        self.level
    }

    /// Hash of the whole state: equal on all replicas at equal index. Costs a walk of the state.
    #[must_use]
    pub fn state_hash(&self) -> u64 {
        let mut hasher = twox_hash::XxHash3_64::new();
        digest(self, &mut hasher);
        hasher.finish()
    }

    pub(crate) fn of(&self, domain: DomainId) -> Option<&Domain> {
        self.domains.get(&domain)
    }

    /// All domains, in the order of their ids.
    #[must_use]
    pub fn domains(&self) -> Vec<DomainSummary> {
        self.domains.values().map(|domain| domain.summary(self.now_of(domain.id))).collect()
    }

    /// The ids of all domains, in order.
    pub fn domain_ids(&self) -> impl Iterator<Item = DomainId> {
        self.domains.keys().copied()
    }

    /// When something is due in a domain at the latest, in the shard's log time; `None` when nothing is
    /// due ever, and when it is not in service.
    #[must_use]
    pub fn next_deadline_of(&self, domain: DomainId) -> Option<LogTime> {
        self.index.0.listed.get(&domain).copied()
    }

    /// One domain at a glance.
    #[must_use]
    pub fn domain(&self, domain: DomainId) -> Option<DomainSummary> {
        Some(self.of(domain)?.summary(self.now_of(domain)))
    }

    /// A whole domain, for invariants, models and tests.
    #[must_use]
    pub fn view(&self, domain: DomainId) -> Option<DomainView> {
        Some(self.of(domain)?.view(self.now_of(domain)))
    }

    /// One agent.
    #[must_use]
    pub fn agent(&self, agent: AgentId) -> Option<AgentView> {
        let domain = self.of(agent.domain)?;
        let agent = domain.agents.get(AgentNo::of(agent, domain.id)?.0)?;
        Some(domain.agent_view(agent))
    }

    /// Agents in the order of ids, after `after`, at most `limit`.
    #[must_use]
    pub fn agents(&self, domain: DomainId, after: Option<AgentId>, limit: usize) -> Vec<AgentView> {
        let Some(domain) = self.of(domain) else { return Vec::new() };
        let first = first_after(after.map(|after| after.number));
        domain.agents.iter_from(first).take(limit).map(|agent| domain.agent_view(agent)).collect()
    }

    /// One queue with its present figures.
    #[must_use]
    pub fn queue(&self, queue: QueueId) -> Option<QueueView> {
        let domain = self.of(queue.domain)?;
        let queue = domain.queues.get(QueueNo::of(queue, domain.id)?.0)?;
        Some(domain.queue_view(queue))
    }

    /// All queues in the order of ids, after `after`, at most `limit`.
    #[must_use]
    pub fn queues(&self, domain: DomainId, after: Option<QueueId>, limit: usize) -> Vec<QueueView> {
        let Some(domain) = self.of(domain) else { return Vec::new() };
        let first = first_after(after.map(|after| after.number));
        domain.queues.iter_from(first).take(limit).map(|queue| domain.queue_view(queue)).collect()
    }

    /// One touchpoint.
    #[must_use]
    pub fn touchpoint(&self, touchpoint: TouchpointId) -> Option<TouchpointView> {
        let domain = self.of(touchpoint.domain)?;
        let touchpoint = domain.touchpoints.get(TouchNo::of(touchpoint, domain.id)?.0)?;
        Some(domain.touchpoint_view(touchpoint))
    }

    /// Touchpoints in the order of ids, after `after`, at most `limit`.
    #[must_use]
    pub fn touchpoints(
        &self,
        domain: DomainId,
        after: Option<TouchpointId>,
        limit: usize,
    ) -> Vec<TouchpointView> {
        let Some(domain) = self.of(domain) else { return Vec::new() };
        let first = first_after(after.map(|after| after.number));
        domain.touchpoints.iter_from(first).take(limit).map(|touch| domain.touchpoint_view(touch)).collect()
    }

    /// One conversation, also a terminal one within its retention.
    #[must_use]
    pub fn conversation(&self, conversation: ConversationId) -> Option<ConversationView> {
        let domain = self.of(conversation.domain)?;
        let no = ConvNo::of(conversation, domain.id)?;
        domain.conversations.contains_key(&no).then(|| domain.conversation_view(no))
    }

    /// Conversations in the order of ids, after `after`, at most `limit`.
    #[must_use]
    pub fn conversations(
        &self,
        domain: DomainId,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Vec<ConversationView> {
        let Some(domain) = self.of(domain) else { return Vec::new() };
        let first = after.map_or(0, |after| after.number.saturating_add(1));
        let numbers = domain.conversations.iter_from(first).take(limit);
        numbers.map(|(no, _)| domain.conversation_view(no)).collect()
    }

    /// What an agent may pull: inbox conversations of its queues in rank order, at most `limit`.
    #[must_use]
    pub fn inbox(&self, agent: AgentId, limit: usize) -> Vec<ConversationView> {
        let Some(domain) = self.of(agent.domain) else { return Vec::new() };
        let Some(no) = AgentNo::of(agent, domain.id) else { return Vec::new() };
        domain.inbox_of(no, limit).into_iter().map(|no| domain.conversation_view(no)).collect()
    }

    /// What is owed to an agent's desk.
    #[must_use]
    pub fn desk(&self, agent: AgentId) -> Option<DeskView> {
        let domain = self.of(agent.domain)?;
        Some(DeskView { agent: self.agent(agent)?, sequence: domain.sequence, now: self.now_of(domain.id) })
    }

    /// Every live lease, for the new leader to re-arm: agents in the order of ids.
    #[must_use]
    pub fn leases(&self) -> Vec<(AgentId, Epoch)> {
        let live = |domain: &Domain| {
            let id = domain.id;
            let live = domain.agents.iter().filter(|agent| agent.lease == crate::view::Lease::Live);
            live.map(move |agent| (agent.no.id(id), agent.epoch)).collect::<Vec<_>>()
        };
        self.domains.values().filter(|domain| domain.quarantined.is_none()).flat_map(live).collect()
    }

    /// Why a conversation waits.
    #[must_use]
    pub fn explain_wait(&self, conversation: ConversationId) -> Option<WaitExplanation> {
        let domain = self.of(conversation.domain)?;
        let no = ConvNo::of(conversation, domain.id)?;
        domain.explain(no, self.now_of(domain.id))
    }

    /// How long a conversation may expect to wait, and its position.
    #[must_use]
    pub fn expected_wait(&self, conversation: ConversationId) -> Option<ExpectedWait> {
        let domain = self.of(conversation.domain)?;
        let no = ConvNo::of(conversation, domain.id)?;
        domain.expected_wait(no, self.now_of(domain.id))
    }

    /// How long somebody may expect to wait who arrives at a queue now, and requires nothing.
    #[must_use]
    pub fn expected_on_arrival(
        &self,
        queue: QueueId,
        channel: Channel,
        priority: Priority,
    ) -> Option<ExpectedWait> {
        let domain = self.of(queue.domain)?;
        let no = QueueNo::of(queue, domain.id)?;
        domain.expected_on_arrival(no, channel, priority, self.now_of(domain.id))
    }

    /// Why nobody of a queue gets work, or who would.
    #[must_use]
    pub fn explain_queue(&self, queue: QueueId) -> Option<QueueExplanation> {
        let domain = self.of(queue.domain)?;
        let no = QueueNo::of(queue, domain.id)?;
        domain.explain_queue(no, self.now_of(domain.id))
    }
}

/// The number after an id's.
fn first_after(after: Option<u64>) -> usize {
    after.map_or(0, |after| usize::try_from(after).unwrap_or(usize::MAX).saturating_add(1))
}
