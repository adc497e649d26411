//! What a disk is asked to do, and in which part of a node's data.

use std::fmt;
use std::path::{Component, Path};

/// A part of a node's data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// The shared log: `log/`.
    Log,
    /// Snapshots of all groups: `snapshots/`.
    Snapshots,
    /// Events of all shards: `events/SHARD/`.
    Events,
    /// What lies in the data folder itself: whose it is.
    Identity,
}

impl Area {
    /// All areas.
    pub const ALL: [Area; 4] = [Area::Log, Area::Snapshots, Area::Events, Area::Identity];

    /// The area of a file or folder.
    #[must_use]
    pub fn of(path: &Path) -> Area {
        let named = |part: Component<'_>| match part.as_os_str().to_str() {
            Some("log") => Some(Area::Log),
            Some("snapshots") => Some(Area::Snapshots),
            Some("events") => Some(Area::Events),
            _ => None,
        };
        path.components().rev().find_map(named).unwrap_or(Area::Identity)
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Area::Log => "log",
            Area::Snapshots => "snapshots",
            Area::Events => "events",
            Area::Identity => "identity",
        })
    }
}

/// An operation that changes what a disk holds or may hold after a crash, or that reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// [`DiskFile::write_at`](crate::disk::DiskFile::write_at), alone or before a sync.
    Write,
    /// [`DiskFile::sync_data`](crate::disk::DiskFile::sync_data), alone or after a write.
    Sync,
    /// [`DiskFile::truncate`](crate::disk::DiskFile::truncate).
    Truncate,
    /// [`DiskFile::read_at`](crate::disk::DiskFile::read_at).
    Read,
    /// [`Disk::open`](crate::disk::Disk::open) of a new file.
    Create,
    /// [`Disk::rename`](crate::disk::Disk::rename).
    Rename,
    /// [`Disk::remove`](crate::disk::Disk::remove).
    Remove,
    /// [`Disk::sync_dir`](crate::disk::Disk::sync_dir).
    SyncDir,
}

impl Operation {
    /// All operations.
    pub const ALL: [Operation; 8] = [
        Operation::Write,
        Operation::Sync,
        Operation::Truncate,
        Operation::Read,
        Operation::Create,
        Operation::Rename,
        Operation::Remove,
        Operation::SyncDir,
    ];
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operation::Write => "write",
            Operation::Sync => "sync",
            Operation::Truncate => "truncate",
            Operation::Read => "read",
            Operation::Create => "create",
            Operation::Rename => "rename",
            Operation::Remove => "remove",
            Operation::SyncDir => "sync-dir",
        })
    }
}

/// An operation in an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// Where.
    pub area: Area,
    /// What.
    pub operation: Operation,
}

impl Step {
    pub(super) fn new(operation: Operation, path: &Path) -> Step {
        Step { area: Area::of(path), operation }
    }

    /// Whether it is this operation, in this area if one is given.
    pub(super) fn is(self, operation: Operation, area: Option<Area>) -> bool {
        self.operation == operation && area.is_none_or(|area| area == self.area)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.area, self.operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_those_of_a_data_folder() {
        let cases = [
            ("/data/log", Area::Log),
            ("/data/log/0000000001.wal", Area::Log),
            ("/data/snapshots/group_1.0000000001.snapshot.tmp", Area::Snapshots),
            ("/data/events/shard_1/0000000001.events", Area::Events),
            ("/data/identity.tmp", Area::Identity),
            ("/data", Area::Identity),
            // A data folder may lie anywhere.
            ("/var/log/node/snapshots", Area::Snapshots),
        ];
        for (path, area) in cases {
            assert_eq!(Area::of(Path::new(path)), area, "{path}");
        }
    }
}
