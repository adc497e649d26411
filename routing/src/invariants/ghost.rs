//! What the checker remembers of a domain's past, apart from the engine's own memory.

use super::Step;
use crate::entry::Request;
use crate::event::{EventKind, Subject};
use crate::view::Stage;
use crate::{
    AgentId, ConversationId, LogTime, OfferId, Outcome, QueueId, RequestId, Span, TouchpointId, Version,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// For how many windows an answer is kept: as long as an id can come back and be taken for new.
const WINDOWS_KEPT: u64 = 16;

/// A domain's history as the checker saw it. Grows with the run: for tests and simulations.
#[derive(Debug, Clone, Default)]
pub struct Ghost {
    /// First answers by request id, with the request and the log time. Forgotten long after the
    /// window.
    pub answers: BTreeMap<RequestId, (Request, Outcome, LogTime)>,
    /// Their ids, in order.
    answered: VecDeque<(LogTime, RequestId)>,
    /// The request window in force.
    pub window_us: u64,
    /// Conversations that were answered to a caller or announced, with their arrival.
    pub arrived: BTreeMap<ConversationId, LogTime>,
    /// Those of them that did not end.
    pub live: BTreeSet<ConversationId>,
    /// Conversations that ended, with the final state.
    pub ended: BTreeMap<ConversationId, Stage>,
    /// Queues that were made and not deleted.
    pub queues: BTreeSet<QueueId>,
    /// Agents that were made and not deleted.
    pub agents: BTreeSet<AgentId>,
    /// Touchpoints that were made and not deleted.
    pub touchpoints: BTreeSet<TouchpointId>,
    /// Every offer id ever seen.
    pub offers_seen: BTreeSet<OfferId>,
    /// Offers that ended.
    pub offers_ended: BTreeSet<OfferId>,
    /// The last version of every subject.
    pub versions: BTreeMap<Subject, Version>,
    /// Holds with the time at which they were first seen.
    pub holds: BTreeMap<(AgentId, ConversationId), LogTime>,
    /// The longest time for which room may be held, under any settings so far.
    pub hold_max: Span,
    /// Entries seen.
    pub entries: u64,
}

impl Ghost {
    /// The remembered answer of a request id, if it must still be remembered at this time.
    #[must_use]
    pub fn remembered(&self, id: RequestId, now: LogTime) -> Option<&(Request, Outcome, LogTime)> {
        self.answers.get(&id).filter(|(_, _, at)| now.since(*at).0 < self.window_us)
    }

    /// Takes one entry into the history.
    pub fn remember(&mut self, step: &Step<'_>) {
        self.entries += 1;
        self.remember_answer(step);
        for event in step.events {
            self.versions.insert(event.kind.subject(event.domain), event.version);
            match &event.kind {
                EventKind::QueueCreated(queue) => drop(self.queues.insert(*queue)),
                EventKind::QueueDeleted(queue) => drop(self.queues.remove(queue)),
                EventKind::AgentCreated(agent) => drop(self.agents.insert(*agent)),
                EventKind::AgentDeleted(agent) => drop(self.agents.remove(agent)),
                EventKind::TouchpointCreated(touchpoint) => drop(self.touchpoints.insert(*touchpoint)),
                EventKind::TouchpointDeleted(touchpoint) => drop(self.touchpoints.remove(touchpoint)),
                EventKind::Arrived { conversation, .. } => {
                    self.arrived.insert(*conversation, event.at);
                    self.live.insert(*conversation);
                }
                EventKind::Offered { offer, .. } => drop(self.offers_seen.insert(*offer)),
                EventKind::OfferEnded { offer, .. } => drop(self.offers_ended.insert(*offer)),
                EventKind::Ended { conversation, ending, .. } => {
                    self.live.remove(conversation);
                    self.ended.entry(*conversation).or_insert_with(|| Stage::Ended(ending.clone()));
                }
                _ => {}
            }
        }
        let held: BTreeMap<_, _> = step
            .after
            .agents
            .values()
            .filter_map(|agent| agent.held_for.map(|(conversation, _)| (agent.id, conversation)))
            .map(|key| (key, *self.holds.get(&key).unwrap_or(&step.after.now)))
            .collect();
        self.holds = held;
        self.hold_max = self.hold_max.max(step.after.summary.settings.hold_max);
        self.window_us = step.after.summary.settings.request_window.0;
    }

    fn remember_answer(&mut self, step: &Step<'_>) {
        use crate::Rejected::{Quarantined, RequestIdReused, RequestTooOld, UnknownDomain};
        let Some(id) = step.entry.request.id else { return };
        let refused_before_it_counts =
            matches!(step.outcome, Err(RequestTooOld { .. } | RequestIdReused | UnknownDomain | Quarantined));
        if step.entry.request.domain != step.after.summary.id
            || refused_before_it_counts
            || step.after.summary.quarantined.is_some()
            || self.remembered(id, step.after.now).is_some()
        {
            return;
        }
        let old = LogTime(step.after.now.0.saturating_sub(WINDOWS_KEPT * self.window_us));
        while let Some((_, gone)) = self.answered.pop_front_if(|(at, _)| *at < old && self.window_us > 0) {
            self.answers.remove(&gone);
        }
        self.answered.push_back((step.after.now, id));
        self.answers.insert(id, (step.entry.request.clone(), step.outcome.clone(), step.after.now));
    }
}
