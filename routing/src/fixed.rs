//! Maps with a fixed hasher: the same in every process. Their order is never used.

use std::hash::{BuildHasherDefault, Hasher};

/// A hash map whose hasher has no seed. Look up only; iterate only where the result is sorted after.
///
/// Not an ordered map, because a command looks up its request id, its offer and its conversations many
/// times, among 100,000: with `BTreeMap` here a command takes 38 % (hostile, 10,000 agents) to 98 %
/// (ordinary, 1,000 agents) more instructions by `benches/callgrind.sh`. Not a slab by number, because
/// conversations end in any order: one that lives for days would keep a slot for all that came since.
#[expect(clippy::disallowed_types, reason = "the hasher is fixed, and the order is never used")]
pub(crate) type FixedMap<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<Mix>>;

/// Folded multiplication over 8-byte words: fast for the small integer keys of this crate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mix(u64);

impl Default for Mix {
    fn default() -> Self {
        Mix(0x9e37_79b9_7f4a_7c15)
    }
}

/// Mixes two words into one.
#[expect(clippy::cast_possible_truncation, reason = "both halves of the product are used")]
pub(crate) const fn fold(a: u64, b: u64) -> u64 {
    let product = (a ^ 0xa076_1d64_78bd_642f) as u128 * (b ^ 0xe703_7ed1_a0b4_28db) as u128;
    (product as u64) ^ ((product >> 64) as u64)
}

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        fold(self.0, 0x8ebc_6af0_9c88_c6e3)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0u8; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = fold(self.0, value);
    }

    #[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
    fn write_u128(&mut self, value: u128) {
        self.write_u64(value as u64);
        self.write_u64((value >> 64) as u64);
    }
}
