//! A node's entropy.

use crate::determinism::Draw;
use consensus::Entropy;
use std::sync::{Mutex, PoisonError};

/// Entropy from a seeded draw.
#[derive(Debug)]
pub struct SeededEntropy(Mutex<Draw>);

impl SeededEntropy {
    /// From this stream.
    #[must_use]
    pub fn new(draw: Draw) -> Self {
        Self(Mutex::new(draw))
    }
}

impl Entropy for SeededEntropy {
    fn next_u64(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).bits()
    }
}
