//! A cluster that begins with the states another one left.

use crate::harness;

use bytes::Bytes;
use consensus::{Beginning, Config, GroupId, MemberChange, NodeId, StartError, restore};
use harness::{Cluster, Counter, logged};
use std::collections::BTreeSet;

const INDEX: u64 = 41;
const TERM: u64 = 7;

fn beginning(group: u32, commands: &[&[u8]]) -> Beginning {
    let commands: Vec<Vec<u8>> = commands.iter().map(|command| command.to_vec()).collect();
    let state = Bytes::from(proto::codec::encode(&(commands, 5_000_000u64)));
    Beginning { group: GroupId(group), index: INDEX, term: TERM, state }
}

async fn plant(cluster: &Cluster, beginnings: Vec<Beginning>) -> Result<(), StartError> {
    let disk = cluster.world(NodeId(1)).disk;
    restore(&cluster.config(NodeId(1)), disk, &Counter::new(9), beginnings).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_go_on_from_their_states_and_others_join() {
    logged();
    let mut cluster = Cluster::prepare(1, 2, |_| {}).await;
    plant(&cluster, vec![beginning(0, &[]), beginning(1, &[b"one", b"two"])]).await.unwrap();
    // The disk loses what nobody flushed.
    cluster.disks[&NodeId(1)].crash(3);
    cluster.run(NodeId(1)).await;
    cluster.propose(1, b"three").await;
    cluster.propose(2, b"new").await;
    let expected = [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()];
    assert_eq!(cluster.agreed(1, 3).await, expected);
    assert_eq!(cluster.agreed(2, 1).await, [b"new".to_vec()]);
    let status = cluster.group(NodeId(1), 1).status();
    assert!(status.applied > INDEX && status.term > TERM, "{status:?}");
    assert!(cluster.seen(NodeId(1), 1).time_us > 5_000_000, "log time goes on");

    let second = cluster.run_stranger().await;
    let address = cluster.members[&second].clone();
    for group in 0..=2 {
        cluster.change(group, &MemberChange::Admit { node: second, address: address.clone() }).await;
    }
    assert_eq!(cluster.agreed(1, 3).await, expected);
    assert!(cluster.seen(second, 1).restored > 0, "it had to be sent a snapshot");
    cluster.change(1, &MemberChange::SetVoters(BTreeSet::from([NodeId(1), second]))).await;
    cluster.propose(1, b"four").await;
    assert_eq!(cluster.agreed(1, 4).await.len(), 4);
    cluster.stop_all().await;
}

#[tokio::test]
async fn only_an_empty_folder_of_a_lone_founder_is_taken() {
    let cluster = Cluster::prepare(1, 1, |_| {}).await;
    plant(&cluster, vec![beginning(1, &[b"x"])]).await.unwrap();
    let again = plant(&cluster, vec![beginning(1, &[b"y"])]).await.unwrap_err().to_string();
    assert!(again.contains("choose another folder"), "{again}");
    let others = Cluster::prepare(3, 1, |_| {}).await;
    assert!(matches!(plant(&others, Vec::new()).await, Err(StartError::Config(_))));
    let joining = Cluster::prepare(1, 1, |config: &mut Config| config.founding = false).await;
    assert!(matches!(plant(&joining, Vec::new()).await, Err(StartError::Config(_))));
}
