//! Clusters that are born and grow as real processes.

use crate::harness;

use harness::{Client, Desk, Node, Start, Tenant, free_addresses, run, until};
use proto::v1::cluster_state::node::Stage;
use std::path::Path;
use tempfile::TempDir;

/// Waits until this node sees exactly these nodes (three at most), each a voter of every group, and
/// every group led by one of them.
async fn settled(client: &Client, ids: &[u64]) {
    until(&format!("the members {ids:?}"), || async {
        let state = client.state().await;
        let members: Vec<u64> =
            state.nodes.iter().filter(|node| node.stage() == Stage::Member).map(|node| node.id).collect();
        let groups = state.shards.iter().all(|shard| {
            let vote = shard.members.iter().all(|member| member.voter);
            let in_it: Vec<u64> = shard.members.iter().map(|member| member.node).collect();
            vote && in_it == ids && ids.contains(&shard.leader)
        });
        (members == ids && state.nodes.len() == ids.len() && groups).then_some(())
    })
    .await;
}

fn join(data: &Path, at: &[&Node]) -> Start {
    let at: Vec<&str> = at.iter().map(|node| node.address.as_str()).collect();
    Start::new(data).arg("--join").arg(at.join(","))
}

#[tokio::test]
async fn one_node_grows_to_three_loses_one_for_good_and_gets_another() {
    let data = TempDir::new().expect("a folder");
    let folder = |id: u64| data.path().join(format!("node{id}"));
    let first = Start::new(&folder(1)).serve();
    let tenant = Tenant::make(&Client::of(&first), 1).await;
    let second = join(&folder(2), &[&first]).serve();
    // Any member will do, and one that does not answer does not matter.
    let third = join(&folder(3), &[&second]).arg("--join").arg("127.0.0.1:1").serve();
    for node in [&first, &second, &third] {
        settled(&Client::of(node), &[1, 2, 3]).await;
    }
    let mut desk = Desk::open(&Client::of(&third), &tenant.agents[0]).await;
    desk.available().await;
    let started = Client::of(&second).start(&tenant.call()).await;
    assert_eq!(desk.offer().await.conversation, started.conversation);

    // The founder's machine is gone. The work is not.
    let founder = first.kill();
    let client = Client::of(&third);
    let conversation = client.conversation(&started.conversation).await;
    assert_eq!(conversation.id, started.conversation);
    let target = third.address.as_str();
    let plan = run(&["ctl", "--target", target, "node", "remove", "1", "--dry-run"]);
    let plan = String::from_utf8_lossy(&plan.stdout).into_owned();
    assert!(plan.contains("2 nodes stay"), "{plan}");
    let removed = run(&["ctl", "--target", target, "node", "remove", "1"]);
    assert!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
    settled(&client, &[2, 3]).await;
    let fourth = join(&folder(4), &[&second, &third]).serve();
    settled(&Client::of(&fourth), &[2, 3, 4]).await;
    let state = Client::of(&fourth).state().await;
    assert_eq!(state.this_node, 4, "numbers are not given again");

    // What was removed does not come back with its old data.
    let back = founder.arg("--join").arg(target).serve();
    let (status, founder) = back.wait();
    assert!(!status.success());
    // It keeps its number, and its cluster.
    let (status, again) = second.stop();
    assert!(status.success());
    let second = again.serve();
    settled(&Client::of(&second), &[2, 3, 4]).await;
    let other = Start::new(&folder(2)).arg("--cluster").arg("other");
    drop(second);
    let refused = other.refuse();
    assert_eq!(refused.code, Some(4), "{}", refused.errors);
    assert!(refused.errors.contains("belongs to cluster 'centralita', not 'other'"), "{}", refused.errors);
    drop(founder);
    for node in [&third, &fourth] {
        node.assert_no_errors();
    }
}

#[tokio::test]
async fn three_nodes_found_a_cluster_together_in_any_order() {
    let data = TempDir::new().expect("a folder");
    let addresses = free_addresses(3);
    let start = |id: usize| {
        let folder = data.path().join(format!("node{id}"));
        let start = Start::new(&folder).listen(&addresses[id]).arg("--join").arg(addresses.join(","));
        start.arg("--bootstrap-expect").arg("3")
    };
    let serve = |id: usize| {
        std::thread::spawn({
            let start = start(id);
            move || start.serve()
        })
    };
    let last = serve(2);
    // It does not found a cluster alone, however long it waits.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(!last.is_finished());
    let others = [serve(1), serve(0)];
    let nodes: Vec<Node> =
        others.into_iter().chain([last]).map(|node| node.join().expect("it serves")).collect();
    let mut ids = Vec::new();
    for node in &nodes {
        settled(&Client::of(node), &[1, 2, 3]).await;
        let state = Client::of(node).state().await;
        ids.push((state.this_node, state.cluster_id));
    }
    ids.sort();
    assert_eq!(ids.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(ids.iter().all(|(_, cluster)| *cluster == ids[0].1), "one cluster: {ids:?}");
    let tenant = Tenant::make(&Client::of(&nodes[0]), 1).await;
    Client::of(&nodes[2]).start(&tenant.call()).await;
    // Another that looks for a cluster of another name is told so.
    let stranger = Start::new(&data.path().join("stranger")).arg("--cluster").arg("other");
    let refused = stranger.arg("--join").arg(&addresses[0]).refuse();
    assert_eq!(refused.code, Some(6), "{}", refused.errors);
    assert!(refused.errors.contains("this is cluster 'centralita', not 'other'"), "{}", refused.errors);
    for node in &nodes {
        node.assert_no_errors();
    }
}
