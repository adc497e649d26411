//! Shards that are on some of the nodes only: every node serves them all the same.

use crate::harness;

use actors::{ClusterState, Query, WatchError};
use consensus::{GroupId, NodeId};
use harness::{Cluster, LONG, Site, available, desk_of, eventually, next_offer, run};
use routing::command::By;
use routing::{Command, Event, EventKind, Sequence, ShardId, Span};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const RING: Span = Span::seconds(120);

/// Nodes that have a replica of each shard, as a node of the cluster says; `None` while it does not know.
fn held(state: &ClusterState, shards: u32) -> Option<Vec<BTreeSet<NodeId>>> {
    let of = |id: u32| {
        let shard = state.shards.iter().find(|shard| shard.group == GroupId(id))?;
        let nodes: BTreeSet<NodeId> = shard.replicas.iter().map(|replica| replica.node).collect();
        (!nodes.is_empty()).then_some(nodes)
    };
    (1..=shards).map(of).collect()
}

async fn spread(cluster: &Cluster, asked: u64, replicas: usize) -> Vec<BTreeSet<NodeId>> {
    for _ in 0..300 {
        let state = cluster.engine(asked).cluster_with_lag(LONG).await;
        if let Some(held) = held(&state, 2)
            && held.iter().all(|nodes| nodes.len() == replicas)
        {
            return held;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("node {asked} does not see {replicas} replicas of every shard");
}

async fn all_of(watch: &mut actors::Watch, last: Sequence) -> Vec<Arc<Event>> {
    let mut events: Vec<Arc<Event>> = Vec::new();
    while events.last().is_none_or(|event| event.sequence < last) {
        events.extend(tokio::time::timeout(LONG, watch.next()).await.unwrap().unwrap());
    }
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_a_replica_serves_its_callers_all_the_same() {
    let mut cluster = Cluster::start(3).await;
    let site = Site::create(cluster.engine(1), 1, RING).await;
    for _ in 0..2 {
        cluster.join(1).await;
    }
    spread(&cluster, 1, 5).await;
    let engine = cluster.engine(2);
    engine.set_replicas(engine.new_request_id(), 3, LONG).await.unwrap();
    let held = spread(&cluster, 1, 3).await;
    for asked in 2..=5 {
        assert_eq!(spread(&cluster, asked, 3).await, held, "every node says the same");
    }
    let shard = cluster.engine(1).place(site.domain, LONG).await.unwrap().shard;
    let has = &held[shard.0 as usize - 1];
    let far = (1..=5).find(|id| !has.contains(&NodeId(*id))).unwrap();
    let near = has.first().unwrap().0;
    let engine = cluster.engine(far);
    eventually("its replica to be closed", || {
        let here = engine.cluster().shards.into_iter().find(|state| state.group == GroupId(shard.0))?;
        here.replicas.is_empty().then_some(())
    })
    .await;

    // A whole conversation there, seen there.
    let mut changes = engine.changes(site.domain).await.unwrap();
    changes.mark_unchanged();
    let mut session = site.desk(engine, 0).await;
    available(&session).await;
    let conversation = site.start(engine).await;
    let mut one = engine.watch_conversation(conversation).await.unwrap();
    let (offer, offered) = next_offer(&mut session).await;
    assert_eq!(offered, conversation);
    tokio::time::timeout(LONG, changes.changed()).await.unwrap().unwrap();
    run(engine, site.domain, Command::Accept { desk: desk_of(&session), offer }).await.unwrap();
    let close = Command::ForceClose {
        conversation,
        reason: "test".to_owned(),
        by: By::Supervisor("test".to_owned()),
    };
    run(engine, site.domain, close).await.unwrap();
    let mut told = Vec::new();
    while let Some(event) = tokio::time::timeout(LONG, one.recv()).await.unwrap() {
        told.push(event);
    }
    assert!(matches!(told.last().unwrap().kind, EventKind::Ended { .. }), "{told:?}");
    let known = engine.query_near(Query::Conversation(conversation), LONG).await.unwrap();
    assert_eq!(
        known,
        engine
            .query(Query::Conversation(conversation), LONG)
            .await
            .map(|mut answer| {
                answer.now = known.now;
                answer
            })
            .unwrap()
    );

    // The record there is the record.
    let last = told.last().unwrap().sequence;
    let mut there = engine.watch(site.domain, Sequence(1)).await.unwrap();
    let mut here = cluster.engine(near).watch(site.domain, Sequence(1)).await.unwrap();
    assert!(there.present() >= last);
    let (there, here) = (all_of(&mut there, last).await, all_of(&mut here, last).await);
    let count = there.len().min(here.len());
    assert_eq!(there[..count], here[..count]);
    let numbers: Vec<u64> = there.iter().map(|event| event.sequence.0).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    let elsewhere = engine.picture(site.domain, Sequence(0)).unwrap_err();
    let WatchError::NotHere { ask } = elsewhere else { panic!("{elsewhere}") };
    assert!(ask.is_some_and(|address| has.iter().any(|id| cluster.members[id] == address)));
    let export = engine.export_log(ShardId(shard.0), actors::ExportFrom::Beginning).await.err().unwrap();
    assert!(export.to_string().contains("no replica"), "{export}");

    // Another leads; all five have it again.
    let leader = cluster.leader_of(site.domain, near).await;
    cluster.stop(leader).await;
    let engine = cluster.engine(far);
    site.start(engine).await;
    cluster.run(leader).await;
    let engine = cluster.engine(far);
    engine.set_replicas(engine.new_request_id(), 5, LONG).await.unwrap();
    spread(&cluster, far, 5).await;
    let engine = cluster.engine(far);
    eventually("its own replica", || engine.query_local(&Query::Conversation(conversation)).ok()).await;
    cluster.stop_all().await;
}
