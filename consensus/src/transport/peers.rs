//! Calls and casts of the layers above to other nodes.

use super::frame::Kind;
use super::link::{Lane, Link, Reply};
use crate::api::{GroupId, NodeId, PeerError};
use crate::config::About;
use bytes::{BufMut, Bytes, BytesMut};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;
use tokio::sync::watch;

/// The present link with one peer.
pub type Slot = watch::Sender<Option<Arc<Link>>>;

/// Reaches other nodes. Clones are cheap.
#[derive(Clone)]
pub struct Peers {
    slots: Arc<RwLock<BTreeMap<NodeId, Arc<Slot>>>>,
    /// What peers said of themselves when they introduced themselves.
    said: Arc<RwLock<BTreeMap<NodeId, About>>>,
}

impl Peers {
    /// Nobody yet.
    pub(crate) fn new() -> Peers {
        Peers { slots: Arc::default(), said: Arc::default() }
    }

    fn slots(&self) -> RwLockReadGuard<'_, BTreeMap<NodeId, Arc<Slot>>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The slot of a peer.
    pub(crate) fn slot(&self, peer: NodeId) -> Option<Arc<Slot>> {
        self.slots().get(&peer).cloned()
    }

    /// The slot of a peer, made if there is none.
    pub(crate) fn add(&self, peer: NodeId) -> Arc<Slot> {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        slots.entry(peer).or_insert_with(|| Arc::new(watch::Sender::new(None))).clone()
    }

    /// A peer has said this of itself.
    pub(crate) fn set_about(&self, peer: NodeId, about: About) {
        self.said.write().unwrap_or_else(PoisonError::into_inner).insert(peer, about);
    }

    /// How many have a slot.
    pub(crate) fn len(&self) -> usize {
        self.slots().len()
    }

    /// Forgets a peer; the slot it had.
    pub(crate) fn forget(&self, peer: NodeId) -> Option<Arc<Slot>> {
        self.said.write().unwrap_or_else(PoisonError::into_inner).remove(&peer);
        self.slots.write().unwrap_or_else(PoisonError::into_inner).remove(&peer)
    }

    /// The live link with a peer.
    pub(crate) fn link(&self, peer: NodeId) -> Option<Arc<Link>> {
        let link = self.slots().get(&peer)?.borrow().clone()?;
        (!link.is_closed()).then_some(link)
    }

    /// Who is connected now.
    pub(crate) fn all_connected(&self) -> Vec<NodeId> {
        let peers: Vec<NodeId> = self.slots().keys().copied().collect();
        peers.into_iter().filter(|peer| self.connected(*peer)).collect()
    }

    /// Ends all links.
    pub(crate) fn close_all(&self) {
        for slot in self.slots().values() {
            if let Some(link) = slot.send_replace(None) {
                link.close();
            }
        }
    }

    /// Calls another node's handler and waits for its answer, real time `deadline` at most.
    ///
    /// # Errors
    /// [`PeerError::Unreachable`] when it was certainly not handled, [`PeerError::NoAnswer`] when
    /// it may have been.
    pub async fn call(&self, to: NodeId, message: Bytes, deadline: Duration) -> Result<Bytes, PeerError> {
        let link = self.link(to).ok_or(PeerError::Unreachable(to))?;
        let mut expected = link.expect(Kind::Answer).map_err(|_| PeerError::Unreachable(to))?;
        let deadline_ms = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
        let mut body = BytesMut::with_capacity(8 + message.len());
        body.put_u64_le(deadline_ms);
        body.put_slice(&message);
        let mut sent = false;
        let exchange = async {
            link.send(Lane::Normal, Kind::Call, GroupId::META, expected.id, body.freeze()).await?;
            sent = true;
            expected.answer().await
        };
        let answer = tokio::time::timeout(deadline, exchange).await;
        match answer {
            Ok(Ok(Reply::Body(body))) => Ok(body),
            Ok(Ok(Reply::Refused)) => Err(PeerError::Unreachable(to)),
            // A message that was not queued whole is never handled.
            Ok(Err(_)) | Err(_) if !sent => Err(PeerError::Unreachable(to)),
            Ok(Err(lost)) => Err(PeerError::NoAnswer(to, lost.to_string())),
            Err(_) => Err(PeerError::NoAnswer(to, format!("nothing within {deadline_ms} ms"))),
        }
    }

    /// Sends a message one way. Order per receiver is kept; delivery is at most once.
    ///
    /// # Errors
    /// [`PeerError::Unreachable`] when there is no stream with the node or too much waits for it.
    pub fn cast(&self, to: NodeId, message: Bytes) -> Result<(), PeerError> {
        let link = self.link(to).ok_or(PeerError::Unreachable(to))?;
        link.try_send(Lane::Normal, Kind::Cast, link.new_id(), message)
            .map_err(|_| PeerError::Unreachable(to))
    }

    /// What a node says of itself with which there is a live stream.
    #[must_use]
    pub fn about(&self, node: NodeId) -> Option<About> {
        self.link(node)?;
        self.said.read().unwrap_or_else(PoisonError::into_inner).get(&node).cloned()
    }

    /// Whether there is a live stream with a node. The own node is not a peer.
    #[must_use]
    pub fn connected(&self, node: NodeId) -> bool {
        self.link(node).is_some()
    }
}
