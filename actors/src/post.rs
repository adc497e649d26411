//! Sends parcels to the nodes where desks are connected.

use crate::front::Front;
use crate::handling_beside::HandlingBeside;
use crate::wire::{Parcel, PeerCast};
use consensus::{NodeId, Peers};
use proto::codec;
use std::sync::Arc;

/// The parcel was not sent; nothing is queued for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsent {
    /// Too much waits for that node.
    Full,
    /// There is no stream with that node; it attaches its sessions again when there is.
    Gone,
}

#[derive(Clone)]
pub(crate) struct Post {
    pub(crate) this: NodeId,
    pub(crate) peers: Peers,
    pub(crate) front: Arc<Front>,
}

impl Post {
    pub(crate) fn send(&self, to: NodeId, parcel: Parcel) -> Result<(), Unsent> {
        if to == self.this {
            // A session that is gone here was detached from its shard when it went.
            self.front.deliver(parcel);
            return Ok(());
        }
        let cast = match HandlingBeside::of_messages(&parcel.messages) {
            None => PeerCast::Deliver(parcel),
            Some(beside) => PeerCast::DeliverHandled(parcel, beside),
        };
        let cast = codec::encode(&cast);
        self.peers.cast(to, cast.into()).map_err(|_| match self.peers.connected(to) {
            true => Unsent::Full,
            false => Unsent::Gone,
        })
    }
}
