//! Callbacks and resumed places, as told.

use super::Replay;
use crate::checker::entities::Calling;
use crate::checker::model::Event;
use crate::checker::violation::Promise;
use routing::{AgentId, ConversationId, OfferId};

impl Replay<'_> {
    /// Those whose time has come by an event stand in line: that is no event of its own.
    pub(super) fn wake(&mut self, now_us: u64) {
        while let Some((at, id)) = self.resting.first().copied().filter(|(at, _)| *at <= now_us) {
            self.resting.remove(&(at, id));
            let known = self.conversations.entry(id).or_default();
            if let Some(calling) = known.calling.as_mut().filter(|calling| calling.not_before_us == Some(at))
            {
                calling.not_before_us = None;
                self.touched_conversations.insert(id);
                self.stand(id);
            }
        }
    }

    fn rest(&mut self, id: ConversationId, calling: Calling) {
        self.resting.extend(calling.not_before_us.map(|at| (at, id)));
        self.conversations.entry(id).or_default().calling = Some(calling);
        self.stand(id);
    }

    /// It keeps its place, or rests first.
    pub(super) fn callback_requested(&mut self, id: ConversationId, not_before_us: Option<u64>) {
        let known = self.conversations.entry(id).or_default();
        let (twice, owner) = (known.calling.is_some(), known.owner);
        if twice || owner.is_some() {
            let what = format!("is to be called back, but was so: {twice}, and is owned by {owner:?}");
            self.broken(Promise::R3, &[id.to_string()], what);
        }
        self.rest(id, Calling { attempts: 0, not_before_us });
    }

    /// attempts are counted one by one, of what is to be called back.
    pub(super) fn callback_tried(&mut self, id: ConversationId, attempts: u64, not_before_us: Option<u64>) {
        let known = self.conversations.entry(id).or_default();
        if let Some(agent) = known.excluded_last.take() {
            known.refused.remove(&agent);
        }
        let (before, arrived) = (known.calling.map(|calling| calling.attempts), known.arrived_at.is_some());
        if arrived && before.map(|before| before + 1) != Some(attempts) {
            let what = format!("attempt {attempts} to reach the customer, counted before were {before:?}");
            self.broken(Promise::R3, &[id.to_string()], what);
        }
        self.rest(id, Calling { attempts, not_before_us });
    }

    /// nobody is routed what is not to be called back yet.
    pub(super) fn called_too_early(
        &mut self,
        event: &Event,
        id: ConversationId,
        offer: OfferId,
        agent: AgentId,
        transfer: bool,
    ) {
        let calling = self.conversations.get(&id).and_then(|known| known.calling);
        let Some(at) = calling.and_then(|calling| calling.not_before_us) else { return };
        if !transfer && at > event.at_us {
            let who = [id.to_string(), agent.to_string(), offer.to_string()];
            let what = format!("offered {} µs before the customer may be called back", at - event.at_us);
            self.broken(Promise::R4, &who, what);
        }
    }

    /// a callback is an agent's once that agent has reached the customer.
    pub(super) fn callback_done(&mut self, id: ConversationId, agent: AgentId, offer: Option<OfferId>) {
        let Some(known) = self.conversations.get_mut(&id) else { return };
        if known.calling.take().is_none() {
            return;
        }
        let dialled = offer.and_then(|offer| self.offers.get(&offer)).is_none_or(|offer| offer.connecting);
        if !dialled || offer.is_none() {
            let what = "assigned without a connection, though the customer was to be called back".to_owned();
            self.broken(Promise::R19, &[id.to_string(), agent.to_string()], what);
        }
    }

    /// a place is resumed once, and only if its customer left; with it goes its age.
    pub(super) fn resumed(&mut self, id: ConversationId, from: ConversationId, arrived_at_us: u64) {
        let former = self.conversations.entry(from).or_default();
        let (left, arrived_at, channel) = (former.left, former.arrived_at, former.channel);
        former.left = false;
        let known = self.conversations.entry(id).or_default();
        known.arrived_at = Some(arrived_at_us);
        let other = known.channel != channel;
        self.stand(id);
        // Of what was before the history began little can be said.
        let Some(arrived_at) = arrived_at else { return };
        if !left || other || arrived_at != arrived_at_us {
            let what = format!(
                "has the place of {from}, which is left: {left}, by another channel: {other}, arrived at {arrived_at} and not {arrived_at_us}"
            );
            self.broken(Promise::R10, &[id.to_string(), from.to_string()], what);
        }
    }
}
