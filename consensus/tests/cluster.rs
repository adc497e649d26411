//! Real groups over real sockets.

use crate::harness;

use consensus::{Consensus, GroupId, NodeId, ProposeError};
use futures::FutureExt;
use harness::{Cluster, eventually, logged};
use std::collections::BTreeSet;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_node_replicates_and_remembers() {
    logged();
    let mut cluster = Cluster::start(1, 2, |_| {}).await;
    for number in 0..20u8 {
        cluster.propose(1, &[number]).await;
    }
    cluster.group(NodeId(1), 1).read_barrier().await.unwrap();
    cluster.crash(NodeId(1), 7).await;
    cluster.run(NodeId(1)).await;
    cluster.propose(1, b"after").await;
    let commands = cluster.agreed(1, 21).await;
    assert_eq!(commands.len(), 21);
    assert_eq!(commands[20], b"after");
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_spread_leaders_and_say_who_leads() {
    logged();
    let cluster = Cluster::start(3, 2, |_| {}).await;
    for group in 0..=2 {
        cluster.propose(group, b"x").await;
        let leader = cluster.leader(group).await;
        assert_eq!(leader, NodeId(u64::from(group) % 3 + 1), "group {group}");
        for id in cluster.nodes.keys().filter(|id| **id != leader) {
            let told =
                eventually("the leader's name", || cluster.group(*id, group).leadership().borrow().leader);
            assert_eq!(told.await, leader);
            let refused = cluster.group(*id, group).propose(b"y".to_vec()).await;
            assert_eq!(refused, Err(ProposeError::NotLeader { leader: Some(leader) }));
            let refused = cluster.group(*id, group).read_barrier().await;
            assert_eq!(refused, Err(ProposeError::NotLeader { leader: Some(leader) }));
        }
        cluster.group(leader, group).read_barrier().await.unwrap();
        assert_eq!(cluster.agreed(group, 1).await, [b"x".to_vec()]);
    }
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crashed_leader_is_replaced_and_catches_up() {
    logged();
    let mut cluster = Cluster::start(3, 1, |_| {}).await;
    let mut unknown = 0;
    for round in 0..3u8 {
        for number in 0..30u8 {
            unknown += cluster.propose(1, &[round, number]).await;
        }
        let leader = cluster.leader(1).await;
        cluster.crash(leader, u64::from(round)).await;
        unknown += cluster.propose(1, &[round, 100]).await;
        cluster.run(leader).await;
    }
    unknown += cluster.propose(1, b"end").await;
    let commands = cluster.agreed(1, 94).await;
    let once: BTreeSet<_> = commands.iter().cloned().collect();
    assert_eq!(once.len(), 94, "every acknowledged command is there");
    assert!(commands.len() <= 94 + unknown, "and only those of unknown outcome may be there twice");
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_is_cut_off_acknowledges_nothing() {
    logged();
    let cluster = Cluster::start(3, 1, |_| {}).await;
    cluster.propose(1, b"before").await;
    let old = cluster.leader(1).await;
    cluster.board.cut(old);
    let stuck = cluster.group(old, 1);
    let lost = tokio::spawn(async move { stuck.propose(b"lost".to_vec()).await });
    cluster.propose_without(1, b"during", Some(old)).await;
    cluster.board.heal(old);
    let outcome = lost.await.unwrap();
    assert!(matches!(outcome, Err(ProposeError::Unknown(_) | ProposeError::NotLeader { .. })), "{outcome:?}");
    cluster.propose(1, b"after").await;
    let commands = cluster.agreed(1, 3).await;
    if matches!(outcome, Err(ProposeError::NotLeader { .. })) {
        assert!(!commands.contains(&b"lost".to_vec()), "certainly not applied, it said");
    }
    let kept: Vec<_> = commands.iter().filter(|command| command.as_slice() != b"lost").collect();
    assert_eq!(kept, [b"before".as_slice(), b"during", b"after"]);
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_leader_decided_in_one_term_is_not_written_in_another() {
    logged();
    let cluster = Cluster::start(3, 1, |_| {}).await;
    cluster.propose(1, b"before").await;
    let leader = cluster.leader(1).await;
    let group = cluster.group(leader, 1);
    let term = group.leadership().borrow().term;
    let (early, due, late, any) = tokio::join!(
        group.propose_in_term(term - 1, b"early".to_vec()),
        group.propose_in_term(term, b"due".to_vec()),
        group.propose_in_term(term + 1, b"late".to_vec()),
        group.propose(b"any".to_vec()),
    );
    for over in [early, late] {
        assert!(matches!(over, Err(ProposeError::NotLeader { leader: None })), "{over:?}");
    }
    assert!(due.is_ok() && any.is_ok(), "{due:?} {any:?}");
    let commands: BTreeSet<_> = cluster.agreed(1, 3).await.into_iter().collect();
    assert_eq!(commands, [b"before".to_vec(), b"due".to_vec(), b"any".to_vec()].into());
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_far_behind_gets_a_snapshot() {
    logged();
    let mut cluster = Cluster::prepare(3, 1, |config| config.limits.snapshot_entries = 20).await;
    // More than one frame, and more than one message, of any lane.
    cluster.padding = 20 << 20;
    for id in [1, 2, 3] {
        cluster.run(NodeId(id)).await;
    }
    cluster.propose(1, b"first").await;
    let behind = eventually("a follower", || {
        let leader = cluster.nodes.keys().find(|id| cluster.group(**id, 1).status().leading)?;
        cluster.nodes.keys().copied().find(|id| id != leader)
    })
    .await;
    cluster.stop(behind).await;
    for number in 0..200u8 {
        cluster.propose(1, &[number]).await;
    }
    for id in cluster.nodes.keys() {
        eventually("a snapshot", || (cluster.group(*id, 1).status().snapshot > 20).then_some(())).await;
    }
    cluster.run(behind).await;
    let commands = cluster.agreed(1, 201).await;
    assert_eq!(commands.len(), 201);
    assert!(cluster.seen(behind, 1).restored >= 1);
    // And it remembers what it was sent.
    cluster.crash(behind, 3).await;
    cluster.run(behind).await;
    cluster.propose(1, b"last").await;
    assert_eq!(cluster.agreed(1, 202).await.len(), 202);
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_time_grows_over_leaders_and_runs_at_its_speed() {
    logged();
    let cluster = Cluster::start(3, 1, |config| config.speed = 1_000).await;
    let mut last = 0;
    for _ in 0..4 {
        cluster.propose(1, b"tick").await;
        let leader = cluster.leader(1).await;
        let before = cluster.group(leader, 1).log_time_us();
        assert!(before > last);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let now = cluster.group(leader, 1).log_time_us();
        assert!(now - before >= 20_000 * 1_000, "{} us", now - before);
        last = cluster.seen(leader, 1).time_us;
        let next = NodeId(leader.0 % 3 + 1);
        cluster.group(leader, 1).transfer_leadership(next).await.unwrap();
        eventually("the next leader", || cluster.group(next, 1).status().leading.then_some(())).await;
        assert!(cluster.group(next, 1).log_time_us() >= last, "goes on at the last entry");
    }
    cluster.propose(1, b"end").await;
    cluster.agreed(1, 5).await;
    let seen = cluster.seen(NodeId(1), 1);
    assert!(seen.times.is_sorted_by(|a, b| a < b));
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_share_batches_and_too_many_are_refused() {
    logged();
    let cluster = Cluster::start(3, 1, |config| config.limits.pending_commands = 64).await;
    cluster.propose(1, b"first").await;
    let leader = cluster.leader(1).await;
    let group = cluster.group(leader, 1);
    let calls = (0..1_000u32).map(|number| Box::pin(group.propose(number.to_le_bytes().to_vec())));
    let mut calls: Vec<_> = calls.collect();
    // While nothing is applied no place becomes free, so how many are refused is certain.
    let held = cluster.nodes[&leader].ledgers[&GroupId(1)].seen.lock().unwrap();
    let mut refused = 0;
    calls.retain_mut(|call| match call.as_mut().now_or_never() {
        None => true,
        Some(Err(ProposeError::Overloaded { .. })) => {
            refused += 1;
            false
        }
        Some(other) => panic!("nothing is applied yet, and yet {other:?}"),
    });
    drop(held);
    assert_eq!((calls.len(), refused), (64, 1_000 - 64));
    let results = futures::future::join_all(calls).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let too_large = group.propose(vec![0; 5 << 20]).await;
    assert!(matches!(too_large, Err(ProposeError::Overloaded { .. })));
    assert_eq!(cluster.agreed(1, 65).await.len(), 65);
    let sizes = cluster.seen(NodeId(1), 1).sizes;
    assert!(sizes.len() < 40, "64 commands at once in {} batches", sizes.len());
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_says_when_it_must_stop() {
    logged();
    let cluster = Cluster::start(1, 1, |_| {}).await;
    cluster.propose(1, b"first").await;
    let consensus = &cluster.nodes[&NodeId(1)].consensus;
    assert_eq!(*consensus.failure().borrow(), None);
    let outcome = cluster.group(NodeId(1), 1).propose(harness::POISON.to_vec()).await;
    assert!(matches!(outcome, Err(ProposeError::Unknown(_))), "it is in the log: {outcome:?}");
    let mut failure = consensus.failure();
    let why = tokio::time::timeout(harness::LONG, failure.wait_for(Option::is_some))
        .await
        .unwrap()
        .unwrap()
        .clone();
    assert!(why.unwrap().contains("group_1"));
    assert!(!cluster.group(NodeId(1), 1).leadership().borrow().leading);

    let cluster = Cluster::start(1, 1, |_| {}).await;
    cluster.propose(1, b"first").await;
    cluster.disks[&NodeId(1)].fail_next_sync();
    let outcome = cluster.group(NodeId(1), 1).propose(b"x".to_vec()).await;
    assert!(matches!(outcome, Err(ProposeError::Unknown(_))), "{outcome:?}");
    let mut failure = cluster.nodes[&NodeId(1)].consensus.failure();
    tokio::time::timeout(harness::LONG, failure.wait_for(Option::is_some)).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_cannot_apply_what_was_committed_stops_before_it() {
    logged();
    let cluster = Cluster::start(1, 1, |_| {}).await;
    cluster.propose(1, b"first").await;
    let mut failure = cluster.nodes[&NodeId(1)].consensus.failure();
    let outcome = cluster.group(NodeId(1), 1).propose(harness::STRANGE.to_vec()).await;
    assert!(matches!(outcome, Err(ProposeError::Unknown(_))), "it is in the log: {outcome:?}");
    let stopped = tokio::time::timeout(harness::LONG, failure.wait_for(Option::is_some)).await;
    let why = stopped.unwrap().unwrap().clone().unwrap();
    assert!(why.contains("group_1") && why.contains("a command of a later version"), "{why}");
    assert_eq!(cluster.seen(NodeId(1), 1).commands, [b"first"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_configuration_or_folder_is_refused() {
    logged();
    let mut cluster = Cluster::start(1, 2, |_| {}).await;
    let machine = |_| Box::new(harness::Ledger::default()) as Box<dyn consensus::StateMachine>;
    let id = NodeId(1);
    let refused = |config: consensus::Config| {
        let world = cluster.world(id);
        async move { Consensus::start(config, world, machine).await.err().unwrap().to_string() }
    };
    assert!(refused(cluster.config(id)).await.contains("in use"));
    let speed = consensus::Config { speed: 0, ..cluster.config(id) };
    assert!(refused(speed).await.contains("speed"));
    let stranger = consensus::Config { node: NodeId(9), ..cluster.config(id) };
    assert!(refused(stranger).await.contains("not in the list"));
    cluster.stop(id).await;
    let world = cluster.world(id);
    let shards = consensus::Config { shards: 3, ..cluster.config(id) };
    let text = Consensus::start(shards, world, machine).await.err().unwrap().to_string();
    assert!(text.contains("2 shards") && text.contains("3 shards"), "{text}");
    cluster.run(id).await;
    cluster.propose(1, b"still well").await;
    cluster.stop_all().await;
}
