//! How much work a group is: the same figure on every replica that keeps up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Load of a group in which nothing happens: as many commands a second. It is what makes groups without work
/// count too, so that they are spread by their number.
pub const LOAD_IDLE: u64 = 10;
/// Most that a group counts as, in commands a second.
const LOAD_MAX: u64 = 10_000_000;
/// Between two looks at how much came.
const SAMPLE: Duration = Duration::from_secs(1);
/// A second counts so much against all before it: what is over is forgotten by half in some eleven seconds.
const WEIGHT: u64 = 16;
/// Seconds after which nothing is left of the most that there was before.
const FORGOTTEN: u128 = 400;

/// Counts the commands that a replica applies, and makes a load of them.
#[derive(Debug, Default)]
pub struct Meter {
    commands: AtomicU64,
    smoothed: Mutex<Smoothed>,
}

#[derive(Debug, Default)]
struct Smoothed {
    /// When it was last looked at, and how many commands there had been.
    last: Option<(Instant, u64)>,
    /// Time since then that does not count yet, in microseconds: less than a second.
    owed: u128,
    /// Thousandths of a command a second.
    rate_milli: u64,
}

impl Meter {
    /// So many commands were applied.
    pub fn applied(&self, commands: usize) {
        self.commands.fetch_add(commands as u64, Ordering::Relaxed);
    }

    /// The load now, from [`LOAD_IDLE`] up, in commands a second. What comes between two questions is spread over
    /// the time between.
    pub fn load(&self, now: Instant) -> u64 {
        let mut smoothed = self.smoothed.lock().unwrap_or_else(PoisonError::into_inner);
        let commands = self.commands.load(Ordering::Relaxed);
        smoothed.look(now, commands);
        LOAD_IDLE + smoothed.rate_milli / 1_000
    }
}

impl Smoothed {
    fn look(&mut self, now: Instant, commands: u64) {
        let Some((then, before)) = self.last else {
            // What a replica applies before is its log, from the time before it started.
            self.last = Some((now, commands));
            return;
        };
        let micros = now.saturating_duration_since(then).as_micros();
        if micros < SAMPLE.as_micros() {
            return;
        }
        self.last = Some((now, commands));
        let came = u128::from(commands.saturating_sub(before));
        let rate = u64::try_from(came * 1_000_000_000 / micros).unwrap_or(u64::MAX).min(LOAD_MAX * 1_000);
        let time = self.owed + micros;
        self.owed = time % SAMPLE.as_micros();
        for _ in 0..(time / SAMPLE.as_micros()).min(FORGOTTEN) {
            self.rate_milli = (self.rate_milli * (WEIGHT - 1) + rate) / WEIGHT;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Loads after each of so many seconds in which so many commands come.
    fn loads(meter: &Meter, now: &mut Instant, seconds: u64, commands: usize) -> Vec<u64> {
        let second = |_| {
            meter.applied(commands);
            *now += Duration::from_secs(1);
            meter.load(*now)
        };
        (0..seconds).map(second).collect()
    }

    #[test]
    fn a_load_follows_the_work_slowly_and_goes_back_to_that_of_an_idle_group() {
        let meter = Meter::default();
        let mut now = Instant::now();
        meter.applied(1_000_000);
        assert_eq!(meter.load(now), LOAD_IDLE, "what was applied from the log before is no work of now");
        let busy = loads(&meter, &mut now, 100, 1_000);
        assert!(busy.is_sorted(), "{busy:?}");
        assert!(busy[0] < LOAD_IDLE + 100, "one second says little: {busy:?}");
        assert!((LOAD_IDLE + 490..LOAD_IDLE + 530).contains(&busy[10]), "half in eleven: {busy:?}");
        assert!((LOAD_IDLE + 990..=LOAD_IDLE + 1_000).contains(&busy[99]), "{busy:?}");
        let idle = loads(&meter, &mut now, 200, 0);
        assert_eq!(idle.last(), Some(&LOAD_IDLE));
    }

    /// On the way, too: a leader is asked ten times a second, and whoever looks at a follower asks now and then.
    #[test]
    fn how_often_it_is_asked_says_nothing() {
        for (after_ms, expected) in [(12_000, 270..=285), (48_000, 480..=492), (192_000, 500..=510)] {
            for every_ms in [100, 1_500, 4_000] {
                let meter = Meter::default();
                let begun = Instant::now();
                let mut load = meter.load(begun);
                for ms in (every_ms..=after_ms).step_by(every_ms) {
                    meter.applied(every_ms / 2);
                    load = meter.load(begun + Duration::from_millis(ms as u64));
                }
                assert!(expected.contains(&load), "{load} after {after_ms} ms, every {every_ms} ms");
            }
        }
    }

    #[test]
    fn a_long_time_without_a_question_is_no_long_work() {
        let meter = Meter::default();
        let mut now = Instant::now();
        meter.load(now);
        loads(&meter, &mut now, 100, 1_000);
        assert_eq!(meter.load(now + Duration::from_secs(1 << 40)), LOAD_IDLE);
    }

    #[test]
    fn a_load_has_a_bound() {
        let meter = Meter::default();
        let mut now = Instant::now();
        meter.load(now);
        let loads = loads(&meter, &mut now, 300, usize::MAX >> 10);
        assert!(loads.iter().all(|load| *load <= LOAD_IDLE + LOAD_MAX), "{loads:?}");
    }
}
