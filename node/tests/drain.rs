//! Nodes that are taken out of service, for good or for a while, as real processes.

use crate::harness;

use harness::{Client, Node, Start, Tenant, run, until};
use proto::v1::ClusterState;
use proto::v1::cluster_state::node::Stage;
use routing::level;
use std::process::Output;
use tempfile::TempDir;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn ctl(node: &Node, args: &[&str]) -> Output {
    run(&[&["ctl", "--target", &node.address, "node"][..], args].concat())
}

fn done(node: &Node, args: &[&str]) -> String {
    let output = ctl(node, args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn led(state: &ClusterState, node: u64) -> Vec<u32> {
    state.shards.iter().filter(|shard| shard.leader == node).map(|shard| shard.id).collect()
}

fn stage(state: &ClusterState, node: u64) -> Option<Stage> {
    state.nodes.iter().find(|one| one.id == node).map(|node| node.stage())
}

/// Waits until three nodes that see each other vote in all groups, each of which has a leader, at this
/// release's level.
async fn three(node: &Node) {
    until("three voters of every group", || async {
        let state = Client::of(node).state().await;
        let whole = |shard: &proto::v1::cluster_state::Shard| {
            shard.leader != 0 && shard.members.len() == 3 && shard.members.iter().all(|member| member.voter)
        };
        let here = |one: &proto::v1::cluster_state::Node| one.reachable || one.id == state.this_node;
        let met = state.nodes.len() == 3 && state.nodes.iter().all(here);
        (met && state.level == level::LATEST && state.shards.iter().all(whole)).then_some(())
    })
    .await;
}

struct Three {
    nodes: [Option<Node>; 3],
    _data: TempDir,
}

impl Three {
    async fn start() -> Self {
        let data = TempDir::new().expect("a folder");
        let start = |id: u64| Start::new(&data.path().join(format!("node{id}"))).shards(6);
        let first = start(1).serve();
        let join = |id: u64| start(id).arg("--join").arg(&first.address).serve();
        let (second, third) = (join(2), join(3));
        for node in [&first, &second, &third] {
            three(node).await;
        }
        Self { nodes: [Some(first), Some(second), Some(third)], _data: data }
    }

    fn node(&self, id: usize) -> &Node {
        self.nodes[id - 1].as_ref().expect("a running node")
    }

    fn take(&mut self, id: usize) -> Node {
        self.nodes[id - 1].take().expect("a running node")
    }

    async fn state(&self, id: usize) -> ClusterState {
        Client::of(self.node(id)).state().await
    }
}

#[tokio::test]
async fn a_node_is_drained_for_good_and_ends_well() {
    let mut cluster = Three::start().await;
    let tenant = Tenant::make(&Client::of(cluster.node(1)), 1).await;
    tenant.works(&Client::of(cluster.node(3))).await;

    // Below a quorum it is refused, and nothing has begun.
    let second = cluster.take(2).kill();
    until("the loss to be seen", || async {
        let state = cluster.state(1).await;
        state.nodes.iter().any(|node| node.id == 2 && !node.reachable).then_some(())
    })
    .await;
    for how in [&["drain", "3"][..], &["drain", "3", "--keep"], &["drain", "3", "--dry-run"]] {
        let refused = ctl(cluster.node(1), how);
        assert_eq!(refused.status.code(), Some(6), "{how:?}");
        assert!(text(&refused.stderr).contains("start node 2 first"), "{}", text(&refused.stderr));
    }
    let dead = ctl(cluster.node(1), &["drain", "2"]);
    assert_eq!(dead.status.code(), Some(6));
    assert!(text(&dead.stderr).contains("ctl node remove 2"), "{}", text(&dead.stderr));
    assert_eq!(stage(&cluster.state(1).await, 3), Some(Stage::Member));
    cluster.nodes[1] = Some(second.serve());
    for id in 1..=3 {
        three(cluster.node(id)).await;
    }

    let plan = done(cluster.node(1), &["drain", "3", "--dry-run"]);
    assert!(plan.contains("7 groups are left by it") && plan.contains("2 nodes stay"), "{plan}");
    assert!(!plan.contains("NOT POSSIBLE"), "{plan}");
    let state = cluster.state(1).await;
    let named = led(&state, 3).iter().all(|shard| match shard {
        0 => plan.contains("the meta group: node 1 or 2"),
        shard => plan.contains(&format!("shard {shard}: node 1 or 2")),
    });
    assert!(named, "{plan}");
    assert_eq!(stage(&state, 3), Some(Stage::Member), "a dry run changes nothing");

    // The node that is asked is the one that goes.
    let drained = ctl(cluster.node(3), &["drain", "3"]);
    let said = text(&drained.stderr);
    assert!(drained.status.success(), "{said}");
    assert!(said.contains("node 3 leads"), "no progress: {said}");
    assert!(text(&drained.stdout).contains("node 3 has left the cluster and has stopped"));
    let ended = cluster.take(3).ended();
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    assert!(ended.errors.lines().last().expect("a line").contains("this node has left the cluster"));
    assert!(!ended.errors.contains("ERROR"), "{}", ended.errors);
    let state = cluster.state(1).await;
    assert_eq!(state.nodes.iter().map(|node| node.id).collect::<Vec<_>>(), [1, 2]);
    tenant.works(&Client::of(cluster.node(2))).await;
    for id in 1..=2 {
        cluster.node(id).assert_no_errors();
    }
}

#[tokio::test]
async fn a_drained_node_that_is_kept_leads_nothing_until_it_is_undrained() {
    let mut cluster = Three::start().await;
    let tenant = Tenant::make(&Client::of(cluster.node(1)), 1).await;
    let kept = done(cluster.node(2), &["drain", "1", "--keep"]);
    assert!(kept.contains("leads nothing and can be stopped"), "{kept}");
    assert_eq!(led(&cluster.state(2).await, 1), [0; 0]);
    let shown = run(&["ctl", "--target", &cluster.node(3).address, "cluster"]);
    assert!(text(&shown.stdout).contains("node 1 is drained and leads nothing"), "{}", text(&shown.stdout));

    // It stays so when it is restarted, and when another node goes: that one's groups go elsewhere.
    let address = cluster.node(1).address.clone();
    let (status, again) = cluster.take(1).stop();
    assert!(status.success());
    tenant.works(&Client::of(cluster.node(3))).await;
    cluster.nodes[0] = Some(again.listen(&address).serve());
    three(cluster.node(1)).await;
    let (status, again) = cluster.take(3).stop();
    assert!(status.success());
    until("node 2 to lead everything", || async {
        (led(&cluster.state(2).await, 2).len() == 7).then_some(())
    })
    .await;
    tenant.works(&Client::of(cluster.node(1))).await;
    cluster.nodes[2] = Some(again.serve());
    three(cluster.node(3)).await;
    let state = cluster.state(3).await;
    assert_eq!((stage(&state, 1), led(&state, 1).len()), (Some(Stage::Drained), 0));

    // Somebody must lead.
    done(cluster.node(1), &["drain", "2", "--keep"]);
    let last = ctl(cluster.node(1), &["drain", "3", "--keep"]);
    assert_eq!(last.status.code(), Some(6));
    assert!(text(&last.stderr).contains("undrain"), "{}", text(&last.stderr));
    for node in ["1", "2"] {
        done(cluster.node(3), &["undrain", node]);
    }
    until("all to lead again", || async {
        let state = cluster.state(3).await;
        (1..=3).all(|node| !led(&state, node).is_empty()).then_some(())
    })
    .await;
    for id in 1..=3 {
        cluster.node(id).assert_no_errors();
    }
}

#[tokio::test]
async fn a_node_that_is_told_to_stop_hands_over_first() {
    let mut cluster = Three::start().await;
    let tenant = Tenant::make(&Client::of(cluster.node(1)), 1).await;
    let state = cluster.state(1).await;
    let leader = (1..=3).max_by_key(|node| led(&state, *node).len()).expect("three");
    let had = led(&state, leader);
    let stopping = cluster.take(usize::try_from(leader).expect("small"));
    stopping.signal("-TERM");
    let ended = stopping.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    // A node that just ends hands over nothing: its groups have no leader until another is elected.
    let said = format!("handed over {0} of {0} groups", had.len());
    assert!(ended.errors.contains(&said), "groups {had:?}: {}", ended.errors);
    let left = cluster.nodes.iter().flatten().next().expect("two are left");
    let state = Client::of(left).state().await;
    assert!(state.shards.iter().all(|shard| shard.leader != 0 && shard.leader != leader), "{state:?}");
    tenant.works(&Client::of(left)).await;
}
