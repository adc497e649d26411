//! The gRPC services of a node with their bounds, over whatever connections there are.

use crate::services::limits::MESSAGE_BYTES_MAX;
use crate::services::{
    AdminService, ClusterService, DeskService, EventsService, RoutingService, Shared, SupervisorService,
};
use futures::Stream;
use proto::v1::admin_server::AdminServer;
use proto::v1::agent_desk_server::AgentDeskServer;
use proto::v1::cluster_server::ClusterServer;
use proto::v1::events_server::EventsServer;
use proto::v1::routing_server::RoutingServer;
use proto::v1::supervisor_server::SupervisorServer;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::Connected;

/// A connection whose other end says nothing for this long is asked whether it is there.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);
/// And closed when it does not answer for this long.
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(10);
/// Streams of one connection: a load generator puts many desks on one.
const STREAMS_PER_CONNECTION_MAX: u32 = 10_000;
/// Bytes under way per stream, and per connection, before the sender must wait.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;

/// What a node answers: its services, each with its bounds, and the transport of its peers.
/// Health and reflection are the process's and come on top.
///
/// Call it as a tower service, or give it to [`serve_over`].
#[must_use]
pub fn routes(shared: &Shared) -> Routes {
    add_services(Routes::new(shared.transport_service()), shared)
}

/// Answers over these connections, within the bounds of a node's server, until `shutdown`; the
/// connections there are then end in their own time.
///
/// # Errors
/// When the server fails as a whole; a connection that fails is only its own end.
pub async fn serve_over<IO>(
    routes: Routes,
    incoming: impl Stream<Item = io::Result<IO>>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error>
where
    IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
{
    server().add_routes(routes).serve_with_incoming_shutdown(incoming, shutdown).await
}

fn add_services(routes: Routes, shared: &Shared) -> Routes {
    macro_rules! add {
        ($routes:expr, $($server:ident($service:ident)),* $(,)?) => {
            $routes$(.add_service(
                $server::new($service(shared.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX),
            ))*
        };
    }
    add!(
        routes,
        RoutingServer(RoutingService),
        AgentDeskServer(DeskService),
        AdminServer(AdminService),
        SupervisorServer(SupervisorService),
        EventsServer(EventsService),
        ClusterServer(ClusterService),
    )
}

/// A server with the bounds of connections.
fn server() -> Server {
    Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_EVERY))
        .http2_keepalive_timeout(Some(KEEPALIVE_ANSWER))
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
}
