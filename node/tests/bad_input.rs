//! Bad input: a clear error that says what to do, an exit code that is not 0, and nothing lost.

use crate::harness;

use harness::{Client, Desk, Start, Tenant, mutation, reason, run};
use proto::v1;
use std::fs;
use std::future::Future;
use std::net::TcpListener;
use tempfile::TempDir;
use tonic::{Code, Response, Status};
use tonic_types::StatusExt;

async fn refused<T>(call: impl Future<Output = Result<Response<T>, Status>>) -> Status {
    call.await.map(|_| "an answer").expect_err("a refusal")
}

fn check(what: &str, status: &Status, code: Code, wanted: &str, says: &str) {
    assert_eq!((status.code(), reason(status).as_str()), (code, wanted), "{what}: {status:?}");
    assert!(status.message().contains(says), "{what}: '{}' does not say '{says}'", status.message());
}

#[tokio::test]
async fn requests() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 1).await;
    let other = Tenant::in_account(&client, &tenant.account, 0).await;
    let admin = || client.admin();
    let routing = || client.routing();
    let start = |touchpoint: &str, mutation| v1::StartRequest {
        mutation,
        touchpoint: touchpoint.to_owned(),
        customer: "c".into(),
        ..Default::default()
    };

    // Request ids.
    let touchpoint = tenant.touchpoint.as_str();
    let status = refused(routing().start(start(touchpoint, None))).await;
    check("no mutation", &status, Code::InvalidArgument, "BAD_REQUEST_ID", "UUIDv7");
    let field = &status.get_details_bad_request().expect("a violation").field_violations[0];
    assert_eq!(field.field, "mutation.request_id");
    for bad in ["", "1", "6fa459ea-ee8a-3ca4-894e-db77e160355e"] {
        let id = Some(v1::Mutation { request_id: bad.into(), expected_version: None });
        let status = refused(routing().start(start(touchpoint, id))).await;
        check(bad, &status, Code::InvalidArgument, "BAD_REQUEST_ID", "UUIDv7");
    }
    let once = mutation();
    routing().start(start(touchpoint, once.clone())).await.expect("the first time");
    let other_content = v1::StartRequest { customer: "d".into(), ..start(touchpoint, once) };
    let status = refused(routing().start(other_content)).await;
    check("another content", &status, Code::AlreadyExists, "REQUEST_ID_REUSED", "new id per intent");
    let old = uuid::Builder::from_unix_timestamp_millis(1_000_000_000_000, &[7; 10]).into_uuid();
    let old = Some(v1::Mutation { request_id: old.to_string(), expected_version: None });
    let status = refused(routing().start(start(touchpoint, old))).await;
    check("an old id", &status, Code::FailedPrecondition, "REQUEST_TOO_OLD", "new id");

    // Ids.
    let status = refused(routing().start(start("sales", mutation()))).await;
    check("no id", &status, Code::InvalidArgument, "BAD_ID", "touch_1_1");
    let status = refused(routing().start(start("touch_1_999", mutation()))).await;
    check("unknown touchpoint", &status, Code::NotFound, "UNKNOWN_TOUCHPOINT", "touch_1_999");
    let status = refused(routing().start(start("touch_999_1", mutation()))).await;
    check("unknown domain", &status, Code::NotFound, "UNKNOWN_DOMAIN", "unknown domain");
    let status = refused(routing().start(start("touch_0_1", mutation()))).await;
    check("the shard itself", &status, Code::InvalidArgument, "BAD_ID", "numbered from 1");
    let get = v1::GetConversationRequest { conversation: "conv_1_999".into() };
    check("get", &refused(routing().get_conversation(get)).await, Code::NotFound, "UNKNOWN_CONVERSATION", "");
    let watch = v1::WatchRequest { domain: "dom_999".into(), from: 1, until_now: true, ..Default::default() };
    check("watch", &refused(client.events().watch(watch)).await, Code::NotFound, "UNKNOWN_DOMAIN", "");
    let domain = v1::CreateDomainRequest {
        mutation: mutation(),
        account: "acct_999".into(),
        settings: Some(v1::DomainSettings { name: "x".into(), ..Default::default() }),
    };
    let status = refused(admin().create_domain(domain)).await;
    assert_eq!(status.code(), Code::NotFound, "{status:?}");

    // Nothing crosses domains.
    let foreign =
        v1::AgentSettings { name: "x".into(), queues: vec![other.queue.clone()], ..Default::default() };
    let create = v1::CreateAgentRequest {
        mutation: mutation(),
        domain: tenant.domain.clone(),
        settings: Some(foreign),
    };
    let status = refused(admin().create_agent(create)).await;
    assert!(matches!(status.code(), Code::NotFound | Code::InvalidArgument), "{status:?}");

    // Ranges.
    for (points, says) in [(0, "1 to 100"), (101, "1 to 100")] {
        let weight = v1::domain_settings::Weight { channel: v1::Channel::Chat.into(), points };
        let settings = v1::DomainSettings { name: "x".into(), weights: vec![weight], ..Default::default() };
        let update = v1::UpdateDomainRequest {
            mutation: mutation(),
            domain: tenant.domain.clone(),
            settings: Some(settings),
        };
        let status = refused(admin().update_domain(update)).await;
        check("a weight", &status, Code::InvalidArgument, "INVALID", says);
    }
    let nameless = v1::CreateQueueRequest {
        mutation: mutation(),
        domain: tenant.domain.clone(),
        settings: Some(v1::QueueSettings::default()),
    };
    check(
        "no name",
        &refused(admin().create_queue(nameless)).await,
        Code::InvalidArgument,
        "INVALID",
        "name",
    );
    let list = v1::ListRequest { domain: tenant.domain.clone(), limit: 1_001, ..Default::default() };
    check("a page", &refused(admin().list_queues(list)).await, Code::InvalidArgument, "INVALID", "1000");

    // Versions.
    let stale = v1::Mutation { expected_version: Some(99), ..mutation().expect("one") };
    let update = v1::UpdateQueueRequest {
        mutation: Some(stale),
        queue: tenant.queue.clone(),
        settings: Some(v1::QueueSettings { name: "Sales".into(), ..Default::default() }),
    };
    let status = refused(admin().update_queue(update)).await;
    check("a version", &status, Code::Aborted, "VERSION_MISMATCH", "read again");

    // States.
    let delete = v1::DeleteRequest { mutation: mutation(), id: tenant.queue.clone() };
    check("in use", &refused(admin().delete_queue(delete)).await, Code::FailedPrecondition, "IN_USE", "");
    let started = client.start(&tenant.call()).await;
    let end = v1::EndContactRequest { mutation: mutation(), conversation: started.conversation.clone() };
    let status = refused(routing().end_contact(end)).await;
    check("end of what waits", &status, Code::FailedPrecondition, "WRONG_STATE", "queued");
    let accept = v1::AcceptRequest {
        mutation: mutation(),
        agent: tenant.agents[0].clone(),
        epoch: 1,
        offer: "offer_1_1".into(),
    };
    let status = refused(client.desk().accept(accept)).await;
    check("no session", &status, Code::Aborted, "STALE_EPOCH", "open a new session");
    let no_epoch = v1::AcceptRequest { agent: tenant.agents[0].clone(), ..Default::default() };
    check(
        "no epoch",
        &refused(client.desk().accept(no_epoch)).await,
        Code::InvalidArgument,
        "INVALID",
        "epoch",
    );

    // Supervisors have names.
    let close = v1::ForceCloseRequest {
        mutation: mutation(),
        conversation: started.conversation.clone(),
        ..Default::default()
    };
    let status = refused(client.supervisor().force_close(close)).await;
    check("nobody", &status, Code::InvalidArgument, "INVALID", "supervisor");

    // Faults on purpose.
    let panic = v1::PanicDomainRequest {
        mutation: mutation(),
        domain: tenant.domain.clone(),
        message: "boom".into(),
    };
    let status = refused(admin().panic_domain(panic)).await;
    check("panic", &status, Code::PermissionDenied, "FAULTS_NOT_ALLOWED", "--allow-fault-injection");

    // Size.
    let huge = v1::StartRequest { reference: "x".repeat(5 << 20), ..tenant.call() };
    let status = refused(routing().start(huge)).await;
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    assert!(status.message().contains("4194304"), "{status:?}");

    // A session says hello first.
    let hello = v1::Hello { agent: "agent_1_999".into(), ..Default::default() };
    let status = Desk::try_open(&client, hello).await.err().expect("no request id");
    check("hello", &status, Code::InvalidArgument, "BAD_REQUEST_ID", "UUIDv7");
    let hello = v1::Hello {
        agent: "agent_1_999".into(),
        request_id: uuid::Uuid::now_v7().to_string(),
        ..Default::default()
    };
    let status = Desk::try_open(&client, hello).await.err().expect("no such agent");
    check("hello", &status, Code::NotFound, "UNKNOWN_AGENT", "agent_1_999");

    // After all that, what was there is there, and nobody has to look at the log.
    assert_eq!(client.conversation(&started.conversation).await.stage(), v1::Stage::Queued);
    node.assert_no_errors();
}

#[test]
fn starting() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    let says = |ended: &harness::Ended, code: i32, parts: &[&str]| {
        assert_eq!(ended.code, Some(code), "{}", ended.errors);
        for part in parts {
            assert!(ended.errors.contains(part), "'{part}' is not in: {}", ended.errors);
        }
    };

    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let ended = Start::new(&data).listen(&address).refuse();
    says(&ended, 3, &["cannot listen", &address, "remedy:", "--listen"]);

    let node = Start::new(&data).serve();
    let ended = Start::new(&data).refuse();
    says(&ended, 4, &["in use by another process", "remedy:"]);
    let (status, start) = node.stop();
    assert!(status.success(), "{status}");

    let ended = Start::new(&data).arg("--cluster").arg("another").refuse();
    says(&ended, 4, &["another", "cluster", "remedy:"]);
    let ended = Start::new(&data).arg("--node").arg("2").refuse();
    says(&ended, 4, &["node_1", "node_2"]);
    says(&Start::new(&data).shards(5).refuse(), 4, &["born with 2 shards, not 5", "remedy:"]);
    says(&Start::new(&data).arg("--speed").arg("7").refuse(), 4, &["speed 1, not 7"]);

    let identity = data.join("identity");
    let good = fs::read(&identity).expect("an identity");
    fs::write(&identity, b"not an identity").expect("written");
    says(&Start::new(&data).refuse(), 4, &["damaged"]);
    let mut newer = good.clone();
    newer[0] = 99;
    fs::write(&identity, &newer).expect("written");
    assert_eq!(Start::new(&data).refuse().code, Some(4));
    fs::write(&identity, &good).expect("written");
    drop(start.serve());

    let file = folder.path().join("c.toml");
    fs::write(&file, "node = 1\n\nlisen = \"127.0.0.1:0\"\n").expect("written");
    let config = file.to_str().expect("text");
    let ended = Start::new(&data).arg("--config").arg(config).refuse();
    says(&ended, 2, &["c.toml:3", "did you mean 'listen'?"]);
    says(&Start::new(&data).env("CENTRALITA_SHRADS", "3").refuse(), 2, &["CENTRALITA_SHARDS"]);
    let ended = Start::new(&data).arg("--member").arg("2=127.0.0.1:1").refuse();
    says(&ended, 2, &["node 1 is not among the members (2)"]);
    says(
        &Start::new(&data).arg("--lossy-disk=1").arg("--skip-sync").refuse(),
        2,
        &["CENTRALITA_ALLOW_TEST_FAULTS=1"],
    );
    says(&Start::new(&data).arg("--log").arg("centralita=loud").refuse(), 2, &["log filter"]);
}

#[test]
fn the_command_line() {
    let code = |args: &[&str]| {
        let ended = run(args);
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        (ended.status.code(), said)
    };
    let (status, said) = code(&["serve", "--shards", "0"]);
    assert_eq!(status, Some(2), "{said}");
    let (status, said) = code(&["ctl", "--target", "127.0.0.1:1", "cluster"]);
    assert_eq!(status, Some(5), "{said}");
    assert!(said.contains("centralita serve"), "{said}");
    let (status, said) = code(&["ctl", "--target", "127.0.0.1:1", "get"]);
    assert_eq!(status, Some(2), "{said}");
    let (status, said) = code(&["config", "check", "/nowhere/c.toml"]);
    assert_eq!(status, Some(2), "{said}");
    let (status, said) = code(&["sevre"]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("serve"), "{said}");
}

#[tokio::test]
async fn what_the_cluster_refuses_ctl_says() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 1).await;
    let ctl = |args: &[&str]| {
        let all: Vec<&str> =
            ["ctl", "--target", &node.address].into_iter().chain(args.iter().copied()).collect();
        let ended = run(&all);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (ended.status.code(), text(&ended.stdout), text(&ended.stderr))
    };
    let (code, _, said) = ctl(&["get", "conv_1_99"]);
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains("UNKNOWN_CONVERSATION"), "{said}");
    let (code, made, said) = ctl(&["create", "conversation", "--touchpoint", &tenant.touchpoint, "me"]);
    assert_eq!(code, Some(0), "{said}");
    let conversation = made.split_whitespace().next().expect("an id").to_owned();
    let (_, table, _) = ctl(&["explain", "wait", &conversation]);
    assert!(table.contains("lease"), "{table}");
    let (_, json, _) = ctl(&["--json", "list", "conversations", "--domain", &tenant.domain]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["conversations"][0]["id"], conversation.as_str());
    let (code, done, said) = ctl(&["close", &conversation, "--reason", "spam", "--as", "ana"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(done.contains("done"), "{done}");
    let (_, events, _) = ctl(&["watch", "events", "--domain", &tenant.domain, "--from", "1", "--until-now"]);
    assert!(events.contains("supervisor:ana"), "{events}");
    for list in ["accounts", "domains"] {
        assert_eq!(ctl(&["list", list]).0, Some(0));
    }
    for list in ["queues", "agents", "touchpoints"] {
        assert_eq!(ctl(&["list", list, "--domain", &tenant.domain]).0, Some(0));
    }
    assert_eq!(ctl(&["pause", &tenant.queue]).0, Some(0));
    assert!(ctl(&["get", &tenant.queue]).1.contains("paused"));
    assert!(ctl(&["cluster"]).1.contains("meta"));
    let (code, _, said) = ctl(&["presence", &tenant.agents[0], "unavailable", "--reason", "lunch"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(ctl(&["get", &tenant.agents[0]]).1.contains("lunch"));
}
