//! A domain that moves to another shard while it works: sessions, calls, retries and watches go on.

use crate::harness;

use actors::{SessionMessage, WatchError};
use harness::{Cluster, LONG, Site, desk_of, eventually, id, next_of, next_offer, request, run, stage};
use routing::command::By;
use routing::entry::Request;
use routing::{Command, DomainId, EventKind, Sequence, ShardId, Span};
use std::collections::BTreeSet;
use std::time::Duration;

const RING: Span = Span::seconds(120);

fn shard_of(cluster: &Cluster, node: u64, domain: DomainId) -> Option<ShardId> {
    cluster.engine(node).domains().into_iter().find(|place| place.domain == domain).map(|place| place.shard)
}

/// Asks for a move until the cluster is at the level of moves and no other is under way.
async fn ask(cluster: &Cluster, domain: DomainId, to: ShardId) {
    for _ in 0..400 {
        let engine = cluster.engine(1);
        if engine.move_domain(engine.new_request_id(), domain, to, LONG).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no move began");
}

/// Waits until all nodes know that it is over.
async fn over(cluster: &Cluster, domain: DomainId, to: ShardId) {
    eventually("the end of the move", || {
        let all = cluster.nodes.keys().all(|node| {
            cluster.engine(node.0).cluster().moves.is_empty() && shard_of(cluster, node.0, domain) == Some(to)
        });
        all.then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_retries_and_the_record_go_along() {
    let cluster = Cluster::start(3).await;
    let site = Site::create(cluster.engine(1), 2, RING).await;
    let home = shard_of(&cluster, 1, site.domain).expect("placed");
    let there = ShardId(3 - home.0);
    let mut desks = [site.desk(cluster.engine(1), 0).await, site.desk(cluster.engine(3), 1).await];
    // Offered before the move, accepted after it; answered before it, asked for again after it.
    let first = site.start(cluster.engine(2)).await;
    let early = Command::Reprioritise {
        conversation: first,
        priority: routing::Priority(7),
        by: By::Supervisor("sue".to_owned()),
    };
    let early = Request { id: Some(id()), ..request(site.domain, early) };
    let answer = cluster.engine(2).execute(early.clone(), LONG).await;
    let mut watch = cluster.engine(2).watch(site.domain, Sequence(1)).await.expect("watched");
    let mut seen = Vec::new();
    let mut to = there;
    for round in 0..4 {
        ask(&cluster, site.domain, to).await;
        // Asked at any node, also in the midst of it.
        for node in 1..=3 {
            stage(cluster.engine(node), first).await;
        }
        over(&cluster, site.domain, to).await;
        for desk in &mut desks {
            let welcome = next_of(desk, |message| match message {
                SessionMessage::Welcome(view) => Some(view),
                SessionMessage::Ended(end) => panic!("round {round}: the session ended: {end}"),
                _ => None,
            });
            assert_eq!(welcome.await.agent.epoch, desk.epoch, "round {round}");
        }
        to = ShardId(3 - to.0);
    }
    assert_eq!(cluster.engine(3).execute(early, LONG).await, answer, "answered as the first time");
    let mut worked = BTreeSet::new();
    for desk in &mut desks {
        site.start(cluster.engine(1)).await;
        let offers: Vec<_> = desk.welcome.agent.offers.iter().map(|view| view.id).collect();
        assert!(offers.is_empty(), "from before");
        let (offer, conversation) = next_offer(desk).await;
        let accept = Command::Accept { desk: desk_of(desk), offer };
        desk.handle.submit(request(site.domain, accept), LONG).await.expect("accepted");
        worked.insert(conversation);
        let end = Command::EndContact { conversation, by: By::Agent(desk_of(desk)) };
        run(cluster.engine(2), site.domain, end).await.expect("ended");
    }
    let last = cluster.engine(1).query(actors::Query::Domain(site.domain), LONG).await.expect("read");
    let actors::Found::Domain(last) = last.found else { panic!("{last:?}") };
    while seen.len() < usize::try_from(last.sequence.0).expect("few") {
        match tokio::time::timeout(LONG, watch.next()).await.expect("in time") {
            Ok(events) => seen.extend(events),
            // It went elsewhere: the watch goes on after the last event.
            Err(WatchError::Stopping | WatchError::Moved) => {
                let next = Sequence(
                    seen.last().map_or(1, |event: &std::sync::Arc<routing::Event>| event.sequence.0 + 1),
                );
                watch = cluster.engine(2).watch(site.domain, next).await.expect("watched again");
            }
            Err(other) => panic!("{other}"),
        }
    }
    for (expected, event) in (1..).zip(&seen) {
        assert_eq!(event.sequence, Sequence(expected), "dense");
    }
    assert!(seen.windows(2).all(|two| two[0].at <= two[1].at), "its time does not go back");
    assert!(seen.iter().any(|event| matches!(event.kind, EventKind::Ended { .. })));
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_goes_on_when_leaders_are_lost_in_it() {
    let mut cluster = Cluster::start(3).await;
    let site = Site::create(cluster.engine(1), 1, RING).await;
    let conversation = site.start(cluster.engine(1)).await;
    for round in 0..4 {
        let home = shard_of(&cluster, 1, site.domain).expect("placed");
        let there = ShardId(3 - home.0);
        ask(&cluster, site.domain, there).await;
        // At a moment of its own each time, from before it rests to after it has gone.
        tokio::time::sleep(Duration::from_millis(170 * round)).await;
        let leader = cluster.leader_of(site.domain, 1).await;
        cluster.crash(leader, round).await;
        cluster.run(leader).await;
        // Placed or given up: the one or the other, once.
        let shard = eventually("the end of the move", || {
            let all: BTreeSet<_> =
                cluster.nodes.keys().map(|node| shard_of(&cluster, node.0, site.domain)).collect();
            let idle = cluster.nodes.keys().all(|node| cluster.engine(node.0).cluster().moves.is_empty());
            (idle && all.len() == 1).then(|| all.into_iter().next().flatten()).flatten()
        })
        .await;
        assert!([home, there].contains(&shard));
        for node in 1..=3 {
            assert_ne!(stage(cluster.engine(node), conversation).await, "closed", "round {round}");
        }
    }
    cluster.stop_all().await;
}
