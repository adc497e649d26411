//! Backups: what is in a folder, how it is read, and how a node begins with it.
//!
//! A backup is a place ([`Vault`]) with one chain of files per group (`proto::log_file`) and a list of them.
//! The first file of a chain is the group's log from its beginning, or a snapshot and what follows;
//! each further one goes on from the one before. So every file can be checked by applying it.

mod manifest;
mod played;
mod vault;

pub use manifest::{Chain, Manifest, ManifestError, Part};
pub use played::{Played, PlayedShard, Until, play};
pub use vault::{Reader, Vault, VaultError};
