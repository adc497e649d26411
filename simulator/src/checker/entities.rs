//! What the checker believes of each conversation and agent, from events alone.

use super::model::{AgentFacts, Place, Skills, Step};
use routing::{AgentId, Channel, ConversationId, OfferId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Queues that a conversation waits in at most.
const QUEUES_MAX: usize = 8;
/// Events shown per entity of a violation.
const TRAIL_MAX: usize = 8;

/// The last events of an entity, as places in the history.
#[derive(Debug, Default, Clone)]
pub(super) struct Trail(VecDeque<usize>);

impl Trail {
    pub(super) fn push(&mut self, at: usize) {
        if self.0.len() == TRAIL_MAX {
            self.0.pop_front();
        }
        self.0.push_back(at);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().copied()
    }
}

/// A conversation.
#[derive(Debug, Default, Clone)]
pub(super) struct Conversation {
    /// Absent when the history began after its arrival: then little can be said of it.
    pub(super) arrived_at: Option<u64>,
    pub(super) channel: Option<Channel>,
    pub(super) priority: u8,
    pub(super) place: Option<Place>,
    /// Whether it waited before: overtaking it is then a matter of age kept.
    pub(super) again: bool,
    pub(super) offers: BTreeMap<OfferId, AgentId>,
    pub(super) owner: Option<AgentId>,
    pub(super) transfer_to: Option<AgentId>,
    /// Agents who declined or missed it since it was last owned: exclusions are theirs to have.
    pub(super) refused: BTreeSet<AgentId>,
    /// What it asks for, step by step, and the place of the active one.
    pub(super) steps: Vec<Step>,
    pub(super) at: usize,
    /// The entry that ended it.
    pub(super) ended: Option<(u64, u32)>,
    pub(super) trail: Trail,
}

impl Conversation {
    /// The active step, while it waits in queues.
    pub(super) fn step(&self) -> Option<&Step> {
        self.steps.get(self.at).filter(|_| matches!(self.place, Some(Place::Queues(_))))
    }

    /// It waits in the queues of its active step too.
    pub(super) fn widen(&mut self) {
        let more = self.step().map(|step| step.widen.clone()).unwrap_or_default();
        if let Some(Place::Queues(queues)) = &mut self.place {
            for queue in more {
                if queues.len() < QUEUES_MAX && !queues.contains(&queue) {
                    queues.push(queue);
                }
            }
        }
    }

    /// Whether it stands in a waiting line: no owner, no live offer, not over, not in an inbox.
    pub(super) fn in_line(&self) -> bool {
        self.ended.is_none()
            && self.owner.is_none()
            && self.offers.is_empty()
            && self.arrived_at.is_some()
            && matches!(self.place, Some(Place::Queues(_) | Place::Dedicated(_)))
    }
}

/// An agent.
#[derive(Debug, Default, Clone)]
pub(super) struct Agent {
    /// Absent when not known or no longer true.
    pub(super) facts: Option<AgentFacts>,
    pub(super) live: bool,
    pub(super) available: bool,
    pub(super) epoch: u64,
    /// Points by live offer, with the channel.
    pub(super) offers: BTreeMap<OfferId, (u32, Option<Channel>)>,
    /// What it can.
    pub(super) skills: Skills,
    /// Points by conversation held.
    pub(super) holdings: BTreeMap<ConversationId, (u32, Option<Channel>)>,
    pub(super) trail: Trail,
}

impl Agent {
    /// Whether it may have what asks for this.
    pub(super) fn meets(&self, id: AgentId, step: &Step) -> bool {
        if !step.agents.is_empty() {
            return step.agents.contains(&id);
        }
        step.required.iter().all(|(name, least)| self.skills.get(name).is_some_and(|level| level >= least))
    }

    pub(super) fn takes_offers(&self) -> bool {
        self.live && self.available
    }

    pub(super) fn load(&self) -> u32 {
        self.offers.values().chain(self.holdings.values()).map(|(points, _)| points).sum()
    }

    /// Free points; `None` when the capacity is not known.
    pub(super) fn free(&self) -> Option<u32> {
        self.facts.as_ref().map(|facts| facts.capacity.saturating_sub(self.load()))
    }

    /// Conversations of a channel that count towards its cap.
    pub(super) fn held_of(&self, channel: Channel) -> u32 {
        let all = self.offers.values().chain(self.holdings.values());
        u32::try_from(all.filter(|(_, of)| *of == Some(channel)).count()).unwrap_or(u32::MAX)
    }

    /// Whether the channel is handled and its cap, if any, not reached.
    pub(super) fn has_channel(&self, channel: Channel) -> bool {
        self.facts.as_ref().is_some_and(|facts| {
            facts.channels.contains(&channel)
                && facts.caps.get(&channel).is_none_or(|cap| self.held_of(channel) < *cap)
        })
    }
}
