//! One file of a shard's events.

use consensus::disk::DiskFile;
use routing::{LogTime, Span};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) file: Arc<dyn DiskFile>,
    len: AtomicU64,
    /// Log time of the first event, microseconds; `NONE` before it.
    first_us: AtomicU64,
    /// The highest log time of its events.
    newest_us: AtomicU64,
}

const NONE: u64 = u64::MAX;

impl Segment {
    pub(super) fn new(number: u64, file: Arc<dyn DiskFile>, len: u64) -> Self {
        let (first_us, newest_us) = (AtomicU64::new(NONE), AtomicU64::new(0));
        Self { number, file, len: AtomicU64::new(len), first_us, newest_us }
    }

    /// Bytes of whole frames.
    pub(super) fn len(&self) -> u64 {
        self.len.load(Ordering::Acquire)
    }

    pub(super) fn set_len(&self, len: u64) {
        self.len.store(len, Ordering::Release);
    }

    /// It holds events from one log time to the other. One task writes.
    pub(super) fn note(&self, (first, newest): (LogTime, LogTime)) {
        if self.first_us.load(Ordering::Acquire) == NONE {
            self.first_us.store(first.0, Ordering::Release);
        }
        self.newest_us.fetch_max(newest.0, Ordering::AcqRel);
    }

    /// Log times of the first and the newest event; `None` while there is none.
    pub(super) fn times(&self) -> Option<(LogTime, LogTime)> {
        let first = self.first_us.load(Ordering::Acquire);
        (first != NONE).then(|| (LogTime(first), self.newest()))
    }

    /// The highest log time of its events.
    pub(super) fn newest(&self) -> LogTime {
        LogTime(self.newest_us.load(Ordering::Acquire))
    }

    /// Whether an event of this time would be more than `span` after the first one.
    pub(super) fn began_before(&self, at: LogTime, span: Span) -> bool {
        self.times().is_some_and(|(first, _)| at.since(first) > span)
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

/// The number of an index file's name; `None` for other files.
pub(super) fn index_number_of(name: &str) -> Option<u64> {
    name.strip_suffix(INDEX)?.parse().ok()
}
