//! Writing the file: bytes are appended to a buffer, whoever has it sends or stores them.

use super::{MAGIC, Record};
use crate::codec;

/// Bytes of a snapshot in one record.
pub const PART_BYTES: usize = 256 << 10;

/// Appends what stands before the first record.
pub fn begin(out: &mut Vec<u8>) {
    out.extend(MAGIC);
}

/// Appends a record.
///
/// # Panics
/// For a record of 4 GiB, which is a bug: parts are cut, and commands are bounded.
pub fn write(out: &mut Vec<u8>, record: &Record) {
    let bytes = codec::encode(record);
    let len = u32::try_from(bytes.len()).expect("records are bounded");
    out.extend(len.to_le_bytes());
    out.extend(bytes);
}
