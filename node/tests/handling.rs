//! Accepting in two steps, weights while the customer is waited for and longer wrap-ups: over the API, at desks, and from
//! the command line.

use crate::harness;

use harness::{Client, Desk, Start, Tenant, mutation, reason, until};
use proto::v1;
use proto::v1::desk_request::Message;
use proto::v1::notice::Notice as Told;
use proto::v1::reply::Result as Outcome;
use proto::v1::touchpoint_settings::{Mode, ToQueue};
use serde_json::Value;
use tempfile::TempDir;
use tonic::Code;

async fn set(client: &Client, domain: &str, handling: v1::Handling) -> Result<v1::Receipt, tonic::Status> {
    let (supervisor, domain, handling) = ("sol".into(), domain.to_owned(), Some(handling));
    let request = v1::SetHandlingRequest { mutation: mutation(), supervisor, domain, handling };
    client.retry(|| async { client.admin().set_handling(request.clone()).await }).await
}

/// When the cluster is at its level.
async fn raised(client: &Client, domain: &str) {
    until("the level of handling", || async {
        match set(client, domain, v1::Handling::default()).await {
            Ok(_) => Some(()),
            Err(status) => {
                let seen = (status.code(), reason(&status));
                assert_eq!(seen, (Code::FailedPrecondition, "LEVEL_TOO_LOW".to_owned()));
                None
            }
        }
    })
    .await;
}

fn connected(offer: &str) -> Message {
    Message::Connected(v1::ConnectedRequest {
        mutation: mutation(),
        offer: offer.into(),
        ..Default::default()
    })
}

fn done(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Done(_) | Outcome::Accepted(_))
}

#[tokio::test]
async fn a_call_is_connected_before_it_is_the_agent_s() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 1).await;
    let own = tenant.domain.as_str();
    raised(&client, own).await;
    assert!(node.ctl(&["handling", own]).expect("shown").contains("no handling of its own"));
    node.ctl(&["handling", own, "--connect", "voice=30s", "--idle", "voice=5", "--extend", "2m"])
        .expect("set");
    let said = node.ctl(&["get", own]).expect("known");
    assert!(said.contains("connect voice=30s; idle voice=5; extend 120s"), "{said}");

    let mut desk = Desk::open(&client, &tenant.agents[0]).await;
    desk.available().await;
    let call = client.start(&tenant.call()).await.conversation;
    let offer = desk.offer().await.id;
    // Not before it is accepted.
    let Outcome::Failure(refused) = desk.ask(connected(&offer)).await else { panic!("not accepted yet") };
    assert_eq!(refused.reason, "WRONG_STATE");
    let Outcome::Accepted(accepted) = desk.accept(&offer).await else { panic!("it is ours") };
    let connect_by = accepted.connect_by_us.expect("a second step");
    let told = desk
        .notice("what is to be connected", |told| match told {
            Told::Connecting(told) => Some(told.clone()),
            _ => None,
        })
        .await;
    assert_eq!((told.conversation.as_str(), told.deadline_us), (call.as_str(), connect_by));
    let shown = client.conversation(&call).await;
    assert_eq!((shown.stage(), shown.agent.as_str()), (v1::Stage::Connecting, ""));
    assert!(shown.offer.expect("live").connecting);
    // A desk that comes back is shown what it is to connect.
    drop(desk);
    let mut desk = Desk::open(&client, &tenant.agents[0]).await;
    let offers = desk.welcome.agent.clone().expect("ours").offers;
    assert!(matches!(&offers[..], [one] if one.connecting && one.id == offer), "{offers:?}");
    let Outcome::Accepted(accepted) = desk.ask(connected(&offer)).await else { panic!("connected") };
    assert_eq!((accepted.conversation.as_str(), accepted.connect_by_us), (call.as_str(), None));
    assert_eq!(client.conversation(&call).await.stage(), v1::Stage::Assigned);

    // On hold it weighs little; the customer speaks, and it weighs what it weighed.
    let idle = v1::DeskSetIdleRequest {
        mutation: mutation(),
        conversation: call.clone(),
        idle: true,
        ..Default::default()
    };
    assert!(done(&desk.ask(Message::SetIdle(idle)).await));
    let shown = client.conversation(&call).await;
    assert_eq!((shown.weight, shown.idle), (5, true));
    let said = node.ctl(&["get", &tenant.agents[0]]).expect("known");
    assert!(said.contains('5'), "{said}");
    let wake = v1::WakeRequest { mutation: mutation(), conversation: call.clone() };
    client.routing().wake(wake).await.expect("woken");
    let told = desk
        .notice("that it is woken", |told| match told {
            Told::IdleChanged(told) if !told.idle => Some(told.clone()),
            _ => None,
        })
        .await;
    assert_eq!((told.weight, told.overdraft), (51, 0));
    node.ctl(&["idle", &call]).expect("a supervisor may");
    node.ctl(&["idle", &call, "--over"]).expect("and back");
    assert_eq!(client.conversation(&call).await.weight, 51);

    let events = client.record(own).await;
    let of = |kind: &str| events.iter().filter(|event| event.r#type == kind).collect::<Vec<_>>();
    assert_eq!((of("connecting").len(), of("idle_changed").len(), of("handling_changed").len()), (1, 4, 1));
    assert_eq!(of("connecting")[0].offer, offer);
    let json: Value = serde_json::from_str(&of("idle_changed")[1].json).expect("an object");
    assert_eq!((&json["by"], &json["weight"]), (&"customer".into(), &51.into()));
    node.assert_no_errors();
}

#[tokio::test]
async fn a_line_that_fails_and_a_wrap_up_that_takes_longer() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 1).await;
    let own = tenant.domain.as_str();
    raised(&client, own).await;
    let voice = v1::ChannelHandling { channel: 1, connect_ms: Some(60_000), idle_weight: None };
    let handling = v1::Handling { channels: vec![voice], extend_max_ms: 90_000 };
    set(&client, own, handling.clone()).await.expect("set");
    let shown: Value =
        serde_json::from_str(&node.ctl(&["--json", "handling", own]).expect("JSON")).expect("JSON");
    let file = folder.path().join("handling.json");
    std::fs::write(&file, shown.to_string()).expect("written");
    node.ctl(&["handling", own, "--file", &file.display().to_string()]).expect("the same again");
    let twice = v1::Handling { channels: vec![voice, voice], ..handling };
    let refused = set(&client, own, twice).await.expect_err("twice");
    assert!(refused.message().starts_with("handling.channels[1].channel"), "{}", refused.message());

    let step = ToQueue { queues: vec![tenant.queue.clone()], ..Default::default() };
    let settings = Some(v1::TouchpointSettings {
        address: "chat".into(),
        channel: v1::Channel::Chat.into(),
        mode: Some(Mode::ToQueue(step)),
    });
    let request = v1::CreateTouchpointRequest { mutation: mutation(), domain: own.into(), settings };
    let touchpoint = client.admin().create_touchpoint(request).await.expect("a touchpoint").into_inner().id;

    let mut desk = Desk::open(&client, &tenant.agents[0]).await;
    desk.available().await;
    let call = client.start(&tenant.call()).await.conversation;
    let offer = desk.offer().await.id;
    assert!(matches!(desk.accept(&offer).await, Outcome::Accepted(_)));
    let failed = v1::ConnectFailedRequest {
        mutation: mutation(),
        offer: offer.clone(),
        reason: "no dial tone".into(),
        ..Default::default()
    };
    assert!(done(&desk.ask(Message::ConnectFailed(failed)).await));
    let ended = desk
        .notice("the end of the offer", |told| match told {
            Told::OfferEnded(ended) => Some(ended.clone()),
            _ => None,
        })
        .await;
    assert_eq!((ended.offer, ended.end.as_str()), (offer, "not_connected"));
    assert_eq!(client.conversation(&call).await.stage(), v1::Stage::Queued);
    let said =
        node.ctl(&["list", "conversations", "--domain", own, "--stage", "connecting"]).expect("a list");
    assert!(!said.contains(&call), "{said}");

    // A chat needs no connection. Its wrap-up is extended, as far as the domain allows.
    let chat = client.start(&v1::StartRequest { touchpoint, ..tenant.call() }).await.conversation;
    let offer = desk.offer().await.id;
    let Outcome::Accepted(accepted) = desk.accept(&offer).await else { panic!("it is ours") };
    assert_eq!(accepted.connect_by_us, None);
    let request = v1::ListRequest { domain: own.into(), after: String::new(), limit: 1 };
    let queues = client.admin().list_queues(request).await.expect("queues").into_inner().queues;
    let settings =
        v1::QueueSettings { wrap_up_max_ms: 60_000, ..queues[0].settings.clone().expect("settings") };
    let (queue, settings) = (tenant.queue.clone(), Some(settings));
    let request = v1::UpdateQueueRequest { mutation: mutation(), queue, settings };
    client.admin().update_queue(request).await.expect("changed");
    let end = v1::EndContactRequest { mutation: mutation(), conversation: chat.clone() };
    client.routing().end_contact(end).await.expect("over");
    let wrapping = |told: &Told| match told {
        Told::Wrapping(wrapping) => Some(wrapping.clone()),
        _ => None,
    };
    let first = desk.notice("the wrap-up", wrapping).await;
    let longer = v1::DeskExtendWrapUpRequest {
        mutation: mutation(),
        conversation: chat.clone(),
        longer_ms: 30_000,
        ..Default::default()
    };
    assert!(done(&desk.ask(Message::ExtendWrapUp(longer)).await));
    let second = desk.notice("its new end", wrapping).await;
    assert_eq!(second.deadline_us, first.deadline_us + 30_000_000);
    node.ctl(&["extend", &chat, "1m"]).expect("a supervisor may");
    let refused = node.ctl(&["extend", &chat, "1s"]).expect_err("nothing is left");
    assert!(refused.contains("complete it"), "{refused}");
    node.assert_no_errors();
}
