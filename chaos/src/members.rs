//! A node that joins, and one that never comes back: how long the cluster takes over it.

use crate::settled::{self, Place};
use anyhow::{Context, bail};
use client::Client;
use indicatif::ProgressBar;
use proto::v1;
use proto::v1::ClusterState;
use proto::v1::cluster_client::ClusterClient;
use proto::v1::cluster_state::node::Stage;
use std::time::Duration;
use tokio::time::Instant;

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// A share counts as taken when it has been the same for so long: leaders move some seconds apart.
const STEADY: Duration = Duration::from_secs(20);

/// What became of a node that joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Its number.
    pub node: u64,
    /// From its start until it has all that it should have, and leads as much as others do or nearly.
    pub took: Duration,
    /// Groups in which it votes.
    pub votes_in: usize,
    /// Groups that it leads.
    pub leads: usize,
    /// The number of the node whose place it took, and how long that took to be gone from every group.
    pub instead_of: Option<(u64, Duration)>,
}

/// Has a node that is dead for good leave the cluster, and waits until no group has it; how long that took.
///
/// # Errors
/// When it is refused, or takes longer than `most`.
pub async fn remove(client: &Client, alive: &Place, node: u64, most: Duration) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let request = v1::RemoveNodeRequest { node };
    client
        .call("", |channel| async move { ClusterClient::new(channel).remove_node(request).await })
        .await
        .with_context(|| format!("node {node} is not removed"))?;
    let gone = |state: &ClusterState| {
        let member = state.shards.iter().flat_map(|shard| &shard.members).any(|member| member.node == node);
        !member && state.nodes.iter().all(|one| one.id != node)
    };
    wait(alive, most, &format!("node {node} to be gone"), gone).await?;
    Ok(began.elapsed())
}

/// Waits until a node that was just started has joined and taken its share; what that is.
///
/// # Errors
/// When it takes longer than `most`.
pub async fn joined(alive: &Place, address: &str, began: Instant, most: Duration) -> anyhow::Result<Joined> {
    let what = format!("the node at {address} to take its share");
    let mut held: Option<((u64, usize, usize), Instant)> = None;
    let steady = |state: &ClusterState| {
        let now = share(state, address);
        if held.map(|(share, _)| share) != now {
            held = now.map(|share| (share, Instant::now()));
        }
        held.is_some_and(|(_, since)| since.elapsed() >= STEADY)
    };
    wait(alive, most, &what, steady).await?;
    let ((node, votes_in, leads), since) = held.context("a share")?;
    Ok(Joined { node, took: since - began, votes_in, leads, instead_of: None })
}

/// The node's number, the groups in which it votes and those it leads, once every shard has the replicas it
/// should have and this node its part of them and of the leaders.
fn share(state: &ClusterState, address: &str) -> Option<(u64, usize, usize)> {
    let node = state.nodes.iter().find(|node| node.address == address && node.stage() == Stage::Member)?.id;
    let stay = state.nodes.iter().filter(|node| node.stage() != Stage::Leaving).count();
    let wanted = stay.min(state.replicas as usize);
    let shards = || state.shards.iter().filter(|shard| shard.id != 0);
    if shards().any(|shard| shard.members.len() != wanted) {
        return None;
    }
    let votes = |shard: &&v1::cluster_state::Shard| {
        shard.members.iter().any(|member| member.node == node && member.voter)
    };
    let votes_in = state.shards.iter().filter(votes).count();
    let leads = state.shards.iter().filter(|shard| shard.leader == node).count();
    // Leaders are balanced to within two, so a node may end with one less than its part and no more.
    let part = state.shards.len() / stay;
    (votes_in > 0 && leads + 1 >= part.min(votes_in)).then_some((node, votes_in, leads))
}

async fn wait(
    alive: &Place,
    most: Duration,
    what: &str,
    mut done: impl FnMut(&ClusterState) -> bool,
) -> anyhow::Result<ClusterState> {
    let until = Instant::now() + most;
    let progress = ProgressBar::new_spinner().with_message(format!("waiting for {what}"));
    loop {
        progress.tick();
        if let Some(state) = settled::state(alive).await.filter(|state| done(state)) {
            progress.finish_and_clear();
            return Ok(state);
        }
        if Instant::now() >= until {
            bail!("waited {most:?} for {what} in vain");
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::v1::cluster_state::{Node, Replica, Shard};

    /// Shards as (leader, members), all of whom vote; nodes 1 to 4 at `host:N`.
    fn state(shards: &[(u64, &[u64])]) -> ClusterState {
        let node =
            |id| Node { id, address: format!("host:{id}"), stage: Stage::Member.into(), ..Node::default() };
        let shard = |(id, (leader, members)): (usize, &(u64, &[u64]))| Shard {
            id: id as u32,
            leader: *leader,
            members: members.iter().map(|node| Replica { node: *node, voter: true, applied: None }).collect(),
            ..Shard::default()
        };
        ClusterState {
            nodes: (1..=4).map(node).collect(),
            shards: shards.iter().enumerate().map(shard).collect(),
            replicas: 3,
            ..ClusterState::default()
        }
    }

    #[test]
    fn a_share_is_replicas_votes_and_leaders() {
        let all: &[u64] = &[1, 2, 3, 4];
        let whole = state(&[(1, all), (4, &[1, 2, 4]), (2, &[1, 2, 3]), (3, &[2, 3, 4])]);
        assert_eq!(share(&whole, "host:4"), Some((4, 3, 1)));
        assert_eq!(share(&whole, "host:9"), None, "it is not there");
        let without = state(&[(1, all), (1, &[1, 2, 3]), (2, &[1, 2, 3]), (3, &[1, 2, 3])]);
        assert_eq!(share(&without, "host:4").map(|(_, votes, leads)| (votes, leads)), Some((1, 0)));
        let not_yet = state(&[(1, &[1, 2, 3]), (1, &[1, 2, 3])]);
        assert_eq!(share(&not_yet, "host:4"), None, "it votes nowhere");
        let on_the_way = state(&[(1, all), (4, all)]);
        assert_eq!(share(&on_the_way, "host:4"), None, "a replica is yet to go");
        let idle = state(&[
            (1, all),
            (1, &[1, 2, 4]),
            (1, &[1, 4, 3]),
            (1, &[1, 4, 3]),
            (2, &[2, 4, 1]),
            (2, &[2, 4, 1]),
            (3, &[2, 4, 3]),
            (3, &[2, 4, 3]),
        ]);
        assert_eq!(share(&idle, "host:4"), None, "it leads nothing yet");
    }
}
