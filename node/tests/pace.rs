//! The pace of offers, and the most proficient first: over the API, at desks, and from the command line.

use crate::harness;

use harness::{Client, Desk, Start, Tenant, mutation};
use proto::v1;
use serde_json::Value;
use tempfile::TempDir;

#[tokio::test]
async fn who_had_as_many_as_the_pace_allows_is_offered_no_more_and_it_is_said() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 1).await;
    let (own, agent) = (tenant.domain.as_str(), tenant.agents[0].as_str());
    tenant.raised(&client).await;
    assert!(node.ctl(&["pace", own]).expect("shown").contains("none"));
    node.ctl(&["pace", own, "--offers", "1", "--per", "1h"]).expect("set");
    let said = node.ctl(&["get", own]).expect("known");
    assert!(said.contains("1 offers within 3600 s for each agent"), "{said}");
    let refused = node.ctl(&["pace", own, "--offers", "1", "--per", "2h"]).expect_err("too long");
    assert!(refused.contains("use 1 s to 3600 s"), "{refused}");

    let mut desk = Desk::open(&client, agent).await;
    desk.available().await;
    let first = client.start(&tenant.call()).await.conversation;
    assert_eq!(desk.offer().await.conversation, first);
    let abandon = v1::AbandonRequest { mutation: mutation(), conversation: first };
    client.routing().abandon(abandon).await.expect("left");
    let second = client.start(&tenant.call()).await.conversation;
    let explained: Value =
        serde_json::from_str(&node.ctl(&["--json", "explain", "wait", &second]).expect("known"))
            .expect("JSON");
    assert_eq!(explained["agents"][0]["gate"], "paced", "{explained}");
    let shown: Value =
        serde_json::from_str(&node.ctl(&["--json", "get", agent]).expect("known")).expect("JSON");
    assert!(shown["paced_until_us"].is_u64(), "{shown}");

    // Without a pace it rings at once.
    node.ctl(&["pace", own, "--none"]).expect("taken away");
    assert_eq!(desk.offer().await.conversation, second);
    let record = client.record(own).await;
    let told: Vec<Value> = record
        .iter()
        .filter(|event| event.r#type == "pace_changed")
        .map(|event| serde_json::from_str(&event.json).expect("JSON"))
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0]["pace"], serde_json::json!({ "offers": 1, "per_ms": 3_600_000 }));
    assert_eq!((&told[1]["pace"], &told[1]["by"]), (&Value::Null, &"supervisor:sol".into()));
    node.assert_no_errors();
}

#[tokio::test]
async fn a_queue_that_picks_the_most_proficient() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 2).await;
    let own = tenant.domain.as_str();
    tenant.raised(&client).await;
    let [some, more] = &tenant.agents[..] else { panic!("two agents") };
    node.ctl(&["skills", some, "es=60"]).expect("set");
    node.ctl(&["skills", more, "es=90"]).expect("set");
    let list = v1::ListRequest { domain: own.to_owned(), ..Default::default() };
    let queues = client.admin().list_queues(list).await.expect("a list").into_inner().queues;
    let own_queue = queues.into_iter().find(|queue| queue.id == tenant.queue).expect("made");
    let mut settings = own_queue.settings.expect("some");
    settings.set_pick(v1::PickPolicy::MostProficient);
    let (queue, settings) = (tenant.queue.clone(), Some(settings));
    let update = v1::UpdateQueueRequest { mutation: mutation(), queue, settings };
    client.admin().update_queue(update).await.expect("at its level");
    // The one with less is idle for longer.
    let mut first = Desk::open(&client, some).await;
    first.available().await;
    let mut second = Desk::open(&client, more).await;
    second.available().await;
    let required = vec![v1::Skill { name: "es".into(), level: 50 }];
    let criteria = Some(v1::Criteria { steps: vec![v1::Step { required, ..Default::default() }] });
    let call = client.start(&v1::StartRequest { criteria, ..tenant.call() }).await.conversation;
    let offer = second.offer().await;
    assert_eq!(offer.conversation, call);
    let said = node.ctl(&["explain", "pick", &offer.id]).expect("known");
    assert!(said.contains("the most proficient in what is asked for goes first"), "{said}");
    assert!(said.contains("levels of what is asked for: 90 in all"), "{said}");
    let call = client.start(&tenant.call()).await.conversation;
    assert_eq!(first.offer().await.conversation, call);
    node.assert_no_errors();
}
