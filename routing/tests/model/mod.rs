//! A naive model of the core: scans everything, keeps no index, written from docs/routing/RULES.md.
//!
//! Slow on purpose. Where it and the engine disagree, the rules say who is wrong.

mod agents;
mod blocks;
mod callback;
mod config;
mod consult;
mod crossing;
mod expiry;
mod handling;
mod hours;
mod matching;
mod moving;
mod offers;
mod pace;
mod picked;
mod policies;
mod ring;
mod seeking;
mod state;
mod views;
mod work;

pub use state::{Conv, Dom, Person};

use routing::level::{
    BLOCKS, CALLBACK, CONSULT, FIRST, HANDLING, HOURS, PACE, PICKS, POLICIES, PROFICIENT, REHEARSAL, RING,
    SKILLS,
};
use routing::outcome::DoneWhat;
use routing::settings::limits;
use routing::{
    Command, DomainId, Done, Entry, Event, EventKind, LogTime, Outcome, Rejected, Sequence, Version,
    event::Subject,
};
use std::collections::BTreeMap;

/// What a command did, and to what.
pub type Did = Result<(DoneWhat, Subject), Rejected>;

/// The whole shard, naively.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// Log time.
    pub now: LogTime,
    /// How far the level was raised above the first.
    pub raised: u32,
    /// Domains by id.
    pub domains: BTreeMap<DomainId, Dom>,
}

/// What one entry brought about.
#[derive(Debug)]
pub struct Applied {
    /// The answer.
    pub outcome: Outcome,
    /// The events.
    pub events: Vec<Event>,
}

impl Model {
    /// Applies one entry as the rules say.
    pub fn apply(&mut self, entry: &Entry) -> Applied {
        self.now = self.now.max(entry.time);
        let outcome = if entry.request.domain == DomainId::SHARD {
            self.shard_command(entry)
        } else {
            self.domain_command(entry)
        };
        let mut events = Vec::new();
        for dom in self.domains.values_mut() {
            events.append(&mut dom.events);
        }
        for event in &mut events {
            event.position = entry.position;
            event.wall_ms = entry.wall_ms;
        }
        Applied { outcome, events }
    }

    fn shard_command(&mut self, entry: &Entry) -> Outcome {
        match entry.request.command {
            Command::Tick | Command::Continue => {
                for dom in self.domains.values_mut().filter(|dom| dom.quarantined.is_none()) {
                    dom.wall_ms = entry.wall_ms;
                    dom.changes_come();
                }
                let mut expiries = limits::EXPIRIES_PER_ENTRY_MAX;
                while expiries > 0 {
                    let next = self
                        .domains
                        .values()
                        .filter(|dom| dom.quarantined.is_none())
                        .filter_map(|dom| dom.next_due(self.now).map(|due| (due.at, dom.id)))
                        .min();
                    let Some((_, id)) = next else { break };
                    let dom = self.domains.get_mut(&id).expect("just found");
                    dom.now = self.now;
                    dom.level = FIRST + self.raised;
                    dom.expire_one();
                    expiries -= 1;
                }
                let mut matches = limits::MATCHES_PER_ENTRY_MAX;
                for dom in self.domains.values_mut().filter(|dom| dom.quarantined.is_none()) {
                    dom.now = self.now;
                    dom.level = FIRST + self.raised;
                    dom.match_waiting(&mut matches);
                }
            }
            Command::SetLevel { level } if level < FIRST + self.raised => {
                return Err(state::invalid("level"));
            }
            Command::SetLevel { level } if level > REHEARSAL => {
                return Err(Rejected::Level { level: FIRST + self.raised });
            }
            Command::SetLevel { level } => self.raised = level - FIRST,
            _ => return Err(Rejected::UnknownDomain),
        }
        Ok(Done { what: DoneWhat::Ok, at: self.now, sequence: Sequence(0), version: Version(0) })
    }

    fn domain_command(&mut self, entry: &Entry) -> Outcome {
        let request = &entry.request;
        if matches!(request.command, Command::Tick | Command::Continue | Command::SetLevel { .. }) {
            return Err(state::invalid("domain"));
        }
        let Some(dom) = self.domains.get_mut(&request.domain) else {
            return self.create_domain(entry);
        };
        if dom.quarantined.is_some() {
            return Err(Rejected::Quarantined);
        }
        dom.now = self.now;
        dom.level = FIRST + self.raised;
        if let Some(id) = request.id {
            let window_ms = dom.settings.request_window.0 / 1_000;
            if !dom.meet_id(id, entry.wall_ms) {
                return Err(Rejected::RequestTooOld { window_s: window_ms / 1_000 });
            }
            if let Some(known) = dom.answers.get(&id) {
                return if known.request == *request {
                    known.outcome.clone()
                } else {
                    Err(Rejected::RequestIdReused)
                };
            }
            let made = id.made_at_ms();
            if made + window_ms < dom.reference_ms() || dom.floor_ms.is_some_and(|floor| made <= floor) {
                return Err(Rejected::RequestTooOld { window_s: window_ms / 1_000 });
            }
        }
        dom.wall_ms = entry.wall_ms;
        let outcome = dom.work_on(&request.command, request.expected_version);
        dom.remember_answer(entry, &outcome);
        outcome
    }

    fn create_domain(&mut self, entry: &Entry) -> Outcome {
        let request = &entry.request;
        let Command::CreateDomain { account, settings } = &request.command else {
            return Err(Rejected::UnknownDomain);
        };
        config::check_domain(settings)?;
        if request.expected_version.is_some_and(|expected| expected != Version(0)) {
            return Err(Rejected::VersionMismatch { current: Version(0) });
        }
        let mut dom = Dom::new(request.domain, *account, settings.clone());
        dom.now = self.now;
        if request.id.is_some_and(|id| !dom.meet_id(id, entry.wall_ms)) {
            return Err(Rejected::RequestTooOld { window_s: settings.request_window.0 / 1_000_000 });
        }
        dom.emit(EventKind::DomainCreated);
        let outcome = dom.done(DoneWhat::Ok, Subject::Domain(dom.id));
        dom.remember_answer(entry, &outcome);
        self.domains.insert(dom.id, dom);
        outcome
    }
}

impl Dom {
    /// Steps 3 to 5 of the rules.
    fn work_on(&mut self, command: &Command, expected: Option<Version>) -> Outcome {
        self.clock_was_wrong();
        self.changes_come();
        let mut left = limits::EXPIRIES_PER_ENTRY_MAX;
        while left > 0 && self.expire_one() {
            left -= 1;
        }
        while self.expire_touched(command) {}
        if matches!(command, Command::Panic { .. }) {
            let Command::Panic { message } = command else { unreachable!() };
            self.quarantined = Some(message.clone());
            self.emit(EventKind::Quarantined { reason: message.clone() });
            return Err(Rejected::Quarantined);
        }
        let before = self.clone();
        let did = self.check_version(command, expected).and_then(|()| self.carry_out(command));
        if did.is_err() {
            *self = before;
        }
        while left > 0 && self.expire_one() {
            left -= 1;
        }
        let mut offers = limits::MATCHES_PER_ENTRY_MAX;
        self.match_waiting(&mut offers);
        let (mut what, subject) = did?;
        if let DoneWhat::Conversation { id, offer, agent } | DoneWhat::Resumed { id, offer, agent } =
            &mut what
        {
            let live = self.convs[id].offer.as_ref();
            (*offer, *agent) = (live.map(|o| o.id), live.map(|o| o.agent));
        }
        self.done(what, subject)
    }

    fn done(&self, what: DoneWhat, subject: Subject) -> Outcome {
        Ok(Done { what, at: self.now, sequence: self.sequence, version: self.version(subject) })
    }

    fn check_version(&self, command: &Command, expected: Option<Version>) -> Result<(), Rejected> {
        let Some(expected) = expected else { return Ok(()) };
        let subject = match command {
            Command::UpdateQueue { queue, .. }
            | Command::PauseQueue { queue, .. }
            | Command::SetPolicy { queue, .. }
            | Command::SetHours { queue, .. }
            | Command::SetRing { queue, .. }
            | Command::DeleteQueue { queue } => Subject::Queue(*queue),
            Command::UpdateAgent { agent, .. }
            | Command::DeleteAgent { agent }
            | Command::SetSkills { agent, .. }
            | Command::OpenSession { agent } => Subject::Agent(*agent),
            Command::SetPresence { agent, .. } | Command::LogOut { agent, .. } => Subject::Agent(*agent),
            Command::CloseSession { desk } | Command::LoseLease { desk } => Subject::Agent(desk.agent),
            Command::UpdateTouchpoint { touchpoint, .. }
            | Command::SetCriteria { touchpoint, .. }
            | Command::DeleteTouchpoint { touchpoint } => Subject::Touchpoint(*touchpoint),
            Command::CreateDomain { .. }
            | Command::UpdateDomain { .. }
            | Command::SetChannelRules { .. }
            | Command::SetHandling { .. }
            | Command::SetPace { .. }
            | Command::SetCallback { .. }
            | Command::SetSchedule { .. } => Subject::Domain(self.id),
            Command::Abandon { conversation }
            | Command::RequestCallback { conversation, .. }
            | Command::CancelCallback { conversation }
            | Command::Assign { conversation, .. }
            | Command::EndContact { conversation, .. }
            | Command::Complete { conversation, .. }
            | Command::Transfer { conversation, .. }
            | Command::Close { conversation, .. }
            | Command::ForceClose { conversation, .. }
            | Command::Settle { conversation, .. }
            | Command::ChangeCriteria { conversation, .. }
            | Command::TransferAnew { conversation, .. }
            | Command::SetIdle { conversation, .. }
            | Command::ExtendWrapUp { conversation, .. }
            | Command::Consult { conversation, .. }
            | Command::EndConsult { conversation, .. }
            | Command::CompleteConsult { conversation, .. }
            | Command::Reprioritise { conversation, .. } => Subject::Conversation(*conversation),
            Command::Accept { offer, .. }
            | Command::Reject { offer, .. }
            | Command::Connected { offer, .. }
            | Command::ConnectFailed { offer, .. } => {
                let Some(conversation) = self.conversation_of(*offer) else { return Ok(()) };
                Subject::Conversation(conversation)
            }
            // What does not exist yet has version 0.
            _ if expected == Version(0) => return Ok(()),
            _ => return Err(Rejected::VersionMismatch { current: Version(0) }),
        };
        let known = match subject {
            Subject::Queue(id) => self.queues.contains_key(&id),
            Subject::Agent(id) => self.people.contains_key(&id),
            Subject::Touchpoint(id) => self.touchpoints.contains_key(&id),
            Subject::Conversation(id) => self.convs.contains_key(&id),
            Subject::Domain(_) => true,
        };
        let current = self.version(subject);
        if known && current != expected { Err(Rejected::VersionMismatch { current }) } else { Ok(()) }
    }

    fn carry_out(&mut self, command: &Command) -> Did {
        if self.level < SKILLS && seeking::is_of_skills(command) {
            return Err(Rejected::Level { level: self.level });
        }
        if self.level < PICKS && picked::is_of_picks(command) {
            return Err(Rejected::Level { level: self.level });
        }
        if self.level < PROFICIENT && picked::is_of_proficiency(command) {
            return Err(Rejected::Level { level: self.level });
        }
        if self.level < POLICIES && matches!(command, Command::SetPolicy { .. }) {
            return Err(Rejected::Level { level: self.level });
        }
        if self.level < BLOCKS && matches!(command, Command::SetChannelRules { .. }) {
            return Err(Rejected::Level { level: self.level });
        }
        if self.level < PACE && matches!(command, Command::SetPace { .. }) {
            return Err(Rejected::Level { level: self.level });
        }
        if self.level < HANDLING && handling::is_of_handling(command) {
            return Err(Rejected::Level { level: self.level });
        }
        if self.level < HOURS && hours::is_of_hours(command) {
            return Err(Rejected::Level { level: self.level });
        }
        if self.level < CALLBACK && callback::is_of_callbacks(command) {
            return Err(Rejected::Level { level: self.level });
        }
        if self.level < RING && matches!(command, Command::SetRing { .. }) {
            return Err(Rejected::Level { level: self.level });
        }
        if self.level < CONSULT && consult::is_of_consultations(command) {
            return Err(Rejected::Level { level: self.level });
        }
        match command.clone() {
            Command::Tick
            | Command::Continue
            | Command::SetLevel { .. }
            | Command::Panic { .. }
            | Command::Move(_) => Err(Rejected::UnknownDomain),
            Command::CreateDomain { account, settings } => {
                if account == self.account && settings == self.settings {
                    Ok((DoneWhat::Ok, Subject::Domain(self.id)))
                } else {
                    Err(Rejected::DomainExists)
                }
            }
            Command::UpdateDomain { settings } => self.update_domain(settings),
            Command::CreateQueue { settings } => self.create_queue(settings),
            Command::UpdateQueue { queue, settings } => self.update_queue(queue, settings),
            Command::PauseQueue { queue, paused, by } => self.pause_queue(queue, paused, by),
            Command::DeleteQueue { queue } => self.delete_queue(queue),
            Command::CreateAgent { settings } => self.create_agent(settings),
            Command::UpdateAgent { agent, settings } => self.update_agent(agent, settings),
            Command::DeleteAgent { agent } => self.delete_agent(agent),
            Command::CreateTouchpoint { settings } => self.create_touchpoint(settings),
            Command::UpdateTouchpoint { touchpoint, settings } => {
                self.update_touchpoint(touchpoint, settings)
            }
            Command::DeleteTouchpoint { touchpoint } => self.delete_touchpoint(touchpoint),
            Command::OpenSession { agent } => self.open_session(agent),
            Command::CloseSession { desk } => self.close_session(desk),
            Command::LoseLease { desk } => self.lose_lease(desk),
            Command::SetPresence { agent, intent, by } => self.set_presence(agent, intent, by),
            Command::LogOut { agent, by } => self.log_out(agent, by),
            Command::Start(arrival) => self.start(arrival, None),
            Command::StartWith { arrival, criteria } => self.start(arrival, Some(criteria)),
            Command::Abandon { conversation } => self.abandon(conversation),
            Command::Accept { desk, offer } => self.accept(desk, offer),
            Command::Reject { desk, offer, decline } => self.reject(desk, offer, decline),
            Command::Assign { desk, conversation } => self.assign(desk, conversation),
            Command::EndContact { conversation, by } => self.end_contact(conversation, by),
            Command::Complete { desk, conversation, disposition, notes } => {
                self.complete(desk, conversation, disposition, notes)
            }
            Command::Transfer { conversation, target, fallback, by } => {
                self.transfer(conversation, target, fallback, by, None)
            }
            Command::TransferAnew { conversation, target, fallback, criteria, by } => {
                self.transfer(conversation, target, fallback, by, Some(criteria))
            }
            Command::SetSkills { agent, skills, by } => self.set_skills(agent, skills, by),
            Command::SetCriteria { touchpoint, criteria, by } => self.set_criteria(touchpoint, criteria, by),
            Command::SetPolicy { queue, policy, by } => self.set_policy(queue, policy, by),
            Command::SetChannelRules { rules, by } => self.set_channel_rules(rules, by),
            Command::SetHandling { handling, by } => self.set_handling(handling, by),
            Command::SetPace { pace, by } => self.set_pace(pace, by),
            Command::SetCallback { callback, by } => self.set_callback(callback, by),
            Command::RequestCallback { conversation, contact, not_before } => {
                self.request_callback(conversation, contact, not_before)
            }
            Command::CancelCallback { conversation } => self.cancel_callback(conversation),
            Command::SetSchedule { name, schedule, by } => self.set_schedule(name, schedule, by),
            Command::SetHours { queue, hours, by } => self.set_hours(queue, hours, by),
            Command::SetRing { queue, agents, by } => self.set_ring(queue, agents, by),
            Command::Connected { desk, offer } => self.connected(desk, offer),
            Command::ConnectFailed { desk, offer, reason } => self.connect_failed(desk, offer, reason),
            Command::SetIdle { conversation, idle, by } => self.set_idle(conversation, idle, by),
            Command::ExtendWrapUp { conversation, longer, by } => {
                self.extend_wrap_up(conversation, longer, by)
            }
            Command::Consult { conversation, agent, lasts, by } => {
                self.consult(conversation, agent, lasts, by)
            }
            Command::EndConsult { conversation, by } => self.end_consult(conversation, by),
            Command::CompleteConsult { conversation, by } => self.complete_consult(conversation, by),
            Command::ChangeCriteria { conversation, criteria, by } => {
                self.change_criteria(conversation, criteria, by)
            }
            Command::Close { conversation, reason, by } => self.close(conversation, reason, by),
            Command::ForceClose { conversation, reason, by } => self.force_close(conversation, reason, by),
            Command::Reprioritise { conversation, priority, by } => {
                self.reprioritise(conversation, priority, by)
            }
            Command::Arrive(incoming) => self.arrive(&incoming),
            Command::Withdraw { crossing, recall } => self.withdraw(&crossing, recall),
            Command::Settle { conversation, number, recall, landing } => {
                self.settle(conversation, number, recall.as_ref(), &landing)
            }
        }
    }
}
