//! Three nodes as real processes: any node answers any call, and a dead leader loses nothing.

use crate::harness;

use harness::{Client, Cluster, Desk, Tenant, mutation, reason};
use proto::v1;
use proto::v1::desk_request::Message as Ask;
use proto::v1::notice::Notice as Kind;
use proto::v1::reply::Result as Outcome;
use proto::v1::transfer_target::Target;
use tonic::Code;

/// A domain that this node leads.
async fn tenant_led_by(cluster: &Cluster, wanted: usize) -> Tenant {
    let client = cluster.client(1);
    let first = Tenant::make(&client, 1).await;
    let account = first.account.clone();
    let mut tenant = first;
    for _ in 0..12 {
        if cluster.leader_of(&tenant.domain).await == wanted {
            return tenant;
        }
        tenant = Tenant::in_account(&client, &account, 1).await;
    }
    panic!("node {wanted} leads no shard");
}

fn another(than: usize) -> usize {
    than % 3 + 1
}

#[tokio::test]
async fn any_node_answers_and_a_dead_leader_loses_nothing() {
    let mut cluster = Cluster::three(&[]).await;
    let tenant = tenant_led_by(&cluster, 2).await;

    // Every node answers alike, wherever the domain is led.
    for id in 1..=3 {
        let client = cluster.client(id);
        let list = v1::ListRequest { domain: tenant.domain.clone(), ..Default::default() };
        let agents = client.retry(|| async { client.admin().list_agents(list.clone()).await }).await;
        assert_eq!(agents.expect("agents").agents[0].id, tenant.agents[0], "node {id}");
    }

    // The desk is at a follower, the customer comes in at another one.
    let leader = cluster.leader_of(&tenant.domain).await;
    let (at, arrives) = (another(leader), another(another(leader)));
    let mut desk = Desk::open(&cluster.client(at), &tenant.agents[0]).await;
    desk.available().await;
    let request = tenant.call();
    let started = cluster.client(arrives).start(&request).await;
    let offer = desk.offer().await;
    assert_eq!(offer.id, started.offer);
    assert!(matches!(desk.accept(&offer.id).await, Outcome::Accepted(_)));

    // The leader dies. The session stays, gets a new welcome, and holds what it held.
    cluster.kill(leader);
    let welcome = desk.welcomed_again().await;
    let holdings = welcome.agent.expect("an agent").holdings;
    assert_eq!(holdings.len(), 1);
    assert_eq!(holdings[0].conversation, started.conversation);
    assert_eq!(cluster.client(arrives).start(&request).await, started, "a retry gets the first answer");
    let ended = desk.end_contact(&started.conversation).await;
    assert!(matches!(ended, Outcome::Done(_)), "{ended:?}");

    // Work goes on: the next call is offered, and the dead node catches up when it is back.
    let next = cluster.client(arrives).start(&tenant.call()).await;
    let offer = desk.offer().await;
    assert_eq!(offer.conversation, next.conversation);
    assert!(matches!(desk.accept(&offer.id).await, Outcome::Accepted(_)));
    cluster.restart(leader);
    cluster.settled().await;
    let back = cluster.client(leader);
    assert_eq!(back.conversation(&next.conversation).await.agent, tenant.agents[0]);
    assert_eq!(back.start(&request).await, started);
    for id in 1..=3 {
        cluster.node(id).assert_no_errors();
    }
}

#[tokio::test]
async fn a_desk_moves_to_another_node_when_its_own_dies() {
    let mut cluster = Cluster::three(&[]).await;
    let tenant = tenant_led_by(&cluster, 1).await;
    let mut desk = Desk::open(&cluster.client(3), &tenant.agents[0]).await;
    desk.available().await;
    let started = cluster.client(1).start(&tenant.call()).await;
    let offer = desk.offer().await;

    cluster.kill(3);
    let client = cluster.client(2);
    let resume = desk.resume();
    let epoch = desk.welcome.epoch;
    let mut desk = harness::until("the session at another node", || async {
        Desk::try_open(&client, resume.clone()).await.ok()
    })
    .await;
    assert_eq!(desk.welcome.epoch, epoch);
    let owed = desk.welcome.agent.clone().expect("an agent").offers;
    assert_eq!(owed.len(), 1, "the offer is not lost, and not made twice");
    assert_eq!(owed[0].id, offer.id);
    assert!(matches!(desk.accept(&offer.id).await, Outcome::Accepted(_)));
    assert_eq!(client.conversation(&started.conversation).await.stage(), v1::Stage::Assigned);
}

#[tokio::test]
async fn one_domain_s_fault_stays_its_own() {
    let allow = |start: harness::Start| start.faults().arg("--allow-fault-injection");
    let mut cluster = Cluster::with(allow).await;
    let client = cluster.client(1);
    let sick = Tenant::make(&client, 1).await;
    let well = Tenant::in_account(&client, &sick.account, 1).await;
    let panic =
        v1::PanicDomainRequest { mutation: mutation(), domain: sick.domain.clone(), message: "boom".into() };
    let status = client.admin().panic_domain(panic).await.expect_err("a fault");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "QUARANTINED"));

    let quarantined_at = async |client: &Client, domain: &str| {
        let request = v1::GetDomainRequest { domain: domain.to_owned() };
        let found = client.retry(|| async { client.admin().get_domain(request.clone()).await }).await;
        found.expect("a domain").quarantined
    };
    for id in 1..=3 {
        let client = cluster.client(id);
        assert!(quarantined_at(&client, &sick.domain).await.contains("boom"), "node {id}");
        let alarms = harness::until("an alarm on every replica", || async {
            let alarms = client.state().await.alarms;
            alarms.iter().any(|alarm| alarm.contains(&sick.domain)).then_some(alarms)
        })
        .await;
        assert!(!alarms.iter().any(|alarm| alarm.contains(&well.domain)), "{alarms:?}");
    }
    let status = client.routing().start(sick.call()).await.expect_err("out of service");
    assert_eq!(reason(&status), "QUARANTINED");

    // The other domain serves on, also after a restart, which does not loop.
    let mut desk = Desk::open(&client, &well.agents[0]).await;
    desk.available().await;
    let started = client.start(&well.call()).await;
    assert_eq!(desk.offer().await.id, started.offer);
    let bye = desk.ask(Ask::Bye(v1::Bye {})).await;
    assert!(matches!(bye, Outcome::Done(_)), "{bye:?}");
    for id in 1..=3 {
        cluster.kill(id);
        cluster.restart(id);
        cluster.settled().await;
        let client = cluster.client(id);
        assert!(quarantined_at(&client, &sick.domain).await.contains("boom"), "node {id} after its restart");
        assert_eq!(client.conversation(&started.conversation).await.stage(), v1::Stage::Queued);
    }
}

#[tokio::test]
async fn a_follower_s_graceful_end_tells_its_desks() {
    let cluster = Cluster::three(&[]).await;
    let client = cluster.client(1);
    let tenant = Tenant::make(&client, 1).await;
    let follower = another(cluster.leader_of(&tenant.domain).await);
    let mut desk = Desk::open(&cluster.client(follower), &tenant.agents[0]).await;
    cluster.node(follower).signal("-TERM");
    let reason = desk
        .notice("the end of the session", |kind| match kind {
            Kind::SessionEnded(ended) => Some(ended.reason.clone()),
            _ => None,
        })
        .await;
    assert_eq!(reason, "stopping");
}

/// A domain of the same account that another node leads.
async fn far_from(cluster: &Cluster, home: &Tenant) -> Tenant {
    let leader = cluster.leader_of(&home.domain).await;
    for _ in 0..12 {
        let far = Tenant::in_account(&cluster.client(1), &home.account, 1).await;
        if cluster.leader_of(&far.domain).await != leader {
            return far;
        }
    }
    panic!("one node leads all shards");
}

async fn sent_to(client: &Client, conversation: &str, touchpoint: &str) -> Result<(), tonic::Status> {
    let target = Some(v1::TransferTarget { target: Some(Target::Touchpoint(touchpoint.to_owned())) });
    let request = v1::SupervisorTransferRequest {
        mutation: mutation(),
        supervisor: "sue".into(),
        conversation: conversation.to_owned(),
        target,
        ..Default::default()
    };
    client.retry(|| async { client.supervisor().transfer(request.clone()).await }).await.map(|_| ())
}

#[tokio::test]
async fn a_conversation_goes_to_another_domain_and_is_in_one_of_them() {
    let mut cluster = Cluster::three(&[]).await;
    let home = tenant_led_by(&cluster, 1).await;
    let far = far_from(&cluster, &home).await;
    let mut desk = Desk::open(&cluster.client(3), &far.agents[0]).await;
    desk.available().await;

    // Nobody takes it at home; the other domain's agent is offered it at its age.
    let started = cluster.client(3).start(&home.call()).await;
    let arrived_us = cluster.client(3).conversation(&started.conversation).await.arrived_at_us;
    assert!(arrived_us > 0);
    sent_to(&cluster.client(2), &started.conversation, &far.touchpoint).await.expect("it leaves");
    let offer = desk.offer().await;
    assert_ne!(offer.conversation, started.conversation);
    assert_eq!(offer.customer, "+34600111222");
    assert!(matches!(desk.accept(&offer.id).await, Outcome::Accepted(_)));
    let client = cluster.client(1);
    let moved = harness::until("the end at home", || async {
        let seen = client.conversation(&started.conversation).await;
        (seen.stage() == v1::Stage::Closed).then_some(seen)
    })
    .await;
    assert_eq!((moved.ending.as_str(), &moved.moved_to), ("moved", &offer.conversation));
    assert_eq!(client.conversation(&offer.conversation).await.hops, 1);

    // What has left while the other domain is without a leader arrives when it has one.
    let next = cluster.client(2).start(&home.call()).await;
    let dead = cluster.leader_of(&far.domain).await;
    cluster.kill(dead);
    let alive = another(dead);
    let client = cluster.client(alive);
    sent_to(&client, &next.conversation, &far.touchpoint).await.expect("it leaves");
    let moved = harness::until("the end at home", || async {
        let seen = client.conversation(&next.conversation).await;
        (seen.stage() == v1::Stage::Closed).then_some(seen)
    })
    .await;
    assert_eq!(moved.ending, "moved");
    assert_eq!(client.conversation(&moved.moved_to).await.customer, "+34600111222");

    // Nothing crosses accounts, and nothing is lost by trying.
    let other = Tenant::make(&client, 1).await;
    let stays = client.start(&home.call()).await;
    let refused = sent_to(&client, &stays.conversation, &other.touchpoint).await;
    assert_eq!(reason(&refused.expect_err("another account")), "NOT_ALLOWED");
    assert_eq!(client.conversation(&stays.conversation).await.stage(), v1::Stage::Queued);
}
