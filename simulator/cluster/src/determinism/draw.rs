//! Seeded draws.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::hash::Hasher;
use std::time::Duration;
use twox_hash::XxHash3_64;

/// A stream of draws with a name, so that one more draw here moves none elsewhere.
#[derive(Debug, Clone)]
pub struct Draw {
    seed: u64,
    rng: ChaCha8Rng,
}

impl Draw {
    /// The stream `name` of a seed.
    #[must_use]
    pub fn new(seed: u64, name: &str) -> Self {
        let mut hasher = XxHash3_64::with_seed(seed);
        hasher.write(name.as_bytes());
        let seed = hasher.finish();
        Self { seed, rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// A stream of its own that depends on this one's name and on `name` alone, not on what was drawn.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        Draw::new(self.seed, name)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// A number of `low..=high`.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        assert!(low <= high, "an empty range: {low}..={high}");
        match (high - low).checked_add(1) {
            Some(span) => low + self.bits() % span,
            None => self.bits(),
        }
    }

    /// A number of `0..1`.
    #[allow(clippy::cast_precision_loss)]
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of several.
    ///
    /// # Panics
    /// When there are none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[usize::try_from(self.range(0, of.len() as u64 - 1)).expect("an index")]
    }

    /// A duration between two, to the millisecond.
    pub fn millis(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.range(low, high))
    }

    /// A duration with an exponential distribution, at most ten times its mean.
    pub fn exponential(&mut self, mean: Duration) -> Duration {
        let factor = -(1.0 - self.unit()).ln();
        mean.mul_f64(factor.min(10.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_part_the_streams_and_seeds_fix_them() {
        let first = |seed, name| Draw::new(seed, name).bits();
        assert_eq!(first(1, "a"), first(1, "a"));
        assert_ne!(first(1, "a"), first(1, "b"));
        assert_ne!(first(1, "a"), first(2, "a"));
        let mut parent = Draw::new(1, "a");
        let before = parent.child("x").bits();
        parent.bits();
        assert_eq!(parent.child("x").bits(), before);
    }

    #[test]
    fn ranges_hold() {
        let mut draw = Draw::new(3, "range");
        for _ in 0..1_000 {
            assert!((5..=9).contains(&draw.range(5, 9)));
            assert!((0.0..1.0).contains(&draw.unit()));
            assert!(draw.exponential(Duration::from_secs(1)) <= Duration::from_secs(10));
        }
    }
}
