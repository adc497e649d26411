//! How clients reach nodes: tonic's channels.

use super::connections::Connections;
use crate::clients::{Line, Reach};
use crate::machine::address;
use crate::world::Place;
use consensus::NodeId;
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use std::time::Duration;
use tonic::transport::{Endpoint, Uri};
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;
use turmoil::net::TcpStream;

/// Time for a connection to be made.
const CONNECT: Duration = Duration::from_millis(1_500);
/// A client asks this often whether the node is there.
const PING: Duration = Duration::from_secs(2);

/// Over turmoil's TCP.
pub(super) struct TurmoilReach {
    pub(super) from: Place,
    pub(super) connections: Arc<Connections>,
}

impl Reach for TurmoilReach {
    fn line(&self, node: NodeId) -> Line {
        let address = address(node);
        let endpoint = Endpoint::from_shared(format!("http://{address}"))
            .expect("a node's address makes a URI")
            .connect_timeout(CONNECT)
            .http2_keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .keep_alive_while_idle(true);
        let (from, connections) = (self.from, Arc::clone(&self.connections));
        let connector = tower::service_fn(move |_: Uri| {
            let (connections, address) = (Arc::clone(&connections), address.clone());
            async move {
                let stream = TcpStream::connect(address).await?;
                Ok::<_, std::io::Error>(TokioIo::new(connections.add(from, Place::Node(node), stream)))
            }
        });
        let channel = endpoint.connect_with_connector_lazy(connector);
        BoxCloneSyncService::new(channel.map_err(Into::into))
    }
}
