//! Request ids: UUIDs of version 7 from simulated time and the seed.

use crate::checks::now_ms;
use crate::determinism::Draw;

/// The wall clock at the beginning: 2026-01-01T00:00:00Z. Clients have true clocks.
pub(super) const EPOCH_MS: u64 = 1_767_225_600_000;

/// A new id, made now.
pub(super) fn request_id(draw: &mut Draw) -> u128 {
    let ms = u128::from((EPOCH_MS + now_ms()) & 0xffff_ffff_ffff);
    let (high, low) = (u128::from(draw.bits() & 0xfff), u128::from(draw.bits() >> 2));
    ms << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low
}

/// As text.
pub(super) fn text(id: u128) -> String {
    let hex = format!("{id:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// What every change carries.
pub(super) fn mutation(id: u128) -> Option<proto::v1::Mutation> {
    Some(proto::v1::Mutation { request_id: text(id), expected_version: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_version_7_and_carry_their_time() {
        let mut draw = Draw::new(1, "ids");
        let (first, second) = (request_id(&mut draw), request_id(&mut draw));
        assert_ne!(first, second);
        for id in [first, second] {
            assert_eq!(routing::RequestId(id).made_at_ms(), EPOCH_MS);
            let text = text(id);
            assert_eq!((text.len(), &text[14..15]), (36, "7"), "{text}");
            assert!(matches!(&text[19..20], "8" | "9" | "a" | "b"), "{text}");
        }
    }
}
