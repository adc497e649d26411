//! Policies over the API and from the command line: what rules do by themselves, what is counted, and what is
//! shown of it.

use crate::harness;

use harness::{Client, Desk, Start, Tenant, mutation, reason, until};
use proto::v1;
use proto::v1::reply::Result as Outcome;
use proto::v1::rule::Then;
use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::Code;

fn close(after_ms: u64) -> v1::Rule {
    v1::Rule { after_ms, when: Vec::new(), then: Some(Then::Close("late".into())) }
}

fn policy<const N: usize>(rules: [v1::Rule; N]) -> v1::Policy {
    v1::Policy { rules: rules.into(), target: Some(v1::ServiceTarget { within_ms: 20_000, percent: 80 }) }
}

async fn set(client: &Client, queue: &str, policy: v1::Policy) -> Result<v1::Receipt, tonic::Status> {
    let request = v1::SetPolicyRequest {
        mutation: mutation(),
        supervisor: "sol".into(),
        queue: queue.to_owned(),
        policy: Some(policy),
    };
    client.retry(|| async { client.supervisor().set_policy(request.clone()).await }).await
}

/// Until the shard is at the level that knows of them.
async fn first_policy(client: &Client, queue: &str, policy: v1::Policy) {
    until("the level of policies", || async {
        match set(client, queue, policy.clone()).await {
            Ok(_) => Some(()),
            Err(status) => {
                assert_eq!(reason(&status), "LEVEL_TOO_LOW", "{status:?}");
                assert_eq!(status.code(), Code::FailedPrecondition);
                None
            }
        }
    })
    .await;
}

async fn more_queue(client: &Client, domain: &str, name: &str) -> String {
    let settings = Some(v1::QueueSettings { name: name.into(), ..Default::default() });
    let request = v1::CreateQueueRequest { mutation: mutation(), domain: domain.to_owned(), settings };
    client.retry(|| async { client.admin().create_queue(request.clone()).await }).await.expect("a queue").id
}

async fn queue(client: &Client, domain: &str, id: &str) -> v1::Queue {
    let request = v1::ListRequest { domain: domain.to_owned(), ..Default::default() };
    let list = client.retry(|| async { client.admin().list_queues(request.clone()).await }).await;
    list.expect("a list").queues.into_iter().find(|one| one.id == id).expect("known")
}

fn found<'a>(events: &'a [v1::Event], kind: &str, subject: &str) -> (&'a v1::Event, Value) {
    let found = events.iter().find(|event| event.r#type == kind && event.subject == subject);
    let found = found.unwrap_or_else(|| panic!("no {kind} of {subject}"));
    (found, serde_json::from_str(&found.json).expect("an object"))
}

#[tokio::test]
async fn nobody_is_signed_on_and_the_shells_rule_moves_the_call() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 1).await;
    let own = tenant.queue.as_str();
    let nights = more_queue(&client, &tenant.domain, "Nights").await;
    first_policy(&client, own, v1::Policy::default()).await;
    let said = node.ctl(&["policy", own]).expect("shown");
    assert!(said.contains("has no policy, and never had one"), "{said}");

    let rules = [
        format!("1s when signed_on < 1 then move {nights}"),
        "1h when service_level < 50 and waiting >= 9 then close \"too \\\"busy\\\"\"".to_owned(),
    ];
    let args = ["policy", own, "--service", "80% in 20s", "--rule", &rules[0], "--rule", &rules[1]];
    let said = node.ctl(&args).expect("set");
    assert!(said.starts_with("done"), "{said}");
    let said = node.ctl(&["policy", own]).expect("shown");
    for wanted in [&rules[0], &rules[1], "80% in 20s", "15 min"] {
        assert!(said.contains(wanted), "{wanted}:\n{said}");
    }

    let call = client.start(&tenant.call()).await.conversation;
    let said = node.ctl(&["get", &call]).expect("known");
    assert!(
        said.contains(&format!("under policy 1 of {own} for ")) && said.contains("rule 1 of 2"),
        "{said}"
    );
    let said = node.ctl(&["list", "conversations", "--domain", &tenant.domain]).expect("a list");
    assert!(said.contains("POLICY") && said.contains(&format!("1 of {own}, rule 1 in ")), "{said}");
    let moved = until("the rule", || async {
        let seen = client.conversation(&call).await;
        (seen.queues == [nights.clone()]).then_some(seen)
    })
    .await;
    assert_eq!((moved.stage(), moved.standing), (v1::Stage::Queued, None));

    let record = client.record(&tenant.domain).await;
    let of_call: Vec<&str> =
        record.iter().filter(|event| event.subject == call).map(|event| event.r#type.as_str()).collect();
    assert_eq!(of_call, ["arrived", "waiting", "rule_applied", "waiting"]);
    let (event, fields) = found(&record, "rule_applied", &call);
    assert_eq!((&event.queue, &event.conversation), (&tenant.queue, &call));
    let wanted = json!({
        "conversation": call, "queue": own, "number": 1, "rule": 1, "action": { "move_to": nights },
    });
    assert_eq!(fields, wanted);
    let (event, changed) = found(&record, "policy_changed", own);
    assert_eq!((event.queue.as_str(), &changed["by"]), (own, &"supervisor:sol".into()));
    let last = record.iter().rfind(|event| event.subject == call).expect("it waits");
    let last: Value = serde_json::from_str(&last.json).expect("an object");
    assert_eq!(last["cause"], "overflow");

    // What an event has, and what the shell prints as JSON, can be given back: nothing changes.
    let shown: Value =
        serde_json::from_str(&node.ctl(&["--json", "policy", own]).expect("JSON")).expect("JSON");
    let file = folder.path().join("policy.json");
    for policy in [&changed["policy"], &shown["policy"]] {
        std::fs::write(&file, policy.to_string()).expect("written");
        node.ctl(&["policy", own, "--file", &file.display().to_string()]).expect("the same again");
    }
    let state = queue(&client, &tenant.domain, own).await.policy.expect("a policy");
    assert_eq!((state.number, state.older), (1, Vec::new()));

    // One call is taken at once, and counted.
    let mut desk = Desk::open(&client, &tenant.agents[0]).await;
    desk.available().await;
    let call = client.start(&tenant.call()).await.conversation;
    let offer = desk.offer().await;
    assert_eq!(offer.conversation, call);
    assert!(matches!(desk.accept(&offer.id).await, Outcome::Accepted(_)));
    assert_eq!(client.conversation(&call).await.standing, None);
    let service = queue(&client, &tenant.domain, own).await.policy.expect("a policy").service;
    assert_eq!(service.iter().map(|one| one.minutes).collect::<Vec<_>>(), [5, 15, 60]);
    for one in service {
        let counts = (one.answered, one.within, one.abandoned, one.overflowed, one.percent);
        assert_eq!(counts, (1, 1, 0, 1, Some(100)));
        assert!(one.mean_wait_ms.is_some_and(|ms| ms < 20_000), "{one:?}");
    }
    let said = node.ctl(&["list", "queues", "--domain", &tenant.domain]).expect("a list");
    assert!(said.contains("SERVICE") && said.contains("100%"), "{said}");
    let said = node.ctl(&["get", own]).expect("known");
    assert!(said.contains("100%"), "{said}");

    node.ctl(&["policy", own, "--none"]).expect("taken away");
    let said = node.ctl(&["policy", own]).expect("shown");
    assert!(said.contains("none (taken away by change 2)") && said.contains("100%"), "{said}");
    let said = node.ctl(&["list", "queues", "--domain", &tenant.domain]).expect("a list");
    assert!(!said.contains("SERVICE"), "{said}");
    node.assert_no_errors();
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_older_versions_are_kept_while_in_use() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 1).await;
    let own = tenant.queue.as_str();
    let nights = more_queue(&client, &tenant.domain, "Nights").await;
    let hour = policy([close(3_600_000)]);
    first_policy(&client, own, hour.clone()).await;
    let call = client.start(&tenant.call()).await.conversation;
    let standing = client.conversation(&call).await.standing.expect("it stands under it");
    assert_eq!((standing.queue.as_str(), standing.number, standing.decided), (own, 1, 0));
    assert_eq!(standing.due_us, Some(standing.since_us + 3_600_000_000));

    // Not a value of the API; not sound; round in a circle; to another account.
    let move_to = |queue: &str| policy([v1::Rule { then: Some(Then::MoveTo(queue.into())), ..close(1_000) }]);
    let nothing = policy([v1::Rule { then: None, ..close(1_000) }]);
    let refused = set(&client, own, nothing).await.expect_err("nothing to do");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "INVALID"));
    assert!(refused.message().starts_with("policy.rules[0]: says nothing to do"), "{}", refused.message());
    let refused = set(&client, own, policy([close(2_000), close(3_000)])).await.expect_err("never reached");
    assert!(refused.message().contains("policy.rules[1].after"), "{}", refused.message());
    set(&client, own, move_to(&nights)).await.expect("one way");
    let refused = set(&client, &nights, move_to(own)).await.expect_err("and back");
    let way = format!("it moves round, {nights} to {own} to {nights}");
    assert!(refused.message().contains(&way), "{}", refused.message());
    let refused =
        node.ctl(&["policy", &nights, "--rule", &format!("5s then move {own}")]).expect_err("round");
    assert!(refused.contains(&way), "{refused}");
    let refused = set(&client, own, move_to("queue_1_99")).await.expect_err("no such queue");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "UNKNOWN_QUEUE"));
    let other = Tenant::make(&client, 0).await;
    let send = |there: &str| policy([v1::Rule { then: Some(Then::SendTo(there.into())), ..close(0) }]);
    let refused = set(&client, &nights, send(&other.touchpoint)).await.expect_err("another account's");
    assert_eq!(reason(&refused), "NOT_ALLOWED");
    let request = v1::SetPolicyRequest { mutation: mutation(), queue: own.into(), ..Default::default() };
    let refused = client.supervisor().set_policy(request).await.expect_err("says nothing");
    assert!(refused.message().starts_with("policy: is required"), "{}", refused.message());

    // The first call stands under the first version still.
    let state = queue(&client, &tenant.domain, own).await.policy.expect("a policy");
    assert_eq!((state.number, state.older), (2, vec![1]));
    let said = node.ctl(&["get", &call]).expect("known");
    assert!(said.contains("under policy 1 of") && said.contains(", rule 1 in 3"), "{said}");

    // What the shell cannot read never leaves it.
    for (rule, wrong) in [
        (
            "20s when waitin < 3 then inbox",
            "rule 1 ('20s when waitin < 3 then inbox'): condition 1: 'waitin'",
        ),
        ("20 then inbox", "rule 1 ('20 then inbox'): its time: '20' is not a time"),
    ] {
        let refused = node.ctl(&["policy", own, "--rule", rule]).expect_err(rule);
        assert!(refused.contains(wrong), "{refused}");
    }
    let file = folder.path().join("bad.json");
    std::fs::write(&file, r#"{"rules": [{"after": 3}]}"#).expect("written");
    let refused =
        node.ctl(&["policy", own, "--file", &file.display().to_string()]).expect_err("no such field");
    assert!(refused.contains("not a Policy") && refused.contains("after"), "{refused}");

    // To another domain of the account, on the way in.
    let far = Tenant::in_account(&client, &tenant.account, 1).await;
    let mut desk = Desk::open(&client, &far.agents[0]).await;
    desk.available().await;
    set(&client, own, send(&far.touchpoint)).await.expect("of this account");
    let call = client.start(&tenant.call()).await.conversation;
    let offer = desk.offer().await;
    assert!(matches!(desk.accept(&offer.id).await, Outcome::Accepted(_)));
    until("the end at home", || async {
        let seen = client.conversation(&call).await;
        (seen.moved_to == offer.conversation).then_some(())
    })
    .await;
    let service = queue(&client, &tenant.domain, own).await.policy.expect("a policy").service;
    assert_eq!(service[2].overflowed, 1);
    node.assert_no_errors();
}
