//! How nodes reach each other: pipes with the fabric between.

use super::carry::carry;
use super::fabric::{Fabric, Way};
use crate::machine::{Life, peer_of};
use crate::world::Place;
use consensus::{Dial, NodeId, Pipe, Wire};
use futures::future::BoxFuture;
use std::io;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Messages that wait at either end of a pipe.
const WAITING_MAX: usize = 64;

/// Dials through the fabric, for one life of a node.
pub(super) struct FabricDial {
    pub(super) fabric: Arc<Fabric>,
    pub(super) node: NodeId,
    pub(super) life: Life,
}

impl Dial for FabricDial {
    fn dial(&self, _: String) -> BoxFuture<'static, io::Result<Box<dyn Wire>>> {
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }

    fn pipe(&self, address: String) -> Option<BoxFuture<'static, io::Result<Pipe>>> {
        let (fabric, from, life) = (Arc::clone(&self.fabric), Place::Node(self.node), self.life.clone());
        Some(Box::pin(async move {
            if !life.is_present() {
                return Err(io::ErrorKind::NotConnected.into());
            }
            let to = peer_of(&address).ok_or(io::ErrorKind::InvalidInput)?;
            let (ticket, door) = fabric.connect(from, to).ok_or(io::ErrorKind::ConnectionRefused)?;
            let there = Way { from, to: Place::Node(to) };
            let (near, near_end) = ends();
            let (far, far_end) = ends();
            tokio::spawn(carry(Arc::clone(&fabric), there, ticket, near_end.1, far_end.0));
            tokio::spawn(carry(fabric, there.back(), ticket, far_end.1, near_end.0));
            tokio::spawn(async move {
                if let Err(why) = door.peers.accept_pipe(far).await {
                    tracing::debug!(%from, to = to.0, why, "a pipe was refused");
                }
            });
            Ok(near)
        }))
    }
}

/// A pipe, and the far side of it: where to put what it shall receive, and what it sends.
fn ends() -> (Pipe, (mpsc::Sender<bytes::Bytes>, ReceiverStream<bytes::Bytes>)) {
    let (outgoing, sent) = mpsc::channel(WAITING_MAX);
    let (arrived, incoming) = mpsc::channel(WAITING_MAX);
    (Pipe { outgoing, incoming }, (arrived, ReceiverStream::new(sent)))
}
