//! Draws commands of all kinds, mostly sensible in the present state, some hostile.

use super::asking::Asking;
use super::blocking::Blocking;
use super::calling::Calling;
use super::clocks::Clocks;
use super::consulting::Consulting;
use super::draw::Draw;
use super::handling::Ways;
use super::hours::Opening;
use super::pacing::Pacing;
use super::policing::Policing;
use super::ringing::Ringing;
use super::worlds;
use crate::model::{Conv, Dom, Model, Person};
use routing::command::{Arrival, By, Decline, Desk, Intent, TransferFallback, TransferTarget};
use routing::entry::Request;
use routing::event::{Place, Subject};
use routing::level;
use routing::settings::{QueueSettings, RoutingMode};
use routing::view::{Lease, Stage};
use routing::{
    AccountId, AgentId, Channel, Command, ConversationId, DomainId, Entry, Epoch, LogTime, OfferId, Points,
    Position, Priority, QueueId, RequestId, TouchpointId, Version,
};

/// Wall time at the start of every run, Unix milliseconds.
const WALL_START_MS: u64 = 1_700_000_000_000;

/// A stream of entries from one seed.
pub struct Generator {
    draw: Draw,
    time: u64,
    index: u64,
    ids: u128,
    sent: Vec<Request>,
    /// Messages between domains that were sent, for the network to bring again.
    messages: Vec<(DomainId, Command)>,
    /// Of all domains.
    touchpoints: Vec<(TouchpointId, Channel)>,
    domains: u32,
    script: Vec<(DomainId, Command)>,
    /// Largest time between two entries in ordinary course.
    pace_us: u64,
    /// How many in a hundred act in the name of an old session or of somebody else.
    hostile_percent: u64,
    clocks: Clocks,
    asking: Asking,
    policing: Policing,
    blocking: Blocking,
    ways: Ways,
    pacing: Pacing,
    ringing: Ringing,
    opening: Opening,
    calling: Calling,
    consulting: Consulting,
}

fn boss() -> By {
    By::Supervisor("sue".to_owned())
}

fn live(c: &Conv) -> bool {
    !c.stage.is_terminal()
}

fn in_talk_or_waiting(c: &Conv) -> bool {
    live(c) && !matches!(c.stage, Stage::Wrapping(_))
}

impl Generator {
    /// The stream of this seed. The seed also draws the world: domains, policies, pace.
    pub fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let domains = u32::from(draw.small(1, 3));
        let pace_us = draw.number(1, 6) * 500_000;
        let hostile_percent = draw.among([3, 10, 25]);
        let mut generator = Self {
            draw,
            time: 1_000_000,
            index: 0,
            ids: 0,
            sent: Vec::new(),
            messages: Vec::new(),
            touchpoints: Vec::new(),
            domains,
            script: Vec::new(),
            pace_us,
            hostile_percent,
            clocks: Clocks::new(seed),
            asking: Asking::new(seed),
            policing: Policing::new(seed),
            blocking: Blocking::new(seed),
            ways: Ways::new(seed),
            pacing: Pacing::new(seed),
            ringing: Ringing::new(seed),
            opening: Opening::new(seed),
            calling: Calling::new(seed),
            consulting: Consulting::new(seed),
        };
        generator.set_up();
        generator
    }

    fn set_up(&mut self) {
        let draw = &mut self.draw;
        let mut script: Vec<_> = self.asking.raise().into_iter().collect();
        for number in 1..=self.domains {
            let domain = DomainId(number);
            let account = AccountId(1 + number / 3);
            script.push((domain, Command::CreateDomain { account, settings: worlds::domain(draw) }));
            for _ in 0..4 {
                script
                    .push((domain, Command::CreateQueue { settings: self.asking.pick(worlds::queue(draw)) }));
            }
            let queues: Vec<_> = (1..=4).map(|q| QueueId::new(domain, q)).collect();
            for _ in 0..6 {
                script.push((domain, Command::CreateAgent { settings: worlds::agent(draw, &queues) }));
            }
            let agents: Vec<_> = (1..=6).map(|a| AgentId::new(domain, a)).collect();
            for address in 0..7 {
                let settings = worlds::touchpoint(draw, &queues, &agents, address);
                script.push((domain, Command::CreateTouchpoint { settings }));
            }
            let asked = self.asking.begin(&agents, &queues, 7);
            script.extend(asked.into_iter().map(|command| (domain, command)));
            let others = (1..=self.domains).map(DomainId).filter(|other| *other != domain);
            let far: Vec<_> =
                others.flat_map(|other| (1..=7).map(move |t| TouchpointId::new(other, t))).collect();
            let policies = self.policing.begin(self.asking.level(), &queues, &far);
            script.extend(policies.into_iter().map(|command| (domain, command)));
            script.extend(self.blocking.begin(self.asking.level()).map(|command| (domain, command)));
            script.extend(self.ways.begin(self.asking.level()).map(|command| (domain, command)));
            script.extend(self.pacing.begin(self.asking.level()).map(|command| (domain, command)));
            script.extend(self.calling.begin(self.asking.level()).map(|command| (domain, command)));
            script.extend(self.ringing.begin(self.asking.level(), &queues).into_iter().map(|c| (domain, c)));
            let opening = self.opening.begin(self.asking.level(), &queues, WALL_START_MS);
            script.extend(opening.into_iter().map(|command| (domain, command)));
            for agent in agents {
                script.push((domain, Command::OpenSession { agent }));
                script.push((domain, Command::SetPresence { agent, intent: Intent::Available, by: boss() }));
            }
        }
        script.reverse();
        self.script = script;
    }

    /// The next entry, drawn with a look at the model's present state.
    pub fn next(&mut self, model: &Model) -> Entry {
        self.index += 1;
        self.time += match self.draw.number(1, 1_000) {
            1..=3 => self.draw.number(30_000_000, 120_000_000),
            4..=30 => self.draw.number(1_000_000, 15_000_000),
            31..=330 => 0,
            _ => self.draw.number(0, self.pace_us),
        };
        let in_script = !self.script.is_empty();
        let (domain, command) = match self.script.pop() {
            Some(scripted) => scripted,
            None => self.command(model),
        };
        let mut request = Request { id: None, domain, expected_version: None, command };
        if domain != DomainId::SHARD && !in_script && self.draw.chance(3) && !self.sent.is_empty() {
            // A retry of something sent lately, sometimes with other content.
            let lately = self.sent.len().saturating_sub(40);
            request = self.draw.one(&self.sent[lately..]).expect("not empty");
            if let Some(old) = self.clocks.old_retry(self.sent.len()) {
                request = self.sent[old].clone();
            }
            if self.draw.chance(20) {
                request.expected_version = Some(Version(7_777));
            }
        } else if domain != DomainId::SHARD && self.draw.chance(60) {
            self.ids += 1;
            let old_ms = if self.draw.chance(2) { self.draw.number(30_000, 60_000) } else { 0 };
            let made_ms = self.true_ms() - old_ms + self.clocks.client_ahead_ms();
            request.id = Some(RequestId((u128::from(made_ms) << 80) | self.ids));
            if self.draw.chance(5) {
                request.expected_version = self.some_version(model, &request);
            }
            self.sent.push(request.clone());
        }
        // A new leader may hand in a time that is behind.
        let behind = if self.draw.chance(2) { self.draw.number(0, 900_000) } else { 0 };
        Entry {
            position: Position { index: self.index, ordinal: 0 },
            time: LogTime(self.time - behind),
            wall_ms: self.clocks.leader_ms(self.time, self.true_ms()),
            request,
        }
    }

    fn true_ms(&self) -> u64 {
        WALL_START_MS + self.time / 1_000
    }

    fn some_version(&mut self, model: &Model, request: &Request) -> Option<Version> {
        let dom = model.domains.get(&request.domain)?;
        let subject = match &request.command {
            Command::SetPresence { agent, .. }
            | Command::OpenSession { agent }
            | Command::SetSkills { agent, .. }
            | Command::LogOut { agent, .. } => Subject::Agent(*agent),
            Command::Abandon { conversation }
            | Command::RequestCallback { conversation, .. }
            | Command::CancelCallback { conversation }
            | Command::EndContact { conversation, .. }
            | Command::Transfer { conversation, .. }
            | Command::TransferAnew { conversation, .. }
            | Command::ChangeCriteria { conversation, .. }
            | Command::Assign { conversation, .. }
            | Command::Complete { conversation, .. }
            | Command::SetIdle { conversation, .. }
            | Command::ExtendWrapUp { conversation, .. }
            | Command::Reprioritise { conversation, .. }
            | Command::Close { conversation, .. } => Subject::Conversation(*conversation),
            Command::PauseQueue { queue, .. }
            | Command::UpdateQueue { queue, .. }
            | Command::SetHours { queue, .. }
            | Command::SetRing { queue, .. }
            | Command::SetPolicy { queue, .. } => Subject::Queue(*queue),
            Command::SetChannelRules { .. }
            | Command::SetHandling { .. }
            | Command::SetPace { .. }
            | Command::SetCallback { .. }
            | Command::SetSchedule { .. } => Subject::Domain(request.domain),
            _ => return None,
        };
        Some(if self.draw.chance(15) { Version(1) } else { dom.version(subject) })
    }

    fn command(&mut self, model: &Model) -> (DomainId, Command) {
        let all = model.domains.values().flat_map(|dom| &dom.touchpoints);
        self.touchpoints = all.map(|(id, settings)| (*id, settings.channel)).collect();
        if self.draw.chance(6) {
            return match self.draw.number(1, 20) {
                1 => {
                    // The rehearsed level is not among them: it is nobody's.
                    let levels = [0, level::FIRST, level::LATEST, level::REHEARSAL + 1];
                    let level = levels[usize::from(self.draw.small(0, 3))];
                    (DomainId::SHARD, Command::SetLevel { level })
                }
                2..=6 => (DomainId::SHARD, Command::Continue),
                7 => (DomainId(77), Command::Start(self.arrival(None, &[]))),
                _ => (DomainId::SHARD, Command::Tick),
            };
        }
        if (self.draw.chance(8) || self.policing.hurries())
            && let Some(message) = self.between_domains(model)
        {
            return message;
        }
        let any = |draw: &mut Draw, domains| DomainId(u32::from(draw.small(1, domains)));
        let domains = u8::try_from(self.domains).expect("three at most");
        let domain = any(&mut self.draw, domains);
        // Now and then a command to one domain names things of another.
        let named = if self.draw.chance(1) { any(&mut self.draw, domains) } else { domain };
        let Some(dom) = model.domains.get(&named) else { return (DomainId::SHARD, Command::Tick) };
        if let Some(command) = self.asking.command(dom) {
            return (domain, command);
        }
        let reachable: Vec<_> = self.touchpoints.iter().map(|(touchpoint, _)| *touchpoint).collect();
        if let Some(command) = self.policing.command(dom, &reachable) {
            return (domain, command);
        }
        if let Some(command) = self.blocking.command(dom) {
            return (domain, command);
        }
        if let Some(command) = self.ways.command(dom) {
            return (domain, command);
        }
        if let Some(command) = self.pacing.command(dom) {
            return (domain, command);
        }
        if let Some(command) = self.ringing.command(dom) {
            return (domain, command);
        }
        if let Some(command) = self.opening.command(dom, self.true_ms()) {
            return (domain, command);
        }
        if let Some(command) = self.calling.command(dom) {
            return (domain, command);
        }
        if let Some(command) = self.consulting.command(dom) {
            return (domain, command);
        }
        let command = match self.draw.number(1, 100) {
            1..=22 => {
                let touchpoints: Vec<_> = dom.touchpoints.keys().copied().collect();
                let known: Vec<_> = dom.convs.keys().copied().collect();
                let continues = self.draw.one(&known).filter(|_| self.draw.chance(10));
                Some(Command::Start(self.arrival(continues, &touchpoints)))
            }
            23..=56 => self.about_work(dom),
            57..=78 => self.about_a_session(dom),
            79..=92 => self.about_a_conversation(dom),
            _ => self.about_configuration(dom),
        };
        let command = command.unwrap_or_else(|| {
            let touchpoints: Vec<_> = dom.touchpoints.keys().copied().collect();
            Command::Start(self.arrival(None, &touchpoints))
        });
        (domain, self.asking.with_criteria(command, dom))
    }

    fn arrival(&mut self, continues: Option<ConversationId>, touchpoints: &[TouchpointId]) -> Arrival {
        let known = self.draw.one(touchpoints).filter(|_| !self.draw.chance(2));
        let touchpoint = known.unwrap_or(TouchpointId::new(DomainId(1), 9_999));
        let priority = self.draw.chance(30).then(|| Priority(self.draw.small(0, 4)));
        Arrival {
            touchpoint,
            customer: format!("c{}", self.index),
            reference: String::new(),
            priority,
            continues,
        }
    }

    fn desk(&mut self, person: &Person) -> Desk {
        let stale = self.draw.chance(self.hostile_percent);
        let epoch = if stale { Epoch(person.epoch.0.saturating_sub(1)) } else { person.epoch };
        Desk { agent: person.id, epoch }
    }

    fn somebody(&mut self, dom: &Dom) -> Option<Person> {
        let all: Vec<_> = dom.people.values().collect();
        self.draw.one(&all).cloned()
    }

    /// The desk of this agent, now and then of another one.
    fn desk_of(&mut self, dom: &Dom, agent: AgentId) -> Option<Desk> {
        let wrong = self.draw.chance(self.hostile_percent);
        let person = if wrong { self.somebody(dom)? } else { dom.people.get(&agent)?.clone() };
        Some(self.desk(&person))
    }

    fn by(&mut self, dom: &Dom, owner: Option<AgentId>) -> By {
        match (self.draw.number(1, 10), owner) {
            (1, _) => By::Customer,
            (2, _) => By::System,
            (3..=8, Some(owner)) => self.desk_of(dom, owner).map_or(By::System, By::Agent),
            (9, None) => match self.somebody(dom) {
                Some(person) => By::Agent(self.desk(&person)),
                None => By::Customer,
            },
            _ => boss(),
        }
    }

    fn conv(&mut self, dom: &Dom, wanted: impl Fn(&Conv) -> bool) -> Option<Conv> {
        let all: Vec<_> = dom.convs.values().filter(|c| wanted(c)).collect();
        self.draw.one(&all).cloned()
    }

    /// Offers, contacts, wrap-ups and pulls.
    fn about_work(&mut self, dom: &Dom) -> Option<Command> {
        match self.draw.number(1, 100) {
            1..=45 => {
                let conv = self.conv(dom, |c| c.offer.is_some())?;
                let offer = match conv.also.is_empty() {
                    true => conv.offer?,
                    false => self.draw.one(&conv.offers().cloned().collect::<Vec<_>>())?,
                };
                let old = OfferId::new(dom.id, offer.id.number.saturating_sub(1));
                let id = if self.draw.chance(3) { old } else { offer.id };
                let desk = self.desk_of(dom, offer.agent)?;
                if self.draw.chance(75) {
                    Some(Command::Accept { desk, offer: id })
                } else {
                    Some(Command::Reject { desk, offer: id, decline: Decline { reason: "no".to_owned() } })
                }
            }
            46..=70 => {
                let c = self.conv(dom, |c| matches!(c.stage, Stage::Assigned(_)))?;
                let by = self.by(dom, c.stage.owner());
                Some(Command::EndContact { conversation: c.id, by })
            }
            71..=86 => {
                let c = self.conv(dom, |c| matches!(c.stage, Stage::Wrapping(_)))?;
                let desk = self.desk_of(dom, c.stage.owner()?)?;
                let disposition = self.draw.among([Some("sold"), Some("lost"), None]).map(str::to_owned);
                Some(Command::Complete { desk, conversation: c.id, disposition, notes: "n".to_owned() })
            }
            _ => {
                let c = self.conv(dom, |c| matches!(c.stage, Stage::Waiting(Place::Inbox(_))))?;
                let Stage::Waiting(Place::Inbox(queues)) = &c.stage else { return None };
                let in_one = |p: &&Person| p.settings.queues.iter().any(|q| queues.contains(q));
                let members: Vec<_> = dom.people.values().filter(in_one).map(|p| p.id).collect();
                let agent = self.draw.one(&members)?;
                let desk = self.desk_of(dom, agent)?;
                Some(Command::Assign { desk, conversation: c.id })
            }
        }
    }

    fn about_a_session(&mut self, dom: &Dom) -> Option<Command> {
        let person = self.somebody(dom)?;
        let agent = person.id;
        let desk = self.desk(&person);
        let unavailable = Intent::Unavailable { reason: "lunch".to_owned() };
        match self.draw.number(1, 100) {
            1..=70 if person.lease != Lease::Live => Some(Command::OpenSession { agent }),
            1..=70 if !person.takes_offers() => {
                let by = if self.draw.chance(70) { By::Agent(desk) } else { boss() };
                Some(Command::SetPresence { agent, intent: Intent::Available, by })
            }
            71..=76 => Some(Command::OpenSession { agent }),
            77..=79 => Some(Command::CloseSession { desk }),
            80..=85 => Some(Command::LoseLease { desk }),
            86..=87 => Some(Command::LogOut { agent, by: self.by(dom, None) }),
            88..=92 => {
                let intent = Intent::Draining { next: "home".to_owned() };
                Some(Command::SetPresence { agent, intent, by: By::Agent(desk) })
            }
            93..=95 => {
                Some(Command::SetPresence { agent, intent: unavailable, by: self.by(dom, Some(agent)) })
            }
            _ => Some(Command::SetPresence { agent, intent: Intent::Available, by: By::Agent(desk) }),
        }
    }

    fn about_a_conversation(&mut self, dom: &Dom) -> Option<Command> {
        match self.draw.number(1, 100) {
            1..=17 => Some(Command::Abandon { conversation: self.conv(dom, in_talk_or_waiting)?.id }),
            18..=20 => Some(Command::Abandon { conversation: self.conv(dom, |c| !live(c))?.id }),
            21..=65 => self.transfer(dom),
            66..=75 => {
                let c = self.conv(dom, live)?;
                let by = self.by(dom, c.stage.owner());
                Some(Command::Close { conversation: c.id, reason: "r".to_owned(), by })
            }
            76..=80 => {
                let conversation = self.conv(dom, live)?.id;
                Some(Command::ForceClose { conversation, reason: "r".to_owned(), by: self.by(dom, None) })
            }
            81..=94 => {
                let c = self.conv(dom, |c| matches!(c.stage, Stage::Waiting(_) | Stage::Offered(_)))?;
                let by = if self.draw.chance(90) { boss() } else { self.by(dom, None) };
                Some(Command::Reprioritise {
                    conversation: c.id,
                    priority: Priority(self.draw.small(0, 5)),
                    by,
                })
            }
            // Anything at all on anything at all, the ended and the unknown included.
            _ => {
                let known = self.conv(dom, |_| true)?.id;
                let unknown = ConversationId::new(dom.id, 99_999);
                let conversation = if self.draw.chance(30) { unknown } else { known };
                match self.draw.number(1, 4) {
                    1 => Some(Command::Abandon { conversation }),
                    2 => Some(Command::EndContact { conversation, by: By::Customer }),
                    3 => {
                        let person = self.somebody(dom)?;
                        Some(Command::Assign { desk: self.desk(&person), conversation })
                    }
                    _ => Some(Command::ForceClose { conversation, reason: String::new(), by: By::System }),
                }
            }
        }
    }

    fn transfer(&mut self, dom: &Dom) -> Option<Command> {
        let c = self.conv(dom, in_talk_or_waiting)?;
        let queues: Vec<_> = dom.queues.keys().copied().collect();
        let agents: Vec<_> = dom.people.values().filter(|p| p.takes_offers()).map(|p| p.id).collect();
        let queue = self.draw.one(&queues)?;
        let target = match (self.draw.number(1, 10), self.draw.one(&agents)) {
            (1..=6, Some(agent)) => TransferTarget::Agent(agent),
            (7, _) => TransferTarget::Inbox(queue),
            (8..=9, _) if self.domains > 1 => self.far(&c),
            _ => TransferTarget::Queue(queue),
        };
        let other = self.draw.one(&queues)?;
        let fallback = self.draw.among([
            TransferFallback::Source,
            TransferFallback::LastQueues,
            TransferFallback::Queue(other),
        ]);
        let by = self.by(dom, c.stage.owner());
        Some(Command::Transfer { conversation: c.id, target, fallback, by })
    }

    /// A touchpoint of another domain, as a rule.
    fn far(&mut self, c: &Conv) -> TransferTarget {
        let (near, any) = (self.draw.chance(2), self.draw.chance(10));
        let fits = |(there, channel): &&(TouchpointId, Channel)| {
            (near || there.domain != c.id.domain) && (any || *channel == c.channel)
        };
        let all: Vec<_> = self.touchpoints.iter().filter(fits).map(|(there, _)| *there).collect();
        let unknown = TouchpointId::new(DomainId(1 + c.id.domain.0 % self.domains), 9_999);
        TransferTarget::Touchpoint(self.draw.one(&all).unwrap_or(unknown))
    }

    /// What leaders do for transfers between domains: messages are sent, some again and late; answers
    /// are settled, some of them after a recall they did not name.
    fn between_domains(&mut self, model: &Model) -> Option<(DomainId, Command)> {
        if self.draw.chance(10) {
            let late = self.messages.len().saturating_sub(30);
            return self.draw.one(&self.messages[late..]);
        }
        let owed: Vec<_> = model.domains.values().flat_map(|dom| dom.owed(model.now)).collect();
        let (to, command) = self.draw.one(&owed)?;
        let (crossing, recall) = match &command {
            Command::Arrive(incoming) => (incoming.crossing, None),
            Command::Withdraw { crossing, recall } => (*crossing, Some(recall.clone())),
            other => panic!("{other:?} is no message"),
        };
        let from = crossing.from.domain;
        let landed = model.domains.get(&to).and_then(|dom| {
            let landing = dom.origins.get(&from)?.1.get(&crossing.number)?;
            Some(landing.clone())
        });
        match landed {
            Some(landing) if self.draw.chance(60) => {
                let recall = if self.draw.chance(25) { None } else { recall };
                let (conversation, number) = (crossing.from, crossing.number);
                Some((from, Command::Settle { conversation, number, recall, landing }))
            }
            _ => {
                self.messages.push((to, command.clone()));
                Some((to, command))
            }
        }
    }

    fn about_configuration(&mut self, dom: &Dom) -> Option<Command> {
        let queues: Vec<_> = dom.queues.keys().copied().collect();
        let agents: Vec<_> = dom.people.keys().copied().collect();
        let touchpoints: Vec<_> = dom.touchpoints.keys().copied().collect();
        let (index, draw) = (self.index, &mut self.draw);
        match draw.number(1, 100) {
            1..=5 if queues.len() < 6 => Some(Command::CreateQueue { settings: worlds::later_queue(draw) }),
            6..=15 => {
                Some(Command::UpdateQueue { queue: draw.one(&queues)?, settings: worlds::later_queue(draw) })
            }
            16..=35 => {
                let queue = draw.one(&queues)?;
                let paused = draw.chance(10) || !dom.queues[&queue].paused;
                let by = if draw.chance(90) { boss() } else { By::Customer };
                Some(Command::PauseQueue { queue, paused, by })
            }
            36..=40 if queues.len() > 2 => Some(Command::DeleteQueue { queue: draw.one(&queues)? }),
            41..=48 if agents.len() < 9 => {
                Some(Command::CreateAgent { settings: worlds::agent(draw, &queues) })
            }
            49..=63 => Some(Command::UpdateAgent {
                agent: draw.one(&agents)?,
                settings: worlds::agent(draw, &queues),
            }),
            64..=68 if agents.len() > 3 => Some(Command::DeleteAgent { agent: draw.one(&agents)? }),
            69..=76 if touchpoints.len() < 10 => Some(Command::CreateTouchpoint {
                settings: worlds::touchpoint(draw, &queues, &agents, index),
            }),
            77..=82 => {
                let touchpoint = draw.one(&touchpoints)?;
                let mut settings = worlds::touchpoint(draw, &queues, &agents, index);
                settings.channel = dom.touchpoints[&touchpoint].channel;
                Some(Command::UpdateTouchpoint { touchpoint, settings })
            }
            83..=86 if touchpoints.len() > 5 => {
                Some(Command::DeleteTouchpoint { touchpoint: draw.one(&touchpoints)? })
            }
            87..=93 => {
                let mut settings = worlds::domain(draw);
                settings.lease = dom.settings.lease;
                Some(Command::UpdateDomain { settings })
            }
            94 => Some(Command::CreateDomain { account: dom.account, settings: dom.settings.clone() }),
            _ => self.out_of_range(&queues, &agents),
        }
    }

    fn out_of_range(&mut self, queues: &[QueueId], agents: &[AgentId]) -> Option<Command> {
        let (index, draw) = (self.index, &mut self.draw);
        match draw.number(1, 5) {
            1 => Some(Command::CreateQueue { settings: QueueSettings::default() }),
            2 => {
                let mut settings = worlds::agent(draw, queues);
                settings.capacity = Points(101);
                Some(Command::CreateAgent { settings })
            }
            3 => {
                let mut settings = worlds::domain(draw);
                settings.weights[2] = Points(0);
                Some(Command::UpdateDomain { settings })
            }
            4 => {
                let mut settings = worlds::touchpoint(draw, queues, agents, index);
                settings.mode = RoutingMode::Simplified { queues: Vec::new() };
                Some(Command::CreateTouchpoint { settings })
            }
            _ => {
                let mut settings = worlds::agent(draw, queues);
                settings.capacity = Points(0);
                Some(Command::UpdateAgent { agent: draw.one(agents)?, settings })
            }
        }
    }
}
