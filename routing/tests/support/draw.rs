//! A seeded source of choices.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Draws numbers and choices from one seed.
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// The source of this seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// From `least` to `most`, both included.
    pub fn number(&mut self, least: u64, most: u64) -> u64 {
        self.0.random_range(least..=most)
    }

    /// The same for small numbers.
    pub fn small(&mut self, least: u8, most: u8) -> u8 {
        self.0.random_range(least..=most)
    }

    /// True so many times in a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.number(1, 100) <= percent
    }

    /// An index below `len`.
    pub fn below(&mut self, len: usize) -> usize {
        self.0.random_range(0..len)
    }

    /// One of these, if there is any.
    pub fn one<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        if of.is_empty() { None } else { Some(of[self.below(of.len())].clone()) }
    }

    /// One of these; there must be one.
    pub fn among<T: Copy, const N: usize>(&mut self, of: [T; N]) -> T {
        of[self.below(N)]
    }

    /// One to `most` different ones of these, in random order.
    pub fn some<T: Clone>(&mut self, of: &[T], most: usize) -> Vec<T> {
        let mut left = of.to_vec();
        let wanted = 1 + self.below(most);
        let mut taken = Vec::new();
        while taken.len() < wanted && !left.is_empty() {
            let at = self.below(left.len());
            taken.push(left.swap_remove(at));
        }
        taken
    }
}
