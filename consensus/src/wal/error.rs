//! Why a log cannot be opened.

use std::io;
use std::path::PathBuf;

/// Why a log cannot be opened. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum WalError {
    /// Bytes that were acknowledged are damaged: what follows them proves that they were synced.
    #[error(
        "the log is damaged: {file} at byte {offset}: {what}. Acknowledged entries are lost on this disk, so \
         the log is not opened. Restore the folder from a copy; or, in a cluster whose other members are \
         well, remove this member, empty its folder and let it join again",
        file = file.display()
    )]
    Damaged {
        /// The segment.
        file: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// Written by another version.
    #[error(
        "{file} has log format {found}, this build reads format {supported}: run the build that wrote it, or \
         restore a copy that this one reads",
        file = file.display()
    )]
    Version {
        /// The segment.
        file: PathBuf,
        /// Its format.
        found: u32,
        /// The format of this build.
        supported: u32,
    },
    /// A segment of another data folder.
    #[error(
        "{file} belongs to another data folder: files were mixed up. Put back the folder's own files",
        file = file.display()
    )]
    Foreign {
        /// The segment.
        file: PathBuf,
    },
    /// The disk's.
    #[error("the log cannot be read: {0}")]
    Disk(#[from] io::Error),
}

impl From<WalError> for io::Error {
    fn from(error: WalError) -> io::Error {
        match error {
            WalError::Disk(error) => error,
            other => io::Error::new(io::ErrorKind::InvalidData, other),
        }
    }
}
