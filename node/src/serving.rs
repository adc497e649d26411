//! A node's server at an address: its services, health and reflection, until it is stopped.

use crate::failure::{Failure, Kind};
use crate::server::{routes, serve_over};
use crate::services::{
    AdminService, ClusterService, DeskService, EventsService, RoutingService, Shared, SupervisorService,
};
use proto::v1::admin_server::AdminServer;
use proto::v1::agent_desk_server::AgentDeskServer;
use proto::v1::cluster_server::ClusterServer;
use proto::v1::events_server::EventsServer;
use proto::v1::routing_server::RoutingServer;
use proto::v1::supervisor_server::SupervisorServer;
use std::io::ErrorKind;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic_health::server::HealthReporter;

/// How long a stopping server waits for its connections.
const DRAIN_MAX: Duration = Duration::from_secs(3);

/// Listens at `HOST:PORT`.
///
/// # Errors
/// When the address is in use or not of this computer.
pub(crate) async fn listen(address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let failure = Failure::new(Kind::Listen, format!("cannot listen at {address}: {error}"));
        failure.remedy(match error.kind() {
            ErrorKind::AddrInUse => {
                "another process listens there: stop it, or choose another port with --listen HOST:PORT"
            }
            ErrorKind::AddrNotAvailable => "give an address of this computer, for example 0.0.0.0:7400",
            ErrorKind::PermissionDenied => "ports below 1024 need privileges: choose a higher one",
            _ => "check --listen: it is HOST:PORT, for example 127.0.0.1:7400",
        })
    })
}

/// A running server.
pub(crate) struct Serving {
    task: JoinHandle<Result<(), tonic::transport::Error>>,
    stop: CancellationToken,
    health: HealthReporter,
}

impl Serving {
    /// Starts all services, health, reflection and the peers' transport at one address.
    pub(crate) async fn start(listener: TcpListener, shared: &Shared) -> Result<Self, Failure> {
        let (health, health_service) = tonic_health::server::health_reporter();
        let routes = add_reflection(routes(shared).add_service(health_service))?;
        set_serving(&health).await;
        let stop = CancellationToken::new();
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let stopped = stop.clone().cancelled_owned();
        let server = serve_over(routes, incoming, stopped);
        Ok(Self { task: tokio::spawn(server), stop, health })
    }

    /// Waits for an end nobody asked for; says why.
    pub(crate) async fn ended(&mut self) -> String {
        match (&mut self.task).await {
            Ok(Ok(())) => "the server ended".to_owned(),
            Ok(Err(error)) => format!("the server failed: {error}"),
            Err(error) => format!("the server's task failed: {error}"),
        }
    }

    /// Tells health watchers that this node stops.
    pub(crate) async fn announce_stop(&self) {
        set_not_serving(&self.health).await;
    }

    /// Takes no more connections and waits a while for the ones there are.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        if !self.task.is_finished() && tokio::time::timeout(DRAIN_MAX, &mut self.task).await.is_err() {
            tracing::info!("some connections were still open and are cut");
            self.task.abort();
        }
    }
}

macro_rules! for_all_services {
    ($health:ident, $method:ident) => {
        $health.$method::<RoutingServer<RoutingService>>().await;
        $health.$method::<AgentDeskServer<DeskService>>().await;
        $health.$method::<AdminServer<AdminService>>().await;
        $health.$method::<SupervisorServer<SupervisorService>>().await;
        $health.$method::<EventsServer<EventsService>>().await;
        $health.$method::<ClusterServer<ClusterService>>().await;
    };
}

async fn set_serving(health: &HealthReporter) {
    for_all_services!(health, set_serving);
}

async fn set_not_serving(health: &HealthReporter) {
    for_all_services!(health, set_not_serving);
    health.set_service_status("", tonic_health::ServingStatus::NotServing).await;
}

fn add_reflection(routes: Routes) -> Result<Routes, Failure> {
    let failed = |error| Failure::new(Kind::Other, format!("reflection does not start: {error}"));
    let builder = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    Ok(routes
        .add_service(builder().build_v1().map_err(failed)?)
        .add_service(builder().build_v1alpha().map_err(failed)?))
}
