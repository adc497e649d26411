//! How an engine works.

use crate::{EventLimits, Probe};
use routing::{PlantedBug, level};
use std::sync::Arc;
use std::time::Duration;

/// What nodes send each other depends on the same levels as all else.
const _: () = assert!(consensus::LEVEL_PARTS <= level::LATEST);

/// Settings of an engine. What consensus needs is in `consensus::Config`.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// How long a desk may be silent before its lease is lost. Real time, 100 ms to 10 min; the
    /// API promises 10 s.
    pub lease: Duration,
    /// A node that cannot be reached for this long is replaced by another in the groups where it
    /// votes, if there is one that does not. It gets its place back when it returns.
    pub lost_after: Duration,
    /// The highest feature level that this node knows: that of the build, but for rehearsals of
    /// upgrades ([`level`]).
    pub level: u32,
    /// What this node shares its fate with, as [`consensus::About`] says; a group's replicas and voters are
    /// spread over zones. Empty where that is not said.
    pub zone: String,
    /// How a shard's events are kept.
    pub events: EventLimits,
    /// Messages that may wait for one desk before its session ends as too slow, 1 to 65,536.
    pub session_messages_max: usize,
    /// Calls of this node's clients that may be under way at once; more are overloaded.
    pub calls_max: usize,
    /// Whether commands that panic on purpose are let through, for tests of the fault path.
    pub allow_panic: bool,
    /// Looks on at what every replica of this node applies; none in production.
    pub probe: Option<Arc<dyn Probe>>,
    /// A fault planted in the core, for tests of the checkers.
    #[doc(hidden)]
    pub planted: Option<PlantedBug>,
    /// A mistake of the engine itself, for proofs of the cluster simulator.
    #[cfg(feature = "seeded-bugs")]
    pub seeded_bug: Option<crate::SeededBug>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(10),
            lost_after: Duration::from_secs(300),
            level: level::LATEST,
            zone: String::new(),
            events: EventLimits::default(),
            session_messages_max: 1_024,
            calls_max: 16_384,
            allow_panic: false,
            probe: None,
            planted: None,
            #[cfg(feature = "seeded-bugs")]
            seeded_bug: None,
        }
    }
}

impl EngineConfig {
    pub(crate) fn check(&self) -> Result<(), String> {
        let lease_ms = self.lease.as_millis();
        if !(100..=600_000).contains(&lease_ms) {
            return Err(format!("lease {lease_ms} ms: use 100 ms to 600,000 ms"));
        }
        if !(level::FIRST..=level::REHEARSAL).contains(&self.level) {
            return Err(format!("level {}: use {} to {}", self.level, level::FIRST, level::REHEARSAL));
        }
        if !(1..=65_536).contains(&self.session_messages_max) {
            return Err(format!("session messages {}: use 1 to 65,536", self.session_messages_max));
        }
        if self.calls_max == 0 || self.events.memory_events_max == 0 || self.events.backlog_events_max == 0 {
            return Err("no bound may be 0".to_owned());
        }
        Ok(())
    }
}
