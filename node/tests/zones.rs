//! Replicas and voters are spread over zones, as real processes.

use crate::harness;

use harness::{Client, Node, Start, Tenant, run, until};
use proto::v1::ClusterState;
use std::collections::BTreeSet;
use tempfile::TempDir;

/// The zones that each shard's voters are in, once every shard has three replicas.
fn zones_of_voters(state: &ClusterState) -> Option<Vec<BTreeSet<&str>>> {
    let zone = |id: u64| state.nodes.iter().find(|node| node.id == id).map(|node| node.zone.as_str());
    let shards = state.shards.iter().filter(|shard| shard.id != 0);
    shards
        .map(|shard| {
            let voters = shard.members.iter().filter(|member| member.voter);
            let zones: Option<BTreeSet<&str>> = voters.map(|member| zone(member.node)).collect();
            zones.filter(|_| shard.members.len() == 3)
        })
        .collect()
}

async fn spread_over(node: &Node, zones: &[&str]) {
    until(&format!("voters in {zones:?}"), || async {
        let state = Client::of(node).state().await;
        let wanted: BTreeSet<&str> = zones.iter().copied().collect();
        let all = zones_of_voters(&state)?;
        (state.nodes.len() == 4 && all.iter().all(|zones| *zones == wanted)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_zone_has_one_voter_of_each_shard() {
    let data = TempDir::new().expect("a folder");
    let start = |id: u64, zone: &str| {
        Start::new(&data.path().join(format!("node{id}"))).shards(6).arg("--zone").arg(zone)
    };
    let first = start(1, "a").serve();
    let join = |id: u64, zone: &str| start(id, zone).arg("--join").arg(&first.address).serve();
    let (second, third, fourth) = (join(2, "a"), join(3, "b"), join(4, "c"));
    let tenant = Tenant::make(&Client::of(&fourth), 1).await;
    let set = run(&["ctl", "--target", &second.address, "replicas", "3"]);
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    for node in [&first, &second, &third, &fourth] {
        spread_over(node, &["a", "b", "c"]).await;
    }
    let shown = run(&["ctl", "--target", &third.address, "cluster"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("ZONE") && !shown.contains("voters are in zone"), "{shown}");

    // A node that says another zone counts as of that: there are only two now, and no zone has three.
    let address = fourth.address.clone();
    let (status, _) = fourth.stop();
    assert!(status.success());
    let fourth = start(4, "b").listen(&address).serve();
    spread_over(&fourth, &["a", "b"]).await;
    Client::of(&fourth).start(&tenant.call()).await;
    for node in [&first, &second, &third, &fourth] {
        node.assert_no_errors();
    }
    let refused = start(5, "eu west").refuse();
    assert!(refused.errors.contains("letters, digits"), "{}", refused.errors);
}
