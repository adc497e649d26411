//! Runs a log on one machine or two, with every promise checked after every entry.

use super::generator::Generator;
use super::machine::{Engine, Machine, by_subject, plain};
use crate::model::Model;
use routing::command::TransferTarget;
use routing::event::{Ending, OfferEnd, Revoked};
use routing::invariants::{Ghost, Step, check_all};
use routing::picked::{Order, Picked, Way};
use routing::policy::Action;
use routing::settings::PickPolicy;
use routing::view::{DomainView, Gate};
use routing::{Command, DomainId, Entry, Event, EventKind, Outcome, Rejected};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// Watches one machine: pictures, ghosts, violations.
#[derive(Default)]
pub struct Watch {
    before: BTreeMap<DomainId, DomainView>,
    ghosts: BTreeMap<DomainId, Ghost>,
}

impl Watch {
    /// Checks every promise for every domain around one applied entry: ids and what was seen.
    pub fn look(
        &mut self,
        machine: &impl Machine,
        entry: &Entry,
        outcome: &Outcome,
        events: &[Event],
    ) -> Vec<(&'static str, String)> {
        let after = machine.views();
        let mut broken = Vec::new();
        for (domain, view) in &after {
            let events: Vec<_> = events.iter().filter(|event| event.domain == *domain).cloned().collect();
            let step = Step {
                before: self.before.get(domain),
                entry,
                outcome,
                after: view,
                events: &events,
                touched: None,
            };
            let ghost = self.ghosts.entry(*domain).or_default();
            broken.extend(check_all(&step, ghost).into_iter().map(|v| (v.id, v.seen)));
        }
        self.before = after;
        broken
    }
}

/// After so many commands it is counted once what waits by rules between channels alone.
const LOOK_AT_BLOCKED: usize = 20;

/// What a run did.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Commands applied.
    pub commands: usize,
    /// Commands answered OK.
    pub accepted: usize,
    /// Transfers to other domains that arrived, were refused, and were called back.
    pub crossed: [usize; 3],
    /// Criteria that conversations were given, and how often what they asked for gave way.
    pub sought: [usize; 2],
    /// Rules that were carried out, by what they did.
    pub ruled: [usize; 7],
    /// Conversations under a policy with a target that were answered, abandoned and taken elsewhere.
    pub served: [u64; 3],
    /// Offers by the way in which their agents were picked; of those by policy, the least flexible apart.
    pub picked: BTreeMap<&'static str, usize>,
    /// How often rules between channels changed, how often a human was refused by them, and how many
    /// conversations wait by these rules alone, counted now and then.
    pub blocked: [usize; 3],
    /// Offers that were accepted first and connected then, or not; what began to rest; longer wrap-ups.
    pub handled: [usize; 4],
    /// How often the pace of offers changed, and how many agents are held back by it, counted now and then.
    pub paced: [usize; 2],
    /// Queues that opened, were to be served out, and closed.
    pub hours: [usize; 3],
    /// Callbacks that were asked for, tried without an answer, given up after the last attempt, and places resumed.
    pub called: [usize; 4],
    /// How often queues were to offer to another number of agents; offers that ended since another agent accepted;
    /// and how many rang beside a first one, counted now and then.
    pub rung: [usize; 3],
    /// Agents who were asked for advice, accepted, were done with it by somebody's word, and had the conversation then;
    /// and those who had it since its owner was gone.
    pub consulted: [usize; 5],
}

impl Tally {
    /// Adds another run.
    pub fn add(&mut self, other: &Tally) {
        self.commands += other.commands;
        self.accepted += other.accepted;
        for (sum, one) in self.crossed.iter_mut().zip(other.crossed) {
            *sum += one;
        }
        for (sum, one) in self.sought.iter_mut().zip(other.sought) {
            *sum += one;
        }
        for (sum, one) in self.ruled.iter_mut().zip(other.ruled) {
            *sum += one;
        }
        for (sum, one) in self.served.iter_mut().zip(other.served) {
            *sum += one;
        }
        for (sum, one) in self.blocked.iter_mut().zip(other.blocked) {
            *sum += one;
        }
        for (sum, one) in self.handled.iter_mut().zip(other.handled) {
            *sum += one;
        }
        for (sum, one) in self.paced.iter_mut().zip(other.paced) {
            *sum += one;
        }
        for (sum, one) in self.hours.iter_mut().zip(other.hours) {
            *sum += one;
        }
        for (sum, one) in self.called.iter_mut().zip(other.called) {
            *sum += one;
        }
        for (sum, one) in self.rung.iter_mut().zip(other.rung) {
            *sum += one;
        }
        for (sum, one) in self.consulted.iter_mut().zip(other.consulted) {
            *sum += one;
        }
        for (way, times) in &other.picked {
            *self.picked.entry(way).or_default() += times;
        }
    }

    fn note_pick(&mut self, picked: &Picked) {
        let way = match picked.way {
            Way::Policy(PickPolicy::LeastFlexible) => "least flexible",
            Way::Policy(PickPolicy::MostProficient) => match picked.order {
                Some(Order::Proficiency(0, _)) => "most proficient, of nothing",
                _ => "most proficient",
            },
            Way::Policy(_) => "policy",
            Way::Held(_) => "held",
            Way::Named(_) => "named",
            Way::Dedicated => "dedicated",
            Way::Transfer => "transfer",
            Way::Consult => "consult",
        };
        let gate = |gate: &Gate| match gate {
            Gate::None => "passed over for a preference",
            Gate::Skill { .. } => "passed over for a skill",
            Gate::ExcludedUntil(_) => "passed over as excluded",
            _ => "passed over otherwise",
        };
        let passed = picked.passed_over.iter().map(|(_, why)| gate(why));
        let next = (!picked.next.is_empty()).then_some("with a next one");
        for said in passed.chain(next).chain([way]) {
            *self.picked.entry(said).or_default() += 1;
        }
    }

    fn note_handed(&mut self, command: &Command, outcome: &Outcome, events: &[Event]) {
        let completed = matches!(command, Command::CompleteConsult { .. }) && outcome.is_ok();
        self.consulted[3] += usize::from(completed);
        if !matches!(command, Command::Transfer { .. } | Command::TransferAnew { .. }) && !completed {
            let to_agent = |event: &&Event| {
                matches!(event.kind, EventKind::TransferStarted { target: TransferTarget::Agent(_), .. })
            };
            self.consulted[4] += events.iter().filter(to_agent).count();
        }
    }

    /// What the queues that are left counted in their last hour.
    fn note_service(&mut self, views: &BTreeMap<DomainId, DomainView>) {
        let queues = views.values().flat_map(|view| view.queues.values());
        for minute in queues.flat_map(|queue| &queue.policy.minutes) {
            let service = minute.service;
            let counts = [service.answered, service.abandoned, service.overflowed];
            for (sum, one) in self.served.iter_mut().zip(counts) {
                *sum += one;
            }
        }
    }

    /// What would be offered to somebody at once if there were no rules between channels.
    fn note_blocked(&mut self, model: &Model) {
        for dom in model.domains.values().filter(|dom| dom.quarantined.is_none()) {
            let mut unruled = dom.clone();
            unruled.channel_rules.clear();
            let mut left = 100;
            unruled.match_waiting(&mut left);
            self.blocked[2] += 100 - left;
            self.rung[2] += dom.convs.values().map(|c| c.also.len()).sum::<usize>();
            self.paced[1] += dom.people.values().filter(|person| person.paced.is_some()).count();
        }
    }

    fn note(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Ended { ending: Ending::Moved { .. }, .. } => self.crossed[0] += 1,
            EventKind::TransferRefused { .. } => self.crossed[1] += 1,
            EventKind::Recalled { .. } => self.crossed[2] += 1,
            EventKind::CriteriaChanged { .. } => self.sought[0] += 1,
            EventKind::Relaxed { .. } => self.sought[1] += 1,
            EventKind::OfferedBecause(_, picked) => self.note_pick(picked),
            EventKind::RuleApplied { action, .. } => self.ruled[place_of(action)] += 1,
            EventKind::ChannelRulesChanged { .. } => self.blocked[0] += 1,
            EventKind::PaceChanged { .. } => self.paced[0] += 1,
            EventKind::Connecting { .. } => self.handled[0] += 1,
            EventKind::OfferEnded { end: OfferEnd::NotConnected { .. }, .. } => self.handled[1] += 1,
            EventKind::IdleChanged { idle: true, .. } => self.handled[2] += 1,
            EventKind::WrapUpExtended { .. } => self.handled[3] += 1,
            EventKind::CallbackRequested { .. } => self.called[0] += 1,
            EventKind::CallbackTried { not_before, .. } => {
                self.called[1] += 1;
                self.called[2] += usize::from(not_before.is_none());
            }
            EventKind::Resumed { .. } => self.called[3] += 1,
            EventKind::RingChanged { .. } => self.rung[0] += 1,
            EventKind::OfferEnded { end: OfferEnd::Revoked(Revoked::Taken), .. } => self.rung[1] += 1,
            EventKind::ConsultStarted { .. } => self.consulted[0] += 1,
            EventKind::Consulting { .. } => self.consulted[1] += 1,
            EventKind::OfferEnded { end: OfferEnd::ConsultOver { .. }, .. } => self.consulted[2] += 1,
            EventKind::QueueHours { state, .. } => self.hours[*state as usize] += 1,
            _ => {}
        }
    }
}

fn place_of(action: &Action) -> usize {
    match action {
        Action::Prioritise(_) => 0,
        Action::AddQueue(_) => 1,
        Action::MoveTo(_) => 2,
        Action::ToInbox => 3,
        Action::SendTo(_) => 4,
        Action::Close { .. } => 5,
        Action::CallBack => 6,
    }
}

/// Both machines side by side.
struct Pair<M> {
    engine: M,
    model: Model,
    watch: Watch,
    tally: Tally,
}

impl<M: Machine> Pair<M> {
    fn new(mut engine: M) -> Self {
        let mut model = Model::default();
        if let Some(entry) = engine.prepare() {
            let _ = (engine.apply(&entry), Machine::apply(&mut model, &entry));
        }
        Self { engine, model, watch: Watch::default(), tally: Tally::default() }
    }

    /// Applies one entry to both; says how they part.
    fn apply(&mut self, entry: &Entry) -> Result<(), String> {
        let (outcome, events) = self.engine.apply(entry);
        self.tally.commands += 1;
        self.tally.accepted += usize::from(outcome.is_ok());
        events.iter().for_each(|event| self.tally.note(event));
        self.tally.note_handed(&entry.request.command, &outcome, &events);
        self.tally.blocked[1] += usize::from(matches!(outcome, Err(Rejected::Blocked { .. })));
        let (expected, expected_events) = Machine::apply(&mut self.model, entry);
        let broken = self.watch.look(&self.engine, entry, &outcome, &events);
        if let Some((id, seen)) = broken.first() {
            return Err(format!("{id} broken: {seen}"));
        }
        let outcomes = format!("outcome\n  engine {outcome:?}\n  model  {expected:?}");
        if outcome.is_ok() != expected.is_ok() {
            return Err(outcomes);
        }
        let (events, expected_events) = (by_subject(&events), by_subject(&expected_events));
        if events != expected_events {
            return Err(format!("events\n{}", lines_that_differ(&events, &expected_events)));
        }
        if plain(&outcome) != plain(&expected) {
            return Err(outcomes);
        }
        match differing(&self.watch.before, &self.model.views()) {
            Some(how) => Err(how),
            None => self.compare_owed(),
        }
    }
}

impl<M: Machine> Pair<M> {
    /// Whether both owe other domains the same messages.
    fn compare_owed(&self) -> Result<(), String> {
        let (owed, expected) = (self.engine.owed(self.model.now), self.model.owed(self.model.now));
        if owed == expected { Ok(()) } else { Err(format!("owed\n{}", lines_that_differ(&owed, &expected))) }
    }
}

fn differing(
    views: &BTreeMap<DomainId, DomainView>,
    expected: &BTreeMap<DomainId, DomainView>,
) -> Option<String> {
    if views.keys().ne(expected.keys()) {
        return Some(format!("domains {:?} and {:?}", views.keys(), expected.keys()));
    }
    views.values().zip(expected.values()).find_map(|(view, expected)| {
        let mut summary = view.summary.clone();
        // Whether a Continue is asked for is the engine's own affair.
        summary.pending = false;
        first_difference(
            "domain",
            &BTreeMap::from([(0, summary)]),
            &BTreeMap::from([(0, expected.summary.clone())]),
        )
        .or_else(|| first_difference("queue", &view.queues, &expected.queues))
        .or_else(|| first_difference("agent", &view.agents, &expected.agents))
        .or_else(|| first_difference("touchpoint", &view.touchpoints, &expected.touchpoints))
        .or_else(|| first_difference("conversation", &view.conversations, &expected.conversations))
    })
}

fn first_difference<K: Ord + Debug, V: PartialEq + Debug>(
    what: &str,
    ours: &BTreeMap<K, V>,
    theirs: &BTreeMap<K, V>,
) -> Option<String> {
    if ours.keys().ne(theirs.keys()) {
        return Some(format!("{what}s\n  engine {:?}\n  model  {:?}", ours.keys(), theirs.keys()));
    }
    let differs = ours.iter().zip(theirs).find(|(a, b)| a != b);
    differs.map(|(a, b)| format!("{what} {:?}\n{}", a.0, lines_that_differ(a.1, b.1)))
}

fn lines_that_differ(ours: &impl Debug, theirs: &impl Debug) -> String {
    let (ours, theirs) = (format!("{ours:#?}"), format!("{theirs:#?}"));
    let only = |side: &str, other: &str, name: &str| -> String {
        side.lines()
            .filter(|line| !other.lines().any(|l| l == *line))
            .map(|l| format!("  {name} {l}\n"))
            .collect()
    };
    only(&ours, &theirs, "engine") + &only(&theirs, &ours, "model ")
}

/// Draws and runs one seed on both machines. Panics with the seed, the step and a shrunk log
/// where they part.
pub fn run_seed(seed: u64, commands: usize) -> Tally {
    run_seed_on(&Engine::new, seed, commands).0
}

/// The same on another machine than the plain engine; it is given back as it is in the end.
pub fn run_seed_on<M: Machine>(new: &impl Fn() -> M, seed: u64, commands: usize) -> (Tally, M) {
    let mut generator = Generator::new(seed);
    let mut pair = Pair::new(new());
    let mut log = Vec::new();
    while log.len() < commands {
        let entry = generator.next(&pair.model);
        log.push(entry.clone());
        if let Err(how) = pair.apply(&entry) {
            fail(new, seed, log, &how);
        }
        if log.len() % LOOK_AT_BLOCKED == 0 {
            pair.tally.note_blocked(&pair.model);
        }
    }
    pair.tally.note_service(&pair.watch.before);
    (pair.tally, pair.engine)
}

/// Runs a log on both; says at which entry and how they part, or which promise the engine breaks.
pub fn disagreement(log: &[Entry]) -> Option<(usize, String)> {
    disagreement_on(&Engine::new, log)
}

fn disagreement_on<M: Machine>(new: &impl Fn() -> M, log: &[Entry]) -> Option<(usize, String)> {
    let mut pair = Pair::new(new());
    log.iter().enumerate().find_map(|(i, entry)| Some((i, pair.apply(entry).err()?)))
}

fn fail<M: Machine>(new: &impl Fn() -> M, seed: u64, log: Vec<Entry>, how: &str) -> ! {
    let step = log.len() - 1;
    let entry = log[step].clone();
    let kind = |how: &str| how.split_whitespace().next().map(str::to_owned);
    let (small, how_small) =
        shrink(log, |log| disagreement_on(new, log).filter(|(_, how_now)| kind(how_now) == kind(how)));
    let mut pair = Pair::new(new());
    for entry in &small[..small.len() - 1] {
        let _ = pair.apply(entry);
    }
    let desks = pair.watch.before.get(&entry.request.domain).map_or_else(String::new, |view| {
        let lines = view.agents.values().map(|a| {
            format!(
                "  {} {:?} {:?} load {} idle since {} last offer {} holds {:?} queues {:?}\n",
                a.id, a.intent, a.lease, a.load, a.idle_since.0, a.last_offer, a.held_for, a.settings.queues
            )
        });
        lines.collect()
    });
    panic!(
        "seed {seed}, step {step}: {entry:?}\n{how}\n--- shrunk to {} entries, which part with: {how_small}\nbefore the last:\n{desks}{}",
        small.len(),
        listed(&small)
    );
}

/// A log for people, one entry a line.
pub fn listed(log: &[Entry]) -> String {
    let line = |e: &Entry| {
        let request = &e.request;
        format!("  {} {} {:?} {:?}\n", e.time.0, request.domain, request.command, request.expected_version)
    };
    log.iter().map(line).collect()
}

/// Removes entries while the log still fails: halves first, then ever smaller runs. Bounded.
fn shrink(mut log: Vec<Entry>, fails: impl Fn(&[Entry]) -> Option<(usize, String)>) -> (Vec<Entry>, String) {
    let mut how = String::new();
    let mut budget = 2_000;
    let mut size = log.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < log.len() && budget > 0 {
            let mut fewer = log.clone();
            fewer.drain(at..(at + size).min(log.len()));
            budget -= 1;
            if let Some((step, text)) = fails(&fewer) {
                fewer.truncate(step + 1);
                log = fewer;
                how = text;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    (log, how)
}
