//! A node's clock, with drift and jumps.

use crate::determinism::elapsed;
use consensus::Clock;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

/// The wall clock at the beginning: 2026-01-01T00:00:00Z.
const EPOCH_MS: i64 = 1_767_225_600_000;

/// A clock that outlives its node's crashes.
#[derive(Debug)]
pub struct SimClock {
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    /// True time and shown time where the present rate began.
    since: Duration,
    shown_us: u64,
    /// Parts in a million by which it is too fast.
    drift_ppm: i32,
    wall_offset_ms: i64,
}

impl SimClock {
    /// A clock that began to count this many microseconds ago, and shows true wall time.
    #[must_use]
    pub fn new(first_us: u64) -> Self {
        let state = State { since: Duration::ZERO, shown_us: first_us, drift_ppm: 0, wall_offset_ms: 0 };
        Self { state: Mutex::new(state) }
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on it gains this many parts in a million (or loses them), -500,000 to 1,000,000.
    pub fn set_drift(&self, ppm: i32) {
        let now = elapsed();
        self.with(|state| {
            state.shown_us = state.shown(now);
            state.since = now;
            state.drift_ppm = ppm.clamp(-500_000, 1_000_000);
        });
    }

    /// Moves the wall clock.
    pub fn jump(&self, by_ms: i64) {
        self.with(|state| state.wall_offset_ms = state.wall_offset_ms.saturating_add(by_ms));
    }

    /// Puts the wall clock right and ends the drift, as a time server does.
    pub fn correct(&self) {
        self.set_drift(0);
        self.with(|state| state.wall_offset_ms = 0);
    }
}

impl State {
    fn shown(&self, now: Duration) -> u64 {
        let true_us = i128::try_from(now.saturating_sub(self.since).as_micros()).unwrap_or(0);
        let gained = true_us + true_us * i128::from(self.drift_ppm) / 1_000_000;
        self.shown_us + u64::try_from(gained.max(0)).unwrap_or(0)
    }
}

impl Clock for SimClock {
    fn monotonic_us(&self) -> u64 {
        self.with(|state| state.shown(elapsed()))
    }

    fn wall_ms(&self) -> u64 {
        let true_ms = EPOCH_MS + i64::try_from(elapsed().as_millis()).unwrap_or(i64::MAX / 2);
        self.with(|state| u64::try_from(true_ms.saturating_add(state.wall_offset_ms)).unwrap_or(0))
    }
}
