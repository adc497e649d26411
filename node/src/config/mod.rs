//! Configuration of a node: flags, then environment, then a file, then defaults. What belongs to
//! the routing (queues, agents, weights …) is replicated and not here.

mod env;
mod file;
mod layer;
mod nearest;
mod settings;

pub use env::from_environment;
pub use file::{from_file, from_text};
pub(crate) use layer::{AGE_S_MOST, EVENTS_BYTES_LEAST, address, member, zone};
pub use layer::{KEYS, Key, Layer};
pub use nearest::nearest;
pub use settings::{Said, Settings, resolve};

/// A setting that cannot be used, with its place and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ConfigError {
    /// `FILE:LINE`, the name of a variable, or a flag.
    pub place: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

impl ConfigError {
    pub(crate) fn at(place: impl ToString, problem: impl Into<String>) -> Self {
        Self { place: place.to_string(), problem: problem.into() }
    }
}
