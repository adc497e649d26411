//! What of a domain an entry can have changed.

use crate::view::{AgentView, ConversationView};
use crate::{AgentId, ConversationId, QueueId, TouchpointId};

/// The entities that an entry changed, and those that these name: an owner, a queue, an offer's
/// agent. A check that looks at these alone sees what the entry broke there; what was broken
/// silently elsewhere, or breaks as time passes, is seen when everything is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    pub(crate) queues: Vec<QueueId>,
    pub(crate) agents: Vec<AgentId>,
    pub(crate) touchpoints: Vec<TouchpointId>,
    pub(crate) conversations: Vec<ConversationId>,
}

impl Touched {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queues.is_empty()
            && self.agents.is_empty()
            && self.touchpoints.is_empty()
            && self.conversations.is_empty()
    }

    /// What changed, by its ids, for people.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.queues.iter().map(ToString::to_string).collect();
        names.extend(self.agents.iter().map(ToString::to_string));
        names.extend(self.touchpoints.iter().map(ToString::to_string));
        names.extend(self.conversations.iter().map(ToString::to_string));
        names
    }

    pub(crate) fn clear(&mut self) {
        self.queues.clear();
        self.agents.clear();
        self.touchpoints.clear();
        self.conversations.clear();
    }

    /// Adds what an agent that changed names.
    pub(crate) fn add_around_agent(&mut self, agent: &AgentView) {
        self.conversations.extend(agent.offers.iter().map(|offer| offer.conversation));
        self.conversations.extend(agent.holdings.iter().map(|holding| holding.conversation));
        self.conversations.extend(agent.held_for.map(|(conversation, _)| conversation));
    }

    /// Adds what a conversation that changed names.
    pub(crate) fn add_around_conversation(&mut self, conversation: &ConversationView) {
        self.agents.extend(conversation.stage.owner());
        self.agents.extend(conversation.offers().map(|offer| offer.agent));
    }

    /// Each id once, in order.
    pub(crate) fn tidy(&mut self) {
        fn once<T: Ord>(all: &mut Vec<T>) {
            all.sort_unstable();
            all.dedup();
        }
        once(&mut self.queues);
        once(&mut self.agents);
        once(&mut self.touchpoints);
        once(&mut self.conversations);
    }
}
