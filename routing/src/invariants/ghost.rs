//! What the checker remembers of a domain's past, apart from the engine's own memory.

use super::ages::Ages;
use super::pace::Told;
use super::{Step, callback, facts};
use crate::blocks::ChannelRule;
use crate::criteria::{Criteria, Skill};
use crate::entry::Request;
use crate::event::{EventKind, Subject};
use crate::handling::Handling;
use crate::hours::{Hours, Schedule};
use crate::policy::Policy;
use crate::view::Stage;
use crate::{
    AgentId, ConversationId, LogTime, OfferId, Outcome, Priority, QueueId, RequestId, Span, TouchpointId,
    Version,
};
use std::collections::{BTreeMap, BTreeSet};

/// For how many windows an answer is kept: as long as an id can come back and be taken for new.
const WINDOWS_KEPT: u64 = 16;

/// A domain's history as the checker saw it. Grows with the run: for tests and simulations.
#[derive(Debug, Clone, Default)]
pub struct Ghost {
    /// First answers by request id, with the request and the log time from which on the window
    /// counts. Forgotten long after the window.
    pub answers: BTreeMap<RequestId, (Request, Outcome, LogTime)>,
    /// Their ids, in the order of that time.
    answered: BTreeSet<(LogTime, RequestId)>,
    /// Which ids are too old.
    pub(super) ages: Ages,
    /// The request window in force.
    pub window_us: u64,
    /// Conversations that were answered to a caller or announced, with their arrival.
    pub arrived: BTreeMap<ConversationId, LogTime>,
    /// What came from other domains: what it was there and its hop, and what it is here.
    pub landed: BTreeMap<(ConversationId, u32), ConversationId>,
    /// The priority that each arrived with, or was given last.
    pub priorities: BTreeMap<ConversationId, Priority>,
    /// What each asks for, if that was ever told.
    pub asked: BTreeMap<ConversationId, Criteria>,
    /// What arrives at touchpoints asks for, if that was ever told.
    pub asked_at: BTreeMap<TouchpointId, Criteria>,
    /// What agents can, if that was ever told.
    pub skills: BTreeMap<AgentId, Vec<Skill>>,
    /// The policies of queues that were ever told, by their numbers.
    pub policies: BTreeMap<QueueId, BTreeMap<u32, Policy>>,
    /// The rules between channels, if they were ever told.
    pub channel_rules: Option<Vec<ChannelRule>>,
    /// How the domain handles contacts, if that was ever told.
    pub handling: Option<Handling>,
    /// The pace of offers, and the offers of agents.
    pub(super) paced: Told,
    /// What was told of callbacks.
    pub(super) calling: callback::Told,
    /// The schedules that were ever told; `None`: deleted.
    pub schedules: BTreeMap<String, Option<Schedule>>,
    /// What queues keep to, if that was ever told.
    pub hours: BTreeMap<QueueId, Option<Hours>>,
    /// To how many agents queues were told to offer at once.
    pub rings: BTreeMap<QueueId, u8>,
    /// When each that somebody owns ends by itself, if it does.
    pub work_ends: BTreeMap<ConversationId, Option<LogTime>>,
    /// Those of them that did not end.
    pub live: BTreeSet<ConversationId>,
    /// Conversations that ended, with the final state.
    pub ended: BTreeMap<ConversationId, Stage>,
    /// Queues that were made and not deleted.
    pub queues: BTreeSet<QueueId>,
    /// Agents that were made and not deleted.
    pub agents: BTreeSet<AgentId>,
    /// Agents on the break that follows too many misses, with the time before which it is not over;
    /// `None`: it has no end of its own.
    pub breaks: BTreeMap<AgentId, Option<LogTime>>,
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
        self.answers.get(&id).filter(|(_, _, since)| now.0 < since.0 + self.window_us)
    }

    /// Takes the clocks of an entry in, before it is checked.
    pub(super) fn meet(&mut self, step: &Step<'_>) {
        if let Some(before) = step.before {
            self.window_us = before.summary.settings.request_window.0;
        } else {
            self.window_us = step.after.summary.settings.request_window.0;
            self.ages.whole = step.events.iter().any(|event| event.kind == EventKind::DomainCreated);
        }
        let healthy = step.before.is_none_or(|before| before.summary.quarantined.is_none());
        if let Some(id) = step.entry.request.id
            && step.entry.request.domain == step.after.summary.id
            && healthy
        {
            self.ages.meet(id, step.after.now, step.entry.wall_ms, self.window_us);
        }
    }

    /// Takes one entry into the history.
    pub fn remember(&mut self, step: &Step<'_>) {
        self.entries += 1;
        self.remember_answer(step);
        for event in step.events {
            self.versions.insert(event.kind.subject(event.domain), event.version);
            self.paced.take(event);
            self.calling.take(event);
            match &event.kind {
                EventKind::QueueCreated(queue) => drop(self.queues.insert(*queue)),
                EventKind::QueueDeleted(queue) => {
                    self.queues.remove(queue);
                    self.policies.remove(queue);
                    self.hours.remove(queue);
                    self.rings.remove(queue);
                }
                EventKind::PolicyChanged { queue, number, policy, .. } => {
                    self.policies.entry(*queue).or_default().insert(*number, policy.clone());
                }
                EventKind::ChannelRulesChanged { rules, .. } => self.channel_rules = Some(rules.clone()),
                EventKind::HandlingChanged { handling, .. } => self.handling = Some(handling.clone()),
                EventKind::ScheduleChanged { name, schedule, .. } => {
                    self.schedules.insert(name.clone(), schedule.clone());
                }
                EventKind::RingChanged { queue, agents, .. } => {
                    self.rings.insert(*queue, *agents);
                }
                EventKind::HoursChanged { queue, hours, .. } => {
                    self.hours.insert(*queue, hours.clone());
                }
                EventKind::AgentCreated(agent) => drop(self.agents.insert(*agent)),
                EventKind::AgentDeleted(agent) => {
                    self.agents.remove(agent);
                    self.skills.remove(agent);
                    self.breaks.remove(agent);
                }
                EventKind::PresenceChanged { agent, .. } => match facts::break_begun(step, event) {
                    Some(until) => drop(self.breaks.insert(*agent, until)),
                    None => drop(self.breaks.remove(agent)),
                },
                EventKind::TouchpointCreated(touchpoint) => drop(self.touchpoints.insert(*touchpoint)),
                EventKind::TouchpointDeleted(touchpoint) => {
                    self.touchpoints.remove(touchpoint);
                    self.asked_at.remove(touchpoint);
                }
                EventKind::Arrived { conversation, priority, .. } => {
                    self.arrived.insert(*conversation, event.at);
                    self.priorities.insert(*conversation, *priority);
                    self.live.insert(*conversation);
                }
                EventKind::Resumed { conversation, arrived_at, .. } => {
                    self.arrived.insert(*conversation, *arrived_at);
                }
                EventKind::ArrivedFrom { conversation, from, priority, age, hop, .. } => {
                    self.arrived.insert(*conversation, event.at - *age);
                    self.priorities.insert(*conversation, *priority);
                    self.live.insert(*conversation);
                    self.landed.insert((*from, *hop), *conversation);
                }
                EventKind::Reprioritised { conversation, priority, .. } => {
                    self.priorities.insert(*conversation, *priority);
                }
                EventKind::SkillsChanged { agent, skills, .. } => {
                    self.skills.insert(*agent, skills.clone());
                }
                EventKind::TouchpointCriteriaChanged { touchpoint, criteria, .. } => {
                    self.asked_at.insert(*touchpoint, criteria.clone());
                }
                EventKind::CriteriaChanged { conversation, criteria, .. } => {
                    self.asked.insert(*conversation, criteria.clone());
                }
                EventKind::Offered(offered) | EventKind::OfferedBecause(offered, _) => {
                    self.offers_seen.insert(offered.offer);
                }
                EventKind::OfferEnded { offer, .. } => drop(self.offers_ended.insert(*offer)),
                EventKind::Assigned { conversation, .. }
                | EventKind::Wrapping { conversation, .. }
                | EventKind::WrapUpExtended { conversation, .. } => {
                    let settings = &step.after.summary.settings;
                    let ends = facts::work_ends_by(event, settings, *conversation);
                    self.work_ends.insert(*conversation, ends.flatten());
                }
                EventKind::Released { conversation, .. } => drop(self.work_ends.remove(conversation)),
                EventKind::Ended { conversation, ending, .. } => {
                    self.work_ends.remove(conversation);
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
            || (self.answers.contains_key(&id) && !self.ages.is_lost(id))
        {
            return;
        }
        let now = step.after.now;
        let span_us = WINDOWS_KEPT * self.window_us;
        let is_past = |(since, id): &(LogTime, RequestId)| self.ages.is_past(*id, *since, now, span_us);
        while self.answered.first().is_some_and(is_past)
            && let Some((_, gone)) = self.answered.pop_first()
        {
            self.answers.remove(&gone);
        }
        let since = self.ages.answered(id, now);
        if let Some((_, _, former)) =
            self.answers.insert(id, (step.entry.request.clone(), step.outcome.clone(), since))
        {
            self.answered.remove(&(former, id));
        }
        self.answered.insert((since, id));
    }
}
