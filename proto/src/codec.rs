//! The one place that owns the binary encoding: bincode 2's standard configuration, with a version
//! and a checksum around every record.
//!
//! Layout of a record: version (1 byte), CRC-32 of version and body (4 bytes, little endian), body.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Version of the formats this build writes. It reads this one only, and says so.
pub const VERSION: u8 = 1;

/// Bytes before the body.
pub const HEADER_BYTES: usize = 5;

/// Largest record that is decoded; a bound on memory for damaged lengths.
pub const RECORD_BYTES_MAX: usize = 1 << 30;

/// Why bytes could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Too short, or the checksum differs.
    #[error("damaged record: {0}")]
    Damaged(&'static str),
    /// Written by another version.
    #[error(
        "record of format {found}, this build reads format {VERSION}: use a build that reads it, or restore from a backup"
    )]
    Version {
        /// The version found.
        found: u8,
    },
    /// The checksum is right but the content is not what was expected.
    #[error("record does not decode: {0}")]
    Content(String),
}

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<RECORD_BYTES_MAX>()
}

fn checksum(version: u8, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[version]);
    hasher.update(body);
    hasher.finalize()
}

/// Encodes with version and checksum.
///
/// # Panics
/// When the value cannot be serialised at all, which is a bug in its type.
#[must_use]
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut record = vec![0u8; HEADER_BYTES];
    bincode::serde::encode_into_std_write(value, &mut record, config())
        .expect("values of this crate's users serialise into memory");
    let sum = checksum(VERSION, &record[HEADER_BYTES..]);
    record[0] = VERSION;
    record[1..HEADER_BYTES].copy_from_slice(&sum.to_le_bytes());
    record
}

/// Makes one record of many values, as if [`encode`] had been given all of them as a tuple.
#[derive(Debug)]
pub struct Encoder {
    record: Vec<u8>,
    hasher: crc32fast::Hasher,
}

impl Default for Encoder {
    fn default() -> Self {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&[VERSION]);
        Self { record: vec![0; HEADER_BYTES], hasher }
    }
}

impl Encoder {
    /// Adds a value.
    ///
    /// # Panics
    /// When it cannot be serialised at all, which is a bug in its type.
    pub fn push<T: Serialize>(&mut self, value: &T) {
        let from = self.record.len();
        bincode::serde::encode_into_std_write(value, &mut self.record, config())
            .expect("values of this crate's users serialise into memory");
        self.hasher.update(&self.record[from..]);
    }

    /// Bytes so far.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.record.len()
    }

    /// The record.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let mut record = self.record;
        record[0] = VERSION;
        record[1..HEADER_BYTES].copy_from_slice(&self.hasher.finalize().to_le_bytes());
        record
    }
}

/// Decodes and checks version, checksum and that nothing is left over.
///
/// # Errors
/// See [`CodecError`].
pub fn decode<T: DeserializeOwned>(record: &[u8]) -> Result<T, CodecError> {
    if record.len() < HEADER_BYTES {
        return Err(CodecError::Damaged("shorter than its header"));
    }
    let (header, body) = record.split_at(HEADER_BYTES);
    let stored = u32::from_le_bytes([header[1], header[2], header[3], header[4]]);
    if stored != checksum(header[0], body) {
        return Err(CodecError::Damaged("the checksum differs"));
    }
    if header[0] != VERSION {
        return Err(CodecError::Version { found: header[0] });
    }
    match bincode::serde::decode_from_slice(body, config()) {
        Ok((value, read)) if read == body.len() => Ok(value),
        Ok(_) => Err(CodecError::Content("bytes are left over".to_owned())),
        Err(error) => Err(CodecError::Content(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Sample {
        Empty,
        Full { number: u64, text: String, list: Vec<Option<u8>> },
    }

    fn sample() -> Sample {
        Sample::Full { number: 70_000, text: "hé".into(), list: vec![None, Some(9)] }
    }

    /// The format is fixed: these bytes were written by the first version and must stay readable.
    #[test]
    fn golden_bytes() {
        let golden = [1, 34, 253, 160, 193, 1, 252, 112, 17, 1, 0, 3, 104, 195, 169, 2, 0, 1, 9];
        assert_eq!(encode(&sample()), golden);
        assert_eq!(decode::<Sample>(&golden), Ok(sample()));
    }

    #[test]
    fn many_values_are_one_record() {
        let mut encoder = Encoder::default();
        encoder.push(&sample());
        encoder.push(&7u64);
        assert_eq!(encoder.finish(), encode(&(sample(), 7u64)));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let record = encode(&sample());
        for bit in 0..record.len() * 8 {
            let mut damaged = record.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(decode::<Sample>(&damaged).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn another_version_is_named() {
        let mut record = encode(&Sample::Empty);
        record[0] = 9;
        let sum = checksum(9, &record[HEADER_BYTES..]);
        record[1..HEADER_BYTES].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(decode::<Sample>(&record), Err(CodecError::Version { found: 9 }));
    }
}
