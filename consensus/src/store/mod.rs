//! What openraft sees of the shared log, and the folder a node keeps its data in.

mod folder;

pub use folder::{DataFolder, Identity};

use crate::api::GroupId;
use crate::wal::Wal;

/// One group's view of the shared log: openraft's `RaftLogStorage` and `RaftLogReader`. Cheap to
/// clone, nothing to open.
#[derive(Clone)]
pub struct LogStore {
    wal: Wal,
    group: GroupId,
}

impl LogStore {
    /// A group's view of a log.
    #[must_use]
    pub fn new(wal: &Wal, group: GroupId) -> LogStore {
        LogStore { wal: wal.clone(), group }
    }

    /// Whose log this is.
    #[must_use]
    pub fn group(&self) -> GroupId {
        let _ = &self.wal;
        self.group
    }
}
