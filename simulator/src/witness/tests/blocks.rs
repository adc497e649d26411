//! Rules between channels, drawn apart from the rest of a log.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use routing::blocks::{ChannelRule, Effect};
use routing::{Channel, ChannelSet};

pub struct Blocks {
    rng: ChaCha8Rng,
}

impl Blocks {
    pub fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed ^ 0x0b10_c4ed) }
    }

    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_ratio(percent, 100)
    }

    pub fn rules(&mut self) -> Vec<ChannelRule> {
        (0..self.rng.random_range(0..4)).map(|_| self.rule()).collect()
    }

    fn rule(&mut self) -> ChannelRule {
        let effect = if self.chance(75) { Effect::Block } else { Effect::Allow };
        ChannelRule { effect, channels: self.channels(), during: self.channels() }
    }

    fn channels(&mut self) -> ChannelSet {
        let count = self.rng.random_range(1..4);
        (0..count).map(|_| Channel::ALL[self.rng.random_range(0..Channel::ALL.len())]).collect()
    }
}
