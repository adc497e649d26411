//! Shards that are on one of three nodes, as real processes: each node serves all of them.

use crate::harness;

use harness::{Client, Desk, Node, Start, Tenant, run, until};
use proto::v1::reply::Result as Outcome;
use tempfile::TempDir;

/// Waits until this node sees so many replicas of every shard on the three nodes.
async fn spread(node: &Node, replicas: usize) -> Vec<Vec<u64>> {
    until(&format!("{replicas} replicas of every shard"), || async {
        let state = Client::of(node).state().await;
        let shards = state.shards.iter().filter(|shard| shard.id != 0 && shard.leader != 0);
        let held: Vec<Vec<u64>> =
            shards.map(|shard| shard.members.iter().map(|member| member.node).collect()).collect();
        let whole = held.len() + 1 == state.shards.len() && held.iter().all(|nodes| nodes.len() == replicas);
        (state.nodes.len() == 3 && whole).then_some(held)
    })
    .await
}

fn said(args: &[&str]) -> String {
    let done = run(args);
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

async fn serves_all(node: &Node, tenant: &Tenant, folder: &std::path::Path) {
    let target = node.address.as_str();
    let mut desk = Desk::open(&Client::of(node), &tenant.agents[0]).await;
    desk.available().await;
    let started = Client::of(node).start(&tenant.call()).await.conversation;
    let offer = desk.offer().await;
    assert_eq!(offer.conversation, started);
    assert!(matches!(desk.accept(&offer.id).await, Outcome::Accepted(_)));
    let picture = said(&["ctl", "--target", target, "picture", &tenant.domain]);
    assert!(picture.contains(&started), "{picture}");
    let log = folder.join("shard.log");
    let log = log.to_str().expect("a path of text");
    said(&["ctl", "--target", target, "export-log", "--force", "--domain", &tenant.domain, log]);
    let backup = folder.join("backup");
    let backup = backup.to_str().expect("a path of text");
    said(&["ctl", "--target", target, "backup", backup]);
    let restored = said(&["restore", backup, "--dry-run"]);
    assert!(restored.contains("1 agents"), "{restored}");
    assert!(matches!(desk.end_contact(&started).await, Outcome::Done(_)));
}

#[tokio::test]
async fn a_node_serves_shards_that_others_have() {
    let data = TempDir::new().expect("a folder");
    let folder = |id: u64| data.path().join(format!("node{id}"));
    let first = Start::new(&folder(1)).serve();
    let join = |id: u64| Start::new(&folder(id)).arg("--join").arg(&first.address).serve();
    let (second, third) = (join(2), join(3));
    let tenant = Tenant::make(&Client::of(&second), 1).await;
    spread(&first, 3).await;
    let refused = run(&["ctl", "--target", &first.address, "replicas", "2"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("1, 3 or 5"));
    let told = said(&["ctl", "--target", &second.address, "replicas", "1"]);
    assert!(told.contains("every shard has 1 replicas"), "{told}");
    let held = spread(&third, 1).await;
    for node in [&first, &second, &third] {
        assert_eq!(spread(node, 1).await, held);
        serves_all(node, &tenant, data.path()).await;
    }
    // A node begins again with what it had, and with no more.
    let (status, third) = third.stop();
    assert!(status.success());
    let third = third.serve();
    assert_eq!(spread(&third, 1).await, held);
    serves_all(&third, &tenant, data.path()).await;
    said(&["ctl", "--target", &third.address, "replicas", "3"]);
    spread(&third, 3).await;
    serves_all(&first, &tenant, data.path()).await;
    for node in [&first, &second, &third] {
        node.assert_no_errors();
    }
}
