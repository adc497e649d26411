//! Wall clocks that are wrong: of leaders for a time, of clients for one request.

use super::draw::Draw;

/// What the clocks of one run show. Draws of its own, so that the rest of a run is as without it.
pub struct Clocks {
    draw: Draw,
    /// How far off the present leader's clock is, and until when it leads.
    off_ms: i64,
    until_us: u64,
    /// Runs without any leader whose clock is wrong.
    sound: bool,
}

impl Clocks {
    pub fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed ^ 0x00c1_0c45);
        let sound = draw.chance(30);
        Self { draw, off_ms: 0, until_us: 0, sound }
    }

    /// The wall time that the leader of now writes down.
    pub fn leader_ms(&mut self, time_us: u64, true_ms: u64) -> u64 {
        if !self.sound && time_us >= self.until_us {
            // Sound ones lead for longer, so that not most of a run is refused.
            let wrong = self.draw.chance(30);
            let off_s = self.draw.among([1, 9, 30, 300, 3_600, 86_400]);
            let sign = if self.draw.chance(60) { 1 } else { -1 };
            self.off_ms = if wrong { sign * off_s * 1_000 } else { 0 };
            self.until_us = time_us + 1_000_000 * self.draw.number(1, if wrong { 20 } else { 60 });
        }
        true_ms.saturating_add_signed(self.off_ms)
    }

    /// By how much the clock of a client is ahead when it makes an id.
    pub fn client_ahead_ms(&mut self) -> u64 {
        if self.draw.chance(92) {
            return 0;
        }
        self.draw.among([1, 3_000, 10_000, 10_001, 25_000, 60_000, 3_600_000, 90_000_000])
    }

    /// A request to send again though it may be long ago, by its place among those sent.
    pub fn old_retry(&mut self, sent: usize) -> Option<usize> {
        self.draw.chance(40).then(|| self.draw.below(sent))
    }
}
