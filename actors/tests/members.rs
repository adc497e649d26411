//! Nodes that join and leave while calls go on.

use crate::harness;

use actors::{CallError, Engine, NodeStage};
use consensus::{NODES_MAX, NodeId};
use harness::{Cluster, LONG, Site, eventually, next_offer, stage};
use routing::{Rejected, Span};
use std::collections::BTreeMap;

const RING: Span = Span::seconds(120);

fn stages(engine: &Engine) -> BTreeMap<u64, NodeStage> {
    engine.cluster().nodes.into_iter().map(|node| (node.id.0, node.stage)).collect()
}

/// Nodes that vote, for each group, as this engine knows.
fn voters(engine: &Engine) -> Vec<Vec<u64>> {
    let of_group = |shard: actors::ShardState| -> Vec<u64> {
        shard.replicas.iter().filter(|replica| replica.voter).map(|replica| replica.node.0).collect()
    };
    engine.cluster().shards.into_iter().map(of_group).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_of_one_grows_to_three_and_the_first_leaves() {
    let mut cluster = Cluster::start(1).await;
    let site = Site::create(cluster.engine(1), 1, RING).await;
    for id in [2, 3] {
        assert_eq!(cluster.join(1).await, NodeId(id));
        let all: Vec<u64> = (1..=id).collect();
        for node in 1..=id {
            let engine = cluster.engine(node);
            eventually("all to be voters", || voters(engine).iter().all(|set| *set == all).then_some(()))
                .await;
        }
    }
    let mut session = site.desk(cluster.engine(3), 0).await;
    let conversation = site.start(cluster.engine(2)).await;
    assert_eq!(next_offer(&mut session).await.1, conversation);
    let ended = cluster.engine(1).failure();
    let id = cluster.engine(2).new_request_id();
    cluster.engine(2).remove_node(id, NodeId(1), LONG).await.unwrap();
    for node in [2, 3] {
        let engine = cluster.engine(node);
        eventually("the first to be gone", || {
            let left = stages(engine) == BTreeMap::from([(2, NodeStage::Member), (3, NodeStage::Member)]);
            (left && voters(engine).iter().all(|set| *set == [2, 3])).then_some(())
        })
        .await;
    }
    let why =
        tokio::time::timeout(LONG, ended.clone().wait_for(Option::is_some)).await.unwrap().unwrap().clone();
    assert!(why.unwrap().contains("was removed"));
    cluster.stop(NodeId(1)).await;
    assert_ne!(stage(cluster.engine(3), conversation).await, "closed");
    site.start(cluster.engine(2)).await;
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joining_again_is_the_same_node_and_bounds_hold() {
    let cluster = Cluster::start(1).await;
    let engine = cluster.engine(1);
    let join = |nonce: u128, address: &str| engine.join(nonce, address.to_owned(), LONG);
    let first = join(1, "127.0.0.1:1").await.unwrap();
    assert_eq!(join(1, "127.0.0.1:1").await.unwrap(), first);
    assert!(matches!(join(2, "127.0.0.1:1").await, Err(CallError::Rejected(Rejected::InUse { .. }))));
    assert!(matches!(join(2, "").await, Err(CallError::Rejected(Rejected::Invalid { .. }))));
    for nonce in 3..=NODES_MAX as u128 {
        join(nonce, &format!("127.0.0.1:{nonce}")).await.unwrap();
    }
    assert!(matches!(join(1_000, "127.0.0.1:99").await, Err(CallError::Rejected(Rejected::Full { .. }))));
    let last = engine.remove_node(engine.new_request_id(), NodeId(1_000), LONG).await;
    assert!(matches!(last, Err(CallError::Rejected(Rejected::Unknown { .. }))));
    cluster.stop_all().await;
}
