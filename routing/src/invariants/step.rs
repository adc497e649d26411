//! One domain around one applied entry.

use super::Touched;
use crate::view::{AgentView, ConversationView, DomainView, QueueView, TouchpointView};
use crate::{Entry, Event, Outcome};
use std::collections::BTreeMap;

/// One domain around one applied entry.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// The domain before; `None` if the entry made it.
    pub before: Option<&'a DomainView>,
    /// The entry, possibly of another domain (then this one must not change).
    pub entry: &'a Entry,
    /// Its outcome.
    pub outcome: &'a Outcome,
    /// The domain after.
    pub after: &'a DomainView,
    /// The entry's events of this domain, in order.
    pub events: &'a [Event],
    /// What to look at: `None` for everything, else what the entry changed.
    pub touched: Option<&'a Touched>,
}

/// The values of a map, or of these keys of it.
fn pick<'a, K: Ord, V>(
    all: &'a BTreeMap<K, V>,
    keys: Option<&'a Vec<K>>,
) -> impl Iterator<Item = &'a V> + Clone + use<'a, K, V> {
    let everything = keys.is_none().then(|| all.values()).into_iter().flatten();
    everything.chain(keys.into_iter().flatten().filter_map(move |key| all.get(key)))
}

impl<'a> Step<'a> {
    /// Queues to look at.
    pub(super) fn queues(&self) -> impl Iterator<Item = &'a QueueView> + Clone + use<'a> {
        pick(&self.after.queues, self.touched.map(|touched| &touched.queues))
    }

    /// Agents to look at.
    pub(super) fn agents(&self) -> impl Iterator<Item = &'a AgentView> + Clone + use<'a> {
        pick(&self.after.agents, self.touched.map(|touched| &touched.agents))
    }

    /// Touchpoints to look at.
    pub(super) fn touchpoints(&self) -> impl Iterator<Item = &'a TouchpointView> + Clone + use<'a> {
        pick(&self.after.touchpoints, self.touched.map(|touched| &touched.touchpoints))
    }

    /// Conversations to look at.
    pub(super) fn conversations(&self) -> impl Iterator<Item = &'a ConversationView> + Clone + use<'a> {
        pick(&self.after.conversations, self.touched.map(|touched| &touched.conversations))
    }

    /// Agents to look at, as they were before.
    pub(super) fn agents_before(&self) -> impl Iterator<Item = &'a AgentView> + Clone + use<'a> {
        let keys = self.touched.map(|touched| &touched.agents);
        self.before.into_iter().flat_map(move |before| pick(&before.agents, keys))
    }

    /// Conversations to look at, as they were before.
    pub(super) fn conversations_before(
        &self,
    ) -> impl Iterator<Item = &'a ConversationView> + Clone + use<'a> {
        let keys = self.touched.map(|touched| &touched.conversations);
        self.before.into_iter().flat_map(move |before| pick(&before.conversations, keys))
    }

    /// Whether nothing changed but the time and what is due at it.
    pub(super) fn is_unchanged(&self) -> bool {
        let Some(before) = self.before else { return false };
        let (after, settled) = (self.after, |view: &DomainView| {
            let mut summary = view.summary.clone();
            summary.pending = false;
            summary
        });
        if settled(before) != settled(after) {
            return false;
        }
        let Some(touched) = self.touched else {
            return before.queues == after.queues
                && before.agents == after.agents
                && before.touchpoints == after.touchpoints
                && before.conversations == after.conversations;
        };
        touched.queues.iter().all(|id| before.queues.get(id) == after.queues.get(id))
            && touched.agents.iter().all(|id| before.agents.get(id) == after.agents.get(id))
            && touched.touchpoints.iter().all(|id| before.touchpoints.get(id) == after.touchpoints.get(id))
            && touched
                .conversations
                .iter()
                .all(|id| before.conversations.get(id) == after.conversations.get(id))
    }
}
