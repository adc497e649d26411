//! Nodes that join, vote and leave while a cluster works.

use crate::harness;

use consensus::{MemberChange, NodeId};
use harness::{Cluster, eventually, logged};
use std::collections::BTreeSet;

const GROUPS: [u32; 2] = [0, 1];

async fn admit(cluster: &Cluster, node: NodeId) {
    let address = cluster.members[&node].clone();
    for group in GROUPS {
        cluster.change(group, &MemberChange::Admit { node, address: address.clone() }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_known_of_a_member_that_was_never_heard() {
    logged();
    let cluster = Cluster::start(1, 1, |_| ()).await;
    cluster.propose(1, b"before").await;
    let silent = NodeId(2);
    // An address at which nobody listens.
    let change = MemberChange::Admit { node: silent, address: "127.0.0.1:9".to_owned() };
    cluster.change(1, &change).await;
    cluster.propose(1, b"after").await;
    let behind = cluster.group(NodeId(1), 1).members().members[&silent].behind;
    assert_eq!(behind, None, "it may not vote as one that is near");
    cluster.stop_all().await;
}

async fn set_voters(cluster: &Cluster, voters: &[u64]) {
    let voters: BTreeSet<NodeId> = voters.iter().map(|id| NodeId(*id)).collect();
    for group in GROUPS {
        cluster.change(group, &MemberChange::SetVoters(voters.clone())).await;
        let leader = cluster.group(cluster.leader(group).await, group);
        eventually("the voters", || {
            let now = leader.members();
            (now.voters() == voters && !now.joint && now.committed).then_some(())
        })
        .await;
    }
}

async fn lead(cluster: &Cluster, group: u32, node: NodeId) {
    for _ in 0..100 {
        let leader = cluster.leader(group).await;
        if leader == node {
            return;
        }
        let _ = cluster.group(leader, group).transfer_leadership(node).await;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{node} does not lead");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_joins_votes_and_another_leaves() {
    logged();
    let mut cluster = Cluster::start(3, 1, |_| ()).await;
    cluster.propose(1, b"before").await;
    let fourth = cluster.run_stranger().await;
    admit(&cluster, fourth).await;
    cluster.agreed(1, 1).await;
    assert!(!cluster.group(fourth, 1).status().leading, "it only learns");
    set_voters(&cluster, &[2, 3, 4]).await;
    cluster.propose(1, b"between").await;
    for group in GROUPS {
        cluster.change(group, &MemberChange::Dismiss(NodeId(1))).await;
    }
    for id in [2, 3, 4].map(NodeId) {
        cluster.nodes[&id].consensus.set_removed(BTreeSet::from([NodeId(1)]));
    }
    let mut failure = cluster.nodes[&NodeId(1)].consensus.failure();
    let why = failure.wait_for(Option::is_some).await.unwrap().clone().unwrap();
    assert!(why.contains("node_1 was removed from the cluster"), "{why}");
    cluster.stop(NodeId(1)).await;
    // Two of the three that vote now are enough, whichever they are.
    cluster.stop(NodeId(2)).await;
    cluster.propose(1, b"after").await;
    assert_eq!(cluster.agreed(1, 3).await, [b"before".to_vec(), b"between".to_vec(), b"after".to_vec()]);
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_while_all_others_changed_is_found_by_the_leader() {
    logged();
    let mut cluster = Cluster::start(3, 1, |_| ()).await;
    cluster.propose(1, b"before").await;
    cluster.stop(NodeId(1)).await;
    for _ in 0..2 {
        let node = cluster.run_stranger().await;
        admit(&cluster, node).await;
    }
    set_voters(&cluster, &[1, 4, 5]).await;
    for group in GROUPS {
        lead(&cluster, group, NodeId(5)).await;
    }
    for id in [2, 3].map(NodeId) {
        for group in GROUPS {
            cluster.change(group, &MemberChange::Dismiss(id)).await;
        }
        cluster.stop(id).await;
    }
    cluster.propose(1, b"after").await;
    // Its log names only itself and two that are no more; it would dial neither 4 nor 5.
    cluster.run(NodeId(1)).await;
    assert_eq!(cluster.agreed(1, 2).await, [b"before".to_vec(), b"after".to_vec()]);
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_rests_on_other_members_is_not_made() {
    logged();
    let cluster = Cluster::start(3, 1, |_| ()).await;
    let leader = cluster.group(cluster.leader(1).await, 1);
    let at = leader.members().index;
    let voters = BTreeSet::from([1, 2].map(NodeId));
    leader.change_members(at, MemberChange::SetVoters(voters.clone())).await.unwrap();
    let again = leader.change_members(at, MemberChange::Dismiss(NodeId(3))).await;
    assert!(again.unwrap_err().contains("changed meanwhile"));
    assert!(leader.members().members.contains_key(&NodeId(3)));
    let voter = leader.change_members(leader.members().index, MemberChange::Dismiss(NodeId(2))).await;
    assert!(voter.is_err(), "who votes is not dismissed");
    assert_eq!(leader.members().voters(), voters);
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leadership_goes_to_voters_alone() {
    logged();
    let mut cluster = Cluster::start(1, 1, |_| ()).await;
    let learner = cluster.run_stranger().await;
    admit(&cluster, learner).await;
    let group = cluster.group(NodeId(1), 1);
    for other in [learner, NodeId(1), NodeId(7)] {
        assert!(group.transfer_leadership(other).await.is_err(), "{other} cannot take over");
    }
    cluster.propose(1, b"as before").await;
    cluster.stop_all().await;
}
