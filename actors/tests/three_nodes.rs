//! Three nodes: calls and sessions at any of them, and leaders that go.

use crate::harness;

use actors::{EngineConfig, Found, Query, SessionEnd, SessionMessage, WatchError};
use consensus::NodeId;
use harness::{Cluster, LONG, Site, desk_of, eventually, next_of, next_offer, request, run, stage};
use routing::command::By;
use routing::{Command, EventKind, Sequence, Span};
use std::time::Duration;

const RING: Span = Span::seconds(120);

/// A node that is none of these.
fn other_than(cluster: &Cluster, not: &[NodeId]) -> u64 {
    cluster.nodes.keys().find(|id| !not.contains(id)).unwrap().0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_node_answers_and_every_replica_has_the_events() {
    let cluster = Cluster::start(3).await;
    let site = Site::create(cluster.engine(1), 1, RING).await;
    let leader = cluster.leader_of(site.domain, 1).await;
    let follower = other_than(&cluster, &[leader]);
    let mut session = site.desk(cluster.engine(follower), 0).await;
    for node in 1..=3 {
        let conversation = site.start(cluster.engine(node)).await;
        for reader in 1..=3 {
            assert_ne!(stage(cluster.engine(reader), conversation).await, "closed");
        }
        let (offer, offered) = next_offer(&mut session).await;
        assert_eq!(offered, conversation);
        let accept = Command::Accept { desk: desk_of(&session), offer };
        session.handle.submit(request(site.domain, accept), LONG).await.unwrap();
    }
    let answer = cluster.engine(1).query(Query::Domain(site.domain), LONG).await.unwrap();
    let Found::Domain(summary) = answer.found else { panic!("{answer:?}") };
    let mut all = Vec::new();
    for node in 1..=3 {
        let engine = cluster.engine(node);
        eventually("the domain here", || {
            engine.domains().iter().find(|place| place.domain == site.domain).cloned()
        })
        .await;
        let mut watch = engine.watch(site.domain, Sequence(1)).await.unwrap();
        let mut events = Vec::new();
        while (events.len() as u64) < summary.sequence.0 {
            events.extend(tokio::time::timeout(LONG, watch.next()).await.unwrap().unwrap());
        }
        all.push(events);
    }
    assert!(all[0] == all[1] && all[1] == all[2]);
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_survives_its_leader_with_the_same_offer() {
    let mut cluster = Cluster::start(3).await;
    let site = Site::create(cluster.engine(1), 1, RING).await;
    let leader = cluster.leader_of(site.domain, 1).await;
    let follower = other_than(&cluster, &[leader]);
    let mut session = site.desk(cluster.engine(follower), 0).await;
    let conversation = site.start(cluster.engine(follower)).await;
    let (offer, _) = next_offer(&mut session).await;
    let cursor = session.welcome.sequence;

    cluster.crash(leader, 7).await;
    let welcome = next_of(&mut session, |message| match message {
        SessionMessage::Welcome(view) => Some(view),
        SessionMessage::Ended(end) => panic!("the session ended: {end}"),
        _ => None,
    })
    .await;
    assert!(welcome.sequence >= cursor);
    assert_eq!(welcome.agent.epoch, session.epoch);
    assert_eq!(welcome.agent.offers.iter().map(|view| view.id).collect::<Vec<_>>(), [offer]);
    let accept = Command::Accept { desk: desk_of(&session), offer };
    session.handle.submit(request(site.domain, accept), LONG).await.unwrap();
    assert_eq!(stage(cluster.engine(follower), conversation).await, "assigned");

    // The node that was gone comes back and catches up.
    cluster.run(leader).await;
    let end = Command::EndContact { conversation, by: By::Agent(desk_of(&session)) };
    run(cluster.engine(leader.0), site.domain, end).await.unwrap();
    assert_eq!(stage(cluster.engine(follower), conversation).await, "closed");
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_stops_hands_over_and_its_own_sessions_are_told() {
    let mut cluster = Cluster::start(3).await;
    let site = Site::create(cluster.engine(1), 2, RING).await;
    let leader = cluster.leader_of(site.domain, 1).await;
    let follower = other_than(&cluster, &[leader]);
    let mut at_leader = site.desk(cluster.engine(leader.0), 0).await;
    let mut at_follower = site.desk(cluster.engine(follower), 1).await;
    cluster.stop(leader).await;
    let ended = next_of(&mut at_leader, |message| match message {
        SessionMessage::Ended(end) => Some(end),
        _ => None,
    });
    assert_eq!(ended.await, SessionEnd::Stopping);
    next_of(&mut at_follower, |message| matches!(message, SessionMessage::Welcome(_)).then_some(())).await;
    site.start(cluster.engine(follower)).await;
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn desks_of_a_lost_node_have_a_lease_to_come_elsewhere_and_are_counted_apart() {
    let config = EngineConfig { lease: Duration::from_millis(1_500), ..EngineConfig::default() };
    let mut cluster = Cluster::start_with(3, config, |_| {}).await;
    let site = Site::create(cluster.engine(1), 2, RING).await;
    let leader = cluster.leader_of(site.domain, 1).await;
    let front = NodeId(other_than(&cluster, &[leader]));
    let third = other_than(&cluster, &[leader, front]);
    let gone = site.desk(cluster.engine(front.0), 0).await;
    let moving = site.desk(cluster.engine(front.0), 1).await;
    let epoch = moving.epoch;
    let mut watch = cluster.engine(third).watch(site.domain, Sequence(0)).await.unwrap();
    cluster.crash(front, 3).await;
    drop((gone, moving));

    let mut hello = harness::hello(site.agents[1]);
    hello.epoch = Some(epoch);
    let moved = cluster.engine(third).open_session(hello, LONG).await.unwrap();
    assert_eq!(moved.epoch, epoch, "the same session at another node");
    let beats = tokio::spawn({
        let handle = moved.handle.clone();
        async move {
            loop {
                handle.heartbeat();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    });
    let lost = async {
        loop {
            for event in watch.next().await.unwrap() {
                if let EventKind::LeaseLost { agent, .. } = event.kind {
                    return agent;
                }
            }
        }
    };
    assert_eq!(tokio::time::timeout(LONG, lost).await.unwrap(), site.agents[0]);
    let leading = cluster.leader_of(site.domain, third).await;
    if leading == leader {
        let engine = cluster.engine(leader.0);
        eventually("the count", || (engine.cluster().figures.nodes_unreachable == 1).then_some(())).await;
        assert_eq!(engine.cluster().figures.agents_silent, 0);
    }
    beats.abort();
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_took_a_snapshot_says_what_it_does_not_have() {
    let mut cluster = Cluster::start_with(3, EngineConfig::default(), |config| {
        config.limits.snapshot_entries = 20;
    })
    .await;
    let site = Site::create(cluster.engine(1), 1, RING).await;
    let leader = cluster.leader_of(site.domain, 1).await;
    let late = NodeId(other_than(&cluster, &[leader]));
    let up = other_than(&cluster, &[late]);
    cluster.crash(late, 1).await;
    for _ in 0..200 {
        site.start(cluster.engine(up)).await;
    }
    cluster.run(late).await;
    let last = site.start(cluster.engine(up)).await;
    let engine = cluster.engine(late.0);
    eventually("the last conversation here", || engine.query_local(&Query::Conversation(last)).ok()).await;
    let watch = engine.watch(site.domain, Sequence(1)).await;
    let oldest = match watch {
        Err(WatchError::Compacted { oldest }) => oldest,
        // The log still reached back so far.
        other => {
            other.unwrap();
            Sequence(1)
        }
    };
    let mut watch = engine.watch(site.domain, oldest).await.unwrap();
    let mut expected = oldest;
    let upto = watch.present();
    while expected <= upto {
        for event in tokio::time::timeout(LONG, watch.next()).await.unwrap().unwrap() {
            assert_eq!(event.sequence, expected);
            expected = Sequence(expected.0 + 1);
        }
    }
    cluster.stop_all().await;
}
