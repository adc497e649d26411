//! A probe sees what every replica applies: every index once, alike everywhere.

use crate::harness;

use actors::{Applied, EngineConfig, Probe, Spot};
use consensus::NodeId;
use harness::{Cluster, Site, eventually};
use routing::{Entry, Outcome, Shard, ShardId, Span};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const RING: Span = Span::seconds(60);

type Replica = (NodeId, ShardId);
/// An entry, its answer, and how many events it made.
type Told = (Entry, Outcome, usize);

#[derive(Debug, Default)]
struct Seen {
    /// Per replica: the last index, and whether its batch is over.
    last: BTreeMap<Replica, (u64, bool)>,
    /// Per replica, index and place: the entry and its answer.
    applied: BTreeMap<Replica, BTreeMap<(u64, u32), Told>>,
    /// Per replica and index: the state's hash after it.
    hashes: BTreeMap<Replica, BTreeMap<u64, u64>>,
    snapshots: usize,
    restored: usize,
    began: usize,
}

#[derive(Debug, Default)]
struct Recorder(Mutex<Seen>);

impl Probe for Recorder {
    fn began(&self, node: NodeId, shard: &Shard) {
        let mut seen = self.0.lock().unwrap();
        seen.began += 1;
        seen.last.remove(&(node, shard.id()));
    }

    fn applied(&self, applied: &Applied<'_>) {
        let mut seen = self.0.lock().unwrap();
        let replica = (applied.node, applied.shard.id());
        let position = applied.entry.position;
        let dense = match seen.last.get(&replica) {
            None => position.index == 0 && position.ordinal == 0,
            Some((last, true)) => position.index == last + 1 && position.ordinal == 0,
            Some((last, false)) => position.index == *last && position.ordinal > 0,
        };
        assert!(dense, "{replica:?}: {position:?} after {:?}", seen.last.get(&replica));
        assert_eq!(applied.last_of_batch, position.ordinal as usize + 1 == applied.batch_len);
        seen.last.insert(replica, (position.index, applied.last_of_batch));
        let told = (applied.entry.clone(), applied.outcome.clone(), applied.events.len());
        seen.applied.entry(replica).or_default().insert((position.index, position.ordinal), told);
        if applied.last_of_batch {
            seen.hashes.entry(replica).or_default().insert(position.index, applied.shard.state_hash());
        }
    }

    fn passed(&self, spot: Spot, shard: &Shard) {
        let mut seen = self.0.lock().unwrap();
        let replica = (spot.node, spot.shard);
        let next = seen.last.get(&replica).map_or(0, |(last, over)| {
            assert!(over, "{replica:?}: {spot:?} inside a batch");
            last + 1
        });
        assert_eq!(spot.index, next, "{replica:?}");
        seen.last.insert(replica, (spot.index, true));
        seen.hashes.entry(replica).or_default().insert(spot.index, shard.state_hash());
    }

    fn snapshot(&self, spot: Spot, shard: &Shard) {
        let mut seen = self.0.lock().unwrap();
        assert_eq!(seen.last[&(spot.node, spot.shard)], (spot.index, true));
        assert_eq!(seen.hashes[&(spot.node, spot.shard)][&spot.index], shard.state_hash());
        seen.snapshots += 1;
    }

    fn restored(&self, spot: Spot, shard: &Shard) {
        let mut seen = self.0.lock().unwrap();
        let replica = (spot.node, spot.shard);
        seen.restored += 1;
        seen.last.insert(replica, (spot.index, true));
        seen.hashes.entry(replica).or_default().insert(spot.index, shard.state_hash());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_replica_tells_the_same_story_through_restarts_and_snapshots() {
    let recorder = Arc::new(Recorder::default());
    let probe: Arc<dyn Probe> = recorder.clone();
    let config = EngineConfig { probe: Some(probe), ..EngineConfig::default() };
    let mut cluster = Cluster::start_with(3, config, |config| config.limits.snapshot_entries = 20).await;
    let site = Site::create(cluster.engine(1), 1, RING).await;
    let leader = cluster.leader_of(site.domain, 1).await;
    let absent = cluster.nodes.keys().copied().find(|id| *id != leader).unwrap();
    cluster.crash(absent, 3).await;
    // Enough for the others to take a snapshot and forget the log before it.
    for _ in 0..120 {
        site.start(cluster.engine(leader.0)).await;
    }
    cluster.run(absent).await;
    let shard = cluster.engine(leader.0).domains()[0].shard;
    let goal = eventually("an end of the log", || {
        let state = cluster.engine(leader.0).cluster();
        state.shards.iter().find(|state| state.group.0 == shard.0).map(|state| state.applied)
    })
    .await;
    eventually("everything everywhere", || {
        let seen = recorder.0.lock().unwrap();
        let there = |node: &NodeId| seen.last.get(&(*node, shard)).is_some_and(|(last, _)| *last >= goal);
        cluster.nodes.keys().all(there).then_some(())
    })
    .await;
    cluster.stop_all().await;

    let seen = recorder.0.lock().unwrap();
    assert_eq!(seen.began, 8, "three nodes and one again, two shards each");
    assert!(seen.snapshots > 0 && seen.restored > 0, "{} taken, {} restored", seen.snapshots, seen.restored);
    let mut story: BTreeMap<(u64, u32), &Told> = BTreeMap::new();
    let mut hashes: BTreeMap<u64, u64> = BTreeMap::new();
    for node in [1, 2, 3].map(NodeId) {
        for (position, told) in &seen.applied[&(node, shard)] {
            assert_eq!(*story.entry(*position).or_insert(told), told, "{node} at {position:?}");
        }
        for (index, hash) in &seen.hashes[&(node, shard)] {
            assert_eq!(*hashes.entry(*index).or_insert(*hash), *hash, "{node} at {index}");
        }
    }
    assert!(story.len() > 120 && story.values().any(|(_, _, events)| *events > 0));
}
