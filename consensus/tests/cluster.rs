//! Real groups over real sockets.
#![allow(missing_docs)]

mod harness;

use consensus::{NodeId, ProposeError};
use harness::{Cluster, eventually, logged};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_node_replicates_and_remembers() {
    logged();
    let mut cluster = Cluster::start(1, 2, |_| {}).await;
    for number in 0..20u8 {
        cluster.propose(1, &[number]).await;
    }
    cluster.group(NodeId(1), 1).read_barrier().await.unwrap();
    cluster.crash(NodeId(1), 7).await;
    cluster.run(NodeId(1)).await;
    cluster.propose(1, b"after").await;
    let commands = cluster.agreed(1, 21).await;
    assert_eq!(commands.len(), 21);
    assert_eq!(commands[20], b"after");
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_spread_leaders_and_say_who_leads() {
    logged();
    let cluster = Cluster::start(3, 2, |_| {}).await;
    for group in 0..=2 {
        cluster.propose(group, b"x").await;
        let leader = cluster.leader(group).await;
        assert_eq!(leader, NodeId(u64::from(group) % 3 + 1), "group {group}");
        for id in cluster.nodes.keys().filter(|id| **id != leader) {
            let told =
                eventually("the leader's name", || cluster.group(*id, group).leadership().borrow().leader);
            assert_eq!(told.await, leader);
            let refused = cluster.group(*id, group).propose(b"y".to_vec()).await;
            assert_eq!(refused, Err(ProposeError::NotLeader { leader: Some(leader) }));
            let refused = cluster.group(*id, group).read_barrier().await;
            assert_eq!(refused, Err(ProposeError::NotLeader { leader: Some(leader) }));
        }
        cluster.group(leader, group).read_barrier().await.unwrap();
        assert_eq!(cluster.agreed(group, 1).await, [b"x".to_vec()]);
    }
    cluster.stop_all().await;
}
