//! One node as a real process: a whole call, a restart, a graceful end.

use crate::harness;

use harness::{Client, Desk, Start, Tenant, mutation, until};
use proto::v1;
use proto::v1::desk_request::Message as Ask;
use proto::v1::notice::Notice as Kind;
use proto::v1::reply::Result as Outcome;
use tempfile::TempDir;
use tokio_stream::StreamExt;

fn node() -> (TempDir, harness::Node) {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    (folder, node)
}

#[tokio::test]
async fn a_whole_call() {
    let (_folder, node) = node();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 1).await;
    let mut desk = Desk::open(&client, &tenant.agents[0]).await;
    desk.available().await;

    let started = client.start(&tenant.call()).await;
    assert_eq!(started.agent, tenant.agents[0], "the only free agent is offered at once");
    let offer = desk.offer().await;
    assert_eq!((offer.id.as_str(), offer.weight), (started.offer.as_str(), 51));
    assert_eq!((offer.channel(), offer.customer.as_str()), (v1::Channel::Voice, "+34600111222"));
    assert_eq!(client.conversation(&started.conversation).await.stage(), v1::Stage::Offered);

    let Outcome::Accepted(accepted) = desk.accept(&offer.id).await else { panic!("not accepted") };
    assert_eq!((accepted.conversation, accepted.agent), (offer.conversation.clone(), offer.agent));
    let held = client.conversation(&started.conversation).await;
    assert_eq!((held.stage(), held.agent.as_str()), (v1::Stage::Assigned, tenant.agents[0].as_str()));

    let ended = desk.end_contact(&offer.conversation).await;
    assert!(matches!(ended, Outcome::Done(_)), "{ended:?}");
    let closed = client.conversation(&started.conversation).await;
    assert_eq!((closed.stage(), closed.ending.as_str()), (v1::Stage::Closed, "completed"));

    // The record of it: dense, and every id as text.
    let request =
        v1::WatchRequest { domain: tenant.domain.clone(), from: 1, until_now: true, ..Default::default() };
    let events: Vec<v1::Event> = client
        .events()
        .watch(request)
        .await
        .expect("a watch")
        .into_inner()
        .collect::<Result<Vec<_>, _>>()
        .await
        .expect("events");
    let sequences: Vec<u64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (1..=events.len() as u64).collect::<Vec<_>>());
    let of_call: Vec<&str> = events
        .iter()
        .filter(|event| event.conversation == started.conversation)
        .map(|event| event.r#type.as_str())
        .collect();
    assert_eq!(of_call, ["arrived", "waiting", "offered", "offer_ended", "assigned", "ended"]);

    let goodbye = desk.ask(Ask::Bye(v1::Bye {})).await;
    assert!(matches!(goodbye, Outcome::Done(_)), "{goodbye:?}");
    let reason = desk
        .notice("the end of the session", |kind| match kind {
            Kind::SessionEnded(ended) => Some(ended.reason.clone()),
            _ => None,
        })
        .await;
    assert_eq!(reason, "closed");
    node.assert_no_errors();
}

#[tokio::test]
async fn a_restart_keeps_everything() {
    let (_folder, node) = node();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 1).await;
    let request = tenant.call();
    let started = client.start(&request).await;

    let start = node.kill();
    let node = start.serve();
    let client = Client::of(&node);
    let waiting = client.conversation(&started.conversation).await;
    assert_eq!((waiting.stage(), waiting.queues), (v1::Stage::Queued, vec![tenant.queue.clone()]));
    assert_eq!(client.start(&request).await, started, "the same request gets the first answer");

    let (status, start) = node.stop();
    assert!(status.success(), "a graceful end is a success: {status}");
    let node = start.serve();
    let client = Client::of(&node);
    assert_eq!(client.start(&request).await, started, "also after a graceful end");
    let accounts = client.admin().list_accounts(v1::ListAccountsRequest {}).await.expect("accounts");
    assert_eq!(accounts.into_inner().accounts.len(), 1);
    node.assert_no_errors();
}

#[tokio::test]
async fn a_stopping_node_ends_its_sessions_with_a_reason() {
    let (_folder, node) = node();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 1).await;
    let mut desk = Desk::open(&client, &tenant.agents[0]).await;
    node.signal("-INT");
    let reason = desk
        .notice("the end of the session", |kind| match kind {
            Kind::SessionEnded(ended) => Some(ended.reason.clone()),
            _ => None,
        })
        .await;
    assert_eq!(reason, "stopping");
    let (status, _) = node.wait();
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn a_newer_session_replaces_the_older_and_a_resumed_one_keeps_its_epoch() {
    let (_folder, node) = node();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 1).await;
    let mut first = Desk::open(&client, &tenant.agents[0]).await;
    first.available().await;
    let started = client.start(&tenant.call()).await;
    let offer = first.offer().await;
    assert_eq!(offer.id, started.offer);

    let second = Desk::open(&client, &tenant.agents[0]).await;
    assert!(second.welcome.epoch > first.welcome.epoch);
    let owed = second.welcome.agent.clone().expect("an agent").offers;
    assert_eq!(owed.len(), 1, "the live offer belongs to the new session");
    assert_eq!((owed[0].id.as_str(), owed[0].customer.as_str()), (offer.id.as_str(), "+34600111222"));
    let reason = first
        .notice("the end of the older session", |kind| match kind {
            Kind::SessionEnded(ended) => Some(ended.reason.clone()),
            _ => None,
        })
        .await;
    assert_eq!(reason, "replaced");

    // A broken connection: the lease runs on, the desk comes back as it was.
    let resume = second.resume();
    let epoch = second.welcome.epoch;
    drop(second);
    let mut third =
        until("the session again", || async { Desk::try_open(&client, resume.clone()).await.ok() }).await;
    assert_eq!(third.welcome.epoch, epoch, "the epoch stays, so what the desk sent meanwhile is valid");
    assert!(matches!(third.accept(&offer.id).await, Outcome::Accepted(_)));

    // An older tab is refused.
    let stale = v1::DeskEndContactRequest {
        mutation: mutation(),
        agent: tenant.agents[0].clone(),
        epoch: first.welcome.epoch,
        conversation: started.conversation.clone(),
    };
    let status = client.desk().end_contact(stale).await.expect_err("an older epoch");
    assert_eq!(harness::reason(&status), "STALE_EPOCH");
}

#[tokio::test]
async fn the_heavy_path_answers_by_tag() {
    let (_folder, node) = node();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 0).await;
    let calls = 300;
    let mut requests: Vec<v1::SubmitRequest> = (1..=calls)
        .map(|tag| v1::SubmitRequest {
            tag,
            command: Some(v1::submit_request::Command::Start(tenant.call())),
        })
        .collect();
    let bad = v1::AbandonRequest { mutation: mutation(), conversation: "conv_1_999999".into() };
    requests.push(v1::SubmitRequest { tag: 901, command: Some(v1::submit_request::Command::Abandon(bad)) });
    requests.push(v1::SubmitRequest { tag: 902, command: None });
    let answers: Vec<v1::SubmitResponse> = client
        .routing()
        .submit(tokio_stream::iter(requests))
        .await
        .expect("a stream")
        .into_inner()
        .collect::<Result<Vec<_>, _>>()
        .await
        .expect("answers");
    let mut tags: Vec<u64> = answers.iter().map(|answer| answer.tag).collect();
    tags.sort_unstable();
    assert_eq!(tags, (1..=calls).chain([901, 902]).collect::<Vec<_>>(), "each is answered once");
    for answer in answers {
        match (answer.tag, answer.result.expect("a result")) {
            (901, v1::submit_response::Result::Failure(failure)) => {
                assert_eq!((failure.code, failure.reason.as_str()), (5, "UNKNOWN_CONVERSATION"));
            }
            (902, v1::submit_response::Result::Failure(failure)) => assert_eq!(failure.code, 3),
            (_, v1::submit_response::Result::Started(_)) => {}
            other => panic!("unexpected: {other:?}"),
        }
    }
    let list = v1::ListConversationsRequest {
        domain: tenant.domain.clone(),
        limit: 1_000,
        stages: vec![v1::Stage::Queued.into()],
        ..Default::default()
    };
    let list = client.supervisor().list_conversations(list).await.expect("a list").into_inner();
    assert_eq!(list.conversations.len() as u64, calls);
}
