//! A client of one node.

use super::{Node, until};
use proto::v1;
use proto::v1::admin_client::AdminClient;
use proto::v1::agent_desk_client::AgentDeskClient;
use proto::v1::cluster_client::ClusterClient;
use proto::v1::events_client::EventsClient;
use proto::v1::routing_client::RoutingClient;
use proto::v1::supervisor_client::SupervisorClient;
use std::future::Future;
use tokio_stream::StreamExt;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Response, Status};
use tonic_types::StatusExt;

/// A mutation with a request id of its own.
pub fn mutation() -> Option<v1::Mutation> {
    Some(v1::Mutation { request_id: uuid::Uuid::now_v7().to_string(), expected_version: None })
}

/// The machine-readable reason of a refusal.
pub fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// A client of one node.
#[derive(Clone)]
pub struct Client {
    /// Its connection, which is made anew when it breaks.
    pub channel: Channel,
}

impl Client {
    /// A client of this node.
    pub fn of(node: &Node) -> Self {
        Self::at(&node.address)
    }

    /// A client of the node at this address.
    pub fn at(address: &str) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
        Self { channel: endpoint.connect_lazy() }
    }

    pub fn admin(&self) -> AdminClient<Channel> {
        AdminClient::new(self.channel.clone())
    }
    pub fn routing(&self) -> RoutingClient<Channel> {
        RoutingClient::new(self.channel.clone())
    }
    pub fn desk(&self) -> AgentDeskClient<Channel> {
        AgentDeskClient::new(self.channel.clone())
    }
    pub fn supervisor(&self) -> SupervisorClient<Channel> {
        SupervisorClient::new(self.channel.clone())
    }
    pub fn events(&self) -> EventsClient<Channel> {
        EventsClient::new(self.channel.clone())
    }
    pub fn cluster(&self) -> ClusterClient<Channel> {
        ClusterClient::new(self.channel.clone())
    }

    /// Calls until the answer is definite: unavailable means "again, with the same request id".
    pub async fn retry<T, W>(&self, call: impl Fn() -> W) -> Result<T, Status>
    where
        W: Future<Output = Result<Response<T>, Status>>,
    {
        until("a definite answer", || async {
            match call().await {
                Ok(answer) => Some(Ok(answer.into_inner())),
                Err(status) if matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded) => None,
                Err(status) => Some(Err(status)),
            }
        })
        .await
    }

    /// The cluster as the node sees it.
    pub async fn state(&self) -> v1::ClusterState {
        self.retry(|| async { self.cluster().get_cluster(v1::GetClusterRequest {}).await })
            .await
            .expect("any node knows the cluster")
    }

    /// A domain's record up to now.
    pub async fn record(&self, domain: &str) -> Vec<v1::Event> {
        let request =
            v1::WatchRequest { domain: domain.to_owned(), from: 1, until_now: true, ..Default::default() };
        let events = self.events().watch(request).await.expect("a watch").into_inner();
        events.collect::<Result<Vec<_>, _>>().await.expect("events")
    }

    /// One conversation.
    pub async fn conversation(&self, id: &str) -> v1::Conversation {
        let request = v1::GetConversationRequest { conversation: id.to_owned() };
        self.retry(|| async { self.routing().get_conversation(request.clone()).await })
            .await
            .expect("a known conversation")
    }

    /// Starts a conversation; the same request may be sent again.
    pub async fn start(&self, request: &v1::StartRequest) -> v1::StartResponse {
        self.retry(|| async { self.routing().start(request.clone()).await }).await.expect("an arrival")
    }
}
