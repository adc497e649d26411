//! Offers to several agents at once.

use super::Replay;
use crate::checker::model::{Event, Place};
use routing::{AgentId, ConversationId, QueueId};

/// What a queue can be told at most.
const MOST: usize = 10;

impl Replay<'_> {
    pub(super) fn ring_changed(&mut self, queue: QueueId, agents: u32) {
        self.rings.insert(queue, agents as usize);
    }

    /// Whether an offer may be made beside those that are live: by a queue that offers to so many, in the same entry, for
    /// as long, to somebody else, and while nobody has accepted.
    pub(super) fn may_ring_too(
        &self,
        event: &Event,
        id: ConversationId,
        agent: AgentId,
        deadline_us: u64,
    ) -> bool {
        let Some(known) = self.conversations.get(&id) else { return false };
        let Some(Place::Queues(queues)) = &known.place else { return false };
        // What was told before the history began is not known.
        let unknown = if self.whole { 1 } else { MOST };
        let ring = queues.iter().map(|queue| self.rings.get(queue).copied().unwrap_or(unknown)).max();
        let beside = |offer| {
            self.offers.get(offer).is_some_and(|facts| {
                facts.agent != agent
                    && facts.deadline_us == deadline_us
                    && !facts.connecting
                    && self.events[facts.made].entry == event.entry
            })
        };
        known.offers.len() < ring.unwrap_or(1) && known.offers.keys().all(beside)
    }
}
