//! Faults in the product, planted to prove that the checks see them.

use actors::EngineConfig;
use consensus::Config;
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A planted fault, of whichever layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// One of the routing core.
    Core(routing::PlantedBug),
}

impl Bug {
    /// Puts it into a node.
    pub fn plant(self, _consensus: &mut Config, engine: &mut EngineConfig) {
        match self {
            Bug::Core(bug) => engine.planted = Some(bug),
        }
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bug::Core(bug) => write!(f, "{bug:?}"),
        }
    }
}

impl Serialize for Bug {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Bug {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Bug::Core).map_err(|_| format!("no planted fault is called '{text}'"))
    }
}
