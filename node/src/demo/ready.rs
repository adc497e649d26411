//! When a cluster that was just started can be used.

use super::Children;
use anyhow::bail;
use proto::v1;
use proto::v1::cluster_client::ClusterClient;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Time for the first elections.
const ELECTIONS: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// The shards each node leads, as the node at this address sees it; `None` while one is not led.
pub async fn leaders(address: &str) -> Option<BTreeMap<u64, Vec<u32>>> {
    let connect = ClusterClient::connect(format!("http://{address}"));
    let mut client = tokio::time::timeout(Duration::from_secs(2), connect).await.ok()?.ok()?;
    let asked = client.get_cluster(v1::GetClusterRequest {});
    let state = tokio::time::timeout(Duration::from_secs(2), asked).await.ok()?.ok()?.into_inner();
    let mut led: BTreeMap<u64, Vec<u32>> = state.nodes.iter().map(|node| (node.id, Vec::new())).collect();
    for shard in &state.shards {
        if shard.leader == 0 {
            return None;
        }
        if shard.id > 0 {
            led.entry(shard.leader).or_default().push(shard.id);
        }
    }
    (!state.shards.is_empty()).then_some(led)
}

/// Waits until every node sees a leader of every shard.
///
/// # Errors
/// A node ends, or it takes too long.
pub async fn wait_until_led(children: &mut Children) -> anyhow::Result<BTreeMap<u64, Vec<u32>>> {
    let deadline = Instant::now() + ELECTIONS;
    loop {
        children.check()?;
        let addresses = children.addresses().to_vec();
        let seen = futures::future::join_all(addresses.iter().map(|address| leaders(address))).await;
        let all: Option<Vec<_>> = seen.into_iter().collect();
        if let Some(led) = all.and_then(|mut all| all.pop()) {
            return Ok(led);
        }
        if Instant::now() >= deadline {
            bail!("the cluster has no leader for every shard after {} s", ELECTIONS.as_secs());
        }
        tokio::time::sleep(LOOK).await;
    }
}
