//! A connection to a node.

use consensus::NodeId;
use tonic::body::Body;
use tower::util::BoxCloneSyncService;

/// Calls to one node: what generated clients are made over (`RoutingClient::new(line)`).
pub type Line =
    BoxCloneSyncService<http::Request<Body>, http::Response<Body>, Box<dyn std::error::Error + Send + Sync>>;

/// The way from one place to the nodes.
pub trait Reach: Send + Sync {
    /// A line to a node. It connects when it is first used, and again after it broke; whether
    /// the node can be reached is seen by calling.
    fn line(&self, node: NodeId) -> Line;
}
