//! A shard of one domain, fed with entries at virtual times.

use crate::report::{PLAIN_MINUTES, Said};
use crate::workload::Workload;
use routing::command::{By, Command, Desk, Intent};
use routing::criteria::{self, Criteria};
use routing::expected::ExpectedWait;
use routing::invariants::{Ghost, Step, check_all};
use routing::outcome::DoneWhat;
use routing::policy::{Policy, Target};
use routing::settings::{
    AcceptMode, AgentSettings, DomainSettings, PickPolicy, QueueSettings, RankPolicy, RoutingMode, ToQueue,
    TouchpointSettings, limits,
};
use routing::view::DomainView;
use routing::{
    AccountId, AgentId, Alarm, Channel, ChannelSet, ConversationId, DomainId, Effects, Entry, Event, LogTime,
    Outcome, Position, Priority, QueueId, Rejected, Shard, ShardId, Span, TouchpointId, entry::Request,
    level,
};

/// The one domain.
pub(super) const DOMAIN: DomainId = DomainId(1);
/// Continuations or ticks in a row that get the core no further before that is called a bug.
const STUCK_AFTER: u32 = 1_000_000;

/// A run that cannot go on: a bug of the core or of the simulator, or a workload beyond limits.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The core refused what it must do.
    #[error("at {at_s:.6} s the core refused to {what}: {why}")]
    Refused {
        /// Virtual time in seconds.
        at_s: f64,
        /// What it was asked.
        what: String,
        /// Its answer.
        why: Rejected,
    },
    /// The core raised an alarm or cannot get on.
    #[error("at {at_s:.6} s: {what}")]
    Core {
        /// Virtual time in seconds.
        at_s: f64,
        /// What happened.
        what: String,
    },
}

/// Checks every promise after every entry: as costly as the domain is big.
#[derive(Debug, Default)]
struct Checker {
    ghost: Ghost,
    before: Option<DomainView>,
    broken: u64,
    seen: Vec<String>,
}

/// The shard, its log position, and what the last entry brought about.
#[derive(Debug)]
pub(super) struct Core {
    shard: Shard,
    effects: Effects,
    entry: Entry,
    checker: Option<Checker>,
    /// The domain's record, if it is to be judged.
    record: Option<Vec<crate::checker::Event>>,
    entries: u64,
}

impl Core {
    pub(super) fn new(check: bool, judge: bool) -> Self {
        let request = Request { id: None, domain: DOMAIN, expected_version: None, command: Command::Tick };
        Self {
            shard: Shard::new(ShardId(1)),
            effects: Effects::default(),
            entry: Entry { position: Position::default(), time: LogTime(0), wall_ms: 0, request },
            checker: check.then(Checker::default),
            record: judge.then(Vec::new),
            entries: 0,
        }
    }

    /// Applies one command of the domain. Its events are in [`Core::events_mut`] until the next.
    pub(super) fn apply(&mut self, at: Span, command: Command) -> Outcome {
        self.put(at, DOMAIN, command)
    }

    fn put(&mut self, at: Span, domain: DomainId, command: Command) -> Outcome {
        self.entries += 1;
        self.entry.position.index = self.entries;
        self.entry.time = LogTime(at.0);
        self.entry.wall_ms = at.0 / 1_000;
        self.entry.request.domain = domain;
        self.entry.request.command = command;
        self.effects.clear();
        let outcome = self.shard.apply(&self.entry, &mut self.effects);
        if let Some(record) = &mut self.record {
            record.extend(self.effects.events.iter().map(crate::checker::Event::from));
        }
        if let Some(checker) = &mut self.checker
            && let Some(after) = self.shard.view(DOMAIN)
        {
            let before = checker.before.as_ref();
            let step = Step {
                before,
                entry: &self.entry,
                outcome: &outcome,
                after: &after,
                events: &self.effects.events,
                touched: None,
            };
            for violation in check_all(&step, &mut checker.ghost) {
                checker.broken += 1;
                if checker.seen.len() < 10 {
                    checker.seen.push(violation.to_string());
                }
            }
            checker.before = Some(after);
        }
        outcome
    }

    /// Applies a command that must succeed.
    pub(super) fn must(&mut self, at: Span, command: Command) -> Result<DoneWhat, Fault> {
        let what = format!("{command:?}");
        match self.apply(at, command) {
            Ok(done) => Ok(done.what),
            Err(why) => Err(Fault::Refused { at_s: at.as_seconds_f64(), what, why }),
        }
    }

    /// What a call that begins to wait may expect.
    pub(super) fn expected(&self, conversation: ConversationId) -> Said {
        let expected = self.shard.expected_wait(conversation);
        let Some(best) = expected.as_ref().and_then(ExpectedWait::best) else { return Said::default() };
        let now = self.shard.now_of(DOMAIN);
        let lately = self.shard.queue(best.queue).map(|queue| queue.policy.last(PLAIN_MINUTES, now));
        Said::of(best, &lately.unwrap_or_default())
    }

    /// Events of the last entry.
    pub(super) fn events_mut(&mut self) -> &mut Vec<Event> {
        &mut self.effects.events
    }

    /// Alarms of the last entry end the run.
    pub(super) fn no_alarm(&self, at: Span) -> Result<(), Fault> {
        match self.effects.alarms.first() {
            None => Ok(()),
            Some(Alarm::Quarantined { reason, .. }) => {
                Err(Fault::Core { at_s: at.as_seconds_f64(), what: format!("domain quarantined: {reason}") })
            }
        }
    }

    /// Applies what a leader would propose by itself up to `until`: at most one entry, whose time
    /// it returns. `None` when nothing is due.
    pub(super) fn step_by_itself(&mut self, now: Span, until: Span) -> Option<Span> {
        let (at, command) = if self.shard.is_pending() {
            (now, Command::Continue)
        } else {
            let due = Span(self.shard.next_deadline()?.0).max(now);
            if due > until {
                return None;
            }
            (due, Command::Tick)
        };
        // Neither has an outcome that matters; what they do is in the events.
        let _ = self.put(at, DomainId::SHARD, command);
        Some(at)
    }

    pub(super) fn entries(&self) -> u64 {
        self.entries
    }

    /// The record so far, once.
    pub(super) fn take_record(&mut self) -> Option<Vec<crate::checker::Event>> {
        self.record.take()
    }

    /// Promises the invariants found broken, and the first few in words.
    pub(super) fn broken(self) -> (u64, Vec<String>) {
        self.checker.map_or((0, Vec::new()), |checker| (checker.broken, checker.seen))
    }

    #[doc(hidden)]
    pub(super) fn plant(&mut self, bug: routing::PlantedBug) {
        self.shard.plant(bug);
    }
}

/// Counts steps that do not move time.
#[derive(Debug, Default)]
pub(super) struct Stuck {
    at: Span,
    steps: u32,
}

impl Stuck {
    pub(super) fn note(&mut self, at: Span) -> Result<(), Fault> {
        self.steps = if at == self.at { self.steps + 1 } else { 0 };
        self.at = at;
        if self.steps < STUCK_AFTER {
            return Ok(());
        }
        let what = format!("{STUCK_AFTER} ticks or continuations led nowhere");
        Err(Fault::Core { at_s: at.as_seconds_f64(), what })
    }
}

/// What the workload's parts are called in the core.
#[derive(Debug)]
pub(super) struct Names {
    /// By index of the workload's queues.
    pub(super) queues: Vec<QueueId>,
    /// By index of the workload's queues.
    pub(super) touchpoints: Vec<TouchpointId>,
    /// By index of the workload's agents.
    pub(super) desks: Vec<Desk>,
}

impl Names {
    /// Index of an agent of the workload: ids are minted in order.
    pub(super) fn agent(&self, id: AgentId) -> Option<usize> {
        self.desks.binary_search_by_key(&id, |desk| desk.agent).ok()
    }
}

/// Makes the domain, its queues, touchpoints and agents, and connects every desk. `rings`: an agent
/// may take time to answer. `measured`: the queues' service is measured, which decides nothing.
pub(super) fn set_up(
    core: &mut Core,
    workload: &Workload,
    rings: bool,
    measured: bool,
) -> Result<Names, Fault> {
    let start = Span::ZERO;
    core.must(start, Command::CreateDomain { account: AccountId(1), settings: domain(workload) })?;
    if let Some(level) = level_for(workload, measured) {
        let raised = core.put(start, DomainId::SHARD, Command::SetLevel { level });
        raised.map_err(|why| Fault::Refused { at_s: 0.0, what: "raise the level".to_owned(), why })?;
    }
    let mut queues = Vec::new();
    let mut touchpoints = Vec::new();
    for queue in &workload.queues {
        let settings = QueueSettings {
            name: queue.name.clone(),
            pick: queue.pick,
            wrap_up_max: queue.wrap_up,
            waiting_max: limits::CONVERSATIONS_LIVE_MAX,
            ..QueueSettings::default()
        };
        let made = core.must(start, Command::CreateQueue { settings })?;
        let DoneWhat::Queue(id) = made else { return Err(unexpected("a queue", &made)) };
        queues.push(id);
        if measured {
            let target = Some(Target { within: Span::seconds(20), percent: 80 });
            let policy = Policy { rules: Vec::new(), target };
            core.must(start, Command::SetPolicy { queue: id, policy, by: By::System })?;
        }
        let made =
            core.must(start, Command::CreateTouchpoint { settings: touchpoint(&queue.name, id, rings) })?;
        let DoneWhat::Touchpoint(id) = made else { return Err(unexpected("a touchpoint", &made)) };
        touchpoints.push(id);
    }
    let mut desks = Vec::new();
    for agent in &workload.agents {
        let skills = &agent.skills;
        let settings = AgentSettings {
            name: agent.name.clone(),
            channels: ChannelSet::default().with(Channel::Voice),
            queues: agent.queues.iter().map(|queue| queues[*queue as usize]).collect(),
            ..AgentSettings::default()
        };
        let made = core.must(start, Command::CreateAgent { settings })?;
        let DoneWhat::Agent(agent) = made else { return Err(unexpected("an agent", &made)) };
        if !skills.is_empty() {
            core.must(start, Command::SetSkills { agent, skills: skills.clone(), by: By::System })?;
        }
        let opened = core.must(start, Command::OpenSession { agent })?;
        let DoneWhat::Session(epoch) = opened else { return Err(unexpected("a session", &opened)) };
        desks.push(Desk { agent, epoch });
    }
    // Skills are known once somebody has them.
    for (queue, touchpoint) in workload.queues.iter().zip(&touchpoints) {
        if !queue.required.is_empty() {
            let step = criteria::Step { required: queue.required.clone(), ..criteria::Step::default() };
            let criteria = Criteria { steps: vec![step] };
            let touchpoint = *touchpoint;
            core.must(start, Command::SetCriteria { touchpoint, criteria, by: By::System })?;
        }
    }
    Ok(Names { queues, touchpoints, desks })
}

/// The lowest level that knows what is asked for: from [`level::PICKS`] on every offer is explained, which costs time.
fn level_for(workload: &Workload, measured: bool) -> Option<u32> {
    let skills = workload.agents.iter().any(|agent| !agent.skills.is_empty())
        || workload.queues.iter().any(|queue| !queue.required.is_empty());
    let picks = workload.queues.iter().filter_map(|queue| match queue.pick {
        PickPolicy::LongestIdle | PickPolicy::LeastLoaded | PickPolicy::RoundRobin => None,
        PickPolicy::LeastFlexible => Some(level::PICKS),
        PickPolicy::MostProficient => Some(level::PROFICIENT),
    });
    let others = [skills.then_some(level::SKILLS), measured.then_some(level::POLICIES)];
    picks.chain(others.into_iter().flatten()).max()
}

fn unexpected(wanted: &str, got: &DoneWhat) -> Fault {
    Fault::Core { at_s: 0.0, what: format!("asked for {wanted}, the core answered {got:?}") }
}

fn domain(workload: &Workload) -> DomainSettings {
    let rank = if workload.credits.is_empty() {
        RankPolicy::Priority
    } else {
        RankPolicy::Aging { credits: workload.credits.clone() }
    };
    DomainSettings {
        name: "day".to_owned(),
        rank,
        hold_max: Span::ZERO,
        // Nobody reads ended conversations here, and commands carry no request ids.
        closed_retention: Span::ZERO,
        request_window: Span::ZERO,
        wait_max: Span::seconds(30 * 86_400),
        ..DomainSettings::default()
    }
}

fn touchpoint(name: &str, queue: QueueId, rings: bool) -> TouchpointSettings {
    let accept = if rings {
        AcceptMode::Manual { ring: limits::RING_MAX }
    } else {
        AcceptMode::Automatic { confirm: Span::seconds(5) }
    };
    TouchpointSettings {
        address: name.to_owned(),
        channel: Channel::Voice,
        mode: RoutingMode::ToQueue(ToQueue { queues: vec![queue], priority: Priority(0), accept }),
    }
}

/// What a desk says when its shift ends: contacts under way are finished.
pub(super) fn shift_over() -> Intent {
    Intent::Draining { next: "shift over".to_owned() }
}
