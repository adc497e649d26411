//! Log time.

use crate::env::SharedClock;
use crate::seeded::{Seeded, SeededBug};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Log time is pulled towards the wall clock by at most this much per second of real time.
const CORRECTION_US_PER_S_MAX: u64 = 2_000;

/// Log time of one group. The leader's: the last entry's time when it took over, plus its own
/// monotonic time since, times the speed; so log time stands still while there is no leader. At
/// speed 1 it is pulled towards the wall clock, so slowly that a wall clock that is an hour off
/// expires nothing. Elsewhere: the last entry's time.
pub struct LogClock {
    clock: SharedClock,
    speed: u64,
    seeded: Seeded,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Log time at the anchor.
    anchor_us: u64,
    /// Monotonic time at the anchor.
    anchor_mono_us: u64,
    /// The last time given to an entry or seen in one.
    last_us: u64,
    /// Entries are stamped here; applied ones then do not move the anchor.
    leading: bool,
}

impl LogClock {
    /// A clock at time 0.
    pub fn new(clock: SharedClock, speed: u32, seeded: Seeded) -> LogClock {
        LogClock { clock, speed: u64::from(speed), seeded, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An entry with this time was applied.
    pub fn applied(&self, time_us: u64) {
        let mut state = self.state();
        state.last_us = state.last_us.max(time_us);
    }

    /// The state was replaced by one that ends at this time.
    pub fn restored(&self, time_us: u64) {
        let mut state = self.state();
        state.leading = false;
        state.last_us = time_us;
    }

    /// This node stamps from now on; everything of former leaders is applied. A group's very first
    /// leader starts at the wall clock.
    pub fn lead(&self) {
        let mut state = self.state();
        if self.seeded.has(SeededBug::LogTimeGoesBack) {
            state.last_us = 0;
        }
        let first = state.last_us == 0;
        state.anchor_us = if first { self.clock.wall_ms().saturating_mul(1_000) } else { state.last_us };
        state.anchor_mono_us = self.clock.monotonic_us();
        state.leading = true;
    }

    /// This node no longer stamps. Times it gave to entries that were never committed are
    /// forgotten: what is applied ends at this time.
    pub fn follow(&self, applied_us: u64) {
        let mut state = self.state();
        state.leading = false;
        state.last_us = applied_us;
    }

    /// The present log time on the leader; elsewhere that of the last entry.
    pub fn now_us(&self) -> u64 {
        let mut state = self.state();
        if state.leading { self.advance(&mut state).max(state.last_us) } else { state.last_us }
    }

    /// The time for the next entry, above that of every entry before it; and wall time.
    pub fn stamp(&self) -> (u64, u64) {
        let mut state = self.state();
        let time_us = self.advance(&mut state).max(state.last_us + 1);
        state.last_us = time_us;
        (time_us, self.clock.wall_ms())
    }

    /// Moves the anchor to now.
    fn advance(&self, state: &mut State) -> u64 {
        let mono_us = self.clock.monotonic_us();
        let passed_us = mono_us.saturating_sub(state.anchor_mono_us);
        let mut now_us = state.anchor_us.saturating_add(passed_us.saturating_mul(self.speed));
        if self.speed == 1 {
            let bound = passed_us.saturating_mul(CORRECTION_US_PER_S_MAX) / 1_000_000;
            if bound == 0 {
                // Too little has passed for a correction of a microsecond: keep the anchor, so
                // that frequent calls do not round every correction away.
                return now_us;
            }
            let wall_us = self.clock.wall_ms().saturating_mul(1_000);
            now_us = wall_us.clamp(now_us - bound, now_us.saturating_add(bound));
        }
        state.anchor_us = now_us;
        state.anchor_mono_us = mono_us;
        now_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Clock;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Default)]
    struct Hand {
        mono_us: AtomicU64,
        wall_ms: AtomicU64,
    }

    impl Clock for Hand {
        fn monotonic_us(&self) -> u64 {
            self.mono_us.load(Ordering::Relaxed)
        }
        fn wall_ms(&self) -> u64 {
            self.wall_ms.load(Ordering::Relaxed)
        }
    }

    impl Hand {
        fn pass_us(&self, us: u64) {
            self.mono_us.fetch_add(us, Ordering::Relaxed);
            self.wall_ms.store(self.mono_us.load(Ordering::Relaxed) / 1_000 + 1_000_000, Ordering::Relaxed);
        }
    }

    fn clock(speed: u32) -> (Arc<Hand>, LogClock) {
        let hand = Arc::new(Hand::default());
        hand.pass_us(5_000_000);
        let clock = LogClock::new(Arc::clone(&hand) as SharedClock, speed, Seeded::default());
        (hand, clock)
    }

    #[test]
    fn the_first_leader_starts_at_the_wall_clock_and_stamps_grow() {
        let (hand, clock) = clock(1);
        clock.lead();
        let first = clock.stamp().0;
        assert_eq!(first, 1_005_000_000);
        assert_eq!(clock.stamp().0, first + 1);
        hand.pass_us(1_000);
        assert_eq!(clock.stamp().0, first + 1_000);
    }

    #[cfg(feature = "seeded-bugs")]
    #[test]
    fn a_leader_with_a_wall_clock_behind_goes_back_by_mistake() {
        let hand = Arc::new(Hand::default());
        hand.pass_us(5_000_000);
        let clock = Arc::clone(&hand) as SharedClock;
        let clock = LogClock::new(clock, 1, Seeded::with(SeededBug::LogTimeGoesBack));
        clock.applied(9_000_000_000);
        clock.lead();
        assert_eq!(clock.stamp().0, 1_005_000_000);
    }

    #[test]
    fn time_stands_still_without_a_leader() {
        let (hand, clock) = clock(100);
        clock.applied(7_000_000);
        hand.pass_us(2_000);
        assert_eq!(clock.now_us(), 7_000_000);
        clock.lead();
        assert_eq!(clock.now_us(), 7_000_000);
        hand.pass_us(2_000);
        assert_eq!(clock.now_us(), 7_200_000);
    }

    #[test]
    fn applying_own_entries_does_not_slow_the_leader() {
        let (hand, clock) = clock(10);
        clock.lead();
        let stamp = clock.stamp().0;
        hand.pass_us(300);
        clock.applied(stamp);
        hand.pass_us(300);
        assert_eq!(clock.now_us(), stamp + 6_000);
    }

    #[test]
    fn a_wall_clock_an_hour_off_is_followed_slowly() {
        for (wall_ms, sign) in [(4_605_000u64, 1i64), (1_000, -1)] {
            let (hand, clock) = clock(1);
            clock.lead();
            let start = clock.stamp().0;
            for _ in 0..100_000 {
                hand.mono_us.fetch_add(100, Ordering::Relaxed);
                hand.wall_ms.store(wall_ms, Ordering::Relaxed);
                clock.now_us();
            }
            let passed = i64::try_from(clock.now_us() - start).unwrap();
            let off = (passed - 10_000_000) * sign;
            assert!((15_000..=20_000).contains(&off), "{off} us in 10 s");
        }
    }

    #[test]
    fn stamps_of_lost_entries_are_forgotten() {
        let (hand, clock) = clock(1_000);
        clock.applied(1_000);
        clock.lead();
        hand.pass_us(1_000);
        assert!(clock.stamp().0 > 1_000_000);
        clock.follow(1_000);
        clock.lead();
        assert_eq!(clock.stamp().0, 1_001);
    }
}
