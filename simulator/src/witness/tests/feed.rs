//! Entries drawn from a seed with a look at the shard: mostly sensible, some hostile, some repeated.

use super::blocks::Blocks;
use super::callback::Calls;
use super::consult::Consults;
use super::handling::Ways;
use super::hours::Opens;
use super::pace::Paces;
use super::policies::Policies;
use super::ring::Rings;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use routing::command::{Arrival, By, Decline, Desk, Intent, TransferFallback, TransferTarget};
use routing::criteria::{Criteria, Skill, Step};
use routing::entry::Request;
use routing::event::Place;
use routing::outcome::DoneWhat;
use routing::settings::{
    AcceptMode, AgentSettings, DomainSettings, QueueSettings, RankPolicy, RoutingMode, ToQueue,
    TouchpointSettings,
};
use routing::view::{ConversationView, DomainView, Lease, Stage};
use routing::{
    AccountId, AgentId, Channel, Command, ConversationId, DomainId, Effects, Entry, Epoch, LogTime, Points,
    Position, Priority, QueueId, RequestId, Shard, Span, TouchpointId, level,
};

use std::collections::BTreeSet;

/// Wall time at the start, Unix milliseconds.
const WALL_START_MS: u64 = 1_700_000_000_000;

/// How big and how hostile.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Domains of the shard.
    pub domains: u32,
    /// Agents of each domain.
    pub agents: u64,
    /// Conversations of each domain that are not over, about.
    pub live: usize,
    /// How many in a hundred act in the name of an old session, or on what is over.
    pub hostile_percent: u32,
}

impl Size {
    /// Small and hostile: every kind of trouble within some hundred entries.
    pub const SMALL: Self = Self { domains: 2, agents: 5, live: 9, hostile_percent: 10 };
    /// What the cluster simulator has in a shard.
    pub const USUAL: Self = Self { domains: 4, agents: 40, live: 40, hostile_percent: 3 };
}

/// A stream of entries.
pub struct Feed {
    rng: ChaCha8Rng,
    policies: Policies,
    blocks: Blocks,
    ways: Ways,
    paces: Paces,
    calls: Calls,
    rings: Rings,
    consults: Consults,
    opens: Opens,
    size: Size,
    script: Vec<(DomainId, Command)>,
    sent: Vec<Request>,
    time: u64,
    position: Position,
    ids: u128,
    /// Transfers that were sent to the domain they go to.
    delivered: BTreeSet<(ConversationId, DomainId, u64)>,
}

impl Feed {
    pub fn new(seed: u64, size: Size) -> Self {
        let mut feed = Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            policies: Policies::new(seed),
            blocks: Blocks::new(seed),
            ways: Ways::new(seed),
            paces: Paces::new(seed),
            calls: Calls::new(seed),
            rings: Rings::new(seed),
            consults: Consults::new(seed),
            opens: Opens::new(seed),
            size,
            script: Vec::new(),
            sent: Vec::new(),
            time: 1_000_000,
            position: Position { index: 1, ordinal: 0 },
            ids: 0,
            delivered: BTreeSet::new(),
        };
        feed.set_up();
        feed.script.reverse();
        feed
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_ratio(percent, 100)
    }

    fn one<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        if all.is_empty() { None } else { Some(all[self.rng.random_range(0..all.len())].clone()) }
    }

    fn set_up(&mut self) {
        self.script.push((DomainId::SHARD, Command::SetLevel { level: level::LATEST }));
        for number in 1..=self.size.domains {
            let domain = DomainId(number);
            let account = AccountId(1);
            let settings = self.domain();
            self.script.push((domain, Command::CreateDomain { account, settings }));
            let queues: Vec<_> = (1..=4).map(|q| QueueId::new(domain, q)).collect();
            for _ in &queues {
                let settings = QueueSettings {
                    name: "queue".to_owned(),
                    wrap_up_max: Span::seconds(self.rng.random_range(0..20)),
                    ..QueueSettings::default()
                };
                self.script.push((domain, Command::CreateQueue { settings }));
            }
            for queue in queues.iter().copied() {
                if self.policies.chance(60) {
                    let policy = self.policies.policy(queue, &queues, self.size.domains);
                    self.script.push((domain, Command::SetPolicy { queue, policy, by: boss() }));
                }
            }
            if self.blocks.chance(60) {
                let rules = self.blocks.rules();
                self.script.push((domain, Command::SetChannelRules { rules, by: boss() }));
            }
            if self.ways.chance(60) {
                let handling = self.ways.handling();
                self.script.push((domain, Command::SetHandling { handling, by: boss() }));
            }
            if self.paces.chance(40) {
                self.script.push((domain, Command::SetPace { pace: self.paces.pace(), by: boss() }));
            }
            if self.calls.chance(60) {
                let callback = self.calls.settings();
                self.script.push((domain, Command::SetCallback { callback, by: boss() }));
            }
            for queue in queues.iter().copied() {
                if self.rings.chance(50) {
                    self.script.push((domain, self.rings.command(queue, boss())));
                }
            }
            if domain == DomainId(1) || self.opens.chance(50) {
                let begin = self.opens.begin(&queues, WALL_START_MS + 1_000);
                self.script.extend(begin.into_iter().map(|command| (domain, command)));
            }
            for number in 1..=self.size.agents {
                let agent = AgentId::new(domain, number);
                let settings = self.agent(&queues);
                self.script.push((domain, Command::CreateAgent { settings }));
                let skills = self.skills(50, &[20, 50, 80]);
                self.script.push((domain, Command::SetSkills { agent, skills, by: boss() }));
                self.script.push((domain, Command::OpenSession { agent }));
                self.script
                    .push((domain, Command::SetPresence { agent, intent: Intent::Available, by: boss() }));
            }
            for number in 0..7 {
                let settings = self.touchpoint(&queues, number, AgentId::new(domain, 1));
                self.script.push((domain, Command::CreateTouchpoint { settings }));
            }
        }
    }

    fn skills(&mut self, percent: u32, levels: &[u8]) -> Vec<Skill> {
        let mut skills = Vec::new();
        for name in ["billing", "es"] {
            if self.chance(percent) {
                skills.push(Skill { name: name.to_owned(), level: self.one(levels).unwrap_or(1) });
            }
        }
        skills
    }

    /// An agent of its own for a while, or skills, and less of them after that.
    fn criteria(&mut self, view: &DomainView) -> Criteria {
        let agents: Vec<_> = view.agents.keys().copied().collect();
        let lasts = |feed: &mut Self| Some(Span::millis(feed.rng.random_range(1_000..5_000)));
        let mut steps = Vec::new();
        if self.chance(30) {
            let agents = self.one(&agents).into_iter().collect();
            steps.push(Step { agents, lasts: lasts(self), ..Step::default() });
        }
        for levels in [&[50, 80][..], &[1, 20]] {
            let required = self.skills(60, levels);
            if !required.is_empty() {
                steps.push(Step { required, lasts: lasts(self), ..Step::default() });
            }
        }
        steps.retain(|step| !(step.agents.is_empty() && step.required.is_empty()));
        Criteria { steps }
    }

    fn domain(&mut self) -> DomainSettings {
        let credits = (1..=3).map(|p| (Priority(p), Span::seconds(u64::from(p) * 7))).collect();
        DomainSettings {
            name: "domain".to_owned(),
            rank: if self.chance(50) { RankPolicy::Aging { credits } } else { RankPolicy::Priority },
            hold_max: Span::seconds(4),
            exclude_rejected: Span::seconds(6),
            exclude_missed: Span::seconds(4),
            miss_limit: 2,
            miss_return: Some(Span::seconds(3)),
            closed_retention: Span::seconds(20),
            request_window: Span::seconds(40),
            wait_max: Span::seconds(30),
            ..DomainSettings::default()
        }
    }

    fn agent(&mut self, queues: &[QueueId]) -> AgentSettings {
        let mut queues = queues.to_vec();
        while queues.len() > 1 && self.chance(60) {
            let gone = self.rng.random_range(0..queues.len());
            queues.swap_remove(gone);
        }
        let mut caps = [None; 7];
        if self.chance(20) {
            caps[self.rng.random_range(0..7)] = Some(2);
        }
        let capacity = Points([100, 100, 60][self.rng.random_range(0..3)]);
        AgentSettings { name: "agent".to_owned(), capacity, caps, queues, ..AgentSettings::default() }
    }

    fn touchpoint(&mut self, queues: &[QueueId], number: u64, agent: AgentId) -> TouchpointSettings {
        let channel = Channel::ALL[usize::try_from(number % 7).expect("small")];
        let ring = Span::seconds(self.rng.random_range(3..12));
        let accept = AcceptMode::Manual { ring };
        let some = vec![self.one(queues).expect("queues")];
        let mode = match number {
            5 => RoutingMode::Simplified { queues: some },
            6 => RoutingMode::Dedicated { agent, accept, fallback: Some((some[0], Span::seconds(8))) },
            _ => RoutingMode::ToQueue(ToQueue { queues: some, priority: Priority(0), accept }),
        };
        TouchpointSettings { address: format!("+{number}"), channel, mode }
    }

    fn wall_ms(&self) -> u64 {
        WALL_START_MS + self.time / 1_000
    }

    /// The next entry.
    pub fn next(&mut self, shard: &Shard) -> Entry {
        if self.chance(30) {
            self.position.ordinal += 1;
        } else {
            self.position = Position { index: self.position.index + 1, ordinal: 0 };
        }
        let scripted = self.script.pop();
        let in_script = scripted.is_some();
        if !in_script {
            self.time += self.rng.random_range(0..150_000);
        }
        let (domain, command) = scripted.unwrap_or_else(|| self.work(shard));
        let mut request = Request { id: None, domain, expected_version: None, command };
        let own =
            matches!(request.command, Command::Arrive(_) | Command::Withdraw { .. } | Command::Settle { .. });
        if domain != DomainId::SHARD && !in_script && !own {
            if self.chance(3) && !self.sent.is_empty() {
                let lately = self.sent.len().saturating_sub(40);
                let at = self.rng.random_range(lately..self.sent.len());
                request = self.sent[at].clone();
            } else {
                self.ids += 1;
                let late_ms = if self.chance(2) { 60_000 } else { 0 };
                request.id = Some(RequestId((u128::from(self.wall_ms() - late_ms) << 80) | self.ids));
                self.sent.push(request.clone());
            }
        }
        Entry { position: self.position, time: LogTime(self.time), wall_ms: self.wall_ms(), request }
    }

    fn work(&mut self, shard: &Shard) -> (DomainId, Command) {
        let due = shard.next_deadline().is_some_and(|at| at.0 <= self.time);
        if due && self.chance(50) {
            return (DomainId::SHARD, Command::Tick);
        }
        if shard.is_pending() || self.chance(1) {
            return (DomainId::SHARD, Command::Continue);
        }
        if shard.owes() && self.chance(30) {
            return self.between_domains(shard);
        }
        let domain = DomainId(self.rng.random_range(1..=self.size.domains));
        let Some(view) = shard.view(domain) else { return (DomainId::SHARD, Command::Tick) };
        let queues: Vec<_> = view.queues.keys().copied().collect();
        if self.policies.chance(2)
            && let Some((queue, policy)) = self.policies.change(&queues, self.size.domains)
        {
            return (domain, Command::SetPolicy { queue, policy, by: boss() });
        }
        if self.blocks.chance(2) {
            return (domain, Command::SetChannelRules { rules: self.blocks.rules(), by: boss() });
        }
        if self.ways.chance(1) {
            return (domain, Command::SetHandling { handling: self.ways.handling(), by: boss() });
        }
        if self.paces.chance(1) {
            return (domain, Command::SetPace { pace: self.paces.pace(), by: boss() });
        }
        if self.calls.chance(1) {
            return (domain, Command::SetCallback { callback: self.calls.settings(), by: boss() });
        }
        if self.rings.chance(1)
            && let Some(queue) = self.rings.one(&queues)
        {
            return (domain, self.rings.command(queue, boss()));
        }
        if self.consults.chance(10)
            && let Some(command) = self.consults.command(&view, boss())
        {
            return (domain, command);
        }
        if self.calls.chance(12)
            && let Some(command) = self.calls.command(&view)
        {
            return (domain, command);
        }
        if self.opens.chance(1)
            && let Some(command) = self.opens.command(&queues, self.wall_ms())
        {
            return (domain, command);
        }
        if self.ways.chance(15)
            && let Some(command) = self.ways.command(&view)
        {
            return (domain, command);
        }
        let live = view.conversations.values().filter(|c| !c.stage.is_terminal()).count();
        let percent = if live < self.size.live { 35 } else { 5 };
        if !self.chance(percent) {
            return self.act(&view).map_or((DomainId::SHARD, Command::Tick), |command| (domain, command));
        }
        let touchpoints: Vec<_> = view.touchpoints.keys().copied().collect();
        let arrival = Arrival {
            touchpoint: self.one(&touchpoints).unwrap_or(TouchpointId::new(domain, 1)),
            customer: format!("customer {}", self.position.index),
            reference: "reference".to_owned(),
            priority: self.chance(30).then_some(Priority(3)),
            continues: None,
        };
        if self.chance(40) {
            let criteria = self.criteria(&view);
            return (domain, Command::StartWith { arrival, criteria });
        }
        (domain, Command::Start(arrival))
    }

    fn desk(&mut self, view: &DomainView, agent: AgentId) -> Option<Desk> {
        let epoch = view.agents.get(&agent)?.epoch;
        let stale = self.chance(self.size.hostile_percent);
        Some(Desk { agent, epoch: if stale { Epoch(epoch.0.saturating_sub(1)) } else { epoch } })
    }

    fn any(
        &mut self,
        view: &DomainView,
        fits: impl Fn(&ConversationView) -> bool,
    ) -> Option<ConversationView> {
        let all: Vec<_> = view.conversations.values().filter(|c| fits(c)).collect();
        self.one(&all).cloned()
    }

    fn act(&mut self, view: &DomainView) -> Option<Command> {
        let agents: Vec<_> = view.agents.keys().copied().collect();
        match self.rng.random_range(0..100) {
            0..35 => {
                let offer = self.any(view, |c| c.offer.is_some())?.offer?;
                let desk = self.desk(view, offer.agent)?;
                if self.chance(2) {
                    // Just too late.
                    self.time = self.time.max(offer.deadline.0);
                }
                let decline = Decline { reason: "no".to_owned() };
                Some(match self.chance(80) {
                    true => Command::Accept { desk, offer: offer.id },
                    false => Command::Reject { desk, offer: offer.id, decline },
                })
            }
            35..53 => {
                let c = self.any(view, |c| matches!(c.stage, Stage::Assigned(_)))?;
                let desk = self.desk(view, c.stage.owner()?)?;
                Some(Command::EndContact { conversation: c.id, by: By::Agent(desk) })
            }
            53..63 => {
                let c = self.any(view, |c| matches!(c.stage, Stage::Wrapping(_)))?;
                let desk = self.desk(view, c.stage.owner()?)?;
                let notes = "notes".to_owned();
                Some(Command::Complete { desk, conversation: c.id, disposition: None, notes })
            }
            63..68 => {
                let c = self.any(view, |c| matches!(c.stage, Stage::Waiting(Place::Inbox(_))))?;
                let agent = self.one(&agents)?;
                Some(Command::Assign { desk: self.desk(view, agent)?, conversation: c.id })
            }
            68..76 => self.transfer(view),
            76..81 => {
                let hostile = self.chance(self.size.hostile_percent);
                let c = self.any(view, |c| c.stage.is_terminal() == hostile)?;
                Some(Command::Abandon { conversation: c.id })
            }
            81..84 => {
                let c = self.any(view, |c| !c.stage.is_terminal())?;
                Some(Command::ForceClose { conversation: c.id, reason: "r".to_owned(), by: boss() })
            }
            84..86 => {
                let c = self.any(view, |c| matches!(c.stage, Stage::Waiting(_) | Stage::Offered(_)))?;
                let priority = Priority(self.rng.random_range(0..4));
                Some(Command::Reprioritise { conversation: c.id, priority, by: boss() })
            }
            86..99 => {
                let agent = self.one(&agents)?;
                self.session(view, agent)
            }
            _ => self.configure(view),
        }
    }

    fn transfer(&mut self, view: &DomainView) -> Option<Command> {
        let c = self.any(view, |c| !c.stage.is_terminal())?;
        let queues: Vec<_> = view.queues.keys().copied().collect();
        let queue = self.one(&queues)?;
        let ready: Vec<_> = view.agents.values().filter(|a| a.takes_offers()).map(|a| a.id).collect();
        let others: Vec<_> = (1..=self.size.domains).map(DomainId).filter(|d| *d != c.id.domain).collect();
        let far = if self.chance(35) { self.one(&others) } else { None };
        let target = match (self.rng.random_range(0..3), self.one(&ready)) {
            (0, Some(agent)) => TransferTarget::Agent(agent),
            (1, _) => TransferTarget::Inbox(queue),
            _ => TransferTarget::Queue(queue),
        };
        // Touchpoints are made in the order of channels, in every domain.
        let same = |far| TransferTarget::Touchpoint(TouchpointId::new(far, c.channel.index() as u64 + 1));
        let target = far.map_or(target, same);
        Some(Command::Transfer {
            conversation: c.id,
            target,
            fallback: TransferFallback::LastQueues,
            by: boss(),
        })
    }

    /// What a leader does: a message is sent, perhaps again, or its answer settled.
    fn between_domains(&mut self, shard: &Shard) -> (DomainId, Command) {
        let owed = shard.owed(LogTime(self.time), 100, &|_, _, _| false);
        let Some(owed) = self.one(&owed) else { return (DomainId::SHARD, Command::Tick) };
        let (conversation, number) = (owed.crossing.from, owed.crossing.number);
        if self.delivered.insert((conversation, owed.to, number))
            || owed.recall.is_some() && self.chance(50)
            || self.chance(30)
        {
            return (owed.to, owed.command);
        }
        // The other domain says again what it has said.
        let request =
            Request { id: None, domain: owed.to, expected_version: None, command: owed.command.clone() };
        let entry =
            Entry { position: self.position, time: LogTime(self.time), wall_ms: self.wall_ms(), request };
        match shard.clone().apply(&entry, &mut Effects::default()).map(|done| done.what) {
            Ok(DoneWhat::Landed(landing)) => {
                let recall = owed.recall;
                (conversation.domain, Command::Settle { conversation, number, recall, landing })
            }
            other => panic!("{other:?}"),
        }
    }

    fn session(&mut self, view: &DomainView, id: AgentId) -> Option<Command> {
        let agent = view.agents.get(&id)?;
        let desk = self.desk(view, id)?;
        let away = Intent::Unavailable { reason: "lunch".to_owned() };
        let missed = agent.intent == Intent::Unavailable { reason: "missed".to_owned() };
        Some(match self.rng.random_range(0..10) {
            _ if agent.lease != Lease::Live => Command::OpenSession { agent: id },
            // The break for misses becomes one of its own.
            0..5 if missed => Command::SetPresence { agent: id, intent: away, by: By::Agent(desk) },
            _ if !agent.takes_offers() => {
                Command::SetPresence { agent: id, intent: Intent::Available, by: By::Agent(desk) }
            }
            0 => Command::LoseLease { desk },
            1 => Command::CloseSession { desk },
            2 => Command::OpenSession { agent: id },
            3 => Command::SetPresence {
                agent: id,
                intent: Intent::Draining { next: "home".to_owned() },
                by: boss(),
            },
            _ => Command::SetPresence { agent: id, intent: away, by: By::Agent(desk) },
        })
    }

    fn configure(&mut self, view: &DomainView) -> Option<Command> {
        let queues: Vec<_> = view.queues.keys().copied().collect();
        let queue = self.one(&queues)?;
        let agents: Vec<_> = view.agents.keys().copied().collect();
        let agent = self.one(&agents)?;
        Some(match self.rng.random_range(0..6) {
            0 | 1 => Command::PauseQueue { queue, paused: !view.queues[&queue].paused, by: boss() },
            2 => Command::UpdateAgent { agent, settings: self.agent(&queues) },
            3 => Command::UpdateDomain {
                settings: DomainSettings { rank: RankPolicy::Priority, ..self.domain() },
            },
            4 if queues.len() > 3 => Command::DeleteQueue { queue },
            _ => Command::CreateQueue {
                settings: QueueSettings { name: "new".to_owned(), ..QueueSettings::default() },
            },
        })
    }
}

fn boss() -> By {
    By::Supervisor("sue".to_owned())
}
