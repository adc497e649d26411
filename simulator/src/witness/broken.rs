//! A broken promise as it is reported.

use routing::{Event, LogTime, Position, ShardId};
use std::fmt;

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// `R-1` to `R-20`, or `witness` when the witness itself was told nonsense.
    pub promise: &'static str,
    /// Where.
    pub shard: ShardId,
    /// After which entry.
    pub position: Position,
    /// Log time of that entry.
    pub at: LogTime,
    /// On whose replica.
    pub node: u64,
    /// What was seen.
    pub text: String,
    /// The last events of the entities that the text names, oldest first.
    pub events: Vec<Event>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { index, ordinal } = self.position;
        write!(
            f,
            "{} broken at {} index {index}.{ordinal}, log time {:.6} s, node {}: {}",
            self.promise,
            self.shard,
            self.at.0 as f64 / 1e6,
            self.node,
            self.text
        )?;
        for event in &self.events {
            let Position { index, ordinal } = event.position;
            write!(f, "\n  {:.6} s {index}.{ordinal} {:?}", event.at.0 as f64 / 1e6, event.kind)?;
        }
        Ok(())
    }
}
