//! Bytes of a snapshot file's header.

use super::error::SnapshotError;
use std::path::Path;

/// Version of the layout; a file of another one is refused.
const VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"CNTRSNP\n";

/// Magic, version, bytes of meta and of data, checksum of both, checksum of the header.
pub(super) const HEADER_BYTES: usize = 8 + 4 + 4 + 8 + 4 + 4;

/// A snapshot file's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub version: u32,
    pub meta_bytes: u32,
    pub data_bytes: u64,
    pub checksum: u32,
}

impl Header {
    pub(super) fn of(meta: &[u8], data: &[u8]) -> Header {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(meta);
        hasher.update(data);
        Header {
            version: VERSION,
            meta_bytes: u32::try_from(meta.len()).expect("a membership is small"),
            data_bytes: data.len() as u64,
            checksum: hasher.finalize(),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.meta_bytes.to_le_bytes());
        bytes.extend(self.data_bytes.to_le_bytes());
        bytes.extend(self.checksum.to_le_bytes());
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Header> {
        let bytes = bytes.get(..HEADER_BYTES)?;
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        if bytes[..8] != MAGIC || number(HEADER_BYTES - 4) != crc32fast::hash(&bytes[..HEADER_BYTES - 4]) {
            return None;
        }
        Some(Header {
            version: number(8),
            meta_bytes: number(12),
            data_bytes: u64::from_le_bytes(bytes[16..24].try_into().expect("eight bytes")),
            checksum: number(24),
        })
    }

    pub(super) fn check_version(&self, file: &Path) -> Result<(), SnapshotError> {
        if self.version == VERSION {
            return Ok(());
        }
        Err(SnapshotError::Version { file: file.to_owned(), found: self.version, supported: VERSION })
    }

    /// Whether meta and data are what was written.
    pub(super) fn matches(&self, content: &[u8]) -> bool {
        content.len() as u64 == u64::from(self.meta_bytes) + self.data_bytes
            && crc32fast::hash(content) == self.checksum
    }
}
