//! Nodes are killed as a crash would, under load; afterwards everything that was answered must hold,
//! judged by the checker from what the clients and desks saw.

use crate::harness;

use harness::{Cluster, Node, Start};
use routing::Span;
use simulator::load::{Load, Options, Outcome, Synthetic};
use simulator::report::Report;
use std::time::Duration;

/// Long enough for three kills with work in between.
const LOAD: Span = Span::seconds(12);

fn load() -> Synthetic {
    Synthetic {
        agents: 12,
        queues: 3,
        rate_per_s: 20.0,
        duration: LOAD,
        occupancy: 0.7,
        patience: Span::seconds(30),
    }
}

async fn prepare(addresses: Vec<String>, seed: u64) -> Load {
    let options = Options { addresses, seed, ..Options::default() };
    Load::prepare(options, vec![load().workload(seed)]).await.expect("the load is set up")
}

async fn pause(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// What must be true after any crash that a majority of disks survives.
fn assert_nothing_lost(outcome: &Outcome) {
    let report: &Report = &outcome.report;
    let violations = &outcome.verdict.violations;
    assert!(violations.is_empty(), "broken promises: {violations:#?}");
    assert_eq!(report.lost, Some(0), "{report:?}");
    assert_eq!(report.arrivals, report.served + report.abandoned + report.unserved, "{report:?}");
    let acknowledged = report.acknowledged.expect("load counts what was answered");
    assert!(acknowledged > 300, "so few answers test nothing: {report:?}");
    assert!(report.served > 100, "so few calls served test nothing: {report:?}");
}

/// Kills and restarts a single durable node three times under load.
async fn single_node(start: Start, seed: u64) -> (Outcome, Node) {
    let mut node = start.serve();
    let load = prepare(vec![node.address.clone()], seed).await;
    let run = tokio::spawn(load.run());
    for _ in 0..3 {
        pause(3).await;
        node = tokio::task::spawn_blocking(move || node.kill().serve()).await.expect("it serves again");
    }
    let outcome = run.await.expect("the load ends").expect("the record is read");
    (outcome, node)
}

fn assert_well(outcome: &Outcome, node: &Node) {
    assert_nothing_lost(outcome);
    node.assert_no_errors();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_single_node_keeps_what_it_answered() {
    let data = tempfile::TempDir::new().expect("a folder");
    let (outcome, node) = single_node(Start::new(data.path()), 1).await;
    assert_well(&outcome, &node);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_drops_what_was_not_flushed_loses_no_answer() {
    let data = tempfile::TempDir::new().expect("a folder");
    let start = Start::new(data.path()).faults().arg("--lossy-disk").arg("7");
    let (outcome, node) = single_node(start, 2).await;
    assert_well(&outcome, &node);
}

/// The test above must be able to fail: without the log's flushes answers are lost, the checker sees it
/// and so does the node, to which desks tell of events that its log no longer has.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_flush_answers_are_lost_and_it_shows() {
    let data = tempfile::TempDir::new().expect("a folder");
    let start = Start::new(data.path()).faults().arg("--lossy-disk").arg("7").arg("--skip-sync");
    let (outcome, node) = single_node(start, 3).await;
    assert!(outcome.verdict.broken > 0, "nobody noticed: {:?}", outcome.report);
    assert!(node.errors().contains("acknowledged work may be lost"), "the node raised no alarm");
}

/// Kills whichever node leads the domain, three times, each time to come back.
async fn leaders(cluster: &mut Cluster, seed: u64) -> Outcome {
    let addresses = (1..=3).map(|id| cluster.node(id).address.clone()).collect();
    let load = prepare(addresses, seed).await;
    let domain = load.domains().first().expect("a domain").to_string();
    let run = tokio::spawn(load.run());
    for _ in 0..3 {
        pause(2).await;
        let leader = cluster.leader_of(&domain).await;
        cluster.kill(leader);
        pause(2).await;
        cluster.restart(leader);
    }
    run.await.expect("the load ends").expect("the record is read")
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_leaders_keep_what_they_answered() {
    let mut cluster = Cluster::three(&[]).await;
    assert_nothing_lost(&leaders(&mut cluster, 4).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_leaders_with_lossy_disks_keep_what_they_answered() {
    let mut cluster = Cluster::with(|start| start.faults().arg("--lossy-disk").arg("11")).await;
    assert_nothing_lost(&leaders(&mut cluster, 5).await);
}
