//! A cluster goes to the next release, node by node, as real processes. The next release is this one,
//! told to know the level after its own.

use crate::harness;

use harness::{Client, Node, Start, Tenant, free_addresses, run, until};
use routing::level;
use simulator::replay::Player;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

struct Cluster {
    folder: TempDir,
    addresses: Vec<String>,
    nodes: Vec<Option<Node>>,
}

impl Cluster {
    async fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        let mut cluster = Self { folder, addresses: free_addresses(3), nodes: vec![None, None, None] };
        for id in 0..3 {
            cluster.nodes[id] = Some(cluster.how(id, false).serve());
        }
        until("three members", || async {
            let state = cluster.client(0).state().await;
            let whole =
                |shard: &proto::v1::cluster_state::Shard| shard.leader != 0 && shard.members.len() == 3;
            (state.nodes.len() == 3 && state.shards.iter().all(whole)).then_some(())
        })
        .await;
        cluster
    }

    fn how(&self, id: usize, next: bool) -> Start {
        let data = self.folder.path().join(format!("node{id}"));
        let start = Start::new(&data).listen(&self.addresses[id]);
        let start = if id == 0 { start } else { start.arg("--join").arg(&self.addresses[0]) };
        if next { start.faults().arg("--rehearse-upgrade") } else { start }
    }

    /// Stops a node and starts this release or the next on its data.
    fn restart(&mut self, id: usize, next: bool) {
        let (status, _) = self.nodes[id].take().expect("a running node").stop();
        assert!(status.success());
        self.nodes[id] = Some(self.how(id, next).serve());
    }

    fn client(&self, id: usize) -> Client {
        Client::at(&self.addresses[id])
    }

    fn ctl(&self, args: &[&str]) -> String {
        let done = run(&[&["ctl", "--target", &self.addresses[1]][..], args].concat());
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    async fn runs_at(&self, level: u32) {
        for id in 0..3 {
            until(&format!("level {level}"), || async {
                (self.client(id).state().await.level == level).then_some(())
            })
            .await;
        }
    }

    /// A whole conversation, by way of each node.
    async fn works(&self, tenant: &Tenant) {
        for id in 0..3 {
            tenant.works(&self.client(id)).await;
        }
    }

    /// Every node's own log of the tenant's shard applied again: the same state, at this level.
    fn replays_at(&self, tenant: &Tenant, level: u32) {
        for id in 0..3 {
            let file = self.folder.path().join("shard.log");
            let path = file.to_str().expect("a path of text");
            let target = ["ctl", "--target", &self.addresses[id]];
            let export = ["export-log", "--force", "--domain", &tenant.domain, path];
            let done = run(&[&target[..], &export].concat());
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            assert_eq!(replayed(&file), level, "node {id}");
        }
    }
}

/// The level at the end of a log, of which every state is the same here.
fn replayed(file: &Path) -> u32 {
    let bytes = std::fs::read(PathBuf::from(file)).expect("the file");
    let mut player = Player::open(&bytes[..]).expect("a log");
    while player.step(&mut |_| {}).expect("a state like the node's") {}
    player.shard().level()
}

#[tokio::test]
async fn a_cluster_of_two_releases_works_and_rises_when_all_have_the_next() {
    let mut cluster = Cluster::start().await;
    cluster.runs_at(level::LATEST).await;
    let tenant = Tenant::make(&cluster.client(2), 1).await;
    cluster.works(&tenant).await;

    // Held, it can go back.
    cluster.ctl(&["level", "--hold"]);
    for id in [2, 1, 0] {
        cluster.restart(id, true);
        cluster.works(&tenant).await;
    }
    until("a level that is held", || async {
        let said = cluster.ctl(&["level"]);
        said.contains("ctl level --release").then_some(())
    })
    .await;
    cluster.runs_at(level::LATEST).await;
    cluster.restart(1, false);
    cluster.works(&tenant).await;
    let waits = until("a node of the release before", || async {
        let said = cluster.ctl(&["cluster"]);
        said.contains("with the later release").then_some(said)
    })
    .await;
    assert!(waits.contains(&format!("from level {} to {}", level::LATEST, level::REHEARSAL)), "{waits}");

    // Not as long as one of them is of the release before.
    cluster.ctl(&["level", "--release"]);
    cluster.works(&tenant).await;
    cluster.runs_at(level::LATEST).await;
    cluster.replays_at(&tenant, level::LATEST);
    cluster.restart(1, true);
    cluster.runs_at(level::REHEARSAL).await;
    until("the shard's level", || async {
        cluster.works(&tenant).await;
        let file = cluster.folder.path().join("look.log");
        let path = file.to_str().expect("a path of text");
        cluster.ctl(&["export-log", "--force", "--domain", &tenant.domain, path]);
        (replayed(&file) == level::REHEARSAL).then_some(())
    })
    .await;
    cluster.replays_at(&tenant, level::REHEARSAL);

    // And not back.
    let (status, _) = cluster.nodes[2].take().expect("a running node").stop();
    assert!(status.success());
    let ended = cluster.how(2, false).ends();
    assert_ne!(ended.code, Some(0));
    let said = format!("feature level {}", level::REHEARSAL);
    assert!(ended.errors.contains(&said), "{}", ended.errors);
    let late = Start::new(&cluster.folder.path().join("late")).arg("--join").arg(&cluster.addresses[1]);
    let refused = late.refuse();
    assert!(refused.errors.contains("install the release that the others run"), "{}", refused.errors);
    cluster.nodes[2] = Some(cluster.how(2, true).serve());
    cluster.works(&tenant).await;
}
