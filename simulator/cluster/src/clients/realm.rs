//! A domain and all that its clients know of it.

use super::criteria;
use crate::checks::History;
use crate::determinism::Draw;
use proto::v1;
use routing::{AgentId, DomainId, QueueId, TouchpointId};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An agent as it was set up.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) id: AgentId,
    pub(super) settings: v1::AgentSettings,
}

/// What administrators made or changed since, and must put right in the end.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Queues and agents that were made besides.
    pub(super) queues: BTreeSet<QueueId>,
    pub(super) agents: BTreeSet<AgentId>,
    pub(super) touchpoints: BTreeSet<TouchpointId>,
    /// Agents whose settings were changed, as places in `Realm::agents`.
    pub(super) agents_changed: BTreeSet<usize>,
    pub(super) settings_changed: bool,
}

/// A domain.
pub(super) struct Realm {
    pub(super) domain: DomainId,
    pub(super) settings: v1::DomainSettings,
    pub(super) queues: Vec<(QueueId, v1::QueueSettings)>,
    pub(super) agents: Vec<Member>,
    pub(super) touchpoints: Vec<TouchpointId>,
    pub(super) history: Arc<History>,
    changes: Mutex<Changes>,
}

impl Realm {
    pub(super) fn new(
        domain: DomainId,
        settings: v1::DomainSettings,
        queues: Vec<(QueueId, v1::QueueSettings)>,
        agents: Vec<Member>,
        touchpoints: Vec<TouchpointId>,
        history: Arc<History>,
    ) -> Arc<Self> {
        let changes = Mutex::default();
        Arc::new(Self { domain, settings, queues, agents, touchpoints, history, changes })
    }

    pub(super) fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What one of its conversations asks for.
    pub(super) fn criteria(&self, draw: &mut Draw) -> v1::Criteria {
        let agents: Vec<String> = self.agents.iter().map(|member| member.id.to_string()).collect();
        let queues: Vec<String> = self.queues.iter().map(|(id, _)| id.to_string()).collect();
        criteria::criteria(draw, &agents, &queues)
    }

    /// Whether it is out of service.
    pub(super) fn is_quarantined(&self) -> bool {
        self.history.is_quarantined(self.domain)
    }
}
