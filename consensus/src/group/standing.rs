//! How this node's replica of a group stands: what the log keeps of a group besides Raft's own.

use crate::store::LogStore;
use crate::type_config::types::LogId;
use crate::wal::Wal;
use serde::{Deserialize, Serialize};
use std::io;

/// Whether the node has a replica of a group, and since when.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// It has one.
    pub open: bool,
    /// Index of the group's change of members that says so, or one before it.
    pub at: u64,
    /// The end of the longest log that the node has had of the group and has removed. See
    /// [`request`](crate::transport) for why it must be known.
    pub floor: Option<LogId>,
}

impl Standing {
    /// As the log says; none for a group whose replicas were never opened or closed at run time.
    ///
    /// # Errors
    /// A damaged log.
    pub fn of(wal: &Wal, log: &LogStore) -> io::Result<Option<Standing>> {
        let Some(body) = wal.standing(log.group()) else { return Ok(None) };
        let standing = proto::codec::decode(&body).map_err(|error| {
            let message = format!("the log's standing of {}: {error}", log.group());
            io::Error::new(io::ErrorKind::InvalidData, message)
        })?;
        Ok(Some(standing))
    }

    /// The bytes for the log.
    pub fn encode(&self) -> Vec<u8> {
        proto::codec::encode(self)
    }
}
