//! A node that founds a cluster with what a backup held.

use super::draw;
use super::record::{Belongs, Record};
use crate::failure::{Failure, Kind};
use consensus::NodeId;
use std::collections::BTreeMap;
use std::path::Path;

/// A file that is in a data folder while a backup is restored into it.
pub(in crate::commands) const UNFINISHED: &str = "restore.unfinished";

/// The founder of a restored cluster.
pub(in crate::commands) struct Restored {
    /// The new cluster's id.
    pub(in crate::commands) cluster: String,
    /// The node.
    pub(in crate::commands) node: NodeId,
    /// Shards, as before.
    pub(in crate::commands) shards: u32,
    /// Log time per real time, as before.
    pub(in crate::commands) speed: u32,
    /// Where the others reach it.
    pub(in crate::commands) address: String,
}

impl Restored {
    /// Notes in its folder how the node came to its cluster.
    ///
    /// # Errors
    /// The disk's.
    pub(in crate::commands) fn write(self, folder: &Path) -> Result<(), Failure> {
        let Self { cluster, node, shards, speed, address } = self;
        let members = BTreeMap::from([(node, address.clone())]);
        let belongs = Belongs { cluster, node, founder: true, shards, speed, members };
        Record { nonce: draw(), address, belongs: Some(belongs) }.save(folder)
    }
}

/// Refuses a folder in which a restore did not come to its end.
pub(super) fn check(folder: &Path) -> Result<(), Failure> {
    if !folder.join(UNFINISHED).exists() {
        return Ok(());
    }
    let message = format!("a restore into the data folder {} did not come to its end", folder.display());
    Err(Failure::new(Kind::Data, message).remedy("empty the folder and restore again"))
}
