//! Offers to several agents at once: over the API, at desks, and from the command line.

use crate::harness;

use harness::{Client, Desk, Start, Tenant};
use proto::v1;
use proto::v1::reply::Result as Outcome;
use serde_json::Value;
use tempfile::TempDir;

/// Two desks ring; the one who is first has it, the other one's stops, and whoever clicks too late is told so.
#[tokio::test]
async fn two_desks_ring_and_the_first_has_it() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 2).await;
    let (own, queue) = (tenant.domain.as_str(), tenant.queue.as_str());
    tenant.raised(&client).await;
    assert!(node.ctl(&["ring", queue]).expect("shown").contains("one agent after the other"));
    node.ctl(&["ring", queue, "2"]).expect("set");
    assert!(node.ctl(&["ring", queue]).expect("shown").contains("2 agents at once"));
    assert!(node.ctl(&["ring", queue, "11"]).is_err());

    let mut first = Desk::open(&client, &tenant.agents[0]).await;
    let mut second = Desk::open(&client, &tenant.agents[1]).await;
    first.available().await;
    second.available().await;
    let call = client.start(&tenant.call()).await.conversation;
    let (early, late) = (first.offer().await, second.offer().await);
    assert_eq!((&early.conversation, &late.conversation), (&call, &call));
    assert_ne!(early.id, late.id);
    let shown: Value =
        serde_json::from_str(&node.ctl(&["--json", "get", &call]).expect("known")).expect("JSON");
    assert_eq!(shown["offer"]["id"], early.id.as_str(), "{shown}");
    assert_eq!(shown["also_offered"][0]["id"], late.id.as_str(), "{shown}");

    assert!(matches!(second.accept(&late.id).await, Outcome::Accepted(_)));
    let Outcome::Failure(refused) = first.accept(&early.id).await else { panic!("it is taken") };
    assert_eq!(refused.reason, "OFFER_OVER", "{refused:?}");
    let record = client.record(own).await;
    let ends: Vec<(String, Value)> = record
        .iter()
        .filter(|event| event.r#type == "offer_ended")
        .map(|event| serde_json::from_str::<Value>(&event.json).expect("JSON"))
        .map(|event| (event["offer"].as_str().expect("an id").to_owned(), event["why"].clone()))
        .collect();
    assert_eq!(ends.len(), 2, "{ends:?}");
    assert_eq!(ends[0].0, early.id);
    assert_eq!(ends[0].1, "taken", "{ends:?}");
    assert_eq!(ends[1].0, late.id);
    let told = record.iter().find(|event| event.r#type == "ring_changed").expect("told");
    let told: Value = serde_json::from_str(&told.json).expect("JSON");
    assert_eq!((told["queue"].as_str(), told["agents"].as_u64()), (Some(queue), Some(2)));
    node.assert_no_errors();
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_the_field() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 1).await;
    tenant.raised(&client).await;
    for agents in [0, 11, 300] {
        let request = v1::SetRingRequest {
            mutation: harness::mutation(),
            supervisor: "sol".to_owned(),
            queue: tenant.queue.clone(),
            agents,
        };
        let refused = client.supervisor().set_ring(request).await.expect_err("no such number");
        assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused:?}");
        assert!(refused.message().contains("1 to 10"), "{refused:?}");
    }
}
