//! Paces of offers, drawn apart from the rest of a log.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use routing::Span;
use routing::pace::Pace;

pub struct Paces {
    rng: ChaCha8Rng,
}

impl Paces {
    pub fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed ^ 0x0ace_0ace) }
    }

    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_ratio(percent, 100)
    }

    /// Now and then none.
    pub fn pace(&mut self) -> Option<Pace> {
        let per = Span::seconds(self.rng.random_range(1..8));
        let pace = Pace { offers: self.rng.random_range(1..5), per };
        (!self.chance(15)).then_some(pace)
    }
}
