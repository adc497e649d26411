//! Faults in the product, planted to prove that the checks see them.

use actors::{EngineConfig, SeededBug};
use consensus::Config;
use routing::{PlantedBug, level};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A planted fault, of whichever layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// One of the routing core.
    Core(PlantedBug),
    /// One of the actors around it.
    Engine(SeededBug),
    /// One of replication.
    Replication(consensus::SeededBug),
}

impl Bug {
    /// Every planted fault, layer by layer.
    #[must_use]
    pub fn all() -> Vec<Bug> {
        let core = PlantedBug::ALL.iter().copied().map(Bug::Core);
        let engine = SeededBug::ALL.iter().copied().map(Bug::Engine);
        let replication = consensus::SeededBug::ALL.iter().copied().map(Bug::Replication);
        core.chain(engine).chain(replication).collect()
    }

    /// Its name: words with hyphens.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Bug::Core(bug) => bug.name(),
            Bug::Engine(bug) => bug.name(),
            Bug::Replication(bug) => bug.name(),
        }
    }

    /// The folder of the code in which it is planted.
    #[must_use]
    pub fn layer(self) -> &'static str {
        match self {
            Bug::Core(_) => "routing",
            Bug::Engine(_) => "actors",
            Bug::Replication(_) => "consensus",
        }
    }

    /// What goes wrong, in one line.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Bug::Core(bug) => bug.about(),
            Bug::Engine(bug) => bug.about(),
            Bug::Replication(bug) => bug.about(),
        }
    }

    /// Puts it into a node.
    pub fn plant(self, consensus: &mut Config, engine: &mut EngineConfig) {
        match self {
            // Only the next release makes this mistake.
            Bug::Core(PlantedBug::AheadOfLevel) if engine.level < level::REHEARSAL => {}
            Bug::Core(bug) => engine.planted = Some(bug),
            Bug::Engine(bug) => engine.seeded_bug = Some(bug),
            Bug::Replication(bug) => consensus.seeded_bug = Some(bug),
        }
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Bug {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Bug {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for Bug {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Bug::all().into_iter().find(|bug| bug.name() == text);
        found.ok_or_else(|| format!("no planted fault is called '{text}': `cargo sim bugs` lists them"))
    }
}

#[cfg(test)]
mod tests {
    use super::Bug;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_lead_back() {
        let all = Bug::all();
        let names: BTreeSet<_> = all.iter().map(|bug| bug.name()).collect();
        assert_eq!(names.len(), all.len());
        for bug in all {
            assert_eq!(bug.name().parse(), Ok(bug));
            assert!(bug.about().ends_with('.') && !bug.layer().is_empty(), "{bug}: {}", bug.about());
        }
        assert!("no-such-fault".parse::<Bug>().is_err());
    }
}
