//! What this node does with messages of the others.

use crate::StartError;
use crate::engine::Inner;
use crate::wire::{PeerAnswer, PeerCall, PeerCast};
use bytes::Bytes;
use consensus::{NodeId, PeerHandler};
use futures::FutureExt;
use futures::future::BoxFuture;
use proto::codec;
use std::sync::Weak;

pub(crate) struct Handler(pub(crate) Weak<Inner>);

fn encoded(answer: &PeerAnswer) -> Bytes {
    codec::encode(answer).into()
}

/// Carries a change of the replicas to its end, also when the caller does not wait for it any more.
async fn changed(change: impl Future<Output = Result<(), StartError>> + Send + 'static) -> Bytes {
    let done = tokio::spawn(change).await.map_err(|error| error.to_string());
    let done = done.and_then(|done| done.map_err(|error| error.to_string()));
    encoded(&PeerAnswer::Replica(done))
}

impl PeerHandler for Handler {
    fn call(&self, from: NodeId, message: Bytes) -> BoxFuture<'static, Bytes> {
        let inner = self.0.upgrade();
        async move {
            let Some(inner) = inner else { return encoded(&PeerAnswer::NotLeader(None)) };
            match codec::decode::<PeerCall>(&message) {
                Ok(PeerCall::OpenReplica { shard, at }) => {
                    changed(async move { inner.replicas.open(&inner.consensus, shard, at).await }).await
                }
                Ok(PeerCall::CloseReplica { shard, at }) => {
                    changed(async move { inner.replicas.close(&inner.consensus, shard, at).await }).await
                }
                Ok(PeerCall::Look) => encoded(&inner.look()),
                Ok(call) => encoded(&inner.router.leader.answer(from, call).await),
                Err(error) => {
                    let text = format!(
                        "a call from {from} does not decode: {error}; run the later of the two releases"
                    );
                    inner.alarms.raise(text.clone());
                    encoded(&PeerAnswer::Failed(crate::CallError::Bug(text)))
                }
            }
        }
        .boxed()
    }

    fn cast(&self, from: NodeId, message: Bytes) {
        let Some(inner) = self.0.upgrade() else { return };
        match codec::decode::<PeerCast>(&message) {
            Ok(PeerCast::Beats { shard, desks }) => {
                let now_us = inner.clock.monotonic_us();
                if let Some(shard) = inner.shards.get(shard) {
                    for (agent, epoch) in desks {
                        shard.leases.heard(agent, epoch, from, now_us);
                    }
                }
            }
            Ok(PeerCast::Deliver(parcel)) => inner.front.deliver(parcel),
            Ok(PeerCast::DeliverHandled(mut parcel, beside)) => {
                beside.put_back_messages(&mut parcel.messages);
                inner.front.deliver(parcel);
            }
            Ok(PeerCast::Detach { shard, seats }) => {
                if let Some(shard) = inner.shards.get(shard) {
                    for seat in seats {
                        shard.desks.detach(seat, from);
                    }
                }
            }
            Err(error) => inner.alarms.raise(format!(
                "a message from {from} does not decode: {error}; run the later of the two releases"
            )),
        }
    }

    fn peer_changed(&self, peer: NodeId, connected: bool) {
        let Some(inner) = self.0.upgrade() else { return };
        if !connected {
            let now_us = inner.clock.monotonic_us();
            for shard in inner.shards.all() {
                // Desks of a node that disappeared have a whole lease to come elsewhere.
                shard.leases.front_lost(peer, now_us);
                shard.desks.detach_all(peer);
            }
        }
        inner.front.peer_changed(peer);
    }
}
