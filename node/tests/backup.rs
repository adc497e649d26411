//! A backup of a cluster at work, and a new cluster from it, as real processes.

use crate::harness;

use harness::{Client, Cluster, Desk, Start, Tenant, mutation, reason, run, until};
use proto::v1;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

fn json(output: &std::process::Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn backup(address: &str, folder: &Path) -> Value {
    json(&run(&["ctl", "--target", address, "--json", "backup", folder.to_str().expect("text")]))
}

fn restore(folder: &Path, args: &[&str]) -> std::process::Output {
    run(&[&["restore", folder.to_str().expect("text")][..], args].concat())
}

fn group(said: &Value, number: u64) -> Value {
    let groups = said["groups"].as_array().expect("groups");
    groups.iter().find(|group| group["group"] == number).expect("the group").clone()
}

async fn watch(client: &Client, domain: &str, incarnation: u64) -> Result<Vec<v1::Event>, tonic::Status> {
    let request = v1::WatchRequest { domain: domain.to_owned(), from: 1, until_now: true, incarnation };
    let mut events = client.events().watch(request).await?.into_inner();
    let mut all = Vec::new();
    while let Some(event) = events.message().await? {
        all.push(event);
    }
    Ok(all)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_begins_again_from_a_backup_made_under_load() {
    let place = TempDir::new().expect("a folder");
    let folder = place.path().join("backup");
    let cluster = Cluster::three(&[]).await;
    let client = cluster.client(1);
    let tenant = Tenant::make(&client, 2).await;
    // Else it may be raised between two backups that nothing is to happen between.
    tenant.raised(&client).await;
    let mut desk = Desk::open(&client, &tenant.agents[0]).await;
    desk.available().await;
    let held = client.start(&tenant.call()).await.conversation;
    let offer = desk.offer().await;
    desk.accept(&offer.id).await;
    // Callers come and go while the backup is made.
    let busy = Arc::new(AtomicBool::new(true));
    let load = {
        let (tenant, busy, client) = (tenant.clone(), busy.clone(), cluster.client(2));
        tokio::spawn(async move {
            let mut last = String::new();
            while busy.load(Ordering::Relaxed) {
                last = client.start(&tenant.call()).await.conversation;
                let abandon = v1::AbandonRequest { mutation: mutation(), conversation: last.clone() };
                client
                    .retry(|| async { client.routing().abandon(abandon.clone()).await })
                    .await
                    .expect("left");
            }
            last
        })
    };
    let address = cluster.node(3).address.clone();
    let whole = backup(&address, &folder);
    let increment = backup(&address, &folder);
    busy.store(false, Ordering::Relaxed);
    let last = load.await.expect("a caller");
    let waiting = client.start(&tenant.call()).await.conversation;
    let final_one = backup(&address, &folder);
    assert_eq!(whole["behind"], false);
    let shard = client.state().await.shards.iter().find(|shard| shard.domains > 0).expect("a shard").id;
    let busy_group = u64::from(shard);
    assert_eq!(group(&whole, busy_group)["added"], "whole");
    assert_eq!(group(&increment, busy_group)["added"], "increment", "{increment:#}");
    assert_eq!(group(&final_one, busy_group)["added"], "increment");
    let nothing = backup(&address, &folder);
    assert_eq!(group(&nothing, busy_group)["added"], Value::Null, "nothing has happened since");
    let old = watch(&client, &tenant.domain, 0).await.expect("events");
    let incarnation = old[0].incarnation;
    assert_eq!(watch(&client, &tenant.domain, incarnation).await.expect("the same").len(), old.len());

    // Another cluster's backup is not added to.
    let stranger = Start::new(&place.path().join("stranger")).serve();
    let target = ["ctl", "--target", &stranger.address, "backup", folder.to_str().expect("text")];
    let refused = run(&target);
    assert_eq!(refused.status.code(), Some(4), "{}", String::from_utf8_lossy(&refused.stderr));
    drop(stranger);
    drop(cluster);

    // What the nodes had is what comes out: the hashes are theirs.
    let shown = json(&restore(&folder, &["--dry-run", "--json"]));
    let restored = &shown["shards"][usize::try_from(shard).expect("small") - 1];
    assert_eq!(restored["state_hash"], group(&final_one, busy_group)["state_hash"]);
    assert_eq!(restored["index"], group(&final_one, busy_group)["last_index"]);
    assert_eq!(shown["domains"], 1);

    // To an index before: the state of the first backup, by its own hash.
    let at = format!("{shard}={}", group(&whole, busy_group)["last_index"]);
    let earlier = json(&restore(&folder, &["--dry-run", "--json", "--at", &at]));
    let earlier = &earlier["shards"][usize::try_from(shard).expect("small") - 1];
    assert_eq!(earlier["state_hash"], group(&whole, busy_group)["state_hash"]);

    // A new cluster goes on with it.
    let data = place.path().join("new");
    let advertise = harness::free_addresses(1).remove(0);
    let args = ["--data", data.to_str().expect("text"), "--advertise", &advertise];
    assert!(restore(&folder, &args).status.success());
    let again = restore(&folder, &args);
    assert_eq!(again.status.code(), Some(4), "a folder with data is not written into");
    let first = Start::new(&data).shards(3).listen(&advertise).arg("--advertise").arg(&advertise).serve();
    let client = Client::of(&first);
    assert_eq!(client.conversation(&held).await.agent, tenant.agents[0], "who had it has it");
    assert_eq!(client.conversation(&waiting).await.agent, "");
    assert_eq!(client.conversation(&last).await.id, last);

    // The desk of before does not exist here; its agent signs in anew and goes on.
    let resumed = Desk::try_open(&client, desk.resume()).await;
    let epoch = match resumed {
        Ok(desk) => desk.welcome.epoch,
        Err(_) => Desk::open(&client, &tenant.agents[0]).await.welcome.epoch,
    };
    assert!(epoch > desk.welcome.epoch + 1_000, "{epoch}");
    let mut second_desk = Desk::open(&client, &tenant.agents[1]).await;
    second_desk.available().await;
    let offered = second_desk.offer().await;
    assert_eq!(offered.conversation, waiting, "who waited is served");

    // Events: another incarnation, and readers are told.
    let status = watch(&client, &tenant.domain, incarnation).await.expect_err("another record");
    assert_eq!(reason(&status), "RESTORED");
    let compacted = watch(&client, &tenant.domain, 0).await.expect_err("the former events are not here");
    assert_eq!(reason(&compacted), "COMPACTED");

    // It is a cluster like any other.
    let second = Start::new(&place.path().join("second")).shards(3).arg("--join").arg(&advertise).serve();
    until("two members with everything", || async {
        let state = Client::of(&second).state().await;
        let whole =
            state.shards.iter().all(|shard| shard.members.iter().filter(|one| one.voter).count() == 2);
        (state.nodes.len() == 2 && whole).then_some(())
    })
    .await;
    assert_eq!(Client::of(&second).conversation(&held).await.agent, tenant.agents[0]);
}

#[test]
fn what_is_damaged_or_unfinished_is_refused() {
    let place = TempDir::new().expect("a folder");
    let folder = place.path().join("backup");
    let none = restore(&folder, &["--dry-run"]);
    assert_eq!(none.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&none.stderr).contains("holds no backup"));

    let node = Start::new(&place.path().join("data")).serve();
    backup(&node.address, &folder);
    drop(node);
    let file = folder.join("group-1.0001.whole.log");
    let mut bytes = std::fs::read(&file).expect("the file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(&file, bytes).expect("written");
    let data = place.path().join("new");
    let args = ["--data", data.to_str().expect("text"), "--advertise", "127.0.0.1:7400"];
    let damaged = restore(&folder, &args);
    assert_eq!(damaged.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&damaged.stderr).contains("group-1.0001.whole.log"));
    assert!(!data.exists(), "nothing was written");

    // Power was lost in the middle of a restore.
    std::fs::create_dir_all(&data).expect("a folder");
    std::fs::write(data.join("restore.unfinished"), "").expect("written");
    let ended = Start::new(&data).refuse();
    assert_eq!(ended.code, Some(4), "{}", ended.errors);
    assert!(ended.errors.contains("restore again"), "{}", ended.errors);
}

/// The shards that hold domains.
async fn shards_with_domains(client: &Client) -> Vec<u32> {
    let shards = client.state().await.shards;
    shards.iter().filter(|shard| shard.domains > 0).map(|shard| shard.id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_between_shards_of_two_moments_is_restored_once() {
    let place = TempDir::new().expect("a folder");
    let folder = place.path().join("backup");
    let node = Start::new(&place.path().join("old")).serve();
    let client = Client::of(&node);
    let home = Tenant::make(&client, 0).await;
    let home_shard = shards_with_domains(&client).await[0];
    let far = Tenant::in_account(&client, &home.account, 0).await;
    let both = shards_with_domains(&client).await;
    let far_shard = both.into_iter().find(|shard| *shard != home_shard).expect("on a shard of its own");
    let call = client.start(&home.call()).await.conversation;
    let before = backup(&node.address, &folder);

    let target = v1::transfer_target::Target::Touchpoint(far.touchpoint.clone());
    let request = v1::SupervisorTransferRequest {
        mutation: mutation(),
        supervisor: "sue".into(),
        conversation: call.clone(),
        target: Some(v1::TransferTarget { target: Some(target) }),
        ..Default::default()
    };
    client.supervisor().transfer(request).await.expect("it leaves");
    let moved = until("the end at home", || async {
        let seen = client.conversation(&call).await;
        (seen.stage() == v1::Stage::Closed).then_some(seen.moved_to)
    })
    .await;
    backup(&node.address, &folder);
    drop(node);

    let at = |shard: u32| format!("{shard}={}", group(&before, u64::from(shard))["last_index"]);
    let of = |args: &[&str]| json(&restore(&folder, &[&["--dry-run", "--json"][..], args].concat()));
    let none = serde_json::json!([]);
    // Both as they were in the end, and both as they were before: nothing is put right.
    for args in [&[][..], &["--at", &at(home_shard), "--at", &at(far_shard)][..]] {
        let shown = of(args);
        assert_eq!((&shown["closed"], &shown["returned"]), (&none, &none), "{args:?}");
    }
    let shown = of(&["--at", &at(home_shard)]);
    assert_eq!((&shown["closed"], &shown["returned"]), (&serde_json::json!([moved]), &none));
    let shown = of(&["--at", &at(far_shard)]);
    assert_eq!((&shown["closed"], &shown["returned"]), (&none, &serde_json::json!([call])));
}
