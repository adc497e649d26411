//! Groups with mistakes on purpose: each does harm that can be seen from outside, or it would prove
//! nothing. The mistakes of the log are in its own tests.

use crate::harness;
use crate::piped;

use consensus::{NodeId, SeededBug, seed_thread};
use harness::{eventually, logged};
use piped::{Cluster, Weather};
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test(start_paused = true)]
async fn an_answer_before_commit_is_lost_with_its_leader() {
    logged();
    seed_thread(1);
    let cluster = Cluster::start(|config| config.seeded_bug = Some(SeededBug::AnswerBeforeCommit)).await;
    for number in 0..5 {
        cluster.propose(&[number], None).await;
    }
    cluster.agreed(5).await;
    let old = cluster.leader_without(None).await;
    cluster.net.set(old, Some(Weather::Silent));
    let answered = cluster.group(old).propose(b"lost".to_vec()).await;
    assert!(answered.is_ok(), "nobody has it: {answered:?}");
    cluster.propose(b"during", Some(old)).await;
    for (id, node) in cluster.nodes.iter().filter(|(id, _)| **id != old) {
        let seen = node.ledger.seen.lock().unwrap().commands.clone();
        assert!(!seen.contains(&b"lost".to_vec()), "{id} has it");
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_barrier_that_does_not_ask_lets_stale_reads_through() {
    logged();
    for bug in [None, Some(SeededBug::StaleReadBarrier)] {
        seed_thread(2);
        let adjust: fn(&mut consensus::Config) = match bug {
            None => |_| {},
            Some(_) => |config| config.seeded_bug = Some(SeededBug::StaleReadBarrier),
        };
        let cluster = Cluster::start(adjust).await;
        cluster.propose(b"before", None).await;
        let old = cluster.leader_without(None).await;
        cluster.net.set(old, Some(Weather::Silent));
        cluster.propose(b"during", Some(old)).await;
        let read = timeout(Duration::from_secs(5), cluster.group(old).read_barrier()).await;
        assert_eq!(matches!(read, Ok(Ok(()))), bug.is_some(), "{bug:?}: {read:?}");
        cluster.stop_all().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_too_early_has_not_applied_what_is_in_its_log() {
    logged();
    seed_thread(3);
    for bug in [None, Some(SeededBug::LeadsTooEarly)] {
        let adjust: fn(&mut consensus::Config) = match bug {
            None => |_| {},
            Some(_) => |config| config.seeded_bug = Some(SeededBug::LeadsTooEarly),
        };
        let cluster = Cluster::start(adjust).await;
        cluster.propose(b"before", None).await;
        let old = cluster.leader_without(None).await;
        for disk in cluster.disks.values() {
            disk.set_delay(Duration::from_millis(30));
        }
        cluster.net.set(old, Some(Weather::Silent));
        let new = cluster.leader_without(Some(old)).await;
        let status = cluster.group(new).status();
        assert_eq!(status.applied < status.last_index, bug.is_some(), "{bug:?}: {status:?}");
        cluster.stop_all().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_installed_snapshot_that_is_not_saved_is_gone_after_a_crash() {
    logged();
    seed_thread(4);
    let mut cluster = Cluster::start(|config| {
        config.limits.snapshot_entries = 10;
        config.seeded_bug = Some(SeededBug::InstalledSnapshotNotSaved);
    })
    .await;
    cluster.propose(b"first", None).await;
    let behind = NodeId(3);
    cluster.stop(behind).await;
    for number in 0..80 {
        cluster.propose_again(&[number]).await;
    }
    cluster.run(behind).await.unwrap();
    let restored = || cluster.nodes[&behind].ledger.seen.lock().unwrap().restored > 0;
    eventually("the snapshot", || restored().then_some(())).await;
    cluster.crash(behind, 1).await;
    match cluster.run(behind).await {
        Err(_) => {}
        // Perhaps the leader sends another one, before anything asks for what is gone.
        Ok(()) => assert!(cluster.nodes[&behind].ledger.seen.lock().unwrap().commands.len() < 10),
    }
    cluster.stop_all().await;
}
