//! Disks that fail under a running or a starting node: it stops with the reason, acknowledges
//! nothing that may be lost, and the others go on.

use crate::harness;
use crate::piped;

use consensus::disk::{Area, HaltPoint, Moment, Operation};
use consensus::{NodeId, ProposeError, seed_thread};
use harness::{LONG, eventually, logged};
use piped::Cluster;
use std::collections::BTreeSet;
use std::time::Duration;

fn number(at: u32) -> Vec<u8> {
    at.to_le_bytes().to_vec()
}

fn distinct(commands: &[Vec<u8>]) -> usize {
    commands.iter().collect::<BTreeSet<_>>().len()
}

/// A leader with a disk that goes wrong as `break_it` says: it must not acknowledge, say `part` as
/// its reason, and find everything acknowledged again after a restart.
async fn leader_breaks(part: &str, break_it: impl Fn(&consensus::disk::MemDisk)) {
    logged();
    seed_thread(3);
    let mut cluster = Cluster::start(|_| {}).await;
    cluster.propose(b"before", None).await;
    let old = cluster.leader_without(None).await;
    break_it(&cluster.disks[&old]);
    let outcome = tokio::time::timeout(LONG, cluster.group(old).propose(b"broken".to_vec())).await;
    let outcome = outcome.expect("it is answered");
    assert!(matches!(outcome, Err(ProposeError::Unknown(_))), "{outcome:?}");
    let why = cluster.failed(old).await;
    assert!(why.contains(part), "{why}");
    assert!(!cluster.group(old).leadership().borrow().leading);
    let refused = cluster.group(old).propose(b"late".to_vec()).await;
    assert!(matches!(refused, Err(ProposeError::NotLeader { .. })), "{refused:?}");
    assert!(cluster.group(old).read_barrier().await.is_err());
    cluster.propose(b"during", Some(old)).await;
    cluster.crash(old, 5).await;
    cluster.run(old).await.unwrap();
    cluster.propose(b"after", None).await;
    let agreed = cluster.agreed(3).await;
    let known: Vec<_> = agreed.iter().filter(|command| command.as_slice() != b"broken").collect();
    assert_eq!(known, [b"before".as_slice(), b"during", b"after"]);
    cluster.stop_all().await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_disk_is_full_stops() {
    leader_breaks("no storage space", |disk| disk.set_full(true)).await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_sync_fails_stops() {
    leader_breaks("planned failure of a sync", |disk| disk.fail_next(Operation::Sync, Some(Area::Log))).await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_write_fails_stops() {
    leader_breaks("planned failure of a write", |disk| disk.fail_next(Operation::Write, Some(Area::Log)))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_follower_whose_sync_fails_counts_for_no_quorum() {
    logged();
    seed_thread(4);
    let mut cluster = Cluster::start(|_| {}).await;
    cluster.propose(b"before", None).await;
    let leader = cluster.leader_without(None).await;
    let followers: Vec<_> = cluster.nodes.keys().copied().filter(|id| *id != leader).collect();
    for id in &followers {
        cluster.disks[id].fail_next(Operation::Sync, Some(Area::Log));
    }
    let group = cluster.group(leader);
    let lost = tokio::time::timeout(Duration::from_secs(10), group.propose(b"unknown".to_vec())).await;
    assert!(!matches!(lost, Ok(Ok(_))), "nothing is acknowledged: {lost:?}");
    for id in &followers {
        let why = cluster.failed(*id).await;
        assert!(why.contains("planned failure of a sync"), "{why}");
        cluster.crash(*id, 6).await;
        cluster.run(*id).await.unwrap();
    }
    cluster.propose(b"after", None).await;
    let agreed = cluster.agreed(2).await;
    assert!(agreed.first().unwrap() == b"before" && agreed.last().unwrap() == b"after", "{agreed:?}");
    cluster.stop_all().await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_cannot_read_its_disk_does_not_start() {
    logged();
    seed_thread(5);
    let mut cluster = Cluster::start(|config| config.limits.snapshot_entries = 10).await;
    for at in 0..40 {
        cluster.propose(&number(at), None).await;
    }
    let id = NodeId(1);
    eventually("a snapshot", || (cluster.group(id).status().snapshot > 0).then_some(())).await;
    for area in [Area::Identity, Area::Log, Area::Snapshots] {
        cluster.crash(id, 7).await;
        cluster.disks[&id].fail_next(Operation::Read, Some(area));
        let why = cluster.run(id).await.expect_err("it must not start").to_string();
        assert!(why.contains("planned failure of a read"), "{area}: {why}");
        cluster.run(id).await.unwrap_or_else(|error| panic!("{area}: the disk works again: {error}"));
    }
    cluster.propose(b"after", None).await;
    assert_eq!(cluster.agreed(41).await.len(), 41);
    cluster.stop_all().await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_read_its_log_for_a_follower_stops() {
    logged();
    seed_thread(6);
    let mut cluster = Cluster::start(|_| {}).await;
    cluster.propose(b"first", None).await;
    let behind = NodeId(3);
    cluster.crash(behind, 8).await;
    for at in 0..40 {
        cluster.propose(&number(at), None).await;
    }
    // Read once, so that nothing is in memory any more.
    for id in [1, 2].map(NodeId) {
        cluster.crash(id, 9).await;
        cluster.run(id).await.unwrap();
    }
    let leader = cluster.leader_without(None).await;
    cluster.disks[&leader].fail_reads(Some(1));
    cluster.run(behind).await.unwrap();
    let why = cluster.failed(leader).await;
    assert!(why.contains("planned failure of a read"), "{why}");
    cluster.propose(b"last", Some(leader)).await;
    cluster.crash(leader, 10).await;
    cluster.run(leader).await.unwrap();
    assert_eq!(cluster.agreed(42).await.len(), 42);
    cluster.stop_all().await;
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_cannot_be_written_loses_nothing() {
    logged();
    for operation in
        [Operation::Create, Operation::Write, Operation::Sync, Operation::Rename, Operation::SyncDir]
    {
        seed_thread(7);
        let mut cluster = Cluster::start(|config| config.limits.snapshot_entries = 10).await;
        cluster.propose(b"first", None).await;
        let id = NodeId(2);
        cluster.disks[&id].fail_next(operation, Some(Area::Snapshots));
        for at in 0..40 {
            cluster.propose_again(&number(at)).await;
        }
        let why = cluster.failed(id).await;
        assert!(why.contains(&format!("planned failure of a {operation}")), "{why}");
        cluster.crash(id, 11).await;
        cluster.run(id).await.unwrap();
        cluster.propose(b"last", None).await;
        assert_eq!(distinct(&cluster.agreed(42).await), 42, "{operation}");
        cluster.stop_all().await;
    }
}

/// Power is cut inside every step that a running node's disk does, on either side of it.
#[tokio::test(start_paused = true)]
async fn a_crash_inside_any_step_loses_nothing_acknowledged() {
    use Operation::{Create, Remove, Rename, Sync, SyncDir, Write};
    logged();
    seed_thread(8);
    let steps = [(Area::Log, vec![Write, Sync])];
    let steps =
        steps.into_iter().chain([(Area::Snapshots, vec![Create, Write, Sync, Rename, SyncDir, Remove])]);
    let steps = steps.flat_map(|(area, operations)| operations.into_iter().map(move |step| (area, step)));
    let mut cluster = Cluster::start(|config| config.limits.snapshot_entries = 10).await;
    let mut proposed = 0;
    for (area, operation) in steps {
        for moment in [Moment::Before, Moment::After] {
            let id = NodeId(1 + u64::from(proposed % 3));
            let disk = cluster.disks[&id].clone();
            disk.halt_at(HaltPoint { area: Some(area), operation, moment, skip: 0 });
            for _ in 0..100 {
                while disk.halted().is_none() && !cluster.try_propose(&number(proposed)).await {}
                if disk.halted().is_some() {
                    break;
                }
                proposed += 1;
            }
            let (point, step) = disk.halted().expect("it comes to that");
            assert_eq!((point.moment, step.operation, step.area), (moment, operation, area));
            cluster.crash(id, u64::from(proposed)).await;
            cluster.run(id).await.unwrap();
            // Perhaps it is there already, though nobody was told.
            cluster.propose_again(&number(proposed)).await;
            proposed += 1;
        }
    }
    let agreed = cluster.agreed(proposed as usize).await;
    assert_eq!(distinct(&agreed), proposed as usize, "every acknowledged command is there");
    cluster.stop_all().await;
}
