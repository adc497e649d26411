//! What is stored of a domain beside its older form: skills and criteria, from level 6 on.
//!
//! Fields of stored structures are positions, so what came later stands in a record of its own.

use super::seeking::{Asked, Seeking};
use super::skills::Levels;
use super::{AgentNo, ConvNo, Domain, TouchNo};
use serde::{Deserialize, Serialize, Serializer};
use std::iter::once;

/// A move sends so many at once.
const PART: usize = 500;

/// What is beside a domain: of those entities alone that have something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Beside {
    skills: Vec<String>,
    agents: Vec<(AgentNo, Levels)>,
    touchpoints: Vec<(TouchNo, Box<[Asked]>)>,
    conversations: Vec<(ConvNo, Box<Seeking>)>,
}

/// Some of what [`Beside`] is stored as: its fields, in order.
#[derive(Debug)]
pub(crate) enum BesidePiece<'a> {
    Skills(&'a [String]),
    Count(usize),
    Agent(AgentNo, &'a Levels),
    Touchpoint(TouchNo, &'a [Asked]),
    Conversation(ConvNo, &'a Seeking),
}

impl Serialize for BesidePiece<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Skills(skills) => skills.serialize(serializer),
            Self::Count(count) => (*count as u64).serialize(serializer),
            Self::Agent(no, skills) => (no, skills).serialize(serializer),
            Self::Touchpoint(no, criteria) => (no, criteria).serialize(serializer),
            Self::Conversation(no, seeking) => (no, seeking).serialize(serializer),
        }
    }
}

impl Beside {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Domain {
    fn able(&self) -> impl Iterator<Item = (AgentNo, &Levels)> {
        self.agents.iter().filter(|agent| !agent.skills.is_empty()).map(|agent| (agent.no, &agent.skills))
    }

    fn asking(&self) -> impl Iterator<Item = (TouchNo, &[Asked])> {
        let asking = self.touchpoints.iter().filter(|touchpoint| !touchpoint.criteria.is_empty());
        asking.map(|touchpoint| (touchpoint.no, &*touchpoint.criteria))
    }

    fn seeking(&self) -> impl Iterator<Item = (ConvNo, &Seeking)> {
        self.conversations.values().filter_map(|conv| Some((conv.no, conv.seeking.as_deref()?)))
    }

    /// Whether anything is stored beside the domain.
    pub(crate) fn has_beside(&self) -> bool {
        // Who can, or asks for, something knows its name; and names are never forgotten.
        !self.skills.is_empty() || self.asking().next().is_some() || self.seeking().next().is_some()
    }

    /// All that is stored beside the domain.
    pub(crate) fn beside(&self) -> Beside {
        Beside {
            skills: self.skills.clone(),
            agents: self.able().map(|(no, skills)| (no, skills.clone())).collect(),
            touchpoints: self.asking().map(|(no, criteria)| (no, criteria.into())).collect(),
            conversations: self.seeking().map(|(no, seeking)| (no, Box::new(seeking.clone()))).collect(),
        }
    }

    /// The same in small pieces, to be written one after the other.
    pub(crate) fn beside_pieces(&self) -> impl Iterator<Item = BesidePiece<'_>> {
        once(BesidePiece::Skills(&self.skills))
            .chain(once(BesidePiece::Count(self.able().count())))
            .chain(self.able().map(|(no, skills)| BesidePiece::Agent(no, skills)))
            .chain(once(BesidePiece::Count(self.asking().count())))
            .chain(self.asking().map(|(no, criteria)| BesidePiece::Touchpoint(no, criteria)))
            .chain(once(BesidePiece::Count(self.seeking().count())))
            .chain(self.seeking().map(|(no, seeking)| BesidePiece::Conversation(no, seeking)))
    }

    /// The same in parts that a move sends.
    pub(crate) fn beside_parts(&self) -> impl Iterator<Item = Beside> {
        let Beside { skills, agents, touchpoints, conversations } = self.beside();
        let none = Beside::default;
        let skills = (!skills.is_empty()).then(|| Beside { skills, ..none() });
        let agents = parts(agents).map(move |agents| Beside { agents, ..none() });
        let touchpoints = parts(touchpoints).map(move |touchpoints| Beside { touchpoints, ..none() });
        let conversations = parts(conversations).map(move |conversations| Beside { conversations, ..none() });
        skills.into_iter().chain(agents).chain(touchpoints).chain(conversations)
    }

    /// Puts what is beside the domain, or a part of it, in its place; the domain is indexed after it.
    pub(crate) fn put_beside(&mut self, beside: Beside) {
        self.skills.extend(beside.skills);
        for (no, skills) in beside.agents {
            if let Some(agent) = self.agents.get_mut(no.0) {
                agent.skills = skills;
            }
        }
        for (no, criteria) in beside.touchpoints {
            if let Some(touchpoint) = self.touchpoints.get_mut(no.0) {
                touchpoint.criteria = criteria;
            }
        }
        for (no, seeking) in beside.conversations {
            if let Some(conversation) = self.conversations.get_mut(&no) {
                conversation.seeking = Some(seeking);
            }
        }
    }
}

fn parts<T: Clone>(all: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    let parts: Vec<Vec<T>> = all.chunks(PART).map(<[T]>::to_vec).collect();
    parts.into_iter()
}
