//! A file in an object store, read from its beginning to its end.

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use std::io::{self, Read};
use std::sync::Arc;
use tokio_util::bytes::{Buf, Bytes};

/// Bytes that are asked for at a time.
const PIECE_BYTES: u64 = 8 << 20;

/// A file that is being read.
pub struct Remote {
    store: Arc<dyn ObjectStore>,
    path: Path,
    at: u64,
    bytes: u64,
    piece: Bytes,
}

impl Remote {
    /// From its beginning; it has so many bytes.
    pub fn new(store: Arc<dyn ObjectStore>, path: Path, bytes: u64) -> Self {
        Self { store, path, at: 0, bytes, piece: Bytes::new() }
    }
}

impl Read for Remote {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() && self.at < self.bytes {
            let range = self.at..self.bytes.min(self.at + PIECE_BYTES);
            let asked = self.store.get_range(&self.path, range.clone());
            // What reads is not asynchronous: it applies what it reads, for as long as that takes.
            let runtime = tokio::runtime::Handle::current();
            let piece = tokio::task::block_in_place(|| runtime.block_on(asked)).map_err(io::Error::other)?;
            if piece.len() as u64 != range.end - range.start {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is shorter than it was"));
            }
            self.at = range.end;
            self.piece = piece;
        }
        let count = self.piece.len().min(into.len());
        self.piece.copy_to_slice(&mut into[..count]);
        Ok(count)
    }
}
