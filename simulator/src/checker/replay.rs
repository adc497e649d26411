//! Walks through a domain's events with a picture of its own and judges each against it.

mod callback;
mod conserving;
mod consult;
mod handling;
mod hours;
mod offers;
mod pace;
mod ring;

use self::offers::OfferTold;
use self::pace::Paces;
use super::blocks::{Blocks, Gate};
use super::entities::{Agent, Conversation, Policies};
use super::lines::{Key, Line, Lines, key};
use super::model::{Event, Facts, History, Kind, Place};
use super::standing::Told;
use super::violation::{Promise, Verdict, Violation};
use routing::{AgentId, ConversationId, OfferId, QueueId};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of an offer for good.
#[derive(Debug, Clone)]
struct OfferFacts {
    agent: AgentId,
    deadline_us: u64,
    live: bool,
    accepted_in: Option<(u64, u32)>,
    /// It was accepted, and is being connected.
    connecting: bool,
    /// Its agent is asked for advice.
    consult: bool,
    /// The event that made it.
    made: usize,
}

/// The picture, and what was found wrong with it.
pub(super) struct Replay<'a> {
    pub(super) events: &'a [Event],
    facts: &'a Facts,
    /// Rank and weights as set up still hold.
    settings_known: bool,
    /// Nothing was left out at the beginning.
    pub(super) whole: bool,
    quarantined: bool,
    pub(super) policies: Policies,
    blocks: Blocks,
    paces: Paces,
    pub(super) conversations: BTreeMap<ConversationId, Conversation>,
    pub(super) agents: BTreeMap<AgentId, Agent>,
    by_queue: BTreeMap<QueueId, Vec<AgentId>>,
    offers: BTreeMap<OfferId, OfferFacts>,
    paused: BTreeSet<QueueId>,
    /// By their hours, whether paused or not.
    closed: BTreeSet<QueueId>,
    /// To how many agents queues offer at once, as far as it was told.
    rings: BTreeMap<QueueId, usize>,
    lines: Lines,
    /// Callbacks that nobody is offered before a time.
    resting: BTreeSet<(u64, ConversationId)>,
    versions: BTreeMap<String, u64>,
    /// Touched by the present entry.
    touched_conversations: BTreeSet<ConversationId>,
    touched_agents: BTreeSet<AgentId>,
    /// Work that stands beside a free agent, and for how many entries.
    suspects: BTreeMap<(ConversationId, AgentId), u32>,
    now: usize,
    pub(super) verdict: Verdict,
}

/// Heads of a line that are looked at for one agent.
const HEADS_MAX: usize = 64;

impl<'a> Replay<'a> {
    pub(super) fn new(history: &'a History) -> Self {
        let facts = &history.facts;
        let mut by_queue: BTreeMap<QueueId, Vec<AgentId>> = BTreeMap::new();
        for (agent, known) in &facts.agents {
            for queue in &known.queues {
                by_queue.entry(*queue).or_default().push(*agent);
            }
        }
        let agents = facts
            .agents
            .iter()
            .map(|(id, known)| (*id, Agent { facts: Some(known.clone()), ..Agent::default() }))
            .collect();
        Self {
            events: &history.events,
            facts,
            settings_known: true,
            whole: history.first_sequence == 1,
            quarantined: false,
            policies: Policies::default(),
            blocks: Blocks::new(history.first_sequence == 1),
            paces: Paces::default(),
            conversations: BTreeMap::new(),
            agents,
            by_queue,
            offers: BTreeMap::new(),
            paused: BTreeSet::new(),
            closed: BTreeSet::new(),
            rings: BTreeMap::new(),
            lines: Lines::default(),
            resting: BTreeSet::new(),
            versions: BTreeMap::new(),
            touched_conversations: BTreeSet::new(),
            touched_agents: BTreeSet::new(),
            suspects: BTreeMap::new(),
            now: 0,
            verdict: Verdict::default(),
        }
    }

    /// Judges all events.
    pub(super) fn run(&mut self, first_sequence: u64) {
        let mut expected = first_sequence;
        let mut before: Option<&Event> = None;
        for (at, event) in self.events.iter().enumerate() {
            if before.is_some_and(|last| last.entry != event.entry) {
                self.end_of_entry();
            }
            self.now = at;
            if event.sequence != expected {
                let what = format!("sequence {} follows, {expected} was due", event.sequence);
                self.broken(Promise::R15, &[], what);
            }
            expected = event.sequence + 1;
            if before.is_some_and(|last| event.at_us < last.at_us) {
                self.broken(Promise::R15, &[], "log time goes back".to_owned());
            }
            self.wake(event.at_us);
            self.version(event);
            self.remember(event);
            self.judge(event);
            before = Some(event);
        }
        if before.is_some() {
            self.end_of_entry();
        }
        self.verdict.events = self.events.len() as u64;
    }

    fn version(&mut self, event: &Event) {
        if event.subject.is_empty() {
            return;
        }
        let last = self.versions.insert(event.subject.clone(), event.version);
        if let Some(last) = last.filter(|last| event.version <= *last) {
            let what = format!("version {} of {} comes after version {last}", event.version, event.subject);
            self.broken(Promise::R15, std::slice::from_ref(&event.subject), what);
        }
    }

    fn remember(&mut self, event: &Event) {
        if let Some(id) = event.kind.conversation() {
            self.conversations.entry(id).or_default().trail.push(self.now);
            self.touched_conversations.insert(id);
        }
        if let Some(id) = event.kind.agent() {
            self.agents.entry(id).or_default().trail.push(self.now);
            self.touched_agents.insert(id);
        }
    }

    /// Notes a broken promise with the last events of those concerned.
    pub(super) fn broken(&mut self, promise: Promise, entities: &[String], what: String) {
        let mut places = BTreeSet::from([self.now]);
        for entity in entities {
            if let Ok(id) = entity.parse::<ConversationId>() {
                places.extend(self.conversations.get(&id).iter().flat_map(|c| c.trail.iter()));
            }
            if let Ok(id) = entity.parse::<AgentId>() {
                places.extend(self.agents.get(&id).iter().flat_map(|a| a.trail.iter()));
            }
        }
        let trail = places.iter().filter_map(|at| self.events.get(*at)).map(line).collect();
        self.verdict.add(Violation { promise, entities: entities.to_vec(), what, trail });
    }

    fn judge(&mut self, event: &Event) {
        if let Some(id) = event.kind.conversation() {
            self.after_the_end(id, event);
            self.follow(id, event);
        }
        match &event.kind {
            Kind::SessionOpened { agent, epoch } => {
                let known = self.agents.entry(*agent).or_default();
                let before = known.epoch;
                known.live = true;
                known.epoch = *epoch;
                if *epoch <= before {
                    let what = format!("epoch {epoch} is opened after epoch {before}");
                    self.broken(Promise::R19, &[agent.to_string()], what);
                }
            }
            Kind::LeaseLost { agent } => self.agents.entry(*agent).or_default().live = false,
            Kind::Presence { agent, available, .. } => {
                self.agents.entry(*agent).or_default().available = *available;
            }
            Kind::AgentChanged(agent) => self.agents.entry(*agent).or_default().facts = None,
            Kind::AgentDeleted(agent) => {
                if let Some(known) = self.agents.get_mut(agent) {
                    known.facts = None;
                    known.live = false;
                }
            }
            Kind::QueuePaused { queue, paused: true } => {
                self.paused.insert(*queue);
            }
            Kind::QueuePaused { queue, paused: false } => {
                self.paused.remove(queue);
            }
            Kind::QueueHours { queue, closed, .. } => self.queue_hours(*queue, *closed),
            Kind::RingChanged { queue, agents } => self.ring_changed(*queue, *agents),
            Kind::QueueDeleted(queue) => {
                self.by_queue.remove(queue);
                self.paused.insert(*queue);
                self.nobody_stands_under(*queue);
            }
            Kind::DomainChanged => self.settings_known = false,
            Kind::Quarantined => self.quarantined = true,
            Kind::Arrived { conversation, channel, priority, from, .. } => {
                let known = self.conversations.entry(*conversation).or_default();
                let twice = known.arrived_at.is_some();
                let age_us = from.map_or(0, |(_, age_us)| age_us);
                known.arrived_at = Some(event.at_us.saturating_sub(age_us));
                known.channel = Some(*channel);
                // What it went through elsewhere is not in this record.
                known.transfers = if from.is_some() { u32::MAX } else { 0 };
                known.priority = *priority;
                if twice {
                    self.broken(Promise::R6, &[conversation.to_string()], "arrives twice".to_owned());
                }
            }
            Kind::Waiting { conversation, place, again, .. } => {
                self.let_go(*conversation);
                self.comes_to_wait(*conversation, place, event.at_us);
                let known = self.conversations.entry(*conversation).or_default();
                known.place = Some(place.clone());
                known.again |= *again;
                known.transfer_to = None;
                self.stand(*conversation);
            }
            Kind::Offered { conversation, offer, agent, weight, deadline_us, consult } => {
                let told = OfferTold { offer: *offer, agent: *agent, weight: *weight, consult: *consult };
                self.offered(event, *conversation, told, *deadline_us);
            }
            Kind::OfferEnded { conversation, offer, end } => {
                self.offer_ended(event, *conversation, *offer, *end);
            }
            Kind::Assigned { conversation, agent, offer, weight, overdraft } => {
                self.assigned(event, *conversation, *agent, *offer, *weight, *overdraft);
            }
            Kind::Wrapping { conversation } => {
                let owner = self.conversations.get(conversation).and_then(|known| known.owner);
                let hold = self.facts.wrap_up_hold;
                let mut agent = owner.and_then(|owner| self.agents.get_mut(&owner));
                if let Some(work) = agent.as_mut().and_then(|agent| agent.holdings.get_mut(conversation)) {
                    work.wrapping = true;
                }
                if let (Some(agent), Some(hold)) = (agent, hold)
                    && let Some(work) = agent.holdings.get_mut(conversation)
                {
                    work.points = work.points.min(hold);
                }
                self.touched_agents.extend(owner);
            }
            Kind::Released { conversation, agent } => {
                if self.conversations.get(conversation).and_then(|known| known.owner) == Some(*agent) {
                    self.let_go(*conversation);
                } else if let Some(known) = self.agents.get_mut(agent) {
                    known.holdings.remove(conversation);
                }
            }
            Kind::TransferStarted { conversation, agent } => {
                let known = self.conversations.entry(*conversation).or_default();
                known.transfer_to = *agent;
                known.moves(event.entry);
                if agent.is_none() {
                    // The other queue has other people.
                    known.at = 0;
                }
            }
            Kind::SkillsChanged { agent, skills } => {
                self.agents.entry(*agent).or_default().skills.clone_from(skills);
            }
            Kind::CriteriaChanged { conversation, steps } => {
                let known = self.conversations.entry(*conversation).or_default();
                known.steps.clone_from(steps);
                known.at = 0;
                known.widen();
                self.stand(*conversation);
            }
            Kind::Relaxed { conversation, step, queues } => {
                let known = self.conversations.entry(*conversation).or_default();
                let (before, steps) = (known.at, known.steps.len());
                known.at = usize::from(*step).checked_sub(1).unwrap_or(steps);
                let at = known.at;
                if matches!(known.place, Some(Place::Queues(_))) {
                    known.place = Some(Place::Queues(queues.clone()));
                }
                if known.arrived_at.is_some() && (at <= before || at > steps) {
                    let what = format!("goes from step {} of {steps} to step {step}", before + 1);
                    self.broken(Promise::R10, &[conversation.to_string()], what);
                }
                self.stand(*conversation);
            }
            Kind::PolicyChanged { queue, number, policy } => self.policy_changed(*queue, *number, policy),
            Kind::RuleApplied { conversation, queue, number, rule, action } => {
                let told = Told { queue: *queue, number: *number, rule: *rule, action };
                self.rule_applied(event, *conversation, told);
            }
            Kind::Departed { conversation } => {
                let known = self.conversations.entry(*conversation).or_default();
                known.place = None;
                known.transfer_to = None;
                known.moves(event.entry);
                self.stand(*conversation);
            }
            Kind::TransferFailed { conversation } => {
                self.conversations.entry(*conversation).or_default().transfer_to = None;
            }
            Kind::Reprioritised { conversation, priority, .. } => {
                self.conversations.entry(*conversation).or_default().priority = *priority;
                self.stand(*conversation);
            }
            Kind::Ended { conversation, abandoned, .. } => {
                let known = self.conversations.entry(*conversation).or_default();
                known.ended = Some(event.entry);
                known.left = *abandoned;
                known.calling = None;
                known.standing.clear();
                self.let_go(*conversation);
                self.stand(*conversation);
            }
            Kind::ChannelRulesChanged { rules } => {
                self.blocks.tell(rules, self.now);
                // Whoever takes offers may be free for more.
                let takes = self.agents.iter().filter(|(_, known)| known.takes_offers());
                self.touched_agents.extend(takes.map(|(id, _)| *id));
            }
            Kind::PaceChanged { pace } => {
                self.paces.tell(*pace, event.at_us);
                let takes = self.agents.iter().filter(|(_, known)| known.takes_offers());
                self.touched_agents.extend(takes.map(|(id, _)| *id));
            }
            Kind::Connecting { conversation, offer, agent, deadline_us } => {
                self.not_for_advice(*conversation, *offer, *agent);
                self.connecting(event, *conversation, *offer, *agent, *deadline_us);
            }
            Kind::ConsultStarted { conversation, agent } => self.consult_started(*conversation, *agent),
            Kind::Consulting { conversation, owner, offer, agent, deadline_us } => {
                self.connecting(event, *conversation, *offer, *agent, *deadline_us);
                self.consulting(*conversation, *owner, *offer, *agent);
            }
            Kind::ConsultEnded { conversation, owner, agent, end, leaves } => {
                self.consult_ended(*conversation, *owner, *agent, *end, *leaves);
            }
            Kind::IdleChanged { conversation, agent, weight, overdraft } => {
                self.idle_changed(*conversation, *agent, *weight, *overdraft);
            }
            Kind::CallbackRequested { conversation, not_before_us } => {
                self.callback_requested(*conversation, *not_before_us);
            }
            Kind::CallbackTried { conversation, attempts, not_before_us } => {
                self.callback_tried(*conversation, *attempts, *not_before_us);
            }
            Kind::Resumed { conversation, from, arrived_at_us } => {
                self.resumed(*conversation, *from, *arrived_at_us);
            }
            Kind::CallbackChanged => {}
            Kind::HandlingChanged | Kind::WrapUpExtended { .. } | Kind::Recalled { .. } | Kind::Other(_) => {}
        }
    }

    /// nothing happens to what has ended, but the release that belongs to the end.
    fn after_the_end(&mut self, id: ConversationId, event: &Event) {
        let Some(ended) = self.conversations.get(&id).and_then(|known| known.ended) else { return };
        let belongs = matches!(event.kind, Kind::OfferEnded { .. } | Kind::Released { .. });
        if !(belongs && ended == event.entry) {
            let what = format!("{} after the end", name(&event.kind));
            self.broken(Promise::R6, &[id.to_string()], what);
        }
    }

    /// The owner, if any, holds it no more.
    fn let_go(&mut self, id: ConversationId) {
        let owner = self.conversations.get_mut(&id).and_then(|known| known.owner.take());
        if let Some(owner) = owner {
            self.touched_agents.insert(owner);
            if let Some(agent) = self.agents.get_mut(&owner) {
                agent.holdings.remove(&id);
            }
        }
    }

    /// Puts a conversation into the lines it belongs to now.
    pub(super) fn stand(&mut self, id: ConversationId) {
        let Some(known) = self.conversations.get(&id) else { return };
        let place = known.in_line().then(|| {
            let named = known.step().map_or(&[][..], |step| &step.agents);
            let lines = match &known.place {
                Some(Place::Queues(_)) if !named.is_empty() => {
                    named.iter().map(|agent| Line::Dedicated(*agent)).collect()
                }
                Some(Place::Queues(queues)) => queues.iter().map(|queue| Line::Queue(*queue)).collect(),
                Some(Place::Dedicated(agent)) => vec![Line::Dedicated(*agent)],
                _ => Vec::new(),
            };
            (self.key(id, known), lines)
        });
        self.lines.put(id, place, self.now);
    }

    fn key(&self, id: ConversationId, known: &Conversation) -> Key {
        key(&self.facts.rank, known.arrived_at.unwrap_or(0), known.priority, id)
    }

    /// Whether the agent belongs to the conversation's waiting place.
    fn fits_place(&self, id: ConversationId, agent: AgentId) -> bool {
        let Some(known) = self.conversations.get(&id) else { return true };
        let agent_known = self.agents.get(&agent);
        if let (Some(step), Some(agent_known)) = (known.step(), agent_known) {
            if !step.agents.is_empty() {
                return step.agents.contains(&agent);
            }
            if !agent_known.meets(agent, step) {
                return false;
            }
        }
        let Some(facts) = agent_known.and_then(|known| known.facts.as_ref()) else { return true };
        match &known.place {
            Some(Place::Queues(queues)) => {
                queues.iter().any(|queue| self.makes_offers(*queue) && facts.queues.contains(queue))
            }
            Some(Place::Dedicated(only)) => *only == agent,
            Some(Place::Inbox(_)) => false,
            None => true,
        }
    }

    /// nobody better-ranked waits whom this agent could take.
    fn rank(&mut self, who: &[String], id: ConversationId, agent: AgentId, my_key: Key) {
        if !self.settings_known {
            return;
        }
        let passed = self.lines_of(agent).into_iter().find_map(|line| {
            let better = self.lines.of(line).take_while(|key| **key < my_key).take(HEADS_MAX);
            better.map(|key| key.2).find(|other| *other != id && self.could_take(agent, *other) == Some(true))
        });
        let Some(passed) = passed else { return };
        let again = self.conversations.get(&passed).is_some_and(|known| known.again);
        let (promise, what) = if again {
            (Promise::R10, format!("offered past {passed}, which waits again at its former age"))
        } else {
            (Promise::R9, format!("offered past {passed}, which ranks better and waits"))
        };
        let mut who = who.to_vec();
        who.push(passed.to_string());
        self.broken(promise, &who, what);
    }

    fn lines_of(&self, agent: AgentId) -> Vec<Line> {
        let queues = self.agents.get(&agent).and_then(|known| known.facts.as_ref()).into_iter();
        let queues = queues.flat_map(|facts| facts.queues.iter());
        let open = queues.filter(|queue| self.makes_offers(**queue)).map(|queue| Line::Queue(*queue));
        open.chain([Line::Dedicated(agent)]).collect()
    }

    /// Whether the agent could take a waiting conversation now: `Some(false)` when it lacks nothing
    /// but room, `None` when another gate is shut or not enough is known.
    fn could_take(&self, agent: AgentId, id: ConversationId) -> Option<bool> {
        let (known, agent_known) = (self.conversations.get(&id)?, self.agents.get(&agent)?);
        let facts = agent_known.facts.as_ref()?;
        let channel = known.channel?;
        let weight = *self.facts.weights.get(&channel)?;
        let open = agent_known.takes_offers()
            && !known.refused.contains(&agent)
            && agent_known.has_channel(channel)
            && known.step().is_none_or(|step| agent_known.meets(agent, step))
            && weight <= facts.capacity;
        match self.blocks.gate(agent_known, channel, self.lines.since(id)) {
            _ if !open => None,
            Gate::Shut => None,
            // Room may be held for it all the same.
            Gate::ShutSince => Some(false),
            Gate::Open => Some(agent_known.free().is_some_and(|free| weight <= free)),
        }
    }

    /// What must hold between entries.
    fn end_of_entry(&mut self) {
        let touched = std::mem::take(&mut self.touched_conversations);
        for id in &touched {
            self.nothing_followed(*id);
            self.advice_settled(*id);
            let Some(known) = self.conversations.get(id) else { continue };
            if known.ended.is_some() && !known.offers.is_empty() {
                let who: Vec<String> = known
                    .offers
                    .iter()
                    .flat_map(|(offer, agent)| [id.to_string(), agent.to_string(), offer.to_string()])
                    .collect();
                self.broken(Promise::R7, &who, "ended, but an offer of it is live".to_owned());
                let offers: Vec<_> = self
                    .conversations
                    .get(id)
                    .map(|known| known.offers.clone())
                    .unwrap_or_default()
                    .into_iter()
                    .collect();
                for (offer, agent) in offers {
                    self.drop_offer(*id, offer, agent);
                }
            }
        }
        let touched_agents = std::mem::take(&mut self.touched_agents);
        for id in &touched_agents {
            let Some(known) = self.agents.get(id) else { continue };
            // Who has accepted one may leave and still be connected, as long as its desk is there.
            let connecting = |offer: &OfferId| self.offers.get(offer).is_some_and(|offer| offer.connecting);
            let may_be_live = |offer: &OfferId| known.takes_offers() || known.live && connecting(offer);
            if !known.offers.keys().all(may_be_live) {
                let who = [id.to_string()];
                let what = "takes no offers, but one to it is live".to_owned();
                self.broken(Promise::R7, &who, what);
            }
        }
        if self.settings_known && !self.quarantined {
            self.conserve_work(&touched, touched_agents);
        }
    }
}

/// The name of a kind, for people.
fn name(kind: &Kind) -> String {
    if let Kind::Other(name) = kind {
        return name.clone();
    }
    format!("{kind:?}").split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}

/// One event, for people.
fn line(event: &Event) -> String {
    let what = short_ids(&format!("{:?}", event.kind));
    format!("#{} at {}.{:06} s: {what}", event.sequence, event.at_us / 1_000_000, event.at_us % 1_000_000)
}

/// Ids as the API writes them.
fn short_ids(text: &str) -> String {
    let mut text = text.to_owned();
    for (long, short) in
        [("ConversationId", "conv"), ("AgentId", "agent"), ("QueueId", "queue"), ("OfferId", "offer")]
    {
        let begin = format!("{long} {{ domain: DomainId(");
        while let Some(at) = text.find(&begin) {
            let rest = &text[at + begin.len()..];
            let Some((domain, rest)) = rest.split_once("), number: ") else { return text };
            let Some((number, rest)) = rest.split_once(" }") else { return text };
            text = format!("{}{short}_{domain}_{number}{rest}", &text[..at]);
        }
    }
    text
}
