//! A backup in an object store, over HTTP: an S3 server of its own for each test.

use crate::harness;

use harness::{BINARY, Client, Start, Tenant, run};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

const PLACE: &str = "s3://backups/night/ly";

/// An S3 server with a bucket `backups`; killed when dropped.
struct S3 {
    child: Child,
    port: u16,
}

impl S3 {
    /// None where there is no Python with what it needs.
    fn start() -> Option<Self> {
        let Some(python) = std::env::var_os("CENTRALITA_PYTHON") else {
            eprintln!("skipped: CENTRALITA_PYTHON is not set; ./test stores sets it up and runs this");
            return None;
        };
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("tests/s3/server.py");
        let mut command = Command::new(python);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("python starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let port = line.trim().parse().expect("its port");
        Some(Self { child, port })
    }

    fn ask(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it answers");
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n", self.port);
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        let status = answer.split_whitespace().nth(1).and_then(|status| status.parse::<u16>().ok());
        assert!(status.is_some_and(|status| status < 300), "{path}: {answer}");
        answer
    }

    /// Refuses writes of files whose names end so.
    fn refuse(&self, end: &str) {
        self.ask(&format!("/-/refuse/{end}"));
    }

    fn take(&self) {
        self.ask("/-/take");
    }

    fn files(&self) -> Vec<String> {
        let listed = self.ask("/backups?list-type=2");
        let keys = listed.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next());
        keys.map(str::to_owned).collect()
    }

    fn centralita(&self, args: &[&str]) -> Output {
        let mut command = Command::new(BINARY);
        command
            .args(args)
            .stdin(Stdio::null())
            .env("AWS_ENDPOINT", format!("http://127.0.0.1:{}", self.port))
            .envs([("AWS_ALLOW_HTTP", "true"), ("AWS_REGION", "us-east-1")])
            .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]);
        command.output().expect("the binary starts")
    }

    fn backup(&self, address: &str) -> Output {
        self.centralita(&["ctl", "--target", address, "--json", "backup", PLACE])
    }

    fn dry_run(&self) -> Value {
        json(&self.centralita(&["restore", PLACE, "--dry-run", "--json"]))
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// By group, where it ends and with which state.
fn ends(said: &Value) -> Vec<(u64, u64, String)> {
    let groups = said["groups"].as_array().expect("groups");
    let end = |group: &Value| {
        let hash = group["state_hash"].as_str()?.to_owned();
        Some((group["group"].as_u64()?, group["last_index"].as_u64()?, hash))
    };
    groups.iter().filter_map(end).collect()
}

/// The same of what a restore has applied.
fn applied(facts: &Value) -> Vec<(u64, u64, String)> {
    let own = (0, &facts["index"], &facts["state_hash"]);
    let shards = facts["shards"].as_array().expect("shards");
    let shards = shards
        .iter()
        .map(|shard| (shard["shard"].as_u64().expect("a number"), &shard["index"], &shard["state_hash"]));
    let all = std::iter::once(own).chain(shards);
    all.filter_map(|(group, index, hash)| Some((group, index.as_u64()?, hash.as_str()?.to_owned()))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_begins_again_from_an_object_store() {
    let Some(s3) = S3::start() else { return };
    let data = TempDir::new().expect("a folder");
    let node = Start::new(&data.path().join("node")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 2).await;
    let before = client.start(&tenant.call()).await.conversation;

    let first = json(&s3.backup(&node.address));
    assert_eq!(first["folder"], PLACE);
    assert!(first["groups"].as_array().expect("groups").iter().all(|group| group["added"] == "whole"));
    assert_eq!(ends(&first).len(), 3);
    let facts = s3.dry_run();
    assert_eq!(applied(&facts), ends(&first), "what was read is what the nodes had");

    // The store refuses files, then the list of files.
    client.start(&tenant.call()).await;
    for (refused, said, remedy) in [
        (".log", ".log is not written", "what was there before is whole"),
        ("backup.json", "the list of files is not written", "credentials"),
    ] {
        let files = s3.files().len();
        s3.refuse(refused);
        let failed = refusal(&s3.backup(&node.address));
        assert!(failed.contains(said) && failed.contains(remedy), "{failed}");
        s3.take();
        let there = s3.files();
        assert_eq!(there.len() > files, refused == "backup.json", "{there:?}");
        assert_eq!(s3.dry_run(), facts, "what was written counts for nothing");
    }

    let after = client.start(&tenant.call()).await.conversation;
    let second = json(&s3.backup(&node.address));
    let added = |said: &Value, what: &str| {
        said["groups"].as_array().expect("groups").iter().filter(|group| group["added"] == what).count()
    };
    assert!(added(&second, "whole") == 0 && added(&second, "increment") > 0, "{second:#}");
    let facts = s3.dry_run();
    for end in ends(&second) {
        assert!(applied(&facts).contains(&end), "{end:?} in {facts:#}");
    }
    // A folder holds the same, group by group, where nothing came between.
    let folder = data.path().join("folder");
    let folder = format!("file://{}", folder.to_str().expect("text"));
    json(&run(&["ctl", "--target", &node.address, "--json", "backup", &folder]));
    let of_folder = json(&run(&["restore", &folder, "--dry-run", "--json"]));
    let both = applied(&of_folder);
    let both = both.iter().zip(applied(&facts)).filter(|(one, other)| one.1 == other.1);
    assert!(both.clone().count() > 0 && both.clone().all(|(one, other)| *one == other), "{of_folder:#}");

    node.assert_no_errors();
    let address = node.address.clone();
    node.kill();
    let restored = data.path().join("restored");
    let folder = restored.to_str().expect("text");
    let written =
        json(&s3.centralita(&["restore", PLACE, "--json", "--data", folder, "--advertise", &address]));
    assert_eq!(applied(&written), applied(&facts));
    let again = Start::new(&restored).listen(&address).serve();
    let client = Client::of(&again);
    for conversation in [&before, &after] {
        assert_eq!(client.conversation(conversation).await.id, *conversation);
    }
    let later = client.start(&tenant.call()).await.conversation;
    assert!(![&before, &after].contains(&&later));
    // It is another cluster: its backup is to go elsewhere.
    let foreign = refusal(&s3.backup(&again.address));
    assert!(foreign.contains("is a backup of cluster"), "{foreign}");
    again.assert_no_errors();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_backups_at_once_each_is_whole_or_refused() {
    let Some(s3) = S3::start() else { return };
    let data = TempDir::new().expect("a folder");
    let node = Start::new(&data.path().join("node")).serve();
    let tenant = Tenant::make(&Client::of(&node), 1).await;
    Client::of(&node).start(&tenant.call()).await;
    let address = node.address.clone();
    let outputs: Vec<Output> = std::thread::scope(|scope| {
        let both: Vec<_> = (0..3).map(|_| scope.spawn(|| s3.backup(&address))).collect();
        both.into_iter().map(|one| one.join().expect("it ends")).collect()
    });
    let (made, refused): (Vec<&Output>, Vec<&Output>) =
        outputs.iter().partition(|output| output.status.success());
    assert!(!made.is_empty(), "{outputs:?}");
    for output in refused {
        let why = refusal(output);
        assert!(why.contains("another backup into"), "{why}");
    }
    let facts = s3.dry_run();
    let wanted = made.iter().map(|output| ends(&json(output))).max_by_key(Vec::len).expect("one");
    assert_eq!(applied(&facts), wanted);
    // Nobody is let in who has no right, and the message says so.
    s3.refuse("");
    let refused = refusal(&s3.backup(&node.address));
    assert!(refused.contains("credentials"), "{refused}");
}
