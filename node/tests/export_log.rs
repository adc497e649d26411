//! A log exported from a running node, applied again offline.

use crate::harness;

use clap::Parser;
use harness::{Client, Desk, Start, Tenant, run};
use simulator::commands::Cli;
use simulator::replay::{Player, Subject};
use std::path::Path;
use tempfile::TempDir;

fn ctl(address: &str, args: &[&str]) -> std::process::Output {
    run(&[&["ctl", "--target", address][..], args].concat())
}

fn replayed(file: &Path) -> Player<&'static [u8]> {
    let bytes: &'static [u8] = std::fs::read(file).expect("the file").leak();
    let mut player = Player::open(bytes).expect("a log");
    while player.step(&mut |_| {}).expect("a state like the node's") {}
    player
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_of_a_running_node_makes_the_same_state_elsewhere() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 1).await;
    let mut desk = Desk::open(&client, &tenant.agents[0]).await;
    desk.available().await;
    let mut started = Vec::new();
    for _ in 0..5 {
        started.push(client.start(&tenant.call()).await.conversation);
        let offer = desk.offer().await;
        desk.accept(&offer.id).await;
        desk.end_contact(&offer.conversation).await;
    }
    let file = folder.path().join("incident.log");
    let path = file.display().to_string();
    let output = ctl(&node.address, &["--json", "export-log", "--domain", &tenant.domain, &path]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");

    let player = replayed(&file);
    assert!(player.over() && player.begins().is_none());
    assert_eq!(said["state_hash"], format!("{:016x}", player.shard().state_hash()));
    assert_eq!(said["last_index"].as_u64(), player.index());
    for conversation in &started {
        let picture = Subject::parse("conversation", conversation).expect("an id").picture(player.shard());
        assert_eq!(picture["customer"], "+34600111222", "{picture}");
        assert!(picture["stage"]["Ended"]["Completed"].is_object(), "{picture}");
    }
    let shown =
        ["centralita-sim", "replay", &path, "--at", "9", "--show", "agent", &tenant.agents[0], "--json"];
    Cli::try_parse_from(shown).expect("good arguments").run().expect("a replay");
    let checked = ["centralita-sim", "replay", &path, "--check"];
    Cli::try_parse_from(checked).expect("good arguments").run().expect("no broken promise");

    // What is there is not written over, and what is not whole is not left behind.
    let again = ctl(&node.address, &["export-log", "--domain", &tenant.domain, &path]);
    assert_eq!(again.status.code(), Some(2));
    let nowhere = folder.path().join("nowhere.log").display().to_string();
    let unknown = ctl(&node.address, &["export-log", "--shard", "9", &nowhere]);
    assert_eq!(unknown.status.code(), Some(6));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("UNKNOWN_SHARD"));
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .expect("the folder")
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .collect();
    assert_eq!(left.len(), 2, "{left:?}");

    // A byte that flips on the way is noticed.
    let mut bytes = std::fs::read(&file).expect("the file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(&file, bytes).expect("written");
    let broken = Cli::try_parse_from(["centralita-sim", "replay", &path]).expect("good arguments").run();
    let error = format!("{:#}", broken.expect_err("a damaged file"));
    assert!(error.contains("incident.log: at byte") && error.contains("export it again"), "{error}");
}
