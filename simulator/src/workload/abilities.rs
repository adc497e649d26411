//! Skills and ways to pick, as profiles write them.

use routing::criteria::{Skill, limits};
use routing::settings::PickPolicy;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Skills by name, each with its level, 1 to 100: `{ es = 80, billing = 1 }`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Skills(BTreeMap<String, u8>);

impl Skills {
    /// What is wrong with them, if they may be so many.
    pub(super) fn problem(&self, most: usize) -> Option<String> {
        let Self(levels) = self;
        if levels.len() > most {
            return Some(format!("must be {most} skills at most"));
        }
        let names = levels.keys().all(|name| (1..=limits::SKILL_BYTES_MAX).contains(&name.len()));
        if !names {
            return Some(format!("names must be 1 to {} bytes", limits::SKILL_BYTES_MAX));
        }
        let fits = levels.values().all(|level| (1..=limits::LEVEL_MAX).contains(level));
        (!fits).then(|| format!("levels must be 1 to {}", limits::LEVEL_MAX))
    }

    /// Their names, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// In the order of their names.
    pub(super) fn list(&self) -> Vec<Skill> {
        self.0.iter().map(|(name, level)| Skill { name: name.clone(), level: *level }).collect()
    }
}

/// A queue's way to pick, as a profile names it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// Longest time without work.
    #[default]
    LongestIdle,
    /// Smallest load, which among agents of one call at a time is the longest idle.
    LeastLoaded,
    /// The last offer is longest ago.
    RoundRobin,
    /// Fewest skills.
    LeastFlexible,
    /// Highest levels of what is asked for.
    MostProficient,
}

impl From<Pick> for PickPolicy {
    fn from(pick: Pick) -> Self {
        match pick {
            Pick::LongestIdle => Self::LongestIdle,
            Pick::LeastLoaded => Self::LeastLoaded,
            Pick::RoundRobin => Self::RoundRobin,
            Pick::LeastFlexible => Self::LeastFlexible,
            Pick::MostProficient => Self::MostProficient,
        }
    }
}
