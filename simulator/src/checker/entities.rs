//! What the checker believes of each conversation and agent, from events alone.

use super::model::{Action, AgentFacts, Place, Policy, Skills, Step};
use routing::{AgentId, Channel, ConversationId, OfferId, QueueId};
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

/// The policies of all queues, as they were told.
#[derive(Debug, Default)]
pub(super) struct Policies(BTreeMap<QueueId, BTreeMap<u32, Policy>>);

impl Policies {
    /// The number of the last change.
    pub(super) fn number(&self, queue: QueueId) -> u32 {
        self.0.get(&queue).and_then(|told| told.last_key_value()).map_or(0, |(number, _)| *number)
    }

    pub(super) fn version(&self, queue: QueueId, number: u32) -> Option<&Policy> {
        self.0.get(&queue)?.get(&number)
    }

    pub(super) fn tell(&mut self, queue: QueueId, number: u32, policy: Policy) {
        self.0.entry(queue).or_default().insert(number, policy);
    }

    /// What stands under the present policy of a queue from now on, if that says anything.
    pub(super) fn begin(&self, queue: QueueId, since_us: u64) -> Option<Stand> {
        let (number, policy) = self.0.get(&queue)?.last_key_value()?;
        let says = policy.measured || !policy.rules.is_empty();
        says.then_some(Stand { queue, number: *number, since_us, applied: 0 })
    }
}

/// The policy that a conversation stands under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stand {
    pub(super) queue: QueueId,
    pub(super) number: u32,
    /// From when its rules count.
    pub(super) since_us: u64,
    /// The last rule that was carried out, from 1; 0: none. Those before it were, or were passed over.
    pub(super) applied: u8,
}

/// That a conversation is to be called back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Calling {
    /// Attempts that did not reach the customer.
    pub(super) attempts: u64,
    /// Nobody is to be offered it before then.
    pub(super) not_before_us: Option<u64>,
}

/// Whom an owner asks for advice, between two events of an entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Advice {
    /// An offer to this agent is to follow.
    pub(super) asks: Option<AgentId>,
    /// An offer to this agent is over, and whether the agent had accepted it; the owner is to be told.
    pub(super) untold: Option<(AgentId, bool)>,
    /// This agent was consulted, and the conversation goes elsewhere.
    pub(super) left_out: Option<AgentId>,
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
    /// Transfers that began, at most; more than there can be where not all are known.
    pub(super) transfers: u32,
    /// The entry that began the last one.
    pub(super) transfer_in: Option<(u64, u32)>,
    /// What is known of whom its owner asks.
    pub(super) advice: Advice,
    /// Agents who declined or missed it since it was last owned: exclusions are theirs to have.
    pub(super) refused: BTreeSet<AgentId>,
    /// Whom only the last connection that failed excludes: nobody, if it was the customer who could not be reached.
    pub(super) excluded_last: Option<AgentId>,
    /// What it asks for, step by step, and the place of the active one.
    pub(super) steps: Vec<Step>,
    pub(super) at: usize,
    /// What it may stand under: one of these; where there are none, nothing.
    pub(super) standing: Vec<Option<Stand>>,
    /// What a rule said is to be done, of which nothing was seen yet.
    pub(super) follows: Option<Action>,
    /// It is to be called back.
    pub(super) calling: Option<Calling>,
    /// Its customer left, and nobody has its place yet.
    pub(super) left: bool,
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

    /// A transfer of it begins.
    pub(super) fn moves(&mut self, entry: (u64, u32)) {
        self.transfers = self.transfers.saturating_add(1);
        self.transfer_in = Some(entry);
    }

    /// Whether it may wait in this queue only since its steps until now widen it by that.
    pub(super) fn is_widened_by(&self, queue: QueueId) -> bool {
        self.steps.iter().take(self.at + 1).any(|step| step.widen.contains(&queue))
    }

    /// Whether these are what it waits in when it is moved to a queue: that one, and what its steps until now widen it by.
    pub(super) fn is_moved_to(&self, queue: QueueId, queues: &[QueueId]) -> bool {
        queues.split_first().is_some_and(|(first, more)| {
            *first == queue && more.iter().all(|queue| self.is_widened_by(*queue))
        })
    }

    /// Whether it stands in a waiting line: no owner, no live offer, not over, not in an inbox, and its customer may be called.
    pub(super) fn in_line(&self) -> bool {
        self.ended.is_none()
            && self.owner.is_none()
            && self.offers.is_empty()
            && self.arrived_at.is_some()
            && self.calling.is_none_or(|calling| calling.not_before_us.is_none())
            && matches!(self.place, Some(Place::Queues(_) | Place::Dedicated(_)))
    }
}

/// Something that an agent is offered or has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work {
    pub(super) points: u32,
    pub(super) channel: Option<Channel>,
    /// The event since which the agent works on it.
    pub(super) since: usize,
    /// Whether it is in wrap-up.
    pub(super) wrapping: bool,
}

/// An agent.
#[derive(Debug, Default, Clone)]
pub(super) struct Agent {
    /// Absent when not known or no longer true.
    pub(super) facts: Option<AgentFacts>,
    pub(super) live: bool,
    pub(super) available: bool,
    pub(super) epoch: u64,
    /// Its live offers.
    pub(super) offers: BTreeMap<OfferId, Work>,
    /// What it can.
    pub(super) skills: Skills,
    /// Conversations held.
    pub(super) holdings: BTreeMap<ConversationId, Work>,
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
        self.work().map(|work| work.points).sum()
    }

    /// All that it is offered or has.
    pub(super) fn work(&self) -> impl Iterator<Item = &Work> {
        self.offers.values().chain(self.holdings.values())
    }

    /// Free points; `None` when the capacity is not known.
    pub(super) fn free(&self) -> Option<u32> {
        self.facts.as_ref().map(|facts| facts.capacity.saturating_sub(self.load()))
    }

    /// Conversations of a channel that count towards its cap.
    pub(super) fn held_of(&self, channel: Channel) -> u32 {
        u32::try_from(self.work().filter(|work| work.channel == Some(channel)).count()).unwrap_or(u32::MAX)
    }

    /// Whether the channel is handled and its cap, if any, not reached.
    pub(super) fn has_channel(&self, channel: Channel) -> bool {
        self.facts.as_ref().is_some_and(|facts| {
            facts.channels.contains(&channel)
                && facts.caps.get(&channel).is_none_or(|cap| self.held_of(channel) < *cap)
        })
    }
}
