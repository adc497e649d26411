//! Folders that earlier versions wrote: this one must go on with them, with nothing changed.
//!
//! `tests/golden/<format>/` holds a node's data folder (snapshots, log, events), a backup, and what
//! the version that wrote them said of them. Formats only grow; a test that is red here means that a
//! cluster could not be upgraded. `cargo test -p centralita-node --test all golden:: -- --ignored` writes the
//! folder of a new format, and refuses to write over one.

use crate::harness;

use harness::{Client, Desk, Node, Start, Tenant, mutation, run, until};
use proto::v1;
use routing::level;
use serde_json::{Value, json};
use simulator::replay::Player;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The format that this version writes.
const FORMAT: &str = "9";
/// Where the node of a golden folder says it can be reached. It is alone: nobody asks there.
const ADVERTISED: &str = "127.0.0.1:7400";

fn golden(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

fn said(output: &std::process::Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn serve(data: &Path) -> Node {
    Start::new(data).arg("--advertise").arg(ADVERTISED).serve()
}

fn export(node: &Node, shard: u64, file: &Path) -> Value {
    let shard = shard.to_string();
    said(&run(&["ctl", "--target", &node.address, "--json", "export-log", "--shard", &shard, text(file)]))
}

/// All events of a domain that the folder has, as text for machines, a line each.
fn events(node: &Node, domain: &str, from: u64) -> Vec<String> {
    let from = from.to_string();
    let args = ["events", "--domain", domain, "--from", &from, "--until-now"];
    let output = run(&[&["ctl", "--target", &node.address, "--json", "watch"][..], &args].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").lines().map(ToOwned::to_owned).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
        }
    }
}

/// Waits until the cluster runs at this version's level and knows its node's zone.
async fn at_its_level(client: &Client) {
    until("this version's level", || async {
        let state = client.state().await;
        let zone = state.nodes.first().is_some_and(|node| node.zone == "golden-zone");
        (state.level == level::LATEST && zone).then_some(())
    })
    .await;
}

/// A call that an agent takes and ends, and one that an agent has taken and that waits on its customer.
async fn work(client: &Client, tenant: &Tenant, agent: usize) -> String {
    let mut taken = String::new();
    let mut desk = Desk::open(client, &tenant.agents[agent]).await;
    desk.available().await;
    for ends in [true, false] {
        client.start(&tenant.call()).await;
        let offer = desk.offer().await;
        desk.accept(&offer.id).await;
        if ends {
            desk.end_contact(&offer.conversation).await;
        } else {
            taken = offer.conversation;
            let request = v1::SupervisorSetIdleRequest {
                mutation: mutation(),
                supervisor: "sol".to_owned(),
                conversation: taken.clone(),
                idle: true,
            };
            client.supervisor().set_idle(request).await.expect("at rest");
        }
    }
    taken
}

/// Another agent is consulted about a conversation, and has it in the end if it is handed over.
async fn consults(client: &Client, tenant: &Tenant, conversation: &str, agent: usize, hands_over: bool) {
    let mut desk = Desk::open(client, &tenant.agents[agent]).await;
    desk.available().await;
    let (supervisor, conversation) = ("sol".to_owned(), conversation.to_owned());
    let asked = tenant.agents[agent].clone();
    let request = v1::SupervisorConsultRequest {
        mutation: mutation(),
        supervisor: supervisor.clone(),
        conversation: conversation.clone(),
        asked,
        lasts_ms: 3_600_000,
    };
    client.supervisor().consult(request).await.expect("asked");
    let offer = desk.offer().await;
    assert!(offer.consult, "{offer:?}");
    desk.accept(&offer.id).await;
    if hands_over {
        let request = v1::SupervisorCompleteConsultRequest { mutation: mutation(), supervisor, conversation };
        client.supervisor().complete_consult(request).await.expect("handed over");
    }
}

/// The third agent speaks Spanish, and so must whoever takes what arrives from now on. The shard
/// follows the cluster to its level a moment later.
async fn spanish(client: &Client, tenant: &Tenant) {
    let skill = |level| v1::Skill { name: "es".to_owned(), level };
    until("skills", || async {
        let request = v1::SetSkillsRequest {
            mutation: mutation(),
            supervisor: "sol".to_owned(),
            agent: tenant.agents[2].clone(),
            skills: vec![skill(60)],
        };
        client.supervisor().set_skills(request).await.ok()
    })
    .await;
    let step = v1::Step { required: vec![skill(50)], ..v1::Step::default() };
    let request = v1::SetCriteriaRequest {
        supervisor: "sol".into(),
        mutation: mutation(),
        touchpoint: tenant.touchpoint.clone(),
        criteria: Some(v1::Criteria { steps: vec![step] }),
    };
    client.admin().set_criteria(request).await.expect("criteria");
}

/// Who waits in the queue for so many hours is closed, and its service is measured.
async fn policed(client: &Client, tenant: &Tenant, hours: u64) {
    let then = Some(v1::rule::Then::Close("too long".to_owned()));
    let policy = v1::Policy {
        rules: vec![v1::Rule { after_ms: hours * 3_600_000, when: Vec::new(), then }],
        target: Some(v1::ServiceTarget { within_ms: 20_000, percent: 80 }),
    };
    let request = v1::SetPolicyRequest {
        mutation: mutation(),
        supervisor: "sol".to_owned(),
        queue: tenant.queue.clone(),
        policy: Some(policy),
    };
    until("a policy", || async { client.supervisor().set_policy(request.clone()).await.ok() }).await;
}

/// While an agent has a call, it is offered nothing of one channel more; and a queue of the name picks the least flexible.
async fn ruled(client: &Client, tenant: &Tenant, name: &str, blocked: v1::Channel) {
    let rule = v1::ChannelRule {
        effect: v1::channel_rule::Effect::Block.into(),
        channels: vec![blocked.into()],
        during: vec![v1::Channel::Voice.into()],
    };
    let request = v1::SetChannelRulesRequest {
        mutation: mutation(),
        supervisor: "sol".to_owned(),
        domain: tenant.domain.clone(),
        rules: Some(v1::ChannelRules { rules: vec![rule] }),
    };
    until("rules", || async { client.admin().set_channel_rules(request.clone()).await.ok() }).await;
    let mut settings = v1::QueueSettings { name: name.to_owned(), ..Default::default() };
    settings.set_pick(v1::PickPolicy::LeastFlexible);
    let (mutation, domain) = (mutation(), tenant.domain.clone());
    let request = v1::CreateQueueRequest { mutation, domain, settings: Some(settings) };
    client.admin().create_queue(request).await.expect("a queue");
}

/// What waits on its customer weighs this, and chats are connected.
async fn handled(client: &Client, tenant: &Tenant, weight: u32) {
    let channels = vec![
        v1::ChannelHandling { channel: 1, connect_ms: None, idle_weight: Some(weight) },
        v1::ChannelHandling { channel: 2, connect_ms: Some(9_000), idle_weight: None },
    ];
    let request = v1::SetHandlingRequest {
        mutation: mutation(),
        supervisor: "sol".to_owned(),
        domain: tenant.domain.clone(),
        handling: Some(v1::Handling { channels, extend_max_ms: 60_000 }),
    };
    until("handling", || async { client.admin().set_handling(request.clone()).await.ok() }).await;
}

/// An agent is offered at most so many conversations within a second; a queue of the name picks the most proficient, and
/// keeps to a schedule that is always open, but for one date long ago.
async fn paced_and_open(client: &Client, tenant: &Tenant, offers: u32, name: &str) {
    let request = v1::SetPaceRequest {
        mutation: mutation(),
        supervisor: "sol".to_owned(),
        domain: tenant.domain.clone(),
        pace: Some(v1::Pace { offers, per_ms: 1_000 }),
    };
    until("a pace", || async { client.admin().set_pace(request.clone()).await.ok() }).await;
    let always = |day| v1::WeekOpening { day, from_s: 0, to_s: 86_400 };
    let schedule = v1::Schedule {
        zone: "Europe/Madrid".to_owned(),
        week: (1..=7).map(always).collect(),
        dates: vec![v1::ScheduleDate { date: "2020-12-25".to_owned(), openings: Vec::new() }],
    };
    let request = v1::SetScheduleRequest {
        mutation: mutation(),
        supervisor: "sol".to_owned(),
        domain: tenant.domain.clone(),
        name: name.to_owned(),
        schedule: Some(schedule),
    };
    client.admin().set_schedule(request).await.expect("a schedule");
    let mut settings = v1::QueueSettings { name: name.to_owned(), ..Default::default() };
    settings.set_pick(v1::PickPolicy::MostProficient);
    let request = v1::CreateQueueRequest {
        mutation: mutation(),
        domain: tenant.domain.clone(),
        settings: Some(settings),
    };
    let queue = client.admin().create_queue(request).await.expect("a queue").into_inner().id;
    let hours = v1::Hours { schedule: name.to_owned(), closing: v1::hours::Closing::ServeOut.into() };
    let request =
        v1::SetHoursRequest { mutation: mutation(), supervisor: "sol".to_owned(), queue, hours: Some(hours) };
    client.supervisor().set_hours(request).await.expect("hours");
}

/// Customers are tried so often; one who waits is to be called back in some days, and one who left has had the place again.
async fn calls_back(client: &Client, tenant: &Tenant, attempts: u32) {
    const DAY_MS: u64 = 86_400_000;
    let settings = v1::CallbackSettings {
        attempts,
        retry_after_ms: 60_000,
        dial_ms: 30_000,
        expires_after_ms: 7 * DAY_MS,
        resume_within_ms: 60_000,
    };
    let request = v1::SetCallbackRequest {
        mutation: mutation(),
        supervisor: "sol".to_owned(),
        domain: tenant.domain.clone(),
        callback: Some(settings),
    };
    until("callbacks", || async { client.admin().set_callback(request.clone()).await.ok() }).await;
    let request = v1::RequestCallbackRequest {
        mutation: mutation(),
        conversation: client.start(&tenant.call()).await.conversation,
        contact: format!("+34 60{attempts}"),
        not_before_ms: 6 * DAY_MS,
    };
    client.routing().request_callback(request).await.expect("asked for");
    let leave = |conversation| v1::AbandonRequest { mutation: mutation(), conversation };
    let left = client.start(&tenant.call()).await.conversation;
    client.routing().abandon(leave(left.clone())).await.expect("left");
    let again = client.start(&v1::StartRequest { continues: left, ..tenant.call() }).await;
    assert!(again.resumed, "the place is there");
    client.routing().abandon(leave(again.conversation)).await.expect("left again");
}

/// The tenant's queue offers to so many at once.
async fn rings(client: &Client, tenant: &Tenant, agents: u32) {
    let request = v1::SetRingRequest {
        mutation: mutation(),
        supervisor: "sol".to_owned(),
        queue: tenant.queue.clone(),
        agents,
    };
    until("a ring", || async { client.supervisor().set_ring(request.clone()).await.ok() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "writes the golden folder of a new format"]
async fn make() {
    let folder = golden(FORMAT);
    assert!(!folder.exists(), "{} is there: what was written once stays as it is", folder.display());
    let place = TempDir::new().expect("a folder");
    let first = Start::new(&place.path().join("first")).arg("--zone").arg("golden-zone").serve();
    let client = Client::of(&first);
    at_its_level(&client).await;
    let tenant = Tenant::make(&client, 3).await;
    let other = Tenant::in_account(&client, &tenant.account, 1).await;
    policed(&client, &tenant, 1).await;
    ruled(&client, &tenant, "few", v1::Channel::Chat).await;
    handled(&client, &tenant, 5).await;
    handled(&client, &other, 7).await;
    paced_and_open(&client, &tenant, 20, "office").await;
    let taken = work(&client, &tenant, 0).await;
    work(&client, &other, 0).await;
    consults(&client, &tenant, &taken, 1, false).await;
    let (supervisor, conversation) = ("sol".to_owned(), taken);
    let over = v1::SupervisorEndConsultRequest { mutation: mutation(), supervisor, conversation };
    // In the snapshot that a backup begins with, and in the log after it.
    spanish(&client, &tenant).await;
    calls_back(&client, &tenant, 3).await;
    rings(&client, &tenant, 2).await;
    client.start(&tenant.call()).await;
    let backup = folder.join("backup");
    let backed = said(&run(&["ctl", "--target", &first.address, "--json", "backup", text(&backup)]));
    drop(first);

    // From the backup: so the folder has snapshots and a log after them.
    let data = place.path().join("data");
    assert!(
        run(&["restore", text(&backup), "--data", text(&data), "--advertise", ADVERTISED]).status.success()
    );
    let node = Start::new(&data).arg("--advertise").arg(ADVERTISED).arg("--zone").arg("golden-zone").serve();
    let client = Client::of(&node);
    at_its_level(&client).await;
    let none = v1::SetCriteriaRequest {
        supervisor: "sol".into(),
        mutation: mutation(),
        touchpoint: tenant.touchpoint.clone(),
        criteria: Some(v1::Criteria::default()),
    };
    client.admin().set_criteria(none).await.expect("no criteria");
    let news = v1::WatchRequest { domain: tenant.domain.clone(), ..Default::default() };
    let mut news = client.events().watch(news).await.expect("events").into_inner();
    // The call that waits stands under the version before it.
    policed(&client, &tenant, 2).await;
    ruled(&client, &tenant, "fewer", v1::Channel::Sms).await;
    handled(&client, &tenant, 6).await;
    paced_and_open(&client, &tenant, 19, "shop").await;
    client.supervisor().end_consult(over).await.expect("it goes on after the restore");
    let taken = work(&client, &tenant, 1).await;
    consults(&client, &tenant, &taken, 0, true).await;
    let from = news.message().await.expect("an event").expect("an event").sequence;
    spanish(&client, &tenant).await;
    calls_back(&client, &tenant, 4).await;
    rings(&client, &tenant, 3).await;
    client.start(&tenant.call()).await;
    let shards: Vec<Value> = (1..=2)
        .map(|shard| {
            let said = export(&node, shard, &place.path().join(shard.to_string()));
            json!({ "shard": shard, "index": said["last_index"], "state_hash": said["state_hash"] })
        })
        .collect();
    let expected = json!({
        "backup": backed["groups"],
        "shards": shards,
        "domain": tenant.domain,
        "agents": tenant.agents,
        "touchpoint": tenant.touchpoint,
        "queue": tenant.queue,
        "account": tenant.account,
        "from": from,
        "events": events(&node, &tenant.domain, from),
    });
    assert!(node.stop().0.success());
    copy(&data, &folder.join("data"));
    fs::write(folder.join("expected.json"), format!("{expected:#}\n")).expect("written");
}

/// The hash of a shard after an index, by an exported log.
fn hash_at(file: &Path, index: u64) -> String {
    let bytes: &'static [u8] = fs::read(file).expect("the file").leak();
    let mut player = Player::open(bytes).expect("a log");
    while player.index() != Some(index) {
        assert!(player.step(&mut |_| {}).expect("a state like the node's"), "it ends before {index}");
    }
    format!("{:016x}", player.shard().state_hash())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_of_each_format_is_gone_on_with() {
    let formats: Vec<PathBuf> = fs::read_dir(golden(""))
        .expect("golden folders")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert!(formats.contains(&golden(FORMAT)), "no golden folder of format {FORMAT}: make one");
    for folder in formats {
        let expected = fs::read_to_string(folder.join("expected.json")).expect("what was said");
        let expected: Value = serde_json::from_str(&expected).expect("JSON");
        let place = TempDir::new().expect("a folder");
        let data = place.path().join("data");
        copy(&folder.join("data"), &data);
        let node = serve(&data);
        let client = Client::of(&node);

        // Its state is what it was.
        for shard in expected["shards"].as_array().expect("shards") {
            let (number, index) = (shard["shard"].as_u64().expect("a shard"), shard["index"].as_u64());
            let file = place.path().join(format!("shard-{number}.log"));
            export(&node, number, &file);
            assert_eq!(hash_at(&file, index.expect("an index")), shard["state_hash"], "shard {number}");
        }
        // So are its events, as clients read them.
        let domain = expected["domain"].as_str().expect("a domain");
        let from = expected["from"].as_u64().expect("a sequence");
        let told = expected["events"].as_array().expect("events");
        assert!(told.len() > 5, "few events say little");
        let now = events(&node, domain, from);
        for (then, now) in told.iter().zip(&now) {
            let [then, now]: [Value; 2] =
                [then.as_str().expect("a line"), now].map(|line| serde_json::from_str(line).expect("JSON"));
            assert_eq!(then, now);
        }
        assert!(now.len() >= told.len(), "{} events of {}", now.len(), told.len());

        // It works on: who waits is offered to an agent who had nothing to do with it yet.
        let [account, queue, touchpoint] =
            ["account", "queue", "touchpoint"].map(|name| expected[name].as_str().expect("an id").to_owned());
        let agents = expected["agents"].as_array().expect("agents").iter();
        let agents = agents.map(|id| id.as_str().expect("an id").to_owned()).collect();
        let tenant = Tenant { account, domain: domain.to_owned(), queue, touchpoint, agents };
        let mut desk = Desk::open(&client, &tenant.agents[2]).await;
        desk.available().await;
        let offer = desk.offer().await;
        desk.accept(&offer.id).await;
        assert_eq!(client.conversation(&offer.conversation).await.agent, tenant.agents[2]);
        drop(node);

        // Its backup can be restored.
        let backup = folder.join("backup");
        let shown = said(&run(&["restore", text(&backup), "--dry-run", "--json"]));
        let groups = expected["backup"].as_array().expect("groups");
        for shard in shown["shards"].as_array().expect("shards") {
            let group = groups.iter().find(|group| group["group"] == shard["shard"]);
            let group = group.unwrap_or_else(|| panic!("{shard} is not in {groups:?}"));
            assert_eq!(shard["state_hash"], group["state_hash"], "{shard}");
        }
    }
}
