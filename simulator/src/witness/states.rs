//! State hashes by index.

use std::collections::BTreeMap;

/// Indexes whose hashes are kept.
const KEPT: usize = 4_096;
/// Entities and remembered answers that one entry's share of hashing may walk over.
const WALK_PER_ENTRY: u64 = 20;

/// The state hash after an index, and whose it was.
#[derive(Debug, Default)]
pub(super) struct States {
    hashes: BTreeMap<u64, (u64, u64)>,
    /// The index at which a hash is due.
    due: u64,
}

impl States {
    /// Whether the frontier takes a hash at this index.
    pub(super) fn is_due(&self, index: u64) -> bool {
        index >= self.due
    }

    /// A hash was taken at this index of a state with so many entities and answers: says when the
    /// next is due, so that hashing costs the same per entry however big the state.
    pub(super) fn taken(&mut self, index: u64, every: u64, size: u64) {
        self.due = index + every.max(size / WALK_PER_ENTRY);
    }

    /// Whether some replica's hash at this index is known.
    pub(super) fn is_known(&self, index: u64) -> bool {
        self.hashes.contains_key(&index)
    }

    /// Notes a replica's hash at an index. Returns another's that differs.
    pub(super) fn note(&mut self, index: u64, node: u64, hash: u64) -> Option<(u64, u64)> {
        let first = *self.hashes.entry(index).or_insert((hash, node));
        if self.hashes.len() > KEPT {
            self.hashes.pop_first();
        }
        (first.0 != hash).then_some(first)
    }
}
