//! What agents can and what conversations ask for, drawn: mostly sound, some of it not.

use super::draw::Draw;
use crate::model::{Conv, Dom};
use routing::command::{By, TransferFallback, TransferTarget};
use routing::criteria::{Criteria, Skill, Step};
use routing::event::Place;
use routing::level;
use routing::settings::{PickPolicy, QueueSettings};
use routing::view::Stage;
use routing::{AgentId, Command, DomainId, QueueId, Span, TouchpointId};

const NAMES: [&str; 5] = ["es", "billing", "de", "vip", "ct"];
const LEVELS: [u8; 4] = [1, 40, 70, 100];

/// Draws of its own, so that the rest of a run is as without it.
pub struct Asking {
    draw: Draw,
    /// The level to which the script raises the shard; none: it stays where it began, for a time at least.
    raised: Option<u32>,
    /// How many in a hundred commands are about skills and criteria.
    percent: u64,
    /// How many in a hundred of those are not sound.
    unsound_percent: u64,
}

impl Asking {
    pub fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed ^ 0x0a5c_1175);
        let raised = match draw.number(1, 10) {
            1 => None,
            2 => Some(level::SKILLS - 1),
            3 => Some(level::SKILLS),
            4 => Some(level::POLICIES),
            _ => Some(level::LATEST),
        };
        let (percent, unsound_percent) = (draw.among([4, 9, 16]), draw.among([2, 8]));
        Self { draw, raised, percent, unsound_percent }
    }

    /// The first entry of all, if the shard is raised.
    pub fn raise(&self) -> Option<(DomainId, Command)> {
        self.raised.map(|level| (DomainId::SHARD, Command::SetLevel { level }))
    }

    /// The level at which domains begin.
    pub fn level(&self) -> u32 {
        self.raised.unwrap_or(level::FIRST)
    }

    /// Some of the queues that a domain begins with pick by skills.
    pub fn pick(&mut self, mut settings: QueueSettings) -> QueueSettings {
        if self.level() >= level::PICKS && self.draw.chance(30) {
            settings.pick = PickPolicy::LeastFlexible;
        }
        if self.level() >= level::PROFICIENT && self.draw.chance(45) {
            settings.pick = PickPolicy::MostProficient;
        }
        settings
    }

    /// What a domain begins with: agents with skills, touchpoints that ask for some.
    pub fn begin(&mut self, agents: &[AgentId], queues: &[QueueId], touchpoints: u64) -> Vec<Command> {
        if self.level() < level::SKILLS {
            return Vec::new();
        }
        let by = By::System;
        let mut all: Vec<_> = agents
            .iter()
            .map(|agent| Command::SetSkills { agent: *agent, skills: self.skills(4), by: by.clone() })
            .collect();
        let domain = agents.first().map_or(DomainId(1), |agent| agent.domain);
        for number in 1..=touchpoints {
            if self.draw.chance(40) {
                let criteria = self.sound(agents, queues, &NAMES);
                let touchpoint = TouchpointId::new(domain, number);
                all.push(Command::SetCriteria { touchpoint, criteria, by: by.clone() });
            }
        }
        all
    }

    /// A command about skills and criteria, if it is time for one.
    pub fn command(&mut self, dom: &Dom) -> Option<Command> {
        if !self.draw.chance(self.percent) {
            return None;
        }
        let by = if self.draw.chance(95) { By::Supervisor("sue".to_owned()) } else { By::Customer };
        match self.draw.number(1, 10) {
            1..=3 => {
                let agents: Vec<_> = dom.people.keys().copied().collect();
                let agent = self.draw.one(&agents)?;
                let mut skills = self.skills(4);
                if self.draw.chance(self.unsound_percent) {
                    self.spoil(&mut skills, 65);
                }
                Some(Command::SetSkills { agent, skills, by })
            }
            4..=5 => {
                let touchpoints: Vec<_> = dom.touchpoints.keys().copied().collect();
                let touchpoint = self.draw.one(&touchpoints)?;
                Some(Command::SetCriteria { touchpoint, criteria: self.criteria(dom), by })
            }
            _ => {
                let odd = self.draw.chance(self.unsound_percent);
                let asks = |c: &&Conv| {
                    let (Stage::Waiting(place) | Stage::Offered(place)) = &c.stage else { return odd };
                    odd || !matches!(place, Place::Inbox(_))
                };
                let all: Vec<_> = dom.convs.values().filter(asks).map(|c| c.id).collect();
                let conversation = self.draw.one(&all)?;
                Some(Command::ChangeCriteria { conversation, criteria: self.criteria(dom), by })
            }
        }
    }

    /// The same command with criteria of its own, now and then.
    pub fn with_criteria(&mut self, command: Command, dom: &Dom) -> Command {
        if !self.draw.chance(2 * self.percent) {
            return command;
        }
        let criteria = self.criteria(dom);
        match command {
            Command::Start(arrival) => Command::StartWith { arrival, criteria },
            Command::Transfer { conversation, target, fallback, by } => {
                let far = matches!(target, TransferTarget::Touchpoint(_));
                if far && !self.draw.chance(self.unsound_percent) {
                    return Command::Transfer { conversation, target, fallback, by };
                }
                // So that what fails comes back to more than one place.
                let fallback = if self.draw.chance(20) { TransferFallback::LastQueues } else { fallback };
                Command::TransferAnew { conversation, target, fallback, criteria, by }
            }
            other => other,
        }
    }

    fn skills(&mut self, most: usize) -> Vec<Skill> {
        if self.draw.chance(10) {
            return Vec::new();
        }
        let names = self.draw.some(&NAMES, most);
        names.into_iter().map(|name| self.skill(name)).collect()
    }

    fn skill(&mut self, name: &str) -> Skill {
        Skill { name: name.to_owned(), level: self.draw.among(LEVELS) }
    }

    fn criteria(&mut self, dom: &Dom) -> Criteria {
        if self.draw.chance(8) {
            return Criteria::default();
        }
        let agents: Vec<_> = dom.people.keys().copied().collect();
        let queues: Vec<_> = dom.queues.keys().copied().collect();
        let known: Vec<_> = NAMES.into_iter().filter(|name| dom.known_skills.contains(*name)).collect();
        let mut criteria = self.sound(&agents, &queues, &known);
        if self.draw.chance(self.unsound_percent) {
            self.spoil_criteria(&mut criteria);
        }
        criteria
    }

    fn sound(&mut self, agents: &[AgentId], queues: &[QueueId], names: &[&str]) -> Criteria {
        let count = self.draw.number(1, 3);
        let mut steps: Vec<_> = (0..count).filter_map(|_| self.step(agents, queues, names)).collect();
        if let Some(last) = steps.last_mut()
            && self.draw.chance(40)
        {
            last.lasts = None;
        }
        Criteria { steps }
    }

    fn step(&mut self, agents: &[AgentId], queues: &[QueueId], names: &[&str]) -> Option<Step> {
        let draw = &mut self.draw;
        let mut step = Step { lasts: Some(Span::millis(draw.number(1_000, 9_000))), ..Step::default() };
        match draw.number(1, 10) {
            1..=3 if !agents.is_empty() => step.agents = draw.some(agents, 3),
            4..=8 if !names.is_empty() => {
                let names = draw.some(names, 2);
                step.required = names.into_iter().map(|name| self.skill(name)).collect();
            }
            _ => {}
        }
        if step.agents.is_empty() && !names.is_empty() && self.draw.chance(40) {
            let names = self.draw.some(names, 3);
            step.preferred = names.into_iter().map(|name| self.skill(name)).collect();
        }
        let asks = !(step.agents.is_empty() && step.required.is_empty() && step.preferred.is_empty());
        if !queues.is_empty() && (!asks || self.draw.chance(25)) {
            step.widen = self.draw.some(queues, 3);
        }
        (asks || !step.widen.is_empty()).then_some(step)
    }

    fn spoil(&mut self, skills: &mut Vec<Skill>, too_many: usize) {
        match self.draw.number(1, 5) {
            1 => skills.push(self.skill("")),
            2 => skills.push(Skill { name: "es".to_owned(), level: self.draw.among([0, 101]) }),
            3 => skills.extend([self.skill("de"), self.skill("de")]),
            4 => skills.push(self.skill(&"x".repeat(65))),
            _ => skills.extend((0..too_many).map(|n| Skill { name: format!("n{n}"), level: 1 })),
        }
    }

    fn spoil_criteria(&mut self, criteria: &mut Criteria) {
        let nobody = AgentId::new(DomainId(1), 9_999);
        let nowhere = QueueId::new(DomainId(1), 9_999);
        let Some(at) = criteria.steps.len().checked_sub(1).map(|last| self.draw.below(last + 1)) else {
            return;
        };
        let step = &mut criteria.steps[at];
        match self.draw.number(1, 11) {
            1 => *step = Step { lasts: step.lasts, ..Step::default() },
            2 => step.agents.push(nobody),
            3 => step.widen.push(nowhere),
            4 => step.lasts = Some(Span::millis(self.draw.among([0, 999, 86_400_001]))),
            5 => step.lasts = None,
            6 => step.agents = (1..=9).map(|n| AgentId::new(nobody.domain, n)).collect(),
            7 => step.widen.extend(step.widen.clone()),
            8 => step.agents.extend(step.agents.clone()),
            9 => {
                let mut required = std::mem::take(&mut step.required);
                self.spoil(&mut required, 9);
                criteria.steps[at].required = required;
            }
            10 => step.preferred.push(Skill { name: "never had".to_owned(), level: 1 }),
            _ => {
                let again = criteria.steps.clone();
                criteria.steps.extend(std::iter::repeat_n(again, 8).flatten());
            }
        }
    }
}
