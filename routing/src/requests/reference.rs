//! The clock by which request ids are old.

use crate::{LogTime, Span};
use serde::{Deserialize, Serialize};

/// The part of the log time that passed by which the reference may gain on it.
const GAIN: u64 = 4;

/// The leaders' wall clocks as far as a log can trust them. It never goes back, and it gains on log
/// time by a quarter at most: a leader whose clock is an hour ahead moves it by no more than that
/// while it leads, and one whose clock is behind makes it stand still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceClock {
    us: u64,
    moved_at: LogTime,
}

impl ReferenceClock {
    /// A clock that shows this wall time.
    #[must_use]
    pub const fn start(wall_ms: u64, now: LogTime) -> Self {
        Self { us: wall_ms.saturating_mul(1_000), moved_at: now }
    }

    /// Goes towards the wall clock of an entry.
    pub fn follow(&mut self, wall_ms: u64, now: LogTime, window: Span) {
        let passed = now.since(self.moved_at).0;
        // After a long time without a command it still must not leap by more than honest ids can bear.
        let gain = passed.min(window.0) / GAIN;
        let reach = self.us.saturating_add(passed).saturating_add(gain);
        self.us = self.us.max(wall_ms.saturating_mul(1_000).min(reach));
        self.moved_at = now;
    }

    /// What it shows, in Unix milliseconds.
    #[must_use]
    pub const fn ms(&self) -> u64 {
        self.us / 1_000
    }
}
