//! Serde for lists of byte strings as such, not as lists of numbers: the same bytes in the log,
//! many times faster.

use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::ser::{SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};
use std::fmt;

struct Raw<'a>(&'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

struct Owned(Vec<u8>);

impl<'de> Deserialize<'de> for Owned {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Owned, D::Error> {
        deserializer.deserialize_byte_buf(OwnedVisitor)
    }
}

struct OwnedVisitor;

impl Visitor<'_> for OwnedVisitor {
    type Value = Owned;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Owned, E> {
        Ok(Owned(bytes.to_vec()))
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Owned, E> {
        Ok(Owned(bytes))
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = Vec<Vec<u8>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of bytes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Vec<u8>>, A::Error> {
        // The length is not believed beyond a few pages: it may be damaged.
        let mut list = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(4_096));
        while let Some(Owned(bytes)) = seq.next_element()? {
            list.push(bytes);
        }
        Ok(list)
    }
}

pub fn serialize<S: Serializer>(list: &[Vec<u8>], serializer: S) -> Result<S::Ok, S::Error> {
    let mut seq = serializer.serialize_seq(Some(list.len()))?;
    for bytes in list {
        seq.serialize_element(&Raw(bytes))?;
    }
    seq.end()
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<u8>>, D::Error> {
    deserializer.deserialize_seq(ListVisitor)
}

#[cfg(test)]
mod tests {
    use crate::api::Batch;

    #[test]
    fn the_same_bytes_as_a_list_of_lists() {
        let commands = vec![vec![], vec![1, 2, 255], vec![9; 70_000]];
        let batch = Batch { time_us: 1, wall_ms: 2, commands: commands.clone() };
        let encoded = proto::codec::encode(&batch);
        assert_eq!(encoded, proto::codec::encode(&(1u64, 2u64, commands)));
        assert_eq!(proto::codec::decode::<Batch>(&encoded), Ok(batch));
    }
}
