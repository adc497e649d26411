//! The longest time in which work waited, agents were free and no offer arrived, as seen from
//! outside.

use std::time::{Duration, Instant};

/// Watches one domain.
#[derive(Debug)]
pub struct Pulse {
    /// Per queue: work waiting, agents free.
    queues: Vec<(u32, u32)>,
    /// Queues with both.
    hot: u32,
    /// Since when there is such a queue.
    since: Option<Instant>,
    last_offer: Instant,
    longest: Duration,
    ended: bool,
}

impl Pulse {
    /// Nothing waits, nobody is free.
    #[must_use]
    pub fn new(queues: usize, now: Instant) -> Self {
        Self {
            queues: vec![(0, 0); queues],
            hot: 0,
            since: None,
            last_offer: now,
            longest: Duration::ZERO,
            ended: false,
        }
    }

    fn change(&mut self, queue: u32, now: Instant, change: impl FnOnce(&mut (u32, u32))) {
        let Some(counts) = self.queues.get_mut(queue as usize) else { return };
        let was = counts.0 > 0 && counts.1 > 0;
        change(counts);
        let is = counts.0 > 0 && counts.1 > 0;
        match (was, is) {
            (false, true) => self.hot += 1,
            (true, false) => self.hot -= 1,
            _ => return,
        }
        match (self.hot, self.since) {
            (0, Some(_)) => {
                self.close(now);
                self.since = None;
            }
            (1.., None) => self.since = Some(now),
            _ => {}
        }
    }

    fn close(&mut self, now: Instant) {
        if self.ended {
            return;
        }
        if let Some(since) = self.since {
            let from = since.max(self.last_offer);
            self.longest = self.longest.max(now.saturating_duration_since(from));
        }
    }

    /// Work begins (`true`) or ceases to wait in a queue.
    pub fn waits(&mut self, queue: u32, waits: bool, now: Instant) {
        self.change(queue, now, |(waiting, _)| {
            *waiting = if waits { *waiting + 1 } else { waiting.saturating_sub(1) };
        });
    }

    /// An agent of these queues becomes free (`true`) or is not any more.
    pub fn free(&mut self, queues: &[u32], free: bool, now: Instant) {
        for queue in queues {
            self.change(*queue, now, |(_, agents)| {
                *agents = if free { *agents + 1 } else { agents.saturating_sub(1) };
            });
        }
    }

    /// An offer arrived at a desk.
    pub fn offer(&mut self, now: Instant) {
        self.close(now);
        self.last_offer = now;
    }

    /// Work waiting in a queue.
    #[must_use]
    pub fn waiting(&self, queue: u32) -> u32 {
        self.queues.get(queue as usize).map_or(0, |counts| counts.0)
    }

    /// The longest gap so far.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// Ends the watch: a gap still open counts, what comes after does not.
    pub fn end(&mut self, now: Instant) {
        self.close(now);
        self.ended = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_time_with_work_and_agents_and_without_offers_counts() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut pulse = Pulse::new(2, start);
        pulse.waits(0, true, at(100));
        pulse.free(&[1], true, at(200));
        assert_eq!(pulse.longest(), Duration::ZERO);
        pulse.free(&[0, 1], true, at(300));
        pulse.offer(at(310));
        pulse.waits(0, false, at(350));
        // 10 ms to the offer, 40 ms from it until nothing waited.
        assert_eq!(pulse.longest(), Duration::from_millis(40));
        pulse.waits(1, true, at(1_000));
        pulse.end(at(1_500));
        assert_eq!(pulse.longest(), Duration::from_millis(500));
    }
}
