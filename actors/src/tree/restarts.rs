//! How often something may fail before its supervisor gives up on it, and how long to wait.

use std::collections::VecDeque;
use std::time::Duration;

/// Failures in the window after which the supervisor fails too.
const FAILURES_MAX: usize = 20;
/// The window, in microseconds.
const WINDOW_US: u64 = 10_000_000;
const BACK_OFF_FIRST: Duration = Duration::from_millis(20);
const BACK_OFF_MAX: Duration = Duration::from_secs(5);

/// Failures of a supervisor's children.
#[derive(Debug, Default)]
pub(crate) struct Restarts {
    failures: VecDeque<u64>,
}

impl Restarts {
    /// Notes a failure. How long to wait before the restart, or `None` when it is too much.
    pub(crate) fn failed(&mut self, now_us: u64) -> Option<Duration> {
        while self.failures.front().is_some_and(|at_us| at_us + WINDOW_US < now_us) {
            self.failures.pop_front();
        }
        let doublings = u32::try_from(self.failures.len()).unwrap_or(u32::MAX).min(16);
        self.failures.push_back(now_us);
        if self.failures.len() > FAILURES_MAX {
            return None;
        }
        Some(BACK_OFF_MAX.min(BACK_OFF_FIRST * 2u32.pow(doublings)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_quick_succession_wait_longer_and_end_in_giving_up() {
        let mut restarts = Restarts::default();
        let waits: Vec<_> = (0..21).map(|at_us| restarts.failed(at_us)).collect();
        assert_eq!(waits[0], Some(BACK_OFF_FIRST));
        assert_eq!(waits[1], Some(BACK_OFF_FIRST * 2));
        assert_eq!(waits[19], Some(BACK_OFF_MAX));
        assert_eq!(waits[20], None);
        assert_eq!(restarts.failed(100_000_000), Some(BACK_OFF_FIRST), "forgotten after the window");
    }
}
