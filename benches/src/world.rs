//! A domain in the middle of its day, made by ordinary commands.
//!
//! Half of the queues have a backlog and agents who are busy with it; in the other half agents
//! with room wait for work. So both directions of a decision are met: work that finds an agent
//! among many, and an agent who finds work among much.

use crate::skills;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use routing::command::{Arrival, By, Decline, Desk, Intent};
use routing::entry::Request;
use routing::outcome::DoneWhat;
use routing::settings::{
    AcceptMode, AgentSettings, DomainSettings, PickPolicy, QueueSettings, RoutingMode, ToQueue,
    TouchpointSettings, limits,
};
use routing::{
    AccountId, AgentId, Channel, Command, ConversationId, DomainId, Effects, Entry, Epoch, EventKind,
    LogTime, OfferId, Outcome, Points, Position, Priority, QueueId, Rejected, RequestId, Shard, ShardId,
    Span, TouchpointId,
};

/// The one domain of a benchmark.
pub const DOMAIN: DomainId = DomainId(1);
/// Wall time of the first entry, Unix milliseconds.
const WALL_START_MS: u64 = 1_700_000_000_000;
/// Queues each agent belongs to.
const QUEUES_PER_AGENT: usize = 5;
/// Best-ranked conversations that one agent has declined, on the hostile population.
const EXCLUDED_HEADS: usize = 10_000;

/// What to build.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Agents, each in 5 queues.
    pub agents: usize,
    /// Queues.
    pub queues: usize,
    /// Conversations that wait for an offer.
    pub waiting: usize,
    /// Weights 1 to 51, mixed free points, a fifth of the pairs excluded, and one agent who has
    /// declined the 10,000 best-ranked conversations of its queues. Else voice only, all alike.
    pub hostile: bool,
    /// Conversations per queue, from the head, that a fifth of its agents have declined.
    pub excluded_depth: usize,
    /// Agents have skills and half of the conversations criteria: see [`skills`](crate::skills).
    pub skilled: bool,
    /// The feature level, at least that of what the population uses: what a later one brings costs what is more.
    pub level: u32,
}

impl Plan {
    /// The ordinary population at the last level.
    #[must_use]
    pub fn ordinary(agents: usize, queues: usize, waiting: usize) -> Self {
        let level = routing::level::LATEST;
        Plan { agents, queues, waiting, hostile: false, excluded_depth: 0, skilled: false, level }
    }
}

/// A shard with what the driver must know about it.
pub struct World {
    /// The shard.
    pub shard: Shard,
    /// Reused by every apply.
    pub effects: Effects,
    /// What was planned.
    pub plan: Plan,
    /// Choices.
    pub rng: ChaCha8Rng,
    /// Live offers not answered yet.
    pub offers: Vec<(OfferId, AgentId)>,
    /// Assigned conversations, of queues without a backlog and with one.
    pub owned: [Vec<(ConversationId, AgentId)>; 2],
    /// Wrap-ups, likewise.
    pub wrapping: [Vec<(ConversationId, AgentId)>; 2],
    /// Touchpoints by queue, one or one per channel.
    pub touchpoints: Vec<Vec<TouchpointId>>,
    /// Inbox touchpoints by queue.
    inboxes: Vec<Vec<TouchpointId>>,
    epochs: Vec<Epoch>,
    queues_of: Vec<Vec<usize>>,
    /// The agent with many excluded heads.
    pub picky: Option<AgentId>,
    now: LogTime,
    index: u64,
    ids: u128,
}

impl World {
    /// An empty shard with the plan's queues, touchpoints and agents, all signed out.
    ///
    /// # Panics
    /// If the core refuses what the plan asks for.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let mut world = Self {
            shard: Shard::new(ShardId(1)),
            effects: Effects::default(),
            plan,
            rng: ChaCha8Rng::seed_from_u64(plan.agents as u64),
            offers: Vec::new(),
            owned: [Vec::new(), Vec::new()],
            wrapping: [Vec::new(), Vec::new()],
            touchpoints: Vec::new(),
            inboxes: Vec::new(),
            epochs: vec![Epoch(0); plan.agents + 1],
            queues_of: vec![Vec::new(); plan.agents + 1],
            picky: None,
            now: LogTime(1_000_000),
            index: 0,
            ids: 0,
        };
        world.raise_level();
        world.must(Command::CreateDomain { account: AccountId(1), settings: world.domain_settings() });
        for number in 0..plan.queues {
            world.create_queue(number);
        }
        world
    }

    fn domain_settings(&self) -> DomainSettings {
        let weights = if self.plan.hostile {
            [Points::VOICE, Points(1), Points(7), Points(13), Points(20), Points(33), Points(45)]
        } else {
            DomainSettings::default().weights
        };
        DomainSettings {
            name: "bench".to_owned(),
            weights,
            exclude_rejected: Span::seconds(24 * 3_600),
            wait_max: Span::seconds(7 * 24 * 3_600),
            ..DomainSettings::default()
        }
    }

    fn create_queue(&mut self, number: usize) {
        let pick = [PickPolicy::LongestIdle, PickPolicy::LeastLoaded, PickPolicy::RoundRobin][number % 3];
        let settings = QueueSettings {
            name: format!("queue {number}"),
            pick,
            wrap_up_max: Span::seconds(600),
            waiting_max: 1_000_000,
            ..QueueSettings::default()
        };
        self.must(Command::CreateQueue { settings });
        let queue = self.queue(number);
        let channels: &[Channel] = if self.plan.hostile { &Channel::ALL } else { &[Channel::Voice] };
        let touchpoint = |world: &mut Self, channel: Channel, name: &str, mode| {
            let address = format!("{name} {number}");
            let settings = TouchpointSettings { address, channel, mode };
            match world.must(Command::CreateTouchpoint { settings }) {
                DoneWhat::Touchpoint(id) => id,
                other => panic!("a touchpoint was asked for, and came {other:?}"),
            }
        };
        let accept = AcceptMode::Manual { ring: Span::seconds(600) };
        let step = ToQueue { queues: vec![queue], priority: Priority(0), accept };
        let to_queue = channels
            .iter()
            .map(|channel| touchpoint(self, *channel, "line", RoutingMode::ToQueue(step.clone())))
            .collect();
        self.touchpoints.push(to_queue);
        let inbox = RoutingMode::Simplified { queues: vec![queue] };
        let inboxes = if self.plan.hostile {
            let channels = [Channel::Sms, Channel::Email];
            channels.iter().map(|channel| touchpoint(self, *channel, "inbox", inbox.clone())).collect()
        } else {
            Vec::new()
        };
        self.inboxes.push(inboxes);
    }

    /// Makes the agents, with sessions, unavailable: even numbers in queues without a backlog.
    pub fn add_agents(&mut self) {
        let half = self.plan.queues / 2;
        for number in 1..=self.plan.agents {
            let first = if number % 2 == 0 { 0 } else { half };
            let mut queues = Vec::new();
            while queues.len() < QUEUES_PER_AGENT.min(half) {
                let queue = first + self.rng.random_range(0..half);
                if !queues.contains(&queue) {
                    queues.push(queue);
                }
            }
            let settings = AgentSettings {
                name: format!("agent {number}"),
                queues: queues.iter().map(|q| self.queue(*q)).collect(),
                ..AgentSettings::default()
            };
            self.queues_of[number] = queues;
            self.must(Command::CreateAgent { settings });
        }
        if self.plan.skilled {
            for number in 1..=self.plan.agents {
                let skills = skills::of_agent(&mut self.rng, number);
                self.must(Command::SetSkills { agent: self.agent(number), skills, by: By::System });
            }
        }
        for number in 1..=self.plan.agents {
            self.must(Command::OpenSession { agent: self.agent(number) });
            self.epochs[number].0 += 1;
        }
    }

    /// Makes the backlog: the excluded heads first, while their agents are free, then the rest.
    pub fn add_waiting(&mut self) {
        let half = self.plan.queues / 2;
        let mut waiting = 0;
        if self.plan.hostile {
            for queue in 0..self.plan.queues {
                self.pause(queue, true);
            }
            waiting += self.decline_for_the_picky();
            for queue in half..self.plan.queues {
                waiting += self.decline_by_a_fifth(queue);
            }
        }
        while waiting < self.plan.waiting {
            let queue = half + self.rng.random_range(0..half);
            self.start(queue);
            waiting += 1;
        }
        for queue in 0..self.plan.queues {
            self.pause(queue, false);
        }
    }

    /// One agent declines the best-ranked conversations of its queues.
    fn decline_for_the_picky(&mut self) -> usize {
        let number = 1;
        let agent = self.agent(number);
        self.picky = Some(agent);
        let queues = self.queues_of[number].clone();
        self.set_available(number, true);
        let heads = EXCLUDED_HEADS.min(self.plan.waiting / 2);
        for at in 0..heads {
            let queue = queues[at % queues.len()];
            if at < queues.len() {
                self.pause(queue, false);
            }
            self.start(queue);
            self.decline_all();
        }
        self.set_available(number, false);
        for queue in queues {
            self.pause(queue, true);
        }
        heads
    }

    /// A fifth of a queue's agents, within the bound of exclusions, decline its first conversations.
    fn decline_by_a_fifth(&mut self, queue: usize) -> usize {
        let members: Vec<_> =
            (2..=self.plan.agents).filter(|number| self.queues_of[*number].contains(&queue)).collect();
        let fifth = (members.len().div_ceil(5)).min(limits::EXCLUSIONS_PER_CONVERSATION_MAX);
        let members = &members[..fifth];
        self.pause(queue, false);
        for number in members {
            self.set_available(*number, true);
        }
        for _ in 0..self.plan.excluded_depth {
            self.start(queue);
            self.decline_all();
        }
        for number in members {
            self.set_available(*number, false);
        }
        self.pause(queue, true);
        self.plan.excluded_depth
    }

    fn decline_all(&mut self) {
        while let Some((offer, agent)) = self.offers.pop() {
            let desk = self.desk(agent);
            self.must(Command::Reject { desk, offer, decline: Decline { reason: "no".to_owned() } });
        }
    }

    /// On the hostile population: agents of queues without a backlog pull work until their free
    /// points differ widely.
    pub fn fill_unevenly(&mut self) {
        if !self.plan.hostile {
            return;
        }
        for number in (2..=self.plan.agents).step_by(2) {
            let agent = self.agent(number);
            for _ in 0..self.rng.random_range(0..6) {
                let queue = self.queues_of[number][0];
                let channel = self.rng.random_range(0..self.inboxes[queue].len());
                let touchpoint = self.inboxes[queue][channel];
                let DoneWhat::Conversation { id, .. } = self.must(Command::Start(arrival(touchpoint))) else {
                    panic!("no conversation")
                };
                let outcome = self.apply(Command::Assign { desk: self.desk(agent), conversation: id }, false);
                assert!(outcome.is_ok(), "{outcome:?}");
            }
        }
    }

    /// Makes everybody available, and accepts until nothing is offered any more.
    pub fn open(&mut self) {
        for number in 1..=self.plan.agents {
            self.set_available(number, true);
            self.accept_all();
        }
        while self.shard.is_pending() {
            self.must(Command::Continue);
            self.accept_all();
        }
    }

    /// Tops the backlog up after agents took from it, until they are full. Bounded.
    pub fn top_up(&mut self) {
        let half = self.plan.queues / 2;
        for _ in 0..20 {
            let waiting = usize::try_from(self.waiting()).unwrap_or(usize::MAX);
            if waiting >= self.plan.waiting {
                return;
            }
            for _ in waiting..self.plan.waiting {
                let queue = half + self.rng.random_range(0..half);
                self.start(queue);
                self.accept_all();
            }
        }
    }

    /// Conversations that wait for an offer now.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.shard.queues(DOMAIN, None, self.plan.queues).iter().map(|queue| queue.waiting).sum()
    }

    fn accept_all(&mut self) {
        while let Some((offer, agent)) = self.offers.pop() {
            let desk = self.desk(agent);
            self.must(Command::Accept { desk, offer });
        }
    }

    fn start(&mut self, queue: usize) {
        let touchpoint = self.touchpoint(queue);
        // Made before time runs: else all of them would relax at once.
        let (_, command) = self.arriving(touchpoint, skills::BACKLOG_LASTS_S);
        self.must(command);
    }

    /// A customer at a touchpoint, and what it is called; steps of its criteria last within these bounds.
    pub fn arriving(&mut self, touchpoint: TouchpointId, lasts_s: [u64; 2]) -> (&'static str, Command) {
        let arrival = arrival(touchpoint);
        if !self.plan.skilled {
            return ("", Command::Start(arrival));
        }
        match skills::of_conversation(&mut self.rng, lasts_s) {
            Some((kind, criteria)) => (kind, Command::StartWith { arrival, criteria }),
            None => ("", Command::Start(arrival)),
        }
    }

    /// To the level that was planned.
    fn raise_level(&mut self) {
        let mut entry = self.entry(Command::SetLevel { level: self.plan.level }, false);
        entry.request.domain = DomainId::SHARD;
        let outcome = self.shard.apply(&entry, &mut self.effects);
        assert!(outcome.is_ok(), "{outcome:?}");
    }

    fn pause(&mut self, queue: usize, paused: bool) {
        let by = By::System;
        self.must(Command::PauseQueue { queue: self.queue(queue), paused, by });
    }

    fn set_available(&mut self, number: usize, yes: bool) {
        let intent = if yes { Intent::Available } else { Intent::Unavailable { reason: "bench".to_owned() } };
        self.must(Command::SetPresence { agent: self.agent(number), intent, by: By::System });
    }

    /// One of a queue's touchpoints.
    pub fn touchpoint(&mut self, queue: usize) -> TouchpointId {
        let all = &self.touchpoints[queue];
        all[self.rng.random_range(0..all.len())]
    }

    /// The agent's present desk.
    #[must_use]
    pub fn desk(&self, agent: AgentId) -> Desk {
        let number = usize::try_from(agent.number).expect("agents fit memory");
        Desk { agent, epoch: self.epochs[number] }
    }

    fn queue(&self, number: usize) -> QueueId {
        QueueId::new(DOMAIN, number as u64 + 1)
    }

    fn agent(&self, number: usize) -> AgentId {
        AgentId::new(DOMAIN, number as u64)
    }

    /// The next entry: time moves 100 µs, as at 10,000 commands a second.
    pub fn entry(&mut self, command: Command, with_id: bool) -> Entry {
        self.index += 1;
        // Setting up takes no log time, so that no deadline runs out before the measurement.
        if with_id {
            self.now.0 += 100;
        }
        let wall_ms = WALL_START_MS + self.now.0 / 1_000;
        let id = with_id.then(|| {
            self.ids += 1;
            RequestId((u128::from(wall_ms) << 80) | self.ids)
        });
        let of_the_shard = matches!(command, Command::Tick | Command::Continue);
        Entry {
            position: Position { index: self.index, ordinal: 0 },
            time: self.now,
            wall_ms,
            request: Request {
                id: id.filter(|_| !of_the_shard),
                domain: if of_the_shard { DomainId::SHARD } else { DOMAIN },
                expected_version: None,
                command,
            },
        }
    }

    /// Applies a command without measuring it.
    pub fn apply(&mut self, command: Command, with_id: bool) -> Outcome {
        let entry = self.entry(command, with_id);
        self.effects.clear();
        let outcome = self.shard.apply(&entry, &mut self.effects);
        self.take_note();
        outcome
    }

    fn must(&mut self, command: Command) -> DoneWhat {
        let shown = format!("{command:?}");
        match self.apply(command, false) {
            Ok(done) => done.what,
            Err(why) => panic!("{shown}: {why}"),
        }
    }

    /// Reads the events of the last entry.
    pub fn take_note(&mut self) {
        for event in &self.effects.events {
            match &event.kind {
                EventKind::Offered(made) | EventKind::OfferedBecause(made, _) => {
                    self.offers.push((made.offer, made.agent));
                }
                EventKind::OfferEnded { offer, .. } => self.offers.retain(|(live, _)| live != offer),
                EventKind::Assigned { conversation, agent, .. } => {
                    self.owned[usize::from(agent.number % 2 == 1)].push((*conversation, *agent));
                }
                EventKind::Wrapping { conversation, agent, .. } => {
                    self.wrapping[usize::from(agent.number % 2 == 1)].push((*conversation, *agent));
                }
                _ => {}
            }
        }
    }
}

/// A customer at a touchpoint.
#[must_use]
pub fn arrival(touchpoint: TouchpointId) -> Arrival {
    Arrival {
        touchpoint,
        customer: "+4930123456".to_owned(),
        reference: "order 4711".to_owned(),
        priority: None,
        continues: None,
    }
}

/// Whether an outcome may happen in a benchmark.
#[must_use]
pub fn is_expected(outcome: &Outcome) -> bool {
    matches!(outcome, Ok(_) | Err(Rejected::OfferOver { .. }))
}
