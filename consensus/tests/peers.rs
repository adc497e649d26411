//! Calls, casts and who may connect.

use crate::harness;

use bytes::Bytes;
use consensus::{NodeId, PeerError};
use harness::{Cluster, Echo, LONG, eventually, logged};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_and_casts_reach_their_node() {
    logged();
    let mut cluster = Cluster::start(2, 1, |_| {}).await;
    let (one, two) = (NodeId(1), NodeId(2));
    for (from, to) in [(one, two), (two, one)] {
        let peers = cluster.nodes[&from].consensus.peers();
        eventually("a link", || peers.connected(to).then_some(())).await;
        let refused = peers.call(to, Bytes::from_static(b"abc"), LONG).await;
        assert_eq!(refused, Err(PeerError::Unreachable(to)), "no handler yet");
        let echo = Arc::new(Echo::default());
        cluster.nodes[&to].consensus.set_handler(Arc::clone(&echo) as _);
        assert_eq!(echo.changes.lock().unwrap().as_slice(), [(from, true)]);
        let answer = peers.call(to, Bytes::from_static(b"abc"), LONG).await;
        assert_eq!(answer.unwrap().as_ref(), b"cba");
        let large: Bytes = vec![5u8; 3 << 20].into();
        assert_eq!(peers.call(to, large.clone(), LONG).await.unwrap(), large);
        let never = peers.call(to, Bytes::from_static(b"never"), Duration::from_millis(50)).await;
        assert!(matches!(never, Err(PeerError::NoAnswer(..))));
        for number in 0..100u8 {
            peers.cast(to, vec![number].into()).unwrap();
        }
        eventually("the casts", || (echo.casts.lock().unwrap().len() == 100).then_some(())).await;
        let casts = echo.casts.lock().unwrap().clone();
        assert!(casts.iter().zip(0..).all(|((who, body), number)| *who == from && body[0] == number));
    }
    let peers = cluster.nodes[&one].consensus.peers();
    cluster.stop(two).await;
    eventually("the loss", || (!peers.connected(two)).then_some(())).await;
    assert_eq!(peers.call(two, Bytes::new(), LONG).await, Err(PeerError::Unreachable(two)));
    assert_eq!(peers.cast(two, Bytes::new()), Err(PeerError::Unreachable(two)));
    cluster.run(two).await;
    eventually("the way back", || peers.connected(two).then_some(())).await;
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_link_is_noticed_and_told_to_both() {
    logged();
    let cluster = Cluster::start(2, 1, |_| {}).await;
    let echoes: Vec<Arc<Echo>> = [1, 2]
        .into_iter()
        .map(|id| {
            let echo = Arc::new(Echo::default());
            cluster.nodes[&NodeId(id)].consensus.set_handler(Arc::clone(&echo) as _);
            echo
        })
        .collect();
    let last = |which: usize| echoes[which].changes.lock().unwrap().last().copied();
    for step in [true, false, true] {
        if step {
            cluster.board.heal(NodeId(2));
        } else {
            cluster.board.cut(NodeId(2));
        }
        eventually("node 1 to be told", || (last(0) == Some((NodeId(2), step))).then_some(())).await;
        eventually("node 2 to be told", || (last(1) == Some((NodeId(1), step))).then_some(())).await;
    }
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_another_cluster_is_not_let_in() {
    logged();
    let mut cluster = Cluster::prepare(2, 1, |config| {
        if config.node == NodeId(2) {
            config.cluster_id = "other".into();
        }
    })
    .await;
    cluster.run(NodeId(1)).await;
    cluster.run(NodeId(2)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!cluster.nodes[&NodeId(1)].consensus.peers().connected(NodeId(2)));
    assert!(!cluster.nodes[&NodeId(2)].consensus.peers().connected(NodeId(1)));
    cluster.stop_all().await;
}
