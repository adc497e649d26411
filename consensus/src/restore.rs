//! The data folder of a cluster that begins with states that another one left.

use crate::api::{GroupId, NodeId};
use crate::config::{Config, StartError};
use crate::disk::SharedDisk;
use crate::env::Entropy;
use crate::snapshots::SnapshotStore;
use crate::store::{DataFolder, Identity};
use crate::type_config::Member;
use crate::type_config::types::{CommittedLeaderId, LogId, SnapshotMeta, StoredMembership, Vote};
use crate::wal::{Wal, WalOptions};
use bytes::Bytes;
use openraft::Membership;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io;

/// The state a group begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// The group.
    pub group: GroupId,
    /// Index of the last entry that the state includes: the group's log goes on after it.
    pub index: u64,
    /// Term of that entry.
    pub term: u64,
    /// What the group's machine made of itself for a snapshot.
    pub state: Bytes,
}

/// Writes the data folder of the only node of a new cluster, whose groups begin with these states
/// as after a snapshot; other groups begin empty. Everything is durable when it returns. What
/// begins like that is a group like any other: nodes may join it.
///
/// # Errors
/// A configuration with other members, a folder that is used, or the disk's. The folder is then to
/// be emptied.
pub async fn restore(
    config: &Config,
    disk: SharedDisk,
    entropy: &dyn Entropy,
    beginnings: Vec<Beginning>,
) -> Result<(), StartError> {
    config.check()?;
    let alone = config.members.len() == 1 && config.members.contains_key(&config.node);
    if !alone || !config.founding {
        return Err(StartError::Config("what is restored begins with one node; others join it".to_owned()));
    }
    let failed =
        |error: Box<dyn Error + Send + Sync>| StartError::Data { folder: config.data.clone(), error };
    let names = match disk.list(&config.data).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        names => names.map_err(|error| failed(error.into()))?,
    };
    if names.iter().any(|name| ["identity", "log", "snapshots"].contains(&name.as_str())) {
        return Err(failed("it holds a node's data already: choose another folder".into()));
    }
    let cluster = format!("{} of {} shards", config.cluster_id, config.shards);
    let identity = Identity { cluster, node: config.node };
    let folder = DataFolder::open(&disk, &config.data, &identity, entropy).await;
    let folder = folder.map_err(|error| failed(error.into()))?;
    let options = WalOptions { segment_bytes: config.limits.log_segment_bytes, ..WalOptions::default() };
    let wal = Wal::open(disk.clone(), &folder.log(), folder.salt(), options).await;
    let wal = wal.map_err(|error| failed(error.into()))?;
    for beginning in beginnings {
        let snapshots = SnapshotStore::open(disk.clone(), &folder.snapshots(), beginning.group).await;
        let snapshots = snapshots.map_err(|error| failed(error.into()))?;
        begin(config, &wal, &snapshots, beginning).await.map_err(|error| failed(error.into()))?;
    }
    wal.close().await.map_err(|error| failed(error.into()))
}

/// The snapshot first: the log says that nothing before it is needed.
async fn begin(
    config: &Config,
    wal: &Wal,
    snapshots: &SnapshotStore<SnapshotMeta>,
    beginning: Beginning,
) -> io::Result<()> {
    let Beginning { group, index, term, state } = beginning;
    let last = LogId::new(CommittedLeaderId::new(term), index);
    let NodeId(node) = config.node;
    let members: BTreeMap<u64, Member> =
        config.members.iter().map(|(id, address)| (id.0, Member { address: address.clone() })).collect();
    let membership = Membership::new(vec![BTreeSet::from([node])], members).map_err(io::Error::other)?;
    let meta = SnapshotMeta {
        last_log_id: Some(last),
        last_membership: StoredMembership::new(Some(last), membership),
    };
    snapshots.save(&meta, state).await?;
    // A vote below the last entry's term could be given to a leader that lacks it.
    wal.save_vote(group, proto::codec::encode(&Vote::new(term, node))).await?;
    wal.purge(group, index, proto::codec::encode(&last))
}
