//! Snapshots for followers over links that break, in paused time.

use crate::harness;
use crate::piped;

use consensus::{Config, LEVEL_PARTS, NodeId, seed_thread};
use harness::{eventually, logged};
use piped::Cluster;

/// Frames of a snapshot in one, and of one in parts.
const IN_ONE: u8 = 11;
const OFFER: u8 = 15;
const PART: u8 = 16;

const COMMANDS: usize = 40;
const COMMAND_BYTES: usize = 50_000;
/// Less than half of the snapshot.
const CARRIED: usize = 700_000;

fn in_parts(config: &mut Config) {
    config.about.level = LEVEL_PARTS;
    config.limits.snapshot_entries = 10;
}

fn mixed(config: &mut Config) {
    in_parts(config);
    if config.node == NodeId(3) {
        config.about.level = LEVEL_PARTS - 1;
    }
}

/// Three nodes of which one has stopped, and then so much came that it needs a snapshot; it is not the one
/// that leads.
async fn behind(adjust: fn(&mut Config)) -> (Cluster, NodeId) {
    let mut cluster = Cluster::start(adjust).await;
    cluster.propose(b"before", None).await;
    cluster.agreed(1).await;
    let behind = NodeId(3);
    if cluster.leader_without(None).await == behind {
        cluster.group(behind).transfer_leadership(NodeId(1)).await.unwrap();
    }
    cluster.leader_without(Some(behind)).await;
    cluster.stop(behind).await;
    for number in 0..COMMANDS {
        cluster.propose(&vec![number as u8; COMMAND_BYTES], None).await;
    }
    let leader = cluster.leader_without(None).await;
    eventually("the snapshot", || {
        let status = cluster.group(leader).status();
        (status.snapshot + 12 > status.last_index).then_some(())
    })
    .await;
    (cluster, behind)
}

/// No connection carries half of it, so a snapshot that began anew with every connection would never come.
#[tokio::test(start_paused = true)]
async fn a_snapshot_comes_through_links_that_break_in_the_middle_of_it() {
    logged();
    seed_thread(1);
    let (mut cluster, behind) = behind(in_parts).await;
    *cluster.net.breaks.lock().unwrap() = Some((behind, CARRIED));
    let dialled = cluster.net.dialled.lock().unwrap().len();
    cluster.run(behind).await.unwrap();
    cluster.agreed(1 + COMMANDS).await;
    let figures = &cluster.nodes[&behind].figures;
    assert!(cluster.nodes[&behind].ledger.seen.lock().unwrap().restored > 0, "not by the log alone");
    assert!(figures.snapshots_resumed() >= 2, "{figures:?}");
    assert!(cluster.net.dialled.lock().unwrap().len() - dialled >= 3, "each link broke");
    assert_eq!(cluster.net.sent(IN_ONE), 0);
    let parts = cluster.net.sent(PART);
    let needed = COMMANDS * COMMAND_BYTES / (128 << 10);
    assert!(parts < 3 * needed, "{parts} parts, of which {needed} are needed");
    cluster.stop_all().await;
}

/// A node of the release before gets no frame that it cannot read, and its snapshot in one message.
#[tokio::test(start_paused = true)]
async fn a_node_that_knows_no_parts_gets_a_snapshot_in_one() {
    logged();
    seed_thread(2);
    let (mut cluster, behind) = behind(mixed).await;
    cluster.run(behind).await.unwrap();
    cluster.agreed(1 + COMMANDS).await;
    assert!(cluster.nodes[&behind].ledger.seen.lock().unwrap().restored > 0, "not by the log alone");
    assert!(cluster.net.sent(IN_ONE) > 0);
    assert_eq!((cluster.net.sent(OFFER), cluster.net.sent(PART)), (0, 0));
    cluster.stop_all().await;
}

/// What came is of no use once the leader has a newer snapshot; the newer one comes whole all the same.
#[tokio::test(start_paused = true)]
async fn a_newer_snapshot_takes_the_place_of_what_came_of_the_former() {
    logged();
    seed_thread(3);
    let (mut cluster, behind) = behind(in_parts).await;
    *cluster.net.breaks.lock().unwrap() = Some((behind, CARRIED));
    cluster.run(behind).await.unwrap();
    eventually("some parts", || (cluster.net.sent(PART) > 3).then_some(())).await;
    for number in 0..COMMANDS {
        cluster.propose(&[number as u8; 10], None).await;
    }
    cluster.agreed(1 + 2 * COMMANDS).await;
    let leftover =
        cluster.disks[&behind].mount().list(std::path::Path::new("/data/snapshots")).await.unwrap();
    assert!(leftover.iter().all(|name| !name.ends_with(".incoming")), "{leftover:?}");
    cluster.stop_all().await;
}
