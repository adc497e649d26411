//! Skills, criteria and their steps: "Skills and criteria" of the rules.

use super::Did;
use super::state::{Conv, Dom, invalid, not_allowed, unknown, wrong_state};
use routing::command::By;
use routing::criteria::{Criteria, Seeking, Skill, Step};
use routing::event::{Place, Subject};
use routing::outcome::DoneWhat;
use routing::settings::RoutingMode;
use routing::view::Stage;
use routing::{AgentId, Command, ConversationId, EventKind, LogTime, Rejected, Span, TouchpointId};
use std::collections::{BTreeMap, BTreeSet};

/// What a conversation asks for, and how far that has given way.
#[derive(Debug, Clone)]
pub struct Wish {
    pub criteria: Criteria,
    /// The active step, counted from 0.
    pub step: usize,
    /// The end of its clock, while that runs.
    pub until: Option<LogTime>,
}

/// Whether a command is of the level of skills.
pub fn is_of_skills(command: &Command) -> bool {
    matches!(
        command,
        Command::SetSkills { .. }
            | Command::SetCriteria { .. }
            | Command::StartWith { .. }
            | Command::ChangeCriteria { .. }
            | Command::TransferAnew { .. }
    )
}

fn full() -> Rejected {
    Rejected::Full { what: String::new(), limit: 0, remedy: String::new() }
}

/// As events and pictures have it: what is required in the order of names.
fn in_order(mut criteria: Criteria) -> Criteria {
    for step in &mut criteria.steps {
        step.required.sort_by(|a, b| a.name.cmp(&b.name));
    }
    criteria
}

/// Too many, a name or a level out of range, or a name twice.
fn check_list(skills: &[Skill], most: usize) -> Result<(), Rejected> {
    let names: BTreeSet<_> = skills.iter().map(|skill| &skill.name).collect();
    let sound = |skill: &Skill| (1..=64).contains(&skill.name.len()) && (1..=100).contains(&skill.level);
    if skills.len() > most || names.len() < skills.len() || !skills.iter().all(sound) {
        return Err(invalid("skills"));
    }
    Ok(())
}

/// Whether somebody with these skills has these, each at its level.
pub fn has_all(skills: &BTreeMap<String, u8>, asked: &[Skill]) -> bool {
    asked.iter().all(|skill| skills.get(&skill.name).is_some_and(|level| *level >= skill.level))
}

impl Conv {
    /// The active step, where it matters: its place is its queues.
    pub fn asks(&self) -> Option<&Step> {
        let (Stage::Waiting(Place::Queues(_)) | Stage::Offered(Place::Queues(_))) = &self.stage else {
            return None;
        };
        let wish = self.wish.as_ref()?;
        wish.criteria.steps.get(wish.step)
    }

    /// When the active step expires, if its clock runs.
    pub fn relaxes_at(&self) -> Option<LogTime> {
        self.wish.as_ref().and_then(|wish| wish.until)
    }

    pub fn stop_clock(&mut self) {
        if let Some(wish) = &mut self.wish {
            wish.until = None;
        }
    }

    pub fn seeking(&self) -> Option<Box<Seeking>> {
        let wish = self.wish.as_ref()?;
        let joined = self.stage.owner().is_some() || self.ended_owned;
        Some(Box::new(Seeking { criteria: wish.criteria.clone(), at: wish.step, until: wish.until, joined }))
    }
}

impl Dom {
    fn caller(&self, by: &By) -> Result<bool, Rejected> {
        if let By::Agent(desk) = by {
            self.check_desk(*desk)?;
        }
        Ok(matches!(by, By::Supervisor(_) | By::System))
    }

    pub fn set_skills(&mut self, agent: AgentId, skills: Vec<Skill>, by: By) -> Did {
        let may = self.caller(&by)?;
        check_list(&skills, 64)?;
        self.person(agent)?;
        if !may {
            return Err(not_allowed());
        }
        let names = skills.iter().map(|skill| skill.name.clone());
        let known: BTreeSet<String> = self.known_skills.iter().cloned().chain(names).collect();
        if known.len() > 1_000 {
            return Err(full());
        }
        self.known_skills = known;
        let person = self.p(agent);
        person.holds = None;
        person.skills = skills.into_iter().map(|skill| (skill.name, skill.level)).collect();
        let skills = self.people[&agent].shown_skills();
        self.emit(EventKind::SkillsChanged { agent, skills, by });
        Ok((DoneWhat::Ok, Subject::Agent(agent)))
    }

    /// Refuses criteria that are not sound, step after step.
    pub fn check_criteria(&self, criteria: &Criteria) -> Result<(), Rejected> {
        let steps = &criteria.steps;
        if steps.len() > 8 {
            return Err(invalid("steps"));
        }
        for (number, step) in steps.iter().enumerate() {
            self.check_step(step)?;
            let last = number + 1 == steps.len();
            let range = Span::seconds(1)..=Span::seconds(86_400);
            if !step.lasts.map_or(last, |lasts| range.contains(&lasts)) {
                return Err(invalid("lasts"));
            }
        }
        Ok(())
    }

    fn check_step(&self, step: &Step) -> Result<(), Rejected> {
        let skilled = !step.required.is_empty() || !step.preferred.is_empty();
        let named = !step.agents.is_empty();
        if !skilled && !named && step.widen.is_empty() {
            return Err(invalid("nothing"));
        }
        if skilled && named {
            return Err(invalid("agents"));
        }
        if step.agents.len() > 8 || step.widen.len() > 8 {
            return Err(invalid("number"));
        }
        let mut agents = BTreeSet::new();
        for agent in &step.agents {
            self.person(*agent)?;
            if !agents.insert(agent) {
                return Err(invalid("agents"));
            }
        }
        let mut queues = BTreeSet::new();
        for queue in &step.widen {
            if !self.queues.contains_key(queue) {
                return Err(unknown("queue", queue));
            }
            if !queues.insert(queue) {
                return Err(invalid("widen"));
            }
        }
        for list in [&step.required, &step.preferred] {
            check_list(list, 8)?;
            if let Some(skill) = list.iter().find(|skill| !self.known_skills.contains(&skill.name)) {
                return Err(unknown("skill", &skill.name));
            }
        }
        Ok(())
    }

    /// Refuses what would make too many distinct sets of required skills.
    pub fn check_classes(&self, criteria: &Criteria) -> Result<(), Rejected> {
        let live = self.convs.values().filter(|c| !c.stage.is_terminal());
        let wishes = live.filter_map(|c| c.wish.as_ref()).map(|wish| wish.criteria.clone());
        let sets = |criteria: Criteria| in_order(criteria).steps.into_iter().map(|step| step.required);
        let asked = |set: &Vec<Skill>| !set.is_empty();
        let now: BTreeSet<_> = wishes.flat_map(sets).filter(asked).collect();
        let new: BTreeSet<_> =
            sets(criteria.clone()).filter(asked).filter(|set| !now.contains(set)).collect();
        if now.len() + new.len() > 1_024 { Err(full()) } else { Ok(()) }
    }

    pub fn set_criteria(&mut self, touchpoint: TouchpointId, criteria: Criteria, by: By) -> Did {
        let may = self.caller(&by)?;
        self.check_criteria(&criteria)?;
        let Some(settings) = self.touchpoints.get(&touchpoint) else {
            return Err(unknown("touchpoint", touchpoint));
        };
        if !may {
            return Err(not_allowed());
        }
        if matches!(settings.mode, RoutingMode::Simplified { .. }) && !criteria.steps.is_empty() {
            return Err(invalid("mode"));
        }
        let criteria = in_order(criteria);
        self.criteria.insert(touchpoint, criteria.clone());
        self.emit(EventKind::TouchpointCriteriaChanged { touchpoint, criteria, by });
        Ok((DoneWhat::Ok, Subject::Touchpoint(touchpoint)))
    }

    /// What a newcomer at a touchpoint is to ask for: its own, or the touchpoint's.
    pub fn criteria_at(&self, reached: TouchpointId, own: Option<&Criteria>) -> Result<Criteria, Rejected> {
        let pulled = matches!(self.touchpoints[&reached].mode, RoutingMode::Simplified { .. });
        if let Some(own) = own {
            if pulled && !own.steps.is_empty() {
                return Err(invalid("criteria"));
            }
            self.check_criteria(own)?;
            return Ok(own.clone());
        }
        let of_it = self.criteria.get(&reached).filter(|_| !pulled);
        Ok(of_it.cloned().unwrap_or_default())
    }

    pub fn change_criteria(&mut self, id: ConversationId, criteria: Criteria, by: By) -> Did {
        let may = self.caller(&by)?;
        let c = self.conv(id)?;
        let (Stage::Waiting(place) | Stage::Offered(place)) = c.stage.clone() else {
            return Err(wrong_state(c));
        };
        if !may {
            return Err(not_allowed());
        }
        if matches!(place, Place::Inbox(_)) {
            return Err(invalid("inbox"));
        }
        self.check_criteria(&criteria)?;
        self.check_classes(&criteria)?;
        self.ask(id, criteria, by);
        self.end_hold_for(id);
        self.begin_step(id);
        Ok((DoneWhat::Ok, Subject::Conversation(id)))
    }

    /// Gives a conversation other criteria, from their first step, and says so.
    pub fn ask(&mut self, id: ConversationId, criteria: Criteria, by: By) {
        let criteria = in_order(criteria);
        let wish = Wish { criteria: criteria.clone(), step: 0, until: None };
        self.c(id).wish = (!wish.criteria.steps.is_empty()).then_some(wish);
        self.emit(EventKind::CriteriaChanged { conversation: id, criteria, by });
    }

    /// It comes to wait, or what it asks for is new: the active step's queues are its own, its clock runs, and
    /// who is not there any more is not waited for.
    pub fn begin_step(&mut self, id: ConversationId) {
        let Some(step) = self.convs[&id].asks().cloned() else { return };
        self.widen(id);
        let now = self.now;
        if let Some(wish) = &mut self.c(id).wish
            && wish.until.is_none()
        {
            wish.until = step.lasts.map(|lasts| now + lasts);
        }
        if self.all_named_are_gone(&self.convs[&id]) {
            self.next_step(id, now);
        }
    }

    fn all_named_are_gone(&self, c: &Conv) -> bool {
        let named = c.asks().map_or(&[][..], |step| &step.agents);
        !named.is_empty() && !named.iter().any(|agent| self.people.contains_key(agent))
    }

    fn widen(&mut self, id: ConversationId) {
        let Some(step) = self.convs[&id].asks() else { return };
        let wanted: Vec<_> = step.widen.iter().filter(|q| self.queues.contains_key(q)).copied().collect();
        let c = self.c(id);
        for queue in wanted {
            if c.queues.len() < 8 && !c.queues.contains(&queue) {
                c.queues.push(queue);
            }
        }
        c.home = Place::Queues(c.queues.clone());
        if let Stage::Waiting(place) | Stage::Offered(place) = &mut c.stage {
            *place = c.home.clone();
        }
    }

    /// The next step that is not for agents who are gone becomes active; its clock runs from then on.
    pub fn next_step(&mut self, id: ConversationId, since: LogTime) {
        loop {
            self.c(id).wish.as_mut().expect("it has steps").step += 1;
            self.widen(id);
            if !self.all_named_are_gone(&self.convs[&id]) {
                break;
            }
        }
        let lasts = self.convs[&id].asks().and_then(|step| step.lasts);
        let c = self.c(id);
        let queues = c.queues.clone();
        let wish = c.wish.as_mut().expect("it has steps");
        wish.until = lasts.map(|lasts| since + lasts);
        let number = if wish.step < wish.criteria.steps.len() { wish.step + 1 } else { 0 };
        let (step, until) = (u8::try_from(number).expect("few"), wish.until);
        self.end_hold_for(id);
        self.emit(EventKind::Relaxed { conversation: id, step, until, queues });
    }

    /// An agent was deleted: those that waited for it by name look who is left.
    pub fn miss_named(&mut self, agent: AgentId) {
        let waiting = self.convs.values().filter(|c| matches!(c.stage, Stage::Waiting(_)));
        let for_it = |c: &&Conv| c.asks().is_some_and(|step| step.agents.contains(&agent));
        let all: Vec<_> = waiting.filter(for_it).map(|c| c.id).collect();
        for id in all {
            self.end_hold_for(id);
            if self.all_named_are_gone(&self.convs[&id]) {
                let now = self.now;
                self.next_step(id, now);
            }
        }
    }
}
