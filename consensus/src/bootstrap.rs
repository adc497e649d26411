//! How a group comes to be, and who should lead it first.

use crate::api::GroupId;
use crate::config::Config;
use crate::transport::Peers;
use crate::type_config::Member;
use crate::type_config::types::Raft;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Pause between looks at an uninitialised group.
const LOOK: Duration = Duration::from_millis(100);
/// Heartbeats of a living leader that a connected node would have seen.
const HEARTBEATS: u64 = 3;
/// How long the preferred member is waited for before another initialises a group.
const WAIT_FOR_PREFERRED: Duration = Duration::from_secs(5);
/// Every further member waits this much longer.
const WAIT_PER_MEMBER: Duration = Duration::from_secs(2);
/// Initialises a group that has no log, once a majority is connected and no leader of the group
/// has written to this node for a few heartbeats. The preferred member comes first, the others
/// wait longer and longer. Several doing it is harmless: the first entry is the same membership
/// with the same log id on each, and votes decide as ever.
pub async fn initialize(config: Config, group: GroupId, raft: Raft, peers: Peers, stop: CancellationToken) {
    let members: BTreeMap<u64, Member> =
        config.members.iter().map(|(id, address)| (id.0, Member { address: address.clone() })).collect();
    let preferred = config.first_leader(group);
    let position = config.members.keys().position(|id| *id == config.node).unwrap_or(0);
    let wait = if config.members.len() == 1 {
        Duration::ZERO
    } else if preferred == config.node {
        Duration::from_millis(HEARTBEATS * config.timing.heartbeat_ms)
    } else {
        WAIT_FOR_PREFERRED + WAIT_PER_MEMBER * u32::try_from(position).unwrap_or(0)
    };
    let mut since = None;
    let quorum = config.members.len() / 2 + 1;
    loop {
        match raft.is_initialized().await {
            Ok(false) => {}
            Ok(true) | Err(_) => return,
        }
        let reachable = 1 + config.members.keys().filter(|id| peers.connected(**id)).count();
        if reachable < quorum {
            since = None;
        } else if since.get_or_insert_with(tokio::time::Instant::now).elapsed() >= wait {
            match raft.initialize(members.clone()).await {
                Ok(()) => {
                    tracing::info!(%group, "initialised with {} members", members.len());
                    return;
                }
                Err(error) => tracing::info!(%group, "not initialised here: {error}"),
            }
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}
