//! What becomes of offers that are accepted in two steps, and of points while customers are waited for.

use super::Replay;
use crate::checker::model::Event;
use crate::checker::violation::Promise;
use routing::{AgentId, ConversationId, OfferId};

impl Replay<'_> {
    /// An offer is accepted, in time and once, and has another deadline, which is to come.
    pub(super) fn connecting(
        &mut self,
        event: &Event,
        id: ConversationId,
        offer: OfferId,
        agent: AgentId,
        deadline_us: u64,
    ) {
        let who = [id.to_string(), agent.to_string(), offer.to_string()];
        let Some(known) = self.offers.get_mut(&offer) else {
            // Made before the history began, or never.
            if self.conversations.get(&id).is_some_and(|known| known.arrived_at.is_some()) {
                self.broken(Promise::R1, &who, "an offer is accepted that was never made".to_owned());
            }
            return;
        };
        let (live, twice, to) = (known.live, known.connecting, known.agent);
        let late = event.at_us >= known.deadline_us;
        known.connecting = true;
        known.deadline_us = deadline_us;
        if !live || to != agent {
            let what = format!("accepted while live: {live}, made to {to}");
            self.broken(Promise::R1, &who, what);
        }
        if twice {
            self.broken(Promise::R1, &who, "accepted twice".to_owned());
        }
        if late {
            self.broken(Promise::R4, &who, "accepted after its deadline".to_owned());
        }
        if deadline_us <= event.at_us {
            self.broken(Promise::R4, &who, "to be connected without a deadline to come".to_owned());
        }
    }

    /// A conversation weighs less, or what it weighed, at its owner's.
    pub(super) fn idle_changed(&mut self, id: ConversationId, agent: AgentId, weight: u32, overdraft: u32) {
        let who = [id.to_string(), agent.to_string()];
        let owner = self.conversations.get(&id).and_then(|known| known.owner);
        if owner.is_some_and(|owner| owner != agent) {
            self.broken(Promise::R1, &who, format!("at rest with {agent}, while {owner:?} owns it"));
        }
        let now = self.now;
        let known = self.agents.entry(agent).or_default();
        if let Some(work) = known.holdings.get_mut(&id) {
            if work.points == 0 {
                work.since = now;
            }
            work.points = weight;
        }
        let load = known.load();
        let over = known.facts.as_ref().map(|facts| load.saturating_sub(facts.capacity));
        if let Some(over) = over.filter(|over| owner.is_some() && *over != overdraft) {
            let what = format!("load {load}: {over} points over capacity, the core says {overdraft}");
            self.broken(Promise::R2, &who, what);
        }
        self.touched_agents.insert(agent);
    }
}
