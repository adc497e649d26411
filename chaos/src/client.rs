//! Calls as a careful client makes them: the same request again, at another node, until an answer
//! is definite or time is over.

use anyhow::bail;
use proto::v1;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Response, Status};

/// One try at one node.
const TRY_MAX: Duration = Duration::from_secs(2);
/// All tries of one call.
const CALL_MAX: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(20);

/// Connections to all nodes, made when they are needed.
pub struct Client {
    channels: Vec<Channel>,
    turn: AtomicUsize,
}

/// A fresh request id.
pub fn mutation() -> Option<v1::Mutation> {
    Some(v1::Mutation { request_id: uuid::Uuid::now_v7().to_string(), ..Default::default() })
}

impl Client {
    /// For nodes at these addresses.
    ///
    /// # Errors
    /// When one is no address.
    pub fn new(addresses: &[String]) -> anyhow::Result<Self> {
        let mut channels = Vec::new();
        for address in addresses {
            let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
            channels.push(endpoint.connect_timeout(Duration::from_millis(500)).connect_lazy());
        }
        Ok(Self { channels, turn: AtomicUsize::new(0) })
    }

    /// The connection to a node; places count from 0.
    pub fn at(&self, place: usize) -> Channel {
        self.channels[place % self.channels.len()].clone()
    }

    /// The next node's.
    pub fn any(&self) -> Channel {
        self.at(self.turn.fetch_add(1, Ordering::Relaxed))
    }

    /// Calls until there is a definite answer; what `call` sends must be the same each time.
    ///
    /// # Errors
    /// A refusal, or the last failure when time is over.
    pub async fn call<T, W>(&self, call: impl Fn(Channel) -> W) -> Result<T, Status>
    where
        W: Future<Output = Result<Response<T>, Status>>,
    {
        let until = Instant::now() + CALL_MAX;
        loop {
            let status = match tokio::time::timeout(TRY_MAX, call(self.any())).await {
                Ok(Ok(answer)) => return Ok(answer.into_inner()),
                Ok(Err(status)) => status,
                Err(_) => Status::deadline_exceeded(format!("no answer within {TRY_MAX:?}")),
            };
            let again = matches!(
                status.code(),
                Code::Unavailable
                    | Code::DeadlineExceeded
                    | Code::ResourceExhausted
                    | Code::Unknown
                    | Code::Cancelled
                    | Code::Aborted
            );
            if !again || Instant::now() >= until {
                return Err(status);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The cluster as one node sees it, if it answers.
    pub async fn state(&self, place: usize) -> Option<v1::ClusterState> {
        let mut client = v1::cluster_client::ClusterClient::new(self.at(place));
        let asked = client.get_cluster(v1::GetClusterRequest {});
        Some(tokio::time::timeout(TRY_MAX, asked).await.ok()?.ok()?.into_inner())
    }

    /// Waits until every node sees every other, leaders of all groups, and no replica far behind.
    ///
    /// # Errors
    /// When it takes longer than `most`.
    pub async fn settled(&self, most: Duration) -> anyhow::Result<v1::ClusterState> {
        let until = Instant::now() + most;
        loop {
            let all =
                futures::future::join_all((0..self.channels.len()).map(|place| self.state(place))).await;
            let states: Option<Vec<v1::ClusterState>> = all.into_iter().collect();
            if let Some(states) = states
                && states.iter().all(is_well)
                && let Some(state) = states.into_iter().next()
            {
                return Ok(state);
            }
            if Instant::now() >= until {
                bail!("the cluster has not settled within {most:?}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Entries that a replica of a cluster at work may be behind.
const BEHIND_MAX: u64 = 500;

fn is_well(state: &v1::ClusterState) -> bool {
    state.nodes.iter().all(|node| node.reachable || node.id == state.this_node)
        && state.shards.iter().all(|shard| {
            let most = shard.members.iter().filter_map(|member| member.applied).max().unwrap_or(0);
            let near = |applied: Option<u64>| applied.is_some_and(|applied| most - applied <= BEHIND_MAX);
            shard.leader != 0 && shard.members.iter().all(|member| near(member.applied))
        })
}
