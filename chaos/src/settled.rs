//! When a cluster is whole: every node there, every group led, no replica far behind.

use anyhow::bail;
use client::Client;
use proto::v1;
use proto::v1::cluster_client::ClusterClient;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Time for a node to say what it sees.
const LOOK_MAX: Duration = Duration::from_secs(2);
/// Pause between two looks: they are load too.
const PAUSE: Duration = Duration::from_millis(250);
/// Entries that a replica of a cluster at work may be behind.
const BEHIND_MAX: u64 = 500;

/// A node, as the place that it has among a client's addresses.
pub type Place = (Arc<Client>, usize);

/// The cluster as one node sees it, if it answers.
pub async fn state((client, place): &Place) -> Option<v1::ClusterState> {
    let mut node = ClusterClient::new(client.at(*place));
    Some(timeout(LOOK_MAX, node.get_cluster(v1::GetClusterRequest {})).await.ok()?.ok()?.into_inner())
}

/// Waits until every one of these nodes sees every other, leaders of all groups, and no replica far behind.
///
/// # Errors
/// When it takes longer than `most`.
pub async fn settled(nodes: &[Place], most: Duration) -> anyhow::Result<v1::ClusterState> {
    let until = Instant::now() + most;
    loop {
        let all = futures::future::join_all(nodes.iter().map(state)).await;
        let states: Option<Vec<v1::ClusterState>> = all.into_iter().collect();
        if let Some(states) = states
            && states.iter().all(is_well)
            && let Some(state) = states.into_iter().next()
        {
            return Ok(state);
        }
        if Instant::now() >= until {
            bail!("the cluster has not settled within {most:?}");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn is_well(state: &v1::ClusterState) -> bool {
    state.nodes.iter().all(|node| node.reachable || node.id == state.this_node)
        && state.shards.iter().all(|shard| {
            let most = shard.members.iter().filter_map(|member| member.applied).max().unwrap_or(0);
            let near = |applied: Option<u64>| applied.is_some_and(|applied| most - applied <= BEHIND_MAX);
            shard.leader != 0 && shard.members.iter().all(|member| near(member.applied))
        })
}
