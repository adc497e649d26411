//! The real world: the clock and the entropy that the layers below are given.

use consensus::{Clock, Entropy};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The computer's clocks.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[must_use]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn wall_ms(&self) -> u64 {
        // A clock before 1970 counts as 1970.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// The operating system's entropy, by way of the random part of a UUID.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn next_u64(&self) -> u64 {
        use std::hash::{BuildHasher, RandomState};
        // The last 62 bits of a UUIDv7 are random, but not all 64 bits are: hashing with fresh keys
        // spreads them.
        let (_, low) = uuid::Uuid::now_v7().as_u64_pair();
        RandomState::new().hash_one(low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_and_draws_differ() {
        let clock = SystemClock::start();
        let before = clock.monotonic_us();
        assert!(clock.monotonic_us() >= before);
        assert!(clock.wall_ms() > 1_600_000_000_000);
        let draws: std::collections::BTreeSet<u64> = (0..100).map(|_| SystemEntropy.next_u64()).collect();
        assert_eq!(draws.len(), 100);
    }
}
