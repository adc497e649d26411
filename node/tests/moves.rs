//! A domain goes to another shard while it works, as real processes: calls, desks, retries, the record, restarts.

use crate::harness;

use harness::{Client, Cluster, Desk, Tenant, mutation, run, until};
use proto::v1;
use proto::v1::reply::Result as Outcome;
use simulator::replay::Player;
use std::path::Path;
use tempfile::TempDir;

fn ctl(cluster: &Cluster, node: usize, args: &[&str]) -> Result<String, String> {
    let done = run(&[&["ctl", "--target", &cluster.node(node).address][..], args].concat());
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if done.status.success() { Ok(said(&done.stdout)) } else { Err(said(&done.stderr)) }
}

async fn shard_of(client: &Client, domain: &str) -> u32 {
    let request = v1::GetDomainRequest { domain: domain.to_owned() };
    let found = client.retry(|| async { client.admin().get_domain(request.clone()).await }).await;
    found.expect("a known domain").shard
}

/// Asks for the move until the cluster's level allows it, and waits for its end.
async fn moves(cluster: &Cluster, domain: &str, to: u32) {
    let to = to.to_string();
    until("a move that begins", || async { ctl(cluster, 2, &["move", domain, "--to", &to]).ok() }).await;
    over(cluster).await;
}

/// No node knows of a move under way.
async fn over(cluster: &Cluster) {
    for node in (1..=3).filter(|node| cluster.runs(*node)) {
        until("the end of the move", || async {
            cluster.client(node).state().await.moves.is_empty().then_some(())
        })
        .await;
    }
}

/// A whole conversation, by way of each running node.
async fn works(cluster: &Cluster, tenant: &Tenant) {
    for node in (1..=3).filter(|node| cluster.runs(*node)) {
        tenant.works(&cluster.client(node)).await;
    }
}

/// All events of a domain, as a node has them.
async fn record(client: &Client, domain: &str) -> Vec<v1::Event> {
    let request =
        v1::WatchRequest { domain: domain.to_owned(), from: 1, until_now: true, ..Default::default() };
    until("the record", || async {
        let mut events = client.events().watch(request.clone()).await.ok()?.into_inner();
        let mut all = Vec::new();
        while let Some(event) = events.message().await.ok()? {
            all.push(event);
        }
        Some(all)
    })
    .await
}

/// Applies a node's log of the domain's shard again: each state is the node's own.
fn replays(cluster: &Cluster, node: usize, domain: &str, folder: &Path) {
    let file = folder.join("shard.log");
    let path = file.to_str().expect("a path of text");
    ctl(cluster, node, &["export-log", "--force", "--domain", domain, path]).expect("a log");
    let bytes = std::fs::read(&file).expect("the file");
    let mut player = Player::open(&bytes[..]).expect("a log");
    while player.step(&mut |_| {}).expect("a state like the node's") {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_moves_while_it_works() {
    let folder = TempDir::new().expect("a folder");
    let mut cluster = Cluster::three(&[]).await;
    let client = cluster.client(1);
    let tenant = Tenant::make(&client, 1).await;
    let home = shard_of(&client, &tenant.domain).await;
    let mut desk = Desk::open(&client, &tenant.agents[0]).await;
    desk.available().await;
    let asked = tenant.call();
    let held = client.start(&asked).await.conversation;
    let offer = desk.offer().await;
    for to in [home % 3 + 1, (home + 1) % 3 + 1, home] {
        moves(&cluster, &tenant.domain, to).await;
        for node in 1..=3 {
            assert_eq!(shard_of(&cluster.client(node), &tenant.domain).await, to);
        }
        let welcome = desk.welcomed_again().await;
        assert_eq!(welcome.epoch, desk.welcome.epoch, "the same session");
    }
    let refused = |args: &[&str]| ctl(&cluster, 1, args).expect_err("refused");
    let unknown = refused(&["move", "dom_99", "--to", "1"]);
    assert!(unknown.contains("unknown domain"), "{unknown}");
    let nowhere = refused(&["move", &tenant.domain, "--to", "9"]);
    assert!(nowhere.contains("there is no shard 9: 1 to 3"), "{nowhere}");
    // What was offered before three moves is accepted after them; what was asked then has its answer.
    assert!(matches!(desk.accept(&offer.id).await, Outcome::Accepted(_)));
    assert_eq!(client.start(&asked).await.conversation, held, "asked again, not done again");
    assert!(matches!(desk.end_contact(&held).await, Outcome::Done(_)));
    works(&cluster, &tenant).await;

    moves(&cluster, &tenant.domain, home % 3 + 1).await;
    for node in 1..=3 {
        cluster.kill(node);
        cluster.restart(node);
        cluster.settled().await;
        works(&cluster, &tenant).await;
    }
    for node in 1..=3 {
        replays(&cluster, node, &tenant.domain, folder.path());
        let record = record(&cluster.client(node), &tenant.domain).await;
        let sequences: Vec<u64> = record.iter().map(|event| event.sequence).collect();
        let upto = u64::try_from(sequences.len()).expect("few");
        assert_eq!(
            sequences,
            (1..=upto).collect::<Vec<_>>(),
            "node {node}: from the first on, without a gap"
        );
    }
    let shown = ctl(&cluster, 1, &["--json", "cluster"]).expect("the cluster");
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["moves_begun"].as_u64(), Some(4), "{shown:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_ends_though_leaders_are_killed_in_it() {
    let mut cluster = Cluster::three(&[]).await;
    let tenant = Tenant::make(&cluster.client(1), 1).await;
    let mut kept = Vec::new();
    for round in 0..4_u64 {
        let home = shard_of(&cluster.client(1), &tenant.domain).await;
        let to = home % 3 + 1;
        let conversation = cluster.client(1).start(&tenant.call()).await.conversation;
        kept.push(conversation);
        let leader = cluster.leader_of(&tenant.domain).await;
        let asked_at = leader % 3 + 1;
        let begun = until("a move that begins", || async {
            ctl(&cluster, asked_at, &["move", &tenant.domain, "--to", &to.to_string()]).ok()
        });
        begun.await;
        tokio::time::sleep(std::time::Duration::from_millis(7 * round)).await;
        cluster.kill(leader);
        cluster.settled().await;
        over(&cluster).await;
        let client = cluster.client(asked_at);
        let now = shard_of(&client, &tenant.domain).await;
        assert!(now == home || now == to, "round {round}: {now} is neither {home} nor {to}");
        for conversation in &kept {
            let found = client.conversation(conversation).await;
            assert_eq!(found.ending, "", "round {round}: {found:?}");
        }
        cluster.restart(leader);
        cluster.settled().await;
    }
    // Each is there once, and waits.
    let client = cluster.client(2);
    for conversation in &kept {
        let request = v1::AbandonRequest { mutation: mutation(), conversation: conversation.clone() };
        let left = client.retry(|| async { client.routing().abandon(request.clone()).await }).await;
        left.expect("it waits");
    }
    works(&cluster, &tenant).await;
}
