//! Why an exported log cannot be read.

use super::MAGIC;
use crate::codec::CodecError;
use std::io;

/// What is wrong, and where.
#[derive(Debug, thiserror::Error)]
#[error("at byte {offset}: {fault}")]
pub struct LogFileError {
    /// Where the record begins.
    pub offset: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What can be wrong.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Another kind of file.
    #[error("this is not an exported log: make one with `centralita ctl export-log`")]
    Foreign,
    /// Another version of the layout.
    #[error(
        "the file has layout {found}, this build reads layout {supported}: use the build that wrote it",
        supported = MAGIC[7]
    )]
    Layout {
        /// The layout found.
        found: u8,
    },
    /// It ends too early.
    #[error("the file ends too early, so it is not whole: export it again")]
    Short,
    /// A length that no record has.
    #[error("a record of {0} bytes, longer than any: the file is damaged, export it again")]
    Length(u32),
    /// A record is damaged.
    #[error("{0}: the file is damaged, export it again")]
    Damaged(#[from] CodecError),
    /// A record where it cannot be.
    #[error("{0}: the file is damaged or was changed, export it again")]
    Order(String),
    /// The file cannot be read.
    #[error("{0}")]
    Read(#[from] io::Error),
}
