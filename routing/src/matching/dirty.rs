//! What matching has to look at: everything that may have made an offer possible.

use crate::domain::{AgentNo, ConvNo, QueueNo};
use serde::{Deserialize, Serialize};

/// Agents with more room, conversations that wait anew, lines that opened. Between entries empty,
/// or sorted, so that it is the same on every replica however it was collected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dirty {
    pub(crate) agents: Vec<AgentNo>,
    pub(crate) conversations: Vec<ConvNo>,
    pub(crate) lines: Vec<(QueueNo, u8)>,
}

impl Dirty {
    pub(crate) fn agent(&mut self, agent: AgentNo) {
        if self.agents.last() != Some(&agent) {
            self.agents.push(agent);
        }
    }

    pub(crate) fn conversation(&mut self, conversation: ConvNo) {
        if self.conversations.last() != Some(&conversation) {
            self.conversations.push(conversation);
        }
    }

    pub(crate) fn line(&mut self, queue: QueueNo, channel: u8) {
        self.lines.push((queue, channel));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.agents.is_empty() && self.conversations.is_empty() && self.lines.is_empty()
    }

    pub(crate) fn settle(&mut self) {
        self.agents.sort_unstable();
        self.agents.dedup();
        self.conversations.sort_unstable();
        self.conversations.dedup();
        self.lines.sort_unstable();
        self.lines.dedup();
    }
}
