//! The file of an exported log: everything one replica of a shard applied, for replay elsewhere.
//!
//! Layout: [`MAGIC`], then records. A record is its length (4 bytes, little endian) and that many
//! bytes of [`crate::codec`], which carry a version and a checksum. Their order: one header; if
//! the log no longer begins at its beginning, the head of a snapshot and its parts, or the mark
//! that it goes on from another file; the entries, without a gap; the end. Hashes of the state stand between entries wherever the exporting node
//! knew them. Without the end a file is not whole and is refused.

mod error;
mod reader;
mod record;
#[cfg(test)]
mod tests;
mod writer;

pub use error::{Fault, LogFileError};
pub use reader::{Item, LogReader, Snapshot};
pub use record::{Header, LoggedBatch, Record, SnapshotHead};
pub use writer::{PART_BYTES, begin, write};

/// The first bytes of the file; the last one is the version of the layout.
pub const MAGIC: [u8; 8] = *b"CNTRLOG\x01";

/// Largest record that is read; a bound on memory for damaged lengths.
pub const RECORD_BYTES_MAX: u32 = 64 << 20;
