//! One file of a shard's events.

use consensus::disk::DiskFile;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) file: Arc<dyn DiskFile>,
    len: AtomicU64,
}

impl Segment {
    pub(super) fn new(number: u64, file: Arc<dyn DiskFile>, len: u64) -> Self {
        Self { number, file, len: AtomicU64::new(len) }
    }

    /// Bytes of whole frames.
    pub(super) fn len(&self) -> u64 {
        self.len.load(Ordering::Acquire)
    }

    pub(super) fn set_len(&self, len: u64) {
        self.len.store(len, Ordering::Release);
    }
}

const EVENTS: &str = ".events";
const INDEX: &str = ".index";

pub(super) fn events_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:010}{EVENTS}"))
}

pub(super) fn index_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:010}{INDEX}"))
}

/// The number of an events file's name; `None` for other files.
pub(super) fn number_of(name: &str) -> Option<u64> {
    name.strip_suffix(EVENTS)?.parse().ok()
}
