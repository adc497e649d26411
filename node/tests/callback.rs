//! Callbacks and resumed places: over the API, at desks, and from the command line.

use crate::harness;

use harness::{Client, Desk, Start, Tenant, mutation, reason};
use proto::v1;
use proto::v1::desk_request::Message;
use proto::v1::reply::Result as Outcome;
use serde_json::Value;
use tempfile::TempDir;
use tonic::Code;

fn json(said: Result<String, String>) -> Value {
    serde_json::from_str(&said.expect("known")).expect("JSON")
}

#[tokio::test]
async fn who_is_to_be_called_back_keeps_the_place() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 1).await;
    let own = tenant.domain.as_str();
    tenant.raised(&client).await;

    // Nothing is set: nobody is called back.
    let first = client.start(&tenant.call()).await.conversation;
    let refused = node.ctl(&["call-back", &first]).expect_err("off at first");
    assert!(refused.contains("SetCallback"), "{refused}");
    let refused = node.ctl(&["callback", own, "--attempts", "2", "--expire", "59s"]).expect_err("too short");
    assert!(refused.contains("use 60 s to 604800 s"), "{refused}");
    node.ctl(&["callback", own, "--attempts", "2", "--retry", "1h", "--expire", "2h", "--resume", "1m"])
        .expect("set");
    let said = node.ctl(&["get", own]).expect("known");
    assert!(said.contains("2 attempts, 3600 s between them"), "{said}");

    // The first one hangs up, the second one holds the line.
    node.ctl(&["call-back", &first, "--contact", "+34 600"]).expect("asked for");
    let second = client.start(&tenant.call()).await.conversation;
    let abandon = v1::AbandonRequest { mutation: mutation(), conversation: first.clone() };
    let refused = client.routing().abandon(abandon).await.expect_err("it stays");
    assert_eq!((refused.code(), reason(&refused)), (Code::FailedPrecondition, "WRONG_STATE".to_owned()));
    let shown = client.conversation(&first).await;
    assert_eq!(shown.callback.expect("it stands").contact, "+34 600");
    let listed = node.ctl(&["list", "conversations", "--domain", own]).expect("a list");
    assert!(listed.contains("CALL BACK") && listed.contains("+34 600"), "{listed}");

    // The place is the first one's. The agent dials, and nobody answers.
    let mut desk = Desk::open(&client, &tenant.agents[0]).await;
    desk.available().await;
    let offer = desk.offer().await;
    assert_eq!(offer.conversation, first);
    let Outcome::Accepted(accepted) = desk.accept(&offer.id).await else { panic!("it is ours") };
    assert!(accepted.connect_by_us.is_some(), "though the channel has no second step");
    let failed = v1::ConnectFailedRequest {
        mutation: mutation(),
        offer: offer.id,
        reason: "no answer".into(),
        ..Default::default()
    };
    assert!(matches!(desk.ask(Message::ConnectFailed(failed)).await, Outcome::Done(_)));
    assert_eq!(desk.offer().await.conversation, second, "meanwhile the next");
    let explained = json(node.ctl(&["--json", "explain", "wait", &first]));
    assert_eq!(explained["agents"][0]["gate"], "rests", "{explained}");
    let shown = client.conversation(&first).await;
    let callback = shown.callback.expect("it stands");
    assert_eq!((shown.arrived_at_us > 0, callback.attempts), (true, 1));
    assert!(callback.not_before_us.is_some_and(|at| at > shown.now_us));
    node.ctl(&["call-back", &first, "--cancel"]).expect("no longer");
    assert_eq!(client.conversation(&first).await.stage(), v1::Stage::Abandoned);

    // Whoever left has the place again, once.
    let again = v1::StartRequest { continues: first.clone(), ..tenant.call() };
    let resumed = client.start(&again).await;
    assert!(resumed.resumed);
    assert_eq!(client.conversation(&resumed.conversation).await.arrived_at_us, shown.arrived_at_us);
    let twice = v1::StartRequest { continues: first, ..tenant.call() };
    assert!(!client.start(&twice).await.resumed);

    let record = client.record(own).await;
    let of = |kind: &str| -> Vec<Value> {
        let events = record.iter().filter(|event| event.r#type == kind);
        events.map(|event| serde_json::from_str(&event.json).expect("JSON")).collect()
    };
    assert_eq!(of("callback_changed")[0]["callback"]["expires_after_ms"], 7_200_000);
    assert_eq!(of("callback_requested")[0]["contact"], "+34 600");
    assert_eq!(of("callback_tried")[0]["attempts"], 1);
    assert_eq!(of("resumed").len(), 1);
    node.assert_no_errors();
}

#[tokio::test]
async fn a_rule_calls_back_who_would_wait_too_long() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 1).await;
    let own = tenant.domain.as_str();
    tenant.raised(&client).await;
    node.ctl(&["callback", own, "--attempts", "1", "--expire", "2h"]).expect("set");
    let rule = "0s when available < 1 then callback";
    node.ctl(&["policy", &tenant.queue, "--rule", rule]).expect("set");
    let said = node.ctl(&["policy", &tenant.queue]).expect("shown");
    assert!(said.contains("callback"), "{said}");
    let call = client.start(&tenant.call()).await.conversation;
    let shown = client.conversation(&call).await;
    assert_eq!(shown.callback.expect("by the rule").contact, "");

    let mut desk = Desk::open(&client, &tenant.agents[0]).await;
    desk.available().await;
    let offer = desk.offer().await.id;
    assert!(matches!(desk.accept(&offer).await, Outcome::Accepted(_)));
    let connected = v1::ConnectedRequest { mutation: mutation(), offer, ..Default::default() };
    assert!(matches!(desk.ask(Message::Connected(connected)).await, Outcome::Accepted(_)));
    let shown = client.conversation(&call).await;
    assert_eq!((shown.stage(), shown.callback), (v1::Stage::Assigned, None));
    node.assert_no_errors();
}
