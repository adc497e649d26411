//! What a conversation asks of agents while it waits in queues, and how that gives way with time.

use super::skills::{Level, Levels, SkillNo};
use super::{AgentNo, ConvNo, Conversation, Cx, Domain, PlaceKind, QueueNo, State};
use crate::criteria::{Criteria, Step};
use crate::deadlines::Due;
use crate::event::EventKind;
use crate::settings::limits::QUEUES_PER_CONVERSATION_MAX;
use crate::shard::PlantedBug;
use crate::{LogTime, Span, criteria};
use serde::{Deserialize, Serialize};

/// A [`Step`] by numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// In the order of the caller's list.
    pub(crate) agents: Box<[AgentNo]>,
    pub(crate) required: Levels,
    /// In the order of the caller's list.
    pub(crate) preferred: Box<[Level]>,
    pub(crate) widen: Box<[QueueNo]>,
    pub(crate) lasts: Option<Span>,
}

/// A conversation's steps and where they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seeking {
    pub(crate) steps: Box<[Asked]>,
    /// The active one; as many as there are: all have expired.
    pub(crate) at: usize,
    pub(crate) until: Option<LogTime>,
    /// Whether it has, or ended with, an owner.
    pub(crate) joined: bool,
}

impl Conversation {
    /// What it asks for while it waits in its queues or is on offer from there.
    pub(crate) fn asked(&self) -> Option<&Asked> {
        let seeking = self.seeking.as_deref().filter(|_| self.place == PlaceKind::Queues)?;
        seeking.steps.get(seeking.at)
    }

    /// The skills that it requires now.
    pub(crate) fn required(&self) -> &[Level] {
        self.asked().map_or(&[], |asked| &asked.required)
    }

    /// The agents that have it to themselves now; none: nobody has.
    pub(crate) fn named(&self) -> &[AgentNo] {
        self.asked().map_or(&[], |asked| &asked.agents)
    }
}

impl Domain {
    /// Criteria by numbers. What they name has been checked.
    pub(crate) fn numbered(&self, criteria: &Criteria) -> Box<[Asked]> {
        let level = |skill: &criteria::Skill| Some((self.skill(&skill.name)?, skill.level));
        let step = |step: &Step| {
            let mut required: Vec<Level> = step.required.iter().filter_map(level).collect();
            required.sort_unstable();
            Asked {
                agents: step.agents.iter().filter_map(|agent| AgentNo::of(*agent, self.id)).collect(),
                required: required.into(),
                preferred: step.preferred.iter().filter_map(level).collect(),
                widen: step.widen.iter().filter_map(|queue| QueueNo::of(*queue, self.id)).collect(),
                lasts: step.lasts,
            }
        };
        criteria.steps.iter().map(step).collect()
    }

    /// Criteria as the world knows them.
    pub(crate) fn criteria_view(&self, steps: &[Asked]) -> Criteria {
        let level = |level: &(SkillNo, u8)| self.skill_view(*level);
        let step = |asked: &Asked| {
            let mut required: Vec<criteria::Skill> = asked.required.iter().map(level).collect();
            required.sort_unstable();
            Step {
                agents: asked.agents.iter().map(|agent| agent.id(self.id)).collect(),
                required,
                preferred: asked.preferred.iter().map(level).collect(),
                widen: asked.widen.iter().map(|queue| queue.id(self.id)).collect(),
                lasts: asked.lasts,
            }
        };
        Criteria { steps: steps.iter().map(step).collect() }
    }

    /// A conversation's criteria as the world knows them.
    pub(crate) fn seeking_view(&self, seeking: &Seeking) -> criteria::Seeking {
        criteria::Seeking {
            criteria: self.criteria_view(&seeking.steps),
            at: seeking.at,
            until: seeking.until,
            joined: seeking.joined,
        }
    }

    /// Gives a conversation that stands in no line other criteria, to begin with their first step; without
    /// steps it asks for nothing.
    pub(crate) fn seek(&mut self, no: ConvNo, steps: Box<[Asked]>) {
        self.stop_step(no);
        self.count_classes(no, false);
        let joined = self.conv(no).owner().is_some();
        let seeking = (!steps.is_empty()).then(|| Box::new(Seeking { steps, at: 0, until: None, joined }));
        self.conv_mut(no).seeking = seeking;
        self.count_classes(no, true);
    }

    /// Begins a conversation's search anew, with the first step.
    pub(crate) fn seek_anew(&mut self, no: ConvNo) {
        self.stop_step(no);
        if let Some(seeking) = &mut self.conv_mut(no).seeking {
            seeking.at = 0;
        }
    }

    /// Counts, or counts no more, what a conversation's steps require.
    pub(crate) fn count_classes(&mut self, no: ConvNo, counted: bool) {
        let Some(seeking) = self.conversations.get(&no).and_then(|conv| conv.seeking.as_deref()) else {
            return;
        };
        let classes = &mut self.index.0.classes;
        for step in &seeking.steps {
            if counted { classes.count(&step.required) } else { classes.discount(&step.required) }
        }
    }

    /// A conversation begins to wait, or waits again, in its queues: the clock of its step runs from now on if
    /// it does not already. Steps that name agents of whom none is left are passed over. It stands in no line.
    pub(crate) fn start_step(&mut self, cx: &mut Cx<'_>, no: ConvNo) {
        let conversation = self.conv_mut(no);
        let Some(seeking) = &mut conversation.seeking else { return };
        seeking.joined = false;
        let stands = seeking.until.is_none();
        if conversation.place != PlaceKind::Queues {
            return;
        }
        // Also where its clock ran on: a transfer that failed may have given it another queue.
        self.widen(no);
        if stands {
            self.run_step(no, cx.now);
        }
        if self.nobody_named(no) {
            self.next_step(cx, no, cx.now);
        }
    }

    /// The clock of a conversation's step stands still, and will start anew.
    pub(crate) fn stop_step(&mut self, no: ConvNo) {
        let until = self.conv_mut(no).seeking.as_mut().and_then(|seeking| seeking.until.take());
        if let Some(until) = until {
            self.index.0.deadlines.remove(until, Due::Step(no));
        }
    }

    /// The active step has expired.
    pub(crate) fn step_over(&mut self, cx: &mut Cx<'_>, no: ConvNo) {
        let until = self.conv_mut(no).seeking.as_mut().and_then(|seeking| seeking.until.take());
        if cx.planted(PlantedBug::NeverRelaxed) {
            return;
        }
        let waits = self.conv(no).state == State::Waiting;
        if waits {
            self.leave_lines(no);
        }
        // From its deadline, not from now: after an outage all that would have expired does at once.
        self.next_step(cx, no, until.unwrap_or(cx.now));
        if waits {
            self.enter_lines(no);
        }
    }

    /// Goes on to the next step that somebody could meet; its clock runs from `since` on. The conversation
    /// stands in no line.
    fn next_step(&mut self, cx: &mut Cx<'_>, no: ConvNo, since: LogTime) {
        self.stop_step(no);
        loop {
            let Some(seeking) = &mut self.conv_mut(no).seeking else { return };
            seeking.at += 1;
            self.widen(no);
            if !self.nobody_named(no) {
                break;
            }
        }
        self.run_step(no, since);
        let conversation = self.conv(no);
        let (id, seeking) = (no.id(self.id), conversation.seeking.as_deref().expect("just changed"));
        let (at, until) = (seeking.at, seeking.until);
        let step = if at < seeking.steps.len() { u8::try_from(at + 1).unwrap_or(u8::MAX) } else { 0 };
        let queues = self.present_queues(&conversation.queues);
        let queues = queues.into_iter().map(|queue| queue.id(self.id)).collect();
        self.emit(cx, EventKind::Relaxed { conversation: id, step, until, queues });
    }

    fn run_step(&mut self, no: ConvNo, since: LogTime) {
        let conversation = self.conv_mut(no);
        let Some(lasts) = conversation.asked().and_then(|asked| asked.lasts) else { return };
        let until = since + lasts;
        if let Some(seeking) = &mut conversation.seeking {
            seeking.until = Some(until);
            self.index.0.deadlines.add(until, Due::Step(no));
        }
    }

    /// The queues of a conversation's active step are queues that it waits in, as far as there is room.
    fn widen(&mut self, no: ConvNo) {
        let conversation = self.conv(no);
        let Some(asked) = conversation.asked().filter(|asked| !asked.widen.is_empty()) else { return };
        let mut queues = self.present_queues(&conversation.queues);
        for queue in &asked.widen {
            let present = self.queues.get(queue.0).is_some();
            if present && queues.len() < QUEUES_PER_CONVERSATION_MAX && !queues.contains(queue) {
                queues.push(*queue);
            }
        }
        self.conv_mut(no).queues = queues.into();
    }

    /// Whether the active step is for agents that are all gone.
    fn nobody_named(&self, no: ConvNo) -> bool {
        let named = self.conv(no).named();
        !named.is_empty() && named.iter().all(|agent| self.agents.get(agent.0).is_none())
    }
}
