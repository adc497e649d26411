//! Why a snapshot cannot be used.

use std::io;
use std::path::PathBuf;

/// Why a snapshot cannot be used. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file is not what was written.
    #[error(
        "the snapshot {file} is damaged: {what}. The log before it is gone, so the node cannot start from it. \
         Restore the folder from a copy; or, in a cluster whose other members are well, remove this member, \
         empty its folder and let it join again",
        file = file.display()
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Written by another version.
    #[error(
        "the snapshot {file} has format {found}, this build reads format {supported}: run the build that wrote \
         it, or restore a copy that this one reads",
        file = file.display()
    )]
    Version {
        /// The file.
        file: PathBuf,
        /// Its format.
        found: u32,
        /// The format of this build.
        supported: u32,
    },
    /// The disk's.
    #[error("the snapshots cannot be read: {0}")]
    Disk(#[from] io::Error),
}

impl From<SnapshotError> for io::Error {
    fn from(error: SnapshotError) -> io::Error {
        match error {
            SnapshotError::Disk(error) => error,
            other => io::Error::new(io::ErrorKind::InvalidData, other),
        }
    }
}
