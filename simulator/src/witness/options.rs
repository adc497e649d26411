//! How thoroughly a witness looks, and how much it keeps.

/// How thoroughly a witness looks, and how much it keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Every so many entries of a domain everything in it is looked at, not only what changed. 1 is
    /// always.
    pub everything_every: u32,
    /// An entry with more events of a domain than this is looked at with everything around it.
    pub events_of_a_plain_entry_max: usize,
    /// Every so many entries of a shard one domain that the entry is not about is looked at. 1 is
    /// always.
    pub others_every: u32,
    /// State hashes are compared every so many indexes, rarer when the state is big.
    pub hash_every: u64,
    /// Positions of a shard whose hashes are kept to compare late replicas with.
    pub positions_kept: usize,
    /// Last entries of a shard that are kept in full, for reports.
    pub entries_kept: usize,
    /// Last events of a domain that are kept, for reports.
    pub events_kept: usize,
    /// Broken promises that are kept in full; the rest is counted.
    pub broken_kept: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            everything_every: 32,
            events_of_a_plain_entry_max: 12,
            others_every: 8,
            hash_every: 128,
            positions_kept: 200_000,
            entries_kept: 1_024,
            events_kept: 4_096,
            broken_kept: 100,
        }
    }
}
