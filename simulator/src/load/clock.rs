//! Log time as a client can know it: from the stamps it gets back.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Log time of one domain's shard, estimated. Log time runs at a speed; its offset is bounded
/// from below by every stamp received and from above by every stamp asked for.
#[derive(Debug)]
pub struct LogClock {
    base: Instant,
    speed: f64,
    /// Log microseconds at `base`; may be below zero.
    offset_us: Mutex<Option<f64>>,
}

fn us(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

impl LogClock {
    /// A clock that has seen nothing yet.
    #[must_use]
    pub fn new(base: Instant, speed: f64) -> Self {
        Self { base, speed, offset_us: Mutex::new(None) }
    }

    /// How many times as fast as real time.
    #[must_use]
    pub fn speed(&self) -> f64 {
        self.speed
    }

    fn real_us(&self, at: Instant) -> f64 {
        us(at.saturating_duration_since(self.base)) * self.speed
    }

    /// Learns from a stamp that was made between these moments.
    #[expect(clippy::cast_precision_loss, reason = "estimates")]
    pub fn observe(&self, at_us: u64, sent: Option<Instant>, received: Instant) {
        let low = at_us as f64 - self.real_us(received);
        let mut offset = self.offset_us.lock().expect("no panic holds this lock");
        let mut best = offset.map_or(low, |offset| offset.max(low));
        if let Some(sent) = sent {
            // Log time stands still while nobody leads: the past's lower bound may be too high.
            best = best.min(at_us as f64 - self.real_us(sent));
        }
        *offset = Some(best);
    }

    /// Log time at a moment, microseconds.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to zero")]
    pub fn log_at(&self, at: Instant) -> u64 {
        let offset = self.offset_us.lock().expect("no panic holds this lock").unwrap_or(0.0);
        (offset + self.real_us(at)).max(0.0) as u64
    }

    /// The moment of a log time.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "estimates")]
    pub fn real_at(&self, log_us: u64) -> Instant {
        let offset = self.offset_us.lock().expect("no panic holds this lock").unwrap_or(0.0);
        let real_s = (log_us as f64 - offset) / self.speed / 1e6;
        self.base + Duration::try_from_secs_f64(real_s.max(0.0)).unwrap_or(Duration::MAX / 4)
    }
}

/// How long before its moment a command must be sent to be stamped with that moment: learnt from
/// the stamps, so that the way to the cluster does not lengthen every contact.
#[derive(Debug, Default)]
pub struct Lead(Mutex<f64>);

impl Lead {
    /// Longest lead, log microseconds by unit of speed: 50 ms of real time.
    const MAX_REAL_US: f64 = 50_000.0;

    /// Learns from a command that was due at one log time and stamped with another.
    #[expect(clippy::cast_precision_loss, reason = "estimates")]
    pub fn learn(&self, due_us: u64, stamped_us: u64, speed: f64) {
        let error = stamped_us as f64 - due_us as f64;
        let most = Self::MAX_REAL_US * speed;
        // A stall says nothing of the ordinary way.
        let error = error.clamp(-most / 10.0, most / 10.0);
        let mut lead = self.0.lock().expect("no panic holds this lock");
        *lead = (*lead + error / 16.0).clamp(0.0, most);
    }

    /// Log microseconds.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    pub fn us(&self) -> u64 {
        *self.0.lock().expect("no panic holds this lock") as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_converges_to_the_stamps() {
        let base = Instant::now();
        let clock = LogClock::new(base, 100.0);
        let ms = Duration::from_millis;
        // Truth: log = 5 s + 100 × real.
        clock.observe(5_000_000 + 100 * 1_000, Some(base), base + ms(4));
        clock.observe(5_000_000 + 100 * 20_000, Some(base + ms(19)), base + ms(21));
        let at = clock.log_at(base + ms(30));
        let truth = 5_000_000 + 100 * 30_000;
        assert!(at.abs_diff(truth) <= 100 * 1_000, "{at} is not near {truth}");
        let back = clock.real_at(at);
        assert!(back.saturating_duration_since(base + ms(30)) < ms(1));
    }

    #[test]
    fn a_clock_that_stood_still_is_followed_back() {
        let base = Instant::now();
        let clock = LogClock::new(base, 1.0);
        let s = Duration::from_secs;
        clock.observe(10_000_000, Some(base + s(10)), base + s(10));
        // Nobody led for 2 s.
        clock.observe(18_000_000, Some(base + s(20)), base + s(20));
        assert_eq!(clock.log_at(base + s(21)), 19_000_000);
    }

    #[test]
    fn the_lead_makes_up_for_the_way() {
        let lead = Lead::default();
        for _ in 0..200 {
            let due = 1_000_000_u64;
            lead.learn(due, due + 2_000 - lead.us().min(2_000), 1.0);
        }
        assert!(lead.us().abs_diff(2_000) < 50, "{}", lead.us());
    }
}
