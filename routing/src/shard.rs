//! The state machine of one Raft group.

use crate::view::{
    AgentView, ConversationView, DeskView, DomainSummary, DomainView, QueueView, TouchpointView,
    WaitExplanation,
};
use crate::{
    AgentId, ConversationId, DomainId, Effects, Entry, Epoch, LogTime, Outcome, QueueId, Rejected,
    ShardId, TouchpointId,
};
use serde::{Deserialize, Serialize};

/// All domains of one Raft group. The same entries make the same state, on every replica and in
/// every replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    id: ShardId,
    now: LogTime,
}

impl Shard {
    /// An empty shard.
    #[must_use]
    pub fn new(id: ShardId) -> Self {
        Self { id, now: LogTime::default() }
    }

    /// Applies one committed entry: expires what is due at its time, carries out its command,
    /// matches. Never panics: a panic of one domain quarantines that domain.
    ///
    /// `effects` is appended to, not cleared.
    pub fn apply(&mut self, entry: &Entry, effects: &mut Effects) -> Outcome {
        let _ = effects;
        self.now = self.now.max(entry.time);
        Err(Rejected::UnknownDomain)
    }

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
        None
    }

    /// Whether the leader must propose a `Continue` now.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        false
    }

    /// The apply level: which behaviour the entries get.
    #[must_use]
    pub fn level(&self) -> u32 {
        0
    }

    /// Hash of the whole state: equal on all replicas at equal index. Costs a walk of the state.
    #[must_use]
    pub fn state_hash(&self) -> u64 {
        0
    }

    /// All domains, in the order of their ids.
    #[must_use]
    pub fn domains(&self) -> Vec<DomainSummary> {
        Vec::new()
    }

    /// One domain at a glance.
    #[must_use]
    pub fn domain(&self, _domain: DomainId) -> Option<DomainSummary> {
        None
    }

    /// A whole domain, for invariants, models and tests.
    #[must_use]
    pub fn view(&self, _domain: DomainId) -> Option<DomainView> {
        None
    }

    /// One agent.
    #[must_use]
    pub fn agent(&self, _agent: AgentId) -> Option<AgentView> {
        None
    }

    /// Agents in the order of ids, after `after`, at most `limit`.
    #[must_use]
    pub fn agents(&self, _domain: DomainId, _after: Option<AgentId>, _limit: usize) -> Vec<AgentView> {
        Vec::new()
    }

    /// One queue with its present figures.
    #[must_use]
    pub fn queue(&self, _queue: QueueId) -> Option<QueueView> {
        None
    }

    /// All queues in the order of ids, after `after`, at most `limit`.
    #[must_use]
    pub fn queues(&self, _domain: DomainId, _after: Option<QueueId>, _limit: usize) -> Vec<QueueView> {
        Vec::new()
    }

    /// One touchpoint.
    #[must_use]
    pub fn touchpoint(&self, _touchpoint: TouchpointId) -> Option<TouchpointView> {
        None
    }

    /// Touchpoints in the order of ids, after `after`, at most `limit`.
    #[must_use]
    pub fn touchpoints(&self, _domain: DomainId, _after: Option<TouchpointId>, _limit: usize) -> Vec<TouchpointView> {
        Vec::new()
    }

    /// One conversation, also a terminal one within its retention.
    #[must_use]
    pub fn conversation(&self, _conversation: ConversationId) -> Option<ConversationView> {
        None
    }

    /// Conversations in the order of ids, after `after`, at most `limit`.
    #[must_use]
    pub fn conversations(&self, _domain: DomainId, _after: Option<ConversationId>, _limit: usize) -> Vec<ConversationView> {
        Vec::new()
    }

    /// What an agent may pull: inbox conversations of its queues in rank order, at most `limit`.
    #[must_use]
    pub fn inbox(&self, _agent: AgentId, _limit: usize) -> Vec<ConversationView> {
        Vec::new()
    }

    /// What is owed to an agent's desk.
    #[must_use]
    pub fn desk(&self, _agent: AgentId) -> Option<DeskView> {
        None
    }

    /// Every live lease, for the new leader to re-arm: agents in the order of ids.
    #[must_use]
    pub fn leases(&self) -> Vec<(AgentId, Epoch)> {
        Vec::new()
    }

    /// Why a conversation waits.
    #[must_use]
    pub fn explain_wait(&self, _conversation: ConversationId) -> Option<WaitExplanation> {
        None
    }

    /// Switches on a fault for tests of the checkers. Not replicated, not in snapshots.
    #[doc(hidden)]
    pub fn plant(&mut self, _bug: PlantedBug) {}
}

/// Faults that can be planted to prove that checkers see them. Never on in production: a node
/// refuses to start with one unless its environment allows it by name.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlantedBug {
    /// A rejected offer leaves the conversation assignable to the rejecting agent and the next.
    OfferTwice,
    /// Points are not released when a contact ends.
    PointsKept,
    /// The newest conversation goes first.
    NewestFirst,
    /// A late accept is taken.
    LateAccept,
}
