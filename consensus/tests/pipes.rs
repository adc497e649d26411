//! Groups over pipes within the process, in paused time.

use crate::harness;
use crate::piped;

use bytes::Bytes;
use consensus::{NodeId, Pipe, seed_thread};
use harness::{Echo, LONG, eventually, logged};
use piped::{Cluster, Weather};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Cuts the leader of a group of three off and lets it back; what every node has applied then.
async fn leader_cut_off(weather: Weather) -> Vec<Vec<u8>> {
    let cluster = Cluster::start(|_| {}).await;
    cluster.propose(b"before", None).await;
    let old = cluster.leader_without(None).await;
    let others: Vec<_> = cluster.nodes.keys().copied().filter(|id| *id != old).collect();
    cluster.net.set(old, Some(weather));
    let cut = Instant::now();
    cluster.propose(b"during", Some(old)).await;
    eventually("both ends to notice", || {
        others.iter().all(|id| !cluster.connected(*id, old) && !cluster.connected(old, *id)).then_some(())
    })
    .await;
    let noticed = cut.elapsed();
    assert_eq!(noticed > Duration::from_secs(2), weather == Weather::Silent, "{noticed:?}");
    assert!(cluster.connected(others[0], others[1]));
    cluster.net.set(old, None);
    eventually("the way back", || others.iter().all(|id| cluster.connected(old, *id)).then_some(())).await;
    cluster.propose(b"after", None).await;
    let agreed = cluster.agreed(3).await;
    cluster.stop_all().await;
    agreed
}

#[tokio::test(start_paused = true)]
async fn a_group_elects_replicates_and_survives_cuts() {
    logged();
    for weather in [Weather::Closed, Weather::Silent] {
        seed_thread(1);
        assert_eq!(leader_cut_off(weather).await, [b"before".as_slice(), b"during", b"after"]);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_of_any_size_get_through_and_stop_with_the_peer() {
    logged();
    let mut cluster = Cluster::start(|_| {}).await;
    let (one, two) = (NodeId(1), NodeId(2));
    eventually("a link", || cluster.connected(one, two).then_some(())).await;
    cluster.nodes[&two].consensus.set_handler(Arc::new(Echo::default()));
    let peers = cluster.nodes[&one].consensus.peers();
    let large: Bytes = (0..3 << 20).map(|at| (at / 1_000) as u8).collect::<Vec<u8>>().into();
    let answer = peers.call(two, large.clone(), LONG).await.unwrap();
    assert!(answer.iter().rev().eq(large.iter()));
    cluster.stop(two).await;
    eventually("the loss", || (!cluster.connected(one, two)).then_some(())).await;
    let dialled = cluster.net.dialled.lock().unwrap().clone();
    assert!(dialled.iter().all(|(from, to)| from < to), "the lower id dials: {dialled:?}");
    cluster.stop_all().await;
}

#[tokio::test(start_paused = true)]
async fn strangers_are_refused_with_the_reason() {
    logged();
    let (one, two) = (NodeId(1), NodeId(2));
    let mut cluster = Cluster::prepare(|config| {
        if config.node == NodeId(2) {
            config.cluster_id = "other".into();
        }
    });
    cluster.run(one).await.unwrap();
    cluster.run(two).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(cluster.net.dialled.lock().unwrap().len() > 5, "it goes on trying");
    assert!(!cluster.connected(one, two) && !cluster.connected(two, one));

    // Whoever says nothing is not waited for, nor is one that stops in the middle.
    let service = cluster.nodes[&one].consensus.transport_service();
    let (silent, end) = Pipe::pair(1);
    assert!(service.accept_pipe(end).await.unwrap_err().contains("no introduction"));
    assert!(silent.outgoing.is_closed());
    let (gone, end) = Pipe::pair(1);
    drop(gone);
    assert!(service.accept_pipe(end).await.unwrap_err().contains("closed"));
    let (garbage, end) = Pipe::pair(1);
    garbage.outgoing.send(Bytes::from_static(b"hello")).await.unwrap();
    assert!(service.accept_pipe(end).await.unwrap_err().contains("introduction"));

    cluster.stop_all().await;
    let (_held, end) = Pipe::pair(1);
    assert!(service.accept_pipe(end).await.is_err(), "a stopped node takes nobody in");
}

/// A life with slow disks, crashes and cuts; all that can be seen of it.
async fn eventful(seed: u64) -> String {
    seed_thread(seed);
    let begun = Instant::now();
    let mut cluster = Cluster::start(|config| config.limits.snapshot_entries = 10).await;
    for (id, disk) in &cluster.disks {
        disk.set_latency(Duration::from_millis(1), Duration::from_millis(9), seed ^ id.0);
    }
    for round in 0..4u8 {
        let id = NodeId(1 + u64::from(round) % 3);
        for number in 0..20 {
            cluster.propose_again(&[round, number]).await;
        }
        if round % 2 == 0 {
            cluster.crash(id, u64::from(round)).await;
            cluster.propose_again(&[round, 100]).await;
            cluster.run(id).await.unwrap();
        } else {
            cluster.net.set(id, Some(Weather::Silent));
            cluster.propose_again(&[round, 100]).await;
            tokio::time::sleep(Duration::from_secs(4)).await;
            cluster.net.set(id, None);
        }
    }
    cluster.agreed(84).await;
    let mut seen = format!("{:?} {:?}\n", begun.elapsed(), cluster.net.dialled.lock().unwrap());
    for (id, node) in &cluster.nodes {
        let steps = cluster.disks[id].operations_by_step();
        let ledger = node.ledger.seen.lock().unwrap();
        seen += &format!("{id} {ledger:?} {:?} {steps:?}\n", cluster.group(*id).status());
    }
    cluster.stop_all().await;
    seen
}

#[test]
fn one_seed_is_one_life() {
    let life = |seed| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(eventful(seed))
    };
    let first = life(1);
    assert_eq!(first, life(1));
    assert_ne!(first, life(2));
}
