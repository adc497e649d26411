//! What openraft sees of the shared log, and the folder a node keeps its data in.

mod folder;
mod log_store;

#[cfg(test)]
mod folder_tests;
#[cfg(test)]
mod suite;

pub use folder::{DataFolder, FolderError, Identity};
pub use log_store::LogStore;
