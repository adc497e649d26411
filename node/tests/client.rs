//! The client crate against real nodes: it finds the leader, outlives it, and resumes its events.

use crate::harness;

use client::Client;
use harness::{Cluster, Tenant, until};
use proto::v1;
use proto::v1::routing_client::RoutingClient;

async fn start(client: &Client, call: &v1::StartRequest) -> Result<String, tonic::Status> {
    let started = client.call(&call.touchpoint, |node| {
        let call = call.clone();
        async move { RoutingClient::new(node).start(call).await }
    });
    Ok(started.await?.conversation)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_goes_to_the_leader_and_outlives_it() {
    let mut cluster = Cluster::three(&[]).await;
    let tenant = Tenant::make(&cluster.client(1), 1).await;
    let addresses: Vec<String> = (1..=3).map(|id| cluster.node(id).address.clone()).collect();
    // It knows one node only; the others it learns from answers.
    let led_by = cluster.leader_of(&tenant.domain).await;
    let other = led_by % 3 + 1;
    let client = Client::new(&[&addresses[other - 1]]).expect("an address");
    assert_eq!(client.leader_of(&tenant.domain), None);
    start(&client, &tenant.call()).await.expect("a conversation");
    assert_eq!(client.leader_of(&tenant.domain).as_deref(), Some(addresses[led_by - 1].as_str()));

    let mut events = client.watch(&tenant.domain, 1);
    let first = events.next().await.expect("an event");
    assert_eq!(first.sequence, 1);

    // The leader dies. The same request goes on until it is answered, and is carried out once.
    cluster.kill(led_by);
    let request = tenant.call();
    let conversation = start(&client, &request).await.expect("a conversation");
    let again = start(&client, &request).await.expect("the same one");
    assert_eq!(conversation, again);
    let now = until("another leader", || async {
        // Whoever answers may name the former one until it has heard of the next.
        start(&client, &request).await.ok()?;
        client.leader_of(&tenant.domain).filter(|leader| *leader != addresses[led_by - 1])
    })
    .await;
    assert!(addresses.contains(&now));

    // A refusal is told at once.
    let unknown = v1::StartRequest { touchpoint: "touch_1_999".to_owned(), ..tenant.call() };
    let refused = start(&client, &unknown).await.expect_err("no such touchpoint");
    assert_eq!(refused.code(), tonic::Code::NotFound, "{refused}");

    // Events go on, whichever node dies: restart the first and kill the one that is being read.
    cluster.restart(led_by);
    cluster.settled().await;
    let everywhere = Client::new(&addresses).expect("addresses");
    let mut events = everywhere.watch(&tenant.domain, 1);
    let mut seen = vec![events.next().await.expect("an event").sequence];
    cluster.kill(1);
    let last = start(&everywhere, &tenant.call()).await.expect("a conversation");
    loop {
        let event = events.next().await.expect("events go on");
        seen.push(event.sequence);
        if event.conversation == last {
            break;
        }
    }
    let dense: Vec<u64> = (1..=seen.len() as u64).collect();
    assert_eq!(seen, dense, "in order and without a gap");
}
