//! What the frontier applied, position by position, as hashes.

use routing::Position;
use std::collections::VecDeque;

/// The ordinal of an index without commands.
pub(super) const NO_COMMAND: u32 = u32::MAX;

/// One position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) position: Position,
    /// Whether nothing more comes of this index.
    pub(super) last: bool,
    pub(super) entry: u64,
    pub(super) outcome: u64,
    pub(super) events: u64,
}

impl Link {
    /// An index without commands.
    pub(super) fn empty(index: u64) -> Self {
        let position = Position { index, ordinal: NO_COMMAND };
        Self { position, last: true, entry: 0, outcome: 0, events: 0 }
    }

    /// Whether a position can come right after this one.
    pub(super) fn leads_to(&self, next: Position) -> bool {
        let Position { index, ordinal } = self.position;
        if self.last {
            next.index == index + 1 && (next.ordinal == 0 || next.ordinal == NO_COMMAND)
        } else {
            next == Position { index, ordinal: ordinal + 1 }
        }
    }
}

/// The last positions in order, each with a running number, from 0.
#[derive(Debug)]
pub(super) struct Chain {
    /// The number of the first that is kept.
    first: u64,
    links: VecDeque<Link>,
    kept: usize,
}

impl Chain {
    pub(super) fn new(kept: usize) -> Self {
        Self { first: 0, links: VecDeque::new(), kept }
    }

    /// The number that the next position gets.
    pub(super) fn next(&self) -> u64 {
        self.first + self.links.len() as u64
    }

    pub(super) fn head(&self) -> Option<&Link> {
        self.links.back()
    }

    pub(super) fn get(&self, number: u64) -> Option<&Link> {
        self.links.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    pub(super) fn push(&mut self, link: Link) {
        if self.links.len() == self.kept {
            self.links.pop_front();
            self.first += 1;
        }
        self.links.push_back(link);
    }

    /// The number of a position.
    pub(super) fn find(&self, position: Position) -> Option<u64> {
        let found = self.links.binary_search_by_key(&position, |link| link.position).ok()?;
        Some(self.first + found as u64)
    }

    /// The number of the first position behind an index.
    pub(super) fn behind(&self, index: u64) -> u64 {
        self.first + self.links.partition_point(|link| link.position.index <= index) as u64
    }
}
