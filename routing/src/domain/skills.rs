//! Skills by number, the sets of them that conversations require, and who meets what.

use super::{Agent, Domain};
use crate::Rejected;
use crate::criteria::Skill;
use crate::criteria::limits::{CLASSES_MAX, SKILLS_MAX};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A skill: its place among the names that the domain knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct SkillNo(pub(crate) u16);

/// A skill at a level.
pub(crate) type Level = (SkillNo, u8);

/// Skills at levels, each once, in the order of their numbers.
pub(crate) type Levels = Box<[Level]>;

/// A bit per skill; skills whose numbers differ by 64 share one. What lacks a bit lacks the skill.
pub(crate) fn mask(levels: &[Level]) -> u64 {
    levels.iter().fold(0, |mask, (skill, _)| mask | 1 << (skill.0 % 64))
}

/// Whether somebody who has these meets what is required.
pub(crate) fn meets(has: &[Level], required: &[Level]) -> bool {
    required.iter().all(|(skill, least)| {
        has.binary_search_by_key(skill, |(skill, _)| *skill).is_ok_and(|place| has[place].1 >= *least)
    })
}

/// A set of required skills. Numbers serve the lines of waiting conversations alone: they are neither stored
/// nor the same on every replica. 0 requires nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClassNo(pub(crate) u32);

impl ClassNo {
    /// What requires nothing.
    pub(crate) const PLAIN: ClassNo = ClassNo(0);
}

#[derive(Debug, Clone)]
struct Class {
    required: Levels,
    users: usize,
}

/// The sets that live conversations require in one of their steps. Derived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Classes {
    numbers: BTreeMap<Levels, ClassNo>,
    classes: Vec<Class>,
    free: Vec<ClassNo>,
}

impl Classes {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether somebody requires these already.
    pub(crate) fn is_known(&self, required: &[Level]) -> bool {
        required.is_empty() || self.numbers.contains_key(required)
    }

    /// The number of what somebody requires.
    pub(crate) fn of(&self, required: &[Level]) -> ClassNo {
        if required.is_empty() {
            return ClassNo::PLAIN;
        }
        *self.numbers.get(required).expect("a live conversation's steps are counted")
    }

    /// What a class requires.
    pub(crate) fn required(&self, class: ClassNo) -> &[Level] {
        match class {
            ClassNo::PLAIN => &[],
            ClassNo(number) => &self.classes[number as usize - 1].required,
        }
    }

    /// One more requires these.
    pub(crate) fn count(&mut self, required: &[Level]) {
        if required.is_empty() {
            return;
        }
        if let Some(ClassNo(number)) = self.numbers.get(required) {
            self.classes[*number as usize - 1].users += 1;
            return;
        }
        let class = Class { required: required.into(), users: 1 };
        let number = if let Some(free) = self.free.pop() {
            self.classes[free.0 as usize - 1] = class;
            free
        } else {
            self.classes.push(class);
            ClassNo(u32::try_from(self.classes.len()).expect("bounded by the limits of a domain"))
        };
        self.numbers.insert(required.into(), number);
    }

    /// One less does.
    pub(crate) fn discount(&mut self, required: &[Level]) {
        let Some(number) = self.numbers.get(required).copied() else { return };
        let class = &mut self.classes[number.0 as usize - 1];
        class.users -= 1;
        if class.users == 0 {
            class.required = Levels::default();
            self.numbers.remove(required);
            self.free.push(number);
        }
    }
}

impl Agent {
    /// Whether it has what is required.
    pub(crate) fn meets(&self, required: &[Level]) -> bool {
        required.is_empty() || meets(&self.skills, required)
    }
}

impl Domain {
    /// The number of a skill that somebody has or had.
    pub(crate) fn skill(&self, name: &str) -> Option<SkillNo> {
        self.index.0.skills.get(name).copied()
    }

    /// Makes the index of names anew.
    pub(super) fn index_skills(&mut self) {
        let numbered = self.skills.iter().zip(0..);
        self.index.0.skills = numbered.map(|(name, number)| (name.clone(), SkillNo(number))).collect();
    }

    /// Refuses skills of which more are new than the domain has room for.
    pub(crate) fn check_skills(&self, skills: &[Skill]) -> Result<(), Rejected> {
        let new = skills.iter().filter(|skill| self.skill(&skill.name).is_none()).count();
        if self.skills.len() + new > SKILLS_MAX {
            return Err(Rejected::Full {
                what: "the list of skills that the domain knows".to_owned(),
                limit: SKILLS_MAX as u64,
                remedy: "use names that are known".to_owned(),
            });
        }
        Ok(())
    }

    /// The number of a skill; a name that is new becomes known. There is room: see [`Domain::check_skills`].
    pub(crate) fn learn(&mut self, name: &str) -> SkillNo {
        if let Some(known) = self.skill(name) {
            return known;
        }
        let number = SkillNo(u16::try_from(self.skills.len()).expect("bounded by the limit of a domain"));
        self.skills.push(name.to_owned());
        self.index.0.skills.insert(name.to_owned(), number);
        number
    }

    /// A skill at a level as the world knows it.
    pub(crate) fn skill_view(&self, (skill, level): Level) -> Skill {
        let name = self.skills.get(usize::from(skill.0)).cloned().unwrap_or_default();
        Skill { name, level }
    }

    /// What an agent has, in the order of names.
    pub(crate) fn skills_view(&self, agent: &Agent) -> Vec<Skill> {
        let mut skills: Vec<Skill> = agent.skills.iter().map(|level| self.skill_view(*level)).collect();
        skills.sort_unstable();
        skills
    }

    /// Refuses what would need more classes than a domain may have.
    pub(crate) fn check_classes<'a>(&self, wanted: impl Iterator<Item = &'a Levels>) -> Result<(), Rejected> {
        let classes = &self.index.0.classes;
        let mut new: Vec<&Levels> = wanted.filter(|required| !classes.is_known(required)).collect();
        new.sort_unstable();
        new.dedup();
        if classes.len() + new.len() > CLASSES_MAX {
            return Err(Rejected::Full {
                what: "distinct sets of required skills in the domain".to_owned(),
                limit: CLASSES_MAX as u64,
                remedy: "ask for a set that others ask for, or try again when some have ended".to_owned(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(all: &[(u16, u8)]) -> Levels {
        all.iter().map(|(skill, level)| (SkillNo(*skill), *level)).collect()
    }

    #[test]
    fn all_that_is_required_must_be_there_at_its_level() {
        let has = levels(&[(1, 50), (3, 100), (65, 1)]);
        for (required, expected) in [
            (&[][..], true),
            (&[(1, 50)], true),
            (&[(1, 51)], false),
            (&[(1, 1), (3, 100)], true),
            (&[(2, 1)], false),
            (&[(1, 1), (2, 1)], false),
            (&[(65, 1)], true),
        ] {
            let required = levels(required);
            assert_eq!(meets(&has, &required), expected, "{required:?}");
            // The bits never leave anybody out who meets it.
            assert!(!expected || mask(&has) & mask(&required) == mask(&required));
        }
    }

    #[test]
    fn a_class_is_there_as_long_as_somebody_requires_it() {
        let mut classes = Classes::default();
        let (a, b) = (levels(&[(1, 1)]), levels(&[(1, 2)]));
        classes.count(&a);
        classes.count(&b);
        classes.count(&a);
        assert_eq!(classes.len(), 2);
        let class = classes.of(&a);
        assert_ne!(class, classes.of(&b));
        assert_eq!(classes.required(class), &*a);
        classes.discount(&a);
        assert_eq!(classes.of(&a), class);
        classes.discount(&a);
        assert!(!classes.is_known(&a) && classes.is_known(&b) && classes.is_known(&[]));
        classes.count(&levels(&[(9, 9)]));
        assert_eq!(classes.of(&levels(&[(9, 9)])), class, "its number is used again");
        assert_eq!(classes.of(&[]), ClassNo::PLAIN);
        classes.discount(&levels(&[(7, 7)]));
        assert_eq!(classes.len(), 2, "nobody required that");
    }
}
