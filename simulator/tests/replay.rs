//! `replay` as a user runs it, on a log made by hand.

use proto::codec;
use proto::log_file::{self, Header, LoggedBatch, Record};
use routing::command::Arrival;
use routing::entry::Request;
use routing::settings::{
    AcceptMode, DomainSettings, QueueSettings, RoutingMode, ToQueue, TouchpointSettings,
};
use routing::{
    AccountId, Channel, Command, DomainId, Effects, Entry, LogTime, Position, Priority, QueueId, Shard,
    ShardId, Span, TouchpointId,
};
use std::path::{Path, PathBuf};
use std::process::Output;

const DOMAIN: DomainId = DomainId(1);

fn sim(args: &[&str]) -> Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_centralita-sim")).args(args).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A log of a domain with a queue and conversations that wait: index 0 holds no batch, and the
/// fourth a hash on the way.
struct Log {
    records: Vec<Record>,
    hashes: Vec<u64>,
}

impl Log {
    fn make() -> Self {
        let queue = QueueId::new(DOMAIN, 1);
        let accept = AcceptMode::Manual { ring: Span::seconds(20) };
        let mode = RoutingMode::ToQueue(ToQueue { queues: vec![queue], priority: Priority(0), accept });
        let start = |customer: &str| {
            Command::Start(Arrival {
                touchpoint: TouchpointId::new(DOMAIN, 1),
                customer: customer.to_owned(),
                reference: String::new(),
                priority: None,
                continues: None,
            })
        };
        let settings = DomainSettings { name: "Support".into(), ..DomainSettings::default() };
        let batches = [
            vec![Command::CreateDomain { account: AccountId(1), settings }],
            vec![
                Command::CreateQueue {
                    settings: QueueSettings { name: "Sales".into(), ..QueueSettings::default() },
                },
                Command::CreateTouchpoint {
                    settings: TouchpointSettings { address: "chat".into(), channel: Channel::Chat, mode },
                },
            ],
            vec![start("Ana"), start("Bea")],
            vec![],
            vec![start("Carla")],
        ];
        let header = Header {
            cluster: "test".into(),
            node: 1,
            shard: 3,
            level: 1,
            version: "0.1.0".into(),
            exported_ms: 7,
            first: 0,
        };
        let mut records = vec![Record::Header(header), Record::Passed { index: 0, term: 0 }];
        let mut shard = Shard::new(ShardId(3));
        let mut hashes = vec![shard.state_hash()];
        for (index, commands) in (1..).zip(batches) {
            let (time_us, wall_ms) = (index * 1_000_000, 5_000 + index);
            let mut encoded = Vec::new();
            for (ordinal, command) in (0..).zip(commands) {
                let request = Request { id: None, domain: DOMAIN, expected_version: None, command };
                encoded.push(codec::encode(&request).into());
                let position = Position { index, ordinal };
                let entry = Entry { position, time: LogTime(time_us), wall_ms, request };
                shard.apply(&entry, &mut Effects::default()).unwrap();
            }
            hashes.push(shard.state_hash());
            let batch = LoggedBatch { index, term: 1, time_us, wall_ms, commands: encoded };
            records.push(Record::Batch(batch));
            if index == 3 {
                records.push(Record::StateHash { index, hash: shard.state_hash() });
            }
        }
        records.push(Record::End { index: 5, hash: shard.state_hash() });
        Self { records, hashes }
    }

    fn write(&self, folder: &Path) -> PathBuf {
        let mut bytes = Vec::new();
        log_file::begin(&mut bytes);
        self.records.iter().for_each(|record| log_file::write(&mut bytes, record));
        let path = folder.join("incident.log");
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

#[test]
fn the_state_comes_out_the_same_and_any_index_can_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::make();
    let path = log.write(folder.path()).display().to_string();
    let output = sim(&["replay", &path]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        text.contains("shard 3 of test, node 1") && text.contains("at the end and 1 times before"),
        "{text}"
    );

    let look =
        ["replay", &path, "--at", "3", "--show", "conversation", "conv_1_2", "--hash-at", "2", "--json"];
    let output = sim(&look);
    assert!(output.status.success(), "{}", said(&output));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let hash = |index: usize| format!("{:016x}", log.hashes[index]);
    assert_eq!((found["index"].as_u64(), found["conversations"].as_u64()), (Some(3), Some(2)));
    assert_eq!((&found["state_hash"], &found["hashes_verified"]), (&hash(3).into(), &1.into()));
    assert_eq!(found["hashes"], serde_json::json!([{ "index": 2, "state_hash": hash(2) }]));
    let shown = &found["shown"][0];
    assert_eq!((&shown["id"], &shown["state"]["customer"]), (&"conv_1_2".into(), &"Bea".into()));
    let events: Vec<&str> = shown["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["event"].as_object().unwrap().keys().next().unwrap().as_str())
        .collect();
    assert_eq!(events, ["Arrived", "Waiting"]);

    let output = sim(&["replay", &path, "--check", "--json"]);
    assert!(output.status.success(), "{}", said(&output));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["broken_promises"], 0);

    // Before it was there, and with fewer events than there are.
    let output = sim(&["replay", &path, "--at", "2", "--show", "conversation", "conv_1_2"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("conv_1_2 is not known here"));
    let output = sim(&["replay", &path, "--last", "1", "--show", "queue", "queue_1_1"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("earlier events left out") && text.contains("conv_1_3"), "{text}");
}

#[test]
fn a_state_that_differs_is_reported_with_its_index() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = Log::make();
    let other = log.hashes[3] ^ 1;
    for record in &mut log.records {
        if let Record::StateHash { hash, .. } = record {
            *hash = other;
        }
    }
    let path = log.write(folder.path()).display().to_string();
    let output = sim(&["replay", &path]);
    assert_eq!(output.status.code(), Some(1));
    let (error, expected) = (said(&output), format!("the node had {other:016x}"));
    assert!(error.contains("after index 3 differs") && error.contains(&expected), "{error}");
    // Before that index nothing is wrong.
    assert!(sim(&["replay", &path, "--at", "2"]).status.success());
}

#[test]
fn bad_input_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::make();
    let path = log.write(folder.path()).display().to_string();
    let mut late = Log::make();
    let Record::Header(header) = &mut late.records[0] else { panic!("no header") };
    header.level = 99;
    let late_folder = tempfile::tempdir().unwrap();
    let late = late.write(late_folder.path()).display().to_string();
    for (args, message) in [
        (vec!["replay", "no-such.log"], "no-such.log"),
        (vec!["replay", "Cargo.toml"], "not an exported log"),
        (vec!["replay", &late], "apply level 99"),
        (vec!["replay", &path, "--at", "6"], "index 6 is not in the file: it holds the states after 0 to 5"),
        (vec!["replay", &path, "--hash-at", "9"], "index 9 is not in the file"),
        (vec!["replay", &path, "--show", "desk", "agent_1_1"], "use conversation, agent, queue"),
        (vec!["replay", &path, "--show", "agent", "conv_1_1"], "looks like 'agent_1_1'"),
    ] {
        let output = sim(&args);
        assert_eq!(output.status.code(), Some(1), "{args:?} was taken");
        assert!(said(&output).contains(message), "{args:?} said: {}", said(&output));
    }
}
