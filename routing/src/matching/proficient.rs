//! The most proficient: of those who have what is asked for, who has the highest levels of it in all.
//!
//! Who has a skill stands in an order of its own, by level. For one skill the first of that order who may have the
//! conversation is the one. For several the orders are read side by side: whoever was not met yet has at most the
//! levels that stand there now, so the search ends as soon as nobody unmet can be better (the threshold algorithm:
//! Fagin, Lotem, Naor, "Optimal aggregation algorithms for middleware", 2001).

use super::pick::Search;
use crate::domain::AgentNo;
use crate::domain::keys::{AbleKey, Open, PickKey};
use crate::domain::skills::{Level, SkillNo, mask};
use crate::settings::PickPolicy;
use crate::settings::limits::PULLS_MAX;
use crate::tree::Tree;
use std::cmp::Reverse;

/// Where an agent stands for a conversation, smallest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Standing {
    /// Levels of what is asked for, in all.
    pub(super) total: Reverse<u32>,
    pub(super) place: PickKey,
}

/// Who was met, in order.
#[derive(Debug, Default)]
pub(super) struct Met {
    /// Who could have it.
    pub(super) could: Vec<Standing>,
    /// Who has room and the skills, but is excluded, or lacks a level.
    pub(super) could_not: Vec<Standing>,
}

impl Met {
    fn note(&mut self, standing: Standing, could: bool) {
        let list = if could { &mut self.could } else { &mut self.could_not };
        if let Err(at) = list.binary_search(&standing) {
            list.insert(at, standing);
        }
    }
}

/// One order, and how far it was read.
struct Reader<'a> {
    order: &'a Tree<AbleKey, Open>,
    at: Option<AbleKey>,
}

impl Search<'_> {
    /// Whether the queue goes by the levels of what is asked for.
    pub(super) fn goes_by_levels(&self, skills: &[&[Level]]) -> bool {
        self.queue.settings.pick == PickPolicy::MostProficient && skills.iter().any(|some| !some.is_empty())
    }

    /// The first so many of those who could have the conversation, and whoever is better and could not; more may be
    /// among them. Of several skills, no more than [`PULLS_MAX`] looks once somebody is found.
    pub(super) fn proficient(&mut self, skills: &[&[Level]], first: usize) -> Met {
        let mut met = Met::default();
        let mut asked: Vec<SkillNo> = skills.iter().copied().flatten().map(|(skill, _)| *skill).collect();
        asked.sort_unstable();
        asked.dedup();
        let able = &self.queue.index.0.able;
        let readers = asked.iter().map(|skill| Some(Reader { order: able.get(skill)?, at: None }));
        // Nobody who takes offers has one of them.
        let Some(mut readers) = readers.collect::<Option<Vec<_>>>() else { return met };
        let bits = skills.iter().fold(0, |bits, some| bits | mask(some));
        let room = self.room();
        let pass = move |open: &Open| open.skills & bits == bits && room(open);
        for pulls in 0.. {
            if met.could.len() >= first && self.is_decided(&readers, &met, first)
                || pulls >= PULLS_MAX && !met.could.is_empty()
            {
                break;
            }
            let turn = pulls % readers.len();
            let reader = &mut readers[turn];
            let next = reader.order.find(reader.at.as_ref(), &pass, &mut self.visited);
            // Whoever has them all stands in each order: they are all met.
            let Some(next) = next else { break };
            reader.at = Some(next);
            if let Some(total) = self.total(next.place.agent, &asked) {
                let standing = Standing { total: Reverse(total), place: next.place };
                met.note(standing, self.may(next.place.agent, skills));
            }
        }
        met
    }

    /// Whether nobody who was not met could stand before the last of the first so many.
    fn is_decided(&self, readers: &[Reader<'_>], met: &Met, first: usize) -> bool {
        let last = met.could[first - 1];
        let mut threshold = 0;
        let mut reached: Option<PickKey> = None;
        for reader in readers {
            let Some(at) = reader.at else { return false };
            threshold += u32::from(at.level.0);
            reached = reached.max(Some(at.place));
        }
        // Who has exactly as much, and is not met, has these very levels: it stands behind all of these places.
        last.total.0 > threshold || last.total.0 == threshold && Some(last.place) <= reached
    }

    /// An agent's levels of these skills; `None`: it lacks one.
    fn total(&self, agent: AgentNo, asked: &[SkillNo]) -> Option<u32> {
        let skills = &self.domain.agent(agent).skills;
        asked.iter().try_fold(0, |total, skill| {
            let place = skills.binary_search_by_key(skill, |(skill, _)| *skill).ok()?;
            Some(total + u32::from(skills[place].1))
        })
    }
}
