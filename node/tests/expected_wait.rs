//! Position and expected wait over the API and from the command line.

use crate::harness;

use harness::{Client, Desk, Start, Tenant, mutation, reason, until};
use proto::v1;
use proto::v1::expected_wait_request::{OnArrival, Who};
use proto::v1::reply::Result as Outcome;
use tempfile::TempDir;
use tonic::{Code, Status};

async fn ask(client: &Client, who: Option<Who>) -> Result<v1::ExpectedWaitResponse, Status> {
    let request = v1::ExpectedWaitRequest { who };
    let of_supervisors =
        client.retry(|| async { client.supervisor().expected_wait(request.clone()).await }).await;
    let of_customers = client.retry(|| async { client.routing().expected_wait(request.clone()).await }).await;
    match (&of_supervisors, &of_customers) {
        (Ok(one), Ok(other)) => {
            assert_eq!((&one.queues, one.wait_us, &one.detail), (&other.queues, other.wait_us, &other.detail))
        }
        (Err(one), Err(other)) => assert_eq!(one.message(), other.message()),
        differ => panic!("{differ:?}"),
    }
    of_supervisors
}

async fn waiting(client: &Client, conversation: &str) -> v1::ExpectedWaitResponse {
    ask(client, Some(Who::Conversation(conversation.to_owned()))).await.expect("known")
}

fn arriving(queue: &str) -> Who {
    Who::OnArrival(OnArrival { queue: queue.to_owned(), channel: v1::Channel::Voice.into(), priority: 0 })
}

async fn on_arrival(client: &Client, queue: &str) -> v1::ExpectedWaitResponse {
    ask(client, Some(arriving(queue))).await.expect("known")
}

#[tokio::test]
async fn who_waits_is_told_its_place_and_what_to_expect() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 1).await;
    until("the latest level", || async {
        (client.state().await.level == ::routing::level::LATEST).then_some(())
    })
    .await;

    let nobody = on_arrival(&client, &tenant.queue).await;
    assert_eq!((nobody.wait_us, nobody.unknown.as_str()), (None, "nobody_available"));
    let mut desk = Desk::open(&client, &tenant.agents[0]).await;
    desk.available().await;
    let free = on_arrival(&client, &tenant.queue).await;
    assert_eq!((free.wait_us, free.by(), free.position), (Some(0), v1::ExpectedBy::AtOnce, 1));

    // One is taken, two wait. Nobody was served lately: of the first nothing is known, the second goes by the first.
    let taken = client.start(&tenant.call()).await.conversation;
    let offer = desk.offer().await;
    assert!(matches!(desk.accept(&offer.id).await, Outcome::Accepted(_)));
    let first = client.start(&tenant.call()).await.conversation;
    let second = client.start(&tenant.call()).await.conversation;
    let of_taken = waiting(&client, &taken).await;
    assert_eq!((of_taken.unknown.as_str(), of_taken.queues.len(), of_taken.position), ("not_waiting", 0, 0));
    let of_first = waiting(&client, &first).await;
    assert_eq!((of_first.position, of_first.wait_us, of_first.by()), (1, None, v1::ExpectedBy::Unspecified));
    assert_eq!((of_first.unknown.as_str(), &of_first.queue), ("nothing_to_go_by", &tenant.queue));
    assert!(
        of_first.detail.contains(&format!("ctl policy {} --service", tenant.queue)),
        "{}",
        of_first.detail
    );
    let of_second = waiting(&client, &second).await;
    assert_eq!((of_second.position, of_second.by()), (2, v1::ExpectedBy::HeadOfLine));
    let apart = client
        .conversation(&first)
        .await
        .arrived_at_us
        .abs_diff(client.conversation(&second).await.arrived_at_us);
    assert_eq!(of_second.wait_us, Some(apart));
    let next = on_arrival(&client, &tenant.queue).await;
    assert_eq!((next.position, next.by(), next.conversation.as_str()), (3, v1::ExpectedBy::HeadOfLine, ""));

    // Refusals say what to do.
    let unknown =
        ask(&client, Some(arriving(&(tenant.queue.clone() + "9")))).await.expect_err("no such queue");
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "UNKNOWN_QUEUE"));
    let whom = ask(&client, None).await.expect_err("of nobody");
    assert_eq!(whom.code(), Code::InvalidArgument);
    assert!(whom.message().starts_with("who: is required"), "{}", whom.message());

    let table = node.ctl(&["expected-wait", &second]).expect("shown");
    for wanted in [&format!("place 2 in {}", tenant.queue), "POSITION", "head of line"] {
        assert!(table.contains(wanted), "{wanted}: {table}");
    }
    let table = node.ctl(&["expected-wait", &first]).expect("shown");
    assert!(table.contains("not known") && table.contains("nothing_to_go_by"), "{table}");
    let json = node.ctl(&["--json", "expected-wait", &tenant.queue, "--priority", "3"]).expect("shown");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["position"], &json["unknown"]), (&1.into(), &"nothing_to_go_by".into()));
    let said = node.ctl(&["expected-wait", &first, "--priority", "3"]).expect_err("its own");
    assert!(said.contains("leave out --channel and --priority"), "{said}");
    let said = node.ctl(&["expected-wait", &tenant.agents[0]]).expect_err("an agent");
    assert!(said.contains("name a conversation that waits"), "{said}");

    // A pause is no wait that could be told.
    let request = v1::PauseQueueRequest {
        mutation: mutation(),
        supervisor: "sol".into(),
        queue: tenant.queue.clone(),
        paused: true,
    };
    client.retry(|| async { client.supervisor().pause_queue(request.clone()).await }).await.expect("paused");
    assert_eq!(waiting(&client, &second).await.unknown, "paused");
    node.assert_no_errors();
}
