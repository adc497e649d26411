//! The model's state and the smallest steps on it.

use super::callback::Calling;
use super::crossing::{Origin, Route, Way};
use super::seeking::Wish;
use routing::blocks::ChannelRule;
use routing::callback::CallbackSettings;
use routing::command::{By, Desk, Intent};
use routing::criteria::{Criteria, Skill};
use routing::entry::Request;
use routing::event::{OfferEnd, Place, Requeued, Subject};
use routing::handling::Handling;
use routing::hours::{HoursView, Schedule};
use routing::pace::Pace;
use routing::policy::{Minute, Policy, Standing};
use routing::settings::{AcceptMode, AgentSettings, DomainSettings, QueueSettings, TouchpointSettings};
use routing::view::{Lease, OfferView, Stage};
use routing::{
    AccountId, AgentId, Channel, ConversationId, DomainId, Entry, Epoch, Event, EventKind, LogTime, OfferId,
    Outcome, Points, Position, Priority, QueueId, Rejected, RequestId, Sequence, Span, TouchpointId, Version,
};
use std::collections::{BTreeMap, BTreeSet};

/// One domain.
#[derive(Debug, Clone)]
pub struct Dom {
    pub id: DomainId,
    pub account: AccountId,
    pub settings: DomainSettings,
    /// Its rules between channels.
    pub channel_rules: Vec<ChannelRule>,
    /// How it handles contacts.
    pub handling: Handling,
    /// How many conversations agents are offered within a time.
    pub pace: Option<Pace>,
    /// How it calls back.
    pub callback: Option<CallbackSettings>,
    /// Its schedules by name.
    pub schedules: BTreeMap<String, Schedule>,
    /// Wall time of the entry, and wall time by which hours were told last.
    pub wall_ms: u64,
    pub told_ms: u64,
    pub now: LogTime,
    /// That of the shard, when it was last asked something.
    pub level: u32,
    pub sequence: Sequence,
    pub versions: BTreeMap<Subject, Version>,
    pub quarantined: Option<String>,
    pub answers: BTreeMap<RequestId, Answer>,
    pub floor_ms: Option<u64>,
    /// The reference clock in microseconds, and the log time of the last look at it.
    pub reference: Option<(u64, LogTime)>,
    pub queues: BTreeMap<QueueId, Line>,
    pub people: BTreeMap<AgentId, Person>,
    pub touchpoints: BTreeMap<TouchpointId, TouchpointSettings>,
    /// What arrives at touchpoints asks for.
    pub criteria: BTreeMap<TouchpointId, Criteria>,
    /// Every name that somebody ever had.
    pub known_skills: BTreeSet<String>,
    pub convs: BTreeMap<ConversationId, Conv>,
    pub minted: [u64; 5],
    pub routes: BTreeMap<DomainId, Route>,
    pub origins: BTreeMap<DomainId, Origin>,
    pub events: Vec<Event>,
}

/// A remembered answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub request: Request,
    pub outcome: Outcome,
    /// From when on its window counts.
    pub since: LogTime,
    /// Its id was far ahead of the reference clock.
    pub far: bool,
    pub order: u64,
}

/// A queue.
#[derive(Debug, Clone)]
pub struct Line {
    pub settings: QueueSettings,
    pub paused: bool,
    /// Every policy that it ever had; the number of a version is its place, from 1.
    pub policies: Vec<Policy>,
    /// Its service, the oldest minute first.
    pub minutes: Vec<Minute>,
    /// What it keeps to and how it stands, and whether that is to be looked at.
    pub hours: Option<HoursView>,
    pub look: bool,
    /// To how many agents it offers at once.
    pub ring: u8,
}

/// An agent.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: AgentId,
    pub settings: AgentSettings,
    pub intent: Intent,
    pub intent_by: By,
    pub lease: Lease,
    pub epoch: Epoch,
    pub misses: u32,
    pub idle_since: LogTime,
    pub last_offer: u64,
    pub holds: Option<(ConversationId, LogTime)>,
    pub returns_at: Option<LogTime>,
    pub skills: BTreeMap<String, u8>,
    /// When it was offered something, since there is a pace.
    pub offered_at: Vec<LogTime>,
    /// It is offered nothing until then.
    pub paced: Option<LogTime>,
}

impl Person {
    pub fn takes_offers(&self) -> bool {
        self.intent == Intent::Available && self.lease == Lease::Live
    }

    /// In the order of names.
    pub fn shown_skills(&self) -> Vec<Skill> {
        self.skills.iter().map(|(name, level)| Skill { name: name.clone(), level: *level }).collect()
    }
}

/// A conversation.
#[derive(Debug, Clone)]
pub struct Conv {
    pub id: ConversationId,
    pub stage: Stage,
    pub channel: Channel,
    pub touchpoint: TouchpointId,
    pub priority: Priority,
    pub arrived_at: LogTime,
    /// Points it took of its last owner; of its present one, if it has one.
    pub weight: Points,
    pub accept: AcceptMode,
    pub queues: Vec<QueueId>,
    pub offer: Option<OfferView>,
    /// Its other live offers.
    pub also: Vec<OfferView>,
    pub excluded: BTreeMap<AgentId, LogTime>,
    pub hops: u32,
    pub customer: String,
    pub reference: String,
    pub assigned_at: Option<LogTime>,
    pub ended_at: Option<LogTime>,
    pub last_agent: Option<AgentId>,
    /// Where it waited last.
    pub home: Place,
    /// The queue whose wrap-up rules apply.
    pub came_from: Option<QueueId>,
    /// When holding room for it is over.
    pub hold_until: Option<LogTime>,
    pub waiver: Option<LogTime>,
    pub wait_ends: LogTime,
    /// Arrival here, or when it left its last owner.
    pub waits_since: LogTime,
    /// On its way to another domain.
    pub way: Option<Way>,
    /// The fallback of a dedicated touchpoint.
    pub goes_on: Option<(Vec<QueueId>, LogTime)>,
    /// End of wrap-up or of the longest assignment.
    pub owner_deadline: Option<LogTime>,
    pub grace: Option<LogTime>,
    pub wish: Option<Wish>,
    /// The policy that it stands under.
    pub standing: Option<Standing>,
    /// It waits on its customer; what it weighs when it does not.
    pub full: Option<Points>,
    /// By how much its wrap-up was extended.
    pub longer: Span,
    /// It ended while it had an owner.
    pub ended_owned: bool,
    /// It is to be called back.
    pub calling: Option<Calling>,
    /// It was abandoned, and another one has its place.
    pub resumed: bool,
}

#[derive(Debug, Clone, Copy)]
pub enum Mint {
    Queue,
    Agent,
    Touchpoint,
    Conversation,
    Offer,
}

impl Dom {
    pub fn new(id: DomainId, account: AccountId, settings: DomainSettings) -> Self {
        Self {
            id,
            account,
            settings,
            channel_rules: Vec::new(),
            handling: Handling::default(),
            pace: None,
            callback: None,
            schedules: BTreeMap::new(),
            wall_ms: 0,
            told_ms: 0,
            now: LogTime::default(),
            level: 0,
            sequence: Sequence(0),
            versions: BTreeMap::new(),
            quarantined: None,
            answers: BTreeMap::new(),
            floor_ms: None,
            reference: None,
            queues: BTreeMap::new(),
            people: BTreeMap::new(),
            touchpoints: BTreeMap::new(),
            criteria: BTreeMap::new(),
            known_skills: BTreeSet::new(),
            convs: BTreeMap::new(),
            minted: [0; 5],
            routes: BTreeMap::new(),
            origins: BTreeMap::new(),
            events: Vec::new(),
        }
    }

    pub fn mint(&mut self, what: Mint) -> u64 {
        let counter = &mut self.minted[what as usize];
        *counter += 1;
        *counter
    }

    pub fn version(&self, subject: Subject) -> Version {
        self.versions.get(&subject).copied().unwrap_or_default()
    }

    pub fn emit(&mut self, kind: EventKind) {
        let version = self.versions.entry(kind.subject(self.id)).or_default();
        version.0 += 1;
        self.sequence.0 += 1;
        self.events.push(Event {
            domain: self.id,
            sequence: self.sequence,
            position: Position::default(),
            at: self.now,
            wall_ms: 0,
            version: *version,
            kind,
        });
    }

    // ----- reading -----

    pub fn conv(&self, id: ConversationId) -> Result<&Conv, Rejected> {
        self.convs.get(&id).ok_or_else(|| unknown("conversation", id))
    }

    pub fn person(&self, id: AgentId) -> Result<&Person, Rejected> {
        self.people.get(&id).ok_or_else(|| unknown("agent", id))
    }

    pub fn c(&mut self, id: ConversationId) -> &mut Conv {
        self.convs.get_mut(&id).expect("a known conversation")
    }

    pub fn p(&mut self, id: AgentId) -> &mut Person {
        self.people.get_mut(&id).expect("a known agent")
    }

    /// The rule of every command with a desk.
    pub fn check_desk(&self, desk: Desk) -> Result<(), Rejected> {
        let person = self.person(desk.agent)?;
        if person.epoch != desk.epoch {
            return Err(Rejected::StaleEpoch { current: person.epoch });
        }
        if person.lease != Lease::Live {
            return Err(Rejected::NoLease);
        }
        Ok(())
    }

    pub fn weight_now(&self, channel: Channel) -> Points {
        self.settings.weights[channel.index()]
    }

    /// Conversations held by an agent, in the order of ids.
    pub fn held_by(&self, agent: AgentId) -> Vec<ConversationId> {
        self.convs.values().filter(|c| c.stage.owner() == Some(agent)).map(|c| c.id).collect()
    }

    /// Live offers to an agent, in the order of offer ids.
    pub fn offers_to(&self, agent: AgentId) -> Vec<(OfferId, ConversationId)> {
        let mut all: Vec<_> =
            self.convs.values().filter_map(|c| c.offer_to(agent).map(|o| (o.id, c.id))).collect();
        all.sort();
        all
    }

    pub fn load(&self, agent: AgentId) -> u32 {
        let offers: u32 =
            self.convs.values().filter_map(|c| c.offer_to(agent)).map(|o| u32::from(o.weight.0)).sum();
        let held: u32 = self
            .convs
            .values()
            .filter(|c| c.stage.owner() == Some(agent))
            .map(|c| u32::from(c.weight.0))
            .sum();
        offers + held
    }

    pub fn free(&self, agent: AgentId) -> u32 {
        u32::from(self.people[&agent].settings.capacity.0).saturating_sub(self.load(agent))
    }

    pub fn by_channel(&self, agent: AgentId, channel: Channel) -> usize {
        self.convs
            .values()
            .filter(|c| c.channel == channel)
            .map(|c| usize::from(c.stage.owner() == Some(agent)) + usize::from(c.offer_to(agent).is_some()))
            .sum()
    }

    // ----- the smallest changes -----

    /// Takes the first live offer of a conversation away, with its event; says what it was. Others ring on.
    pub fn end_offer(&mut self, id: ConversationId, end: OfferEnd) -> OfferView {
        let offer = self.c(id).offer.take().expect("a live offer");
        let c = self.c(id);
        if !c.also.is_empty() {
            c.offer = Some(c.also.remove(0));
        } else if let Stage::Offered(place) = c.stage.clone() {
            c.stage = Stage::Waiting(place);
        }
        let accepted = end == OfferEnd::Accepted;
        let told = end.clone();
        self.emit(EventKind::OfferEnded { conversation: id, offer: offer.id, agent: offer.agent, end });
        if offer.connecting && !accepted {
            self.end_draining(offer.agent);
        }
        if let Some(owner) = self.convs[&id].stage.owner()
            && super::consult::advises(&offer)
            && !accepted
        {
            let agent = offer.agent;
            self.emit(EventKind::ConsultEnded { conversation: id, owner, agent, end: told });
        }
        offer
    }

    /// Frees the owner of what it held: idle from now, and perhaps done with draining.
    pub fn free_owner(&mut self, agent: AgentId) {
        let Some(person) = self.people.get_mut(&agent) else { return };
        person.idle_since = self.now;
        self.end_draining(agent);
    }

    /// Puts a conversation to a waiting place. From outside: arrival, owner, transfer.
    pub fn wait(&mut self, id: ConversationId, place: Place, cause: Option<Requeued>) {
        let outside = matches!(
            cause,
            None | Some(
                Requeued::LeaseLost | Requeued::OwnerGone | Requeued::Transferred | Requeued::Overflow
            )
        ) || self.convs[&id].stage.owner().is_some();
        let now = self.now;
        let wait_max = self.settings.wait_max;
        let moves = self.convs[&id].home != place;
        if outside || moves {
            self.end_hold_for(id);
        }
        let c = self.c(id);
        if let Some(owner) = c.stage.owner() {
            c.last_agent = Some(owner);
            c.wait_ends = now + wait_max;
            c.waits_since = now;
            c.nobody_handles_it();
        }
        if outside {
            c.hold_until = None;
        }
        if outside || !matches!(place, Place::Queues(_)) {
            c.stop_clock();
        }
        if moves {
            c.goes_on = None;
        }
        c.owner_deadline = None;
        c.grace = None;
        c.home = place.clone();
        if let Some(calling) = &mut c.calling {
            calling.lingers = false;
        }
        c.stage = Stage::Waiting(place);
        // Under whose policy it stands does not follow from the queues that its step adds.
        self.stand(id);
        self.begin_step(id);
        let place = self.convs[&id].home.clone();
        self.emit(EventKind::Waiting { conversation: id, place, cause });
    }

    // ----- answers -----

    /// Step 2 of the rules up to the answer: the reference clock moves, answers are forgotten.
    /// False: the very first id is too old.
    pub fn meet_id(&mut self, id: RequestId, wall_ms: u64) -> bool {
        let window_us = self.settings.request_window.0;
        self.reference = match self.reference {
            None if id.made_at_ms() + window_us / 1_000 < wall_ms => return false,
            None => Some((1_000 * wall_ms.min(id.made_at_ms()), self.now)),
            Some((was, looked)) => {
                let passed = self.now.0 - looked.0;
                let most = was + passed + passed.min(window_us) / 4;
                Some((was.max(most.min(1_000 * wall_ms)), self.now))
            }
        };
        self.forget_answers();
        true
    }

    pub fn reference_ms(&self) -> u64 {
        self.reference.expect("an id was met").0 / 1_000
    }

    fn forget_answers(&mut self) {
        const HOUR: Span = Span::seconds(3_600);
        let (now, reference) = (self.now, self.reference_ms());
        for _ in 0..256 {
            // Per way of queueing, the first alone is looked at.
            let first = |far: bool| {
                let of_it = self.answers.iter().filter(|(_, a)| a.far == far);
                of_it.min_by_key(|(id, a)| if far { (a.since, id.0) } else { (LogTime(a.order), 0) })
            };
            let over = |(id, a): &(&RequestId, &Answer)| {
                let end = a.since + self.settings.request_window;
                end <= now && (id.made_at_ms() <= reference || end + HOUR <= now)
            };
            let gone = first(false).filter(over).or_else(|| first(true).filter(over));
            let Some((id, _)) = gone.map(|(id, a)| (*id, a.since)) else { return };
            self.answers.remove(&id);
            if id.made_at_ms() <= reference {
                self.floor_ms = Some(self.floor_ms.unwrap_or(0).max(id.made_at_ms()));
            }
        }
    }

    pub fn remember_answer(&mut self, entry: &Entry, outcome: &Outcome) {
        let Some(id) = entry.request.id else { return };
        let order = self.answers.values().map(|a| a.order + 1).max().unwrap_or_default();
        let ahead_ms = id.made_at_ms().saturating_sub(self.reference_ms());
        let far = ahead_ms > 10_000;
        let since = if far { self.now + Span::millis(ahead_ms.min(3_600_000)) } else { self.now };
        let (request, outcome) = (entry.request.clone(), outcome.clone());
        self.answers.insert(id, Answer { request, outcome, since, far, order });
    }
}

pub fn unknown(kind: &str, id: impl std::fmt::Display) -> Rejected {
    Rejected::Unknown { kind: kind.to_owned(), id: id.to_string() }
}

pub fn invalid(field: &str) -> Rejected {
    Rejected::Invalid { field: field.to_owned(), problem: String::new() }
}

pub fn not_allowed() -> Rejected {
    Rejected::NotAllowed { why: String::new() }
}

pub fn wrong_state(c: &Conv) -> Rejected {
    let connecting = c.is_connecting() && c.stage.owner().is_none();
    let state = if connecting { "connecting" } else { c.stage.name() };
    Rejected::WrongState { state: state.to_owned(), needed: String::new() }
}
