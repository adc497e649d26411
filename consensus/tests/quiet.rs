//! Groups that rest, over pipes within the process, in paused time.

use crate::harness;
use crate::piped;

use consensus::disk::{HaltPoint, Moment, Operation};
use consensus::{Leadership, NodeId, seed_thread};
use harness::{eventually, logged};
use piped::{Cluster, Weather};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Kinds of frames.
const PING: u8 = 0;
const RAFT: u8 = 5;
const APPEND: u8 = 7;

/// Three nodes, one command written, and then nothing for so long that the groups rest. Who leads.
async fn resting() -> (Cluster, NodeId) {
    logged();
    seed_thread(1);
    let cluster = Cluster::start(|_| {}).await;
    cluster.propose(b"first", None).await;
    let leader = cluster.leader_without(None).await;
    cluster.agreed(1).await;
    sleep(Duration::from_secs(3)).await;
    (cluster, leader)
}

fn others(cluster: &Cluster, leader: NodeId) -> [NodeId; 2] {
    let others: Vec<_> = cluster.nodes.keys().copied().filter(|id| *id != leader).collect();
    others.try_into().unwrap()
}

fn seen(cluster: &Cluster, id: NodeId) -> Leadership {
    *cluster.group(id).leadership().borrow()
}

#[tokio::test(start_paused = true)]
async fn a_group_without_work_sends_nothing_but_pings_and_its_first_command_waits_for_no_tick() {
    let (cluster, leader) = resting().await;
    let group = cluster.group(leader);
    let before = [RAFT, APPEND, PING].map(|kind| cluster.net.sent(kind));
    sleep(Duration::from_secs(4)).await;
    let [raft, append, ping] = [RAFT, APPEND, PING].map(|kind| cluster.net.sent(kind));
    assert_eq!((raft, append), (before[0], before[1]), "heartbeats or entries of an idle group");
    assert_eq!(ping - before[2], 4 * 10 * 6, "each of three nodes pings the two others");

    // A round of heartbeats and a round of appends, of 2 ms each.
    let start = Instant::now();
    group.propose(b"second".to_vec()).await.unwrap();
    assert!(start.elapsed() < Duration::from_millis(6), "{:?}", start.elapsed());
    sleep(Duration::from_secs(3)).await;
    let start = Instant::now();
    group.read_barrier().await.unwrap();
    assert!(start.elapsed() < Duration::from_millis(5), "{:?}", start.elapsed());
    assert_eq!(seen(&cluster, leader).term, 1);
    cluster.stop_all().await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_alone_has_lost_the_leader_cannot_depose_it() {
    for (weather, both) in [(Weather::Closed, true), (Weather::Silent, true), (Weather::Silent, false)] {
        let (cluster, leader) = resting().await;
        let term = seen(&cluster, leader).term;
        let [alone, other] = others(&cluster, leader);
        if both {
            cluster.net.set_between(leader, alone, Some(weather));
        } else {
            // The leader hears the node still, so it goes on resting.
            cluster.net.set_from(leader, alone, Some(weather));
        }
        for _ in 0..100 {
            sleep(Duration::from_millis(100)).await;
            for id in [leader, other] {
                let now = seen(&cluster, id);
                assert_eq!((now.term, now.leader), (term, Some(leader)), "{id} {weather:?} {both}");
            }
        }
        cluster.propose(b"second", None).await;
        cluster.net.set_between(leader, alone, None);
        cluster.agreed(2).await;
        assert_eq!(seen(&cluster, alone).term, term);
        cluster.stop_all().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_leader_is_replaced_before_a_time_out_and_a_silent_one_soon_after_it() {
    for (weather, least_ms, most_ms) in [(Weather::Closed, 0, 150), (Weather::Silent, 300, 900)] {
        let (cluster, old) = resting().await;
        let term = seen(&cluster, old).term;
        cluster.net.set(old, Some(weather));
        let cut = Instant::now();
        cluster.leader_without(Some(old)).await;
        let took = cut.elapsed();
        let expected = Duration::from_millis(least_ms)..Duration::from_millis(most_ms);
        assert!(expected.contains(&took), "{weather:?}: {took:?}");
        assert!(seen(&cluster, old).term == term, "it cannot know yet");
        // What it believes serves nobody.
        assert!(cluster.group(old).read_barrier().await.is_err());
        let group = cluster.group(old);
        let refused = tokio::time::timeout(Duration::from_secs(5), group.propose(b"lost".to_vec()));
        assert!(refused.await.unwrap().is_err());
        cluster.propose(b"second", Some(old)).await;
        cluster.net.set(old, None);
        let all = cluster.agreed(2).await;
        assert_eq!(all, [b"first".to_vec(), b"second".to_vec()]);
        cluster.stop_all().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_leader_that_was_busy_is_replaced_when_its_lease_is_over() {
    let (cluster, old) = resting().await;
    for number in 0..50u8 {
        cluster.propose(&[number], None).await;
        sleep(Duration::from_millis(20)).await;
    }
    cluster.net.set(old, Some(Weather::Closed));
    let cut = Instant::now();
    cluster.leader_without(Some(old)).await;
    let took = cut.elapsed();
    // Its followers may not vote before 400 ms have passed since they last heard of it.
    assert!((Duration::from_millis(250)..Duration::from_millis(600)).contains(&took), "{took:?}");
    cluster.net.set(old, None);
    cluster.agreed(51).await;
    cluster.stop_all().await;
}

#[tokio::test(start_paused = true)]
async fn leadership_is_handed_over_while_the_group_rests() {
    let (cluster, leader) = resting().await;
    let [next, _] = others(&cluster, leader);
    cluster.group(leader).transfer_leadership(next).await.unwrap();
    let start = Instant::now();
    eventually("the next leader", || seen(&cluster, next).leading.then_some(())).await;
    assert!(start.elapsed() < Duration::from_millis(100), "{:?}", start.elapsed());
    cluster.propose(b"second", None).await;
    cluster.agreed(2).await;
    cluster.stop_all().await;
}

#[tokio::test(start_paused = true)]
async fn leadership_that_nobody_takes_is_not_lost_for_ever() {
    let (cluster, leader) = resting().await;
    let [next, other] = others(&cluster, leader);
    cluster.net.set(next, Some(Weather::Silent));
    cluster.group(leader).transfer_leadership(next).await.unwrap();
    eventually("another leader", || {
        let now = seen(&cluster, other);
        (now.term > 1 && now.leader.is_some_and(|leader| seen(&cluster, leader).leading)).then_some(())
    })
    .await;
    cluster.propose(b"second", Some(next)).await;
    cluster.net.set(next, None);
    cluster.agreed(2).await;
    cluster.stop_all().await;
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_restarts_learns_who_leads_without_an_election() {
    let (mut cluster, leader) = resting().await;
    let term = seen(&cluster, leader).term;
    let [back, _] = others(&cluster, leader);
    for round in 0..3 {
        cluster.crash(back, round).await;
        if round == 1 {
            cluster.propose(b"second", None).await;
        }
        sleep(Duration::from_secs(2)).await;
        cluster.run(back).await.unwrap();
        let told = eventually("the leader's name", || seen(&cluster, back).leader).await;
        assert_eq!(told, leader);
        cluster.agreed(if round == 0 { 1 } else { 2 }).await;
        sleep(Duration::from_secs(3)).await;
        assert_eq!(seen(&cluster, leader).term, term, "round {round}");
    }
    cluster.stop_all().await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_disk_stands_still_hands_over() {
    let (cluster, leader) = resting().await;
    let halt = HaltPoint { area: None, operation: Operation::Write, moment: Moment::Before, skip: 0 };
    cluster.disks[&leader].halt_at(halt);
    // Its followers make the quorum, so this is committed, and the leader would go on for long.
    cluster.propose(b"second", None).await;
    let start = Instant::now();
    let next = eventually("the next leader", || {
        let ids = cluster.nodes.keys().copied().filter(|id| *id != leader);
        ids.into_iter().find(|id| seen(&cluster, *id).leading)
    })
    .await;
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    cluster.group(next).propose(b"third".to_vec()).await.unwrap();
    cluster.group(next).read_barrier().await.unwrap();
}
