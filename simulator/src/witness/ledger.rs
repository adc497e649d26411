//! Where a witness writes down what it finds.

use super::crossings::Crossings;
use super::moves::Moves;
use super::{Broken, Figures};

/// Broken promises and figures.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) broken: Vec<Broken>,
    pub(super) figures: Figures,
    /// Of all shards.
    pub(super) crossings: Crossings,
    /// Of all shards.
    pub(super) moves: Moves,
    kept: usize,
}

impl Ledger {
    pub(super) fn new(kept: usize) -> Self {
        Self {
            broken: Vec::new(),
            figures: Figures::default(),
            crossings: Crossings::default(),
            moves: Moves::default(),
            kept,
        }
    }

    /// Whether one more would be kept: if not, its text and events need not be made.
    pub(super) fn has_room(&self) -> bool {
        self.broken.len() < self.kept
    }

    pub(super) fn add(&mut self, broken: Broken) {
        self.figures.broken += 1;
        if self.has_room() {
            self.broken.push(broken);
        }
    }
}
