//! How nodes reach each other.

use super::connections::Connections;
use crate::machine::peer_of;
use crate::world::Place;
use consensus::{Dial, Wire};
use futures::future::BoxFuture;
use std::io;
use std::sync::Arc;
use turmoil::net::TcpStream;

/// Dials over turmoil's TCP.
pub(super) struct TurmoilDial {
    pub(super) from: Place,
    pub(super) connections: Arc<Connections>,
}

impl Dial for TurmoilDial {
    fn dial(&self, address: String) -> BoxFuture<'static, io::Result<Box<dyn Wire>>> {
        let (from, connections) = (self.from, Arc::clone(&self.connections));
        Box::pin(async move {
            let to = peer_of(&address).ok_or(io::ErrorKind::InvalidInput)?;
            let stream = TcpStream::connect(address).await?;
            Ok(Box::new(connections.add(from, Place::Node(to), stream)) as Box<dyn Wire>)
        })
    }
}
