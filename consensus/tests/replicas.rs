//! Replicas that are opened and closed while a cluster works.

use crate::harness;

use consensus::{GroupId, MemberChange, NodeId};
use harness::{Cluster, eventually, logged};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

const GROUP: u32 = 1;

async fn admit(cluster: &Cluster, node: NodeId) {
    let address = cluster.members[&node].clone();
    cluster.change(GROUP, &MemberChange::Admit { node, address }).await;
}

async fn set_voters(cluster: &Cluster, voters: &[u64]) {
    let voters: BTreeSet<NodeId> = voters.iter().map(|id| NodeId(*id)).collect();
    cluster.change(GROUP, &MemberChange::SetVoters(voters)).await;
}

/// The index of the last change of members, once it is committed.
async fn members_at(cluster: &Cluster) -> u64 {
    let leader = cluster.group(cluster.leader(GROUP).await, GROUP);
    eventually("a committed change", || {
        let now = leader.members();
        (now.committed && !now.joint).then_some(now.index)
    })
    .await
}

fn has(cluster: &Cluster, id: u64) -> bool {
    cluster.nodes[&NodeId(id)].consensus.group(GroupId(GROUP)).is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_replica_leaves_nothing_and_one_that_is_opened_again_has_it_all() {
    logged();
    let mut cluster = Cluster::start(4, 1, |config| config.limits.snapshot_entries = 20).await;
    for number in 0..50u8 {
        cluster.propose(GROUP, &[number]).await;
    }
    cluster.agreed(GROUP, 50).await;
    let leader = cluster.leader(GROUP).await;
    let goes = cluster.members.keys().copied().find(|id| *id != leader).unwrap();
    let stay: Vec<u64> = cluster.members.keys().filter(|id| **id != goes).map(|id| id.0).collect();
    let before = members_at(&cluster).await;
    set_voters(&cluster, &stay).await;
    cluster.change(GROUP, &MemberChange::Dismiss(goes)).await;
    let at = members_at(&cluster).await;
    let consensus = cluster.nodes[&goes].consensus.clone();
    assert!(!consensus.close(GroupId(GROUP), before).await.unwrap(), "its own log knows of a later change");
    assert!(has(&cluster, goes.0));
    assert!(consensus.close(GroupId(GROUP), at).await.unwrap());
    assert!(consensus.close(GroupId(GROUP), at).await.unwrap(), "again: the same");
    assert!(!has(&cluster, goes.0));
    let told = consensus.leader(GroupId(GROUP)).unwrap();
    eventually("who leads, by the pings", || {
        let led_by = told.borrow().leader?;
        cluster.group(led_by, GROUP).status().leading.then_some(())
    })
    .await;
    let names = cluster.disks[&goes].mount().list(Path::new("/data/snapshots")).await.unwrap();
    assert!(names.iter().all(|name| !name.contains("group_1.")), "no snapshot is left: {names:?}");
    drop(consensus);
    // Nor is it back after a crash.
    cluster.crash(goes, 7).await;
    cluster.run(goes).await;
    assert!(!has(&cluster, goes.0));
    cluster.propose(GROUP, b"meanwhile").await;
    cluster.open(goes, GROUP, at).await;
    let consensus = cluster.nodes[&goes].consensus.clone();
    assert!(!consensus.close(GroupId(GROUP), at).await.unwrap(), "it was opened after that change");
    assert!(cluster.seen(goes, GROUP).commands.is_empty());
    admit(&cluster, goes).await;
    cluster.agreed(GROUP, 51).await;
    drop(consensus);
    cluster.crash(goes, 8).await;
    cluster.run(goes).await;
    assert!(has(&cluster, goes.0), "it is to be open");
    cluster.agreed(GROUP, 51).await;
    cluster.stop_all().await;
}

/// Nobody answers the only member's heartbeats, and it never rests: all the same it says that it leads.
#[tokio::test(flavor = "multi_thread")]
async fn who_leads_a_group_with_one_replica_is_known_while_it_is_busy() {
    logged();
    let cluster = Cluster::start(3, 1, |_| ()).await;
    let leader = cluster.leader(GROUP).await;
    set_voters(&cluster, &[leader.0]).await;
    let others: Vec<NodeId> = cluster.members.keys().copied().filter(|id| *id != leader).collect();
    for id in &others {
        cluster.change(GROUP, &MemberChange::Dismiss(*id)).await;
    }
    let at = members_at(&cluster).await;
    for id in &others {
        assert!(cluster.nodes[id].consensus.close(GroupId(GROUP), at).await.unwrap());
    }
    let told = cluster.nodes[&others[0]].consensus.leader(GroupId(GROUP)).unwrap();
    eventually("who leads, by the pings", || told.borrow().leader).await;
    let group = cluster.group(leader, GROUP);
    // Several leases, and never as long without work as it takes to rest.
    for _ in 0..100 {
        group.read_barrier().await.unwrap();
        assert_eq!(told.borrow().leader, Some(leader), "its pings say that it leads no more");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    cluster.stop_all().await;
}

/// One and three confirm that four takes the place of two and three; two is away and knows nothing of it.
/// Three removes its log and is opened again with nothing. If it voted like any node with nothing, it and
/// two were the majority of what two believes in, and there would be two leaders.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_removed_its_log_votes_for_nobody_with_less() {
    logged();
    let mut cluster = Cluster::start(3, 1, |_| ()).await;
    cluster.propose(GROUP, b"before").await;
    cluster.agreed(GROUP, 1).await;
    cluster.stop(NodeId(2)).await;
    cluster.run_stranger().await;
    admit(&cluster, NodeId(4)).await;
    set_voters(&cluster, &[1, 4]).await;
    for id in [2, 3].map(NodeId) {
        cluster.change(GROUP, &MemberChange::Dismiss(id)).await;
    }
    cluster.propose(GROUP, b"after").await;
    let at = members_at(&cluster).await;
    assert!(cluster.nodes[&NodeId(3)].consensus.close(GroupId(GROUP), at).await.unwrap());
    cluster.open(NodeId(3), GROUP, at).await;
    cluster.board.cut(NodeId(1));
    cluster.board.cut(NodeId(4));
    cluster.run(NodeId(2)).await;
    let group = cluster.group(NodeId(2), GROUP);
    let peers = cluster.nodes[&NodeId(2)].consensus.peers();
    eventually("two and three to be connected", || peers.connected(NodeId(3)).then_some(())).await;
    // Several election time-outs.
    for _ in 0..40 {
        assert!(!group.status().leading, "elected by one that has forgotten what it confirmed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // And after a restart.
    cluster.crash(NodeId(3), 9).await;
    cluster.run(NodeId(3)).await;
    for _ in 0..20 {
        assert!(!group.status().leading, "elected by one that has forgotten what it confirmed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    cluster.stop_all().await;
}

/// One, the only founder, hands the group over to two, removes its log, and is opened again. Of what two
/// sends it anew it gets only the beginning, by which it is still the only member: if it stood for election
/// like any node, it would elect itself at once, and there would be two leaders.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_removed_its_log_does_not_stand_with_less() {
    const COMMANDS: usize = 1_000;
    logged();
    let mut cluster = Cluster::start(1, 1, |_| ()).await;
    for _ in 0..COMMANDS {
        cluster.propose(GROUP, &[0; 8 << 10]).await;
    }
    let two = cluster.run_stranger().await;
    admit(&cluster, two).await;
    set_voters(&cluster, &[two.0]).await;
    cluster.change(GROUP, &MemberChange::Dismiss(NodeId(1))).await;
    let at = members_at(&cluster).await;
    assert!(cluster.nodes[&NodeId(1)].consensus.close(GroupId(GROUP), at).await.unwrap());
    cluster.open(NodeId(1), GROUP, at).await;
    let ledger = cluster.nodes[&NodeId(1)].ledgers[&GroupId(GROUP)].clone();
    let has = || ledger.seen.lock().unwrap().commands.len();
    let fed = async {
        while has() == 0 {
            tokio::task::yield_now().await;
        }
        cluster.board.cut(two);
    };
    let ((), ()) =
        tokio::time::timeout(harness::LONG, async { tokio::join!(admit(&cluster, NodeId(1)), fed) })
            .await
            .unwrap();
    let group = cluster.group(NodeId(1), GROUP);
    for _ in 0..40 {
        assert!(!group.status().leading, "elected itself by a log from which others have gone on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!((1..COMMANDS).contains(&has()), "it was to have the beginning and no more: {}", has());
    // And after a restart.
    cluster.crash(NodeId(1), 9).await;
    cluster.run(NodeId(1)).await;
    let group = cluster.group(NodeId(1), GROUP);
    for _ in 0..40 {
        assert!(!group.status().leading, "elected itself by a log from which others have gone on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // With the rest of it, it may be voted for again.
    cluster.board.heal(two);
    cluster.agreed(GROUP, COMMANDS).await;
    set_voters(&cluster, &[1]).await;
    cluster.stop(two).await;
    eventually("one to lead again", || cluster.group(NodeId(1), GROUP).status().leading.then_some(())).await;
    cluster.stop_all().await;
}
