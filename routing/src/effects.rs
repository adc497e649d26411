//! What applying an entry asks of the world.
//!
//! An event names the desk it concerns ([`crate::Event::desk`]); the leader delivers such events
//! to that desk, every replica stores all events. So an offer is written down once, not once as
//! an event and once more as a message. A new leader re-derives what is owed from state
//! (`Shard::desk`), never from memory.

use crate::{DomainId, Event};

/// Collects what one entry brings about. The caller owns and reuses it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Effects {
    /// In order; sequences are dense per domain.
    pub events: Vec<Event>,
    /// Conditions a person must look at. Deterministic, so every replica raises them.
    pub alarms: Vec<Alarm>,
    /// Waiting classes, heads and buckets looked at by the matching of this entry, for the
    /// benchmark's bound on work per decision.
    pub visited: u64,
}

impl Effects {
    /// Empties the collection and keeps its memory.
    pub fn clear(&mut self) {
        self.events.clear();
        self.alarms.clear();
        self.visited = 0;
    }
}

/// A condition a person must look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alarm {
    /// Applying an entry of this domain panicked or broke an invariant; the domain refuses all
    /// further commands, the other domains of the shard go on.
    Quarantined {
        /// The domain taken out of service.
        domain: DomainId,
        /// The panic's message or the invariant's id.
        reason: String,
    },
}
