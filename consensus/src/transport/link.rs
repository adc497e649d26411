//! One live stream with a peer: three bounded queues out, answers matched in.

use super::frame::{Frame, Kind};
use crate::api::{GroupId, NodeId};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Frames that wait in the queue of heartbeats and votes.
const URGENT_FRAMES: usize = 4_096;
/// Frames that wait in the queue of appends, calls and casts.
const NORMAL_FRAMES: usize = 8_192;
/// Frames that wait in the queue of snapshots.
const BULK_FRAMES: usize = 4;
/// Answers of one append stream that wait for their reader.
const APPEND_ANSWERS: usize = 1_024;

/// Which queue a message waits in. Snapshots have a third one, which shares with the normal lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Heartbeats and votes: before all else.
    Urgent,
    /// Everything else.
    Normal,
}

/// The link is gone; what was asked over it is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream with the peer is lost")]
pub struct Lost;

/// An answer to a call.
#[derive(Debug)]
pub enum Reply {
    /// The answer.
    Body(Bytes),
    /// Certainly not handled.
    Refused,
}

/// The receiving ends of the queues, for the pump that writes the stream.
pub struct Outgoing {
    urgent: mpsc::Receiver<Frame>,
    normal: mpsc::Receiver<Frame>,
    bulk: mpsc::Receiver<Frame>,
    bulk_turn: bool,
}

impl Outgoing {
    /// The next frame; `None` when the link is gone.
    pub async fn next(&mut self) -> Option<Frame> {
        if let Some(frame) = self.ready() {
            return Some(frame);
        }
        tokio::select! {
            biased;
            frame = self.urgent.recv() => frame,
            frame = self.normal.recv() => frame,
            frame = self.bulk.recv() => frame,
        }
    }

    /// A frame that waits already: urgent ones first, the other lanes in turn.
    pub fn ready(&mut self) -> Option<Frame> {
        if let Ok(frame) = self.urgent.try_recv() {
            return Some(frame);
        }
        self.bulk_turn = !self.bulk_turn;
        let (first, second) = if self.bulk_turn {
            (&mut self.bulk, &mut self.normal)
        } else {
            (&mut self.normal, &mut self.bulk)
        };
        first.try_recv().or_else(|_| second.try_recv()).ok()
    }
}

/// One live stream with a peer.
pub struct Link {
    peer: NodeId,
    urgent: mpsc::Sender<Frame>,
    normal: mpsc::Sender<Frame>,
    bulk: mpsc::Sender<Frame>,
    next_id: AtomicU64,
    waiting: Mutex<Waiting>,
    lost: CancellationToken,
}

#[derive(Default)]
struct Waiting {
    over: bool,
    calls: BTreeMap<(Kind, u64), oneshot::Sender<Reply>>,
    appends: BTreeMap<u64, mpsc::Sender<Bytes>>,
}

impl Link {
    /// A link and the queues its pump drains.
    pub fn new(peer: NodeId) -> (Arc<Link>, Outgoing) {
        let (urgent, urgent_out) = mpsc::channel(URGENT_FRAMES);
        let (normal, normal_out) = mpsc::channel(NORMAL_FRAMES);
        let (bulk, bulk_out) = mpsc::channel(BULK_FRAMES);
        let link = Link {
            peer,
            urgent,
            normal,
            bulk,
            next_id: AtomicU64::new(1),
            waiting: Mutex::default(),
            lost: CancellationToken::new(),
        };
        let out = Outgoing { urgent: urgent_out, normal: normal_out, bulk: bulk_out, bulk_turn: false };
        (Arc::new(link), out)
    }

    /// The node at the other end.
    pub fn peer(&self) -> NodeId {
        self.peer
    }

    /// Ends the link: whoever waits on it is told.
    pub fn close(&self) {
        self.lost.cancel();
        let mut waiting = self.waiting();
        waiting.over = true;
        waiting.calls.clear();
        waiting.appends.clear();
    }

    /// Resolves when the link is gone.
    pub async fn closed(&self) {
        self.lost.cancelled().await;
    }

    /// Whether the link is gone.
    pub fn is_closed(&self) -> bool {
        self.lost.is_cancelled()
    }

    fn lane(&self, lane: Lane) -> &mpsc::Sender<Frame> {
        match lane {
            Lane::Urgent => &self.urgent,
            Lane::Normal => &self.normal,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that no other call or stream opened by this side of the link has.
    pub fn new_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Queues a message, waiting for room for all of it: when this is given up half-way, nothing
    /// was queued.
    pub async fn send(
        &self,
        lane: Lane,
        kind: Kind,
        group: GroupId,
        id: u64,
        body: Bytes,
    ) -> Result<(), Lost> {
        let frames: Vec<Frame> = Frame::cut(kind, group, id, body).collect();
        let queue = self.lane(lane);
        if frames.len() > queue.max_capacity() {
            return Err(Lost);
        }
        let room = tokio::select! {
            biased;
            () = self.lost.cancelled() => return Err(Lost),
            room = queue.reserve_many(frames.len()) => room.map_err(|_| Lost)?,
        };
        for (place, frame) in room.zip(frames) {
            place.send(frame);
        }
        Ok(())
    }

    /// Queues a message of any size bit by bit in the bulk lane; `stall` bounds the wait for the
    /// next bit. When this is given up half-way, the peer is told to forget the rest.
    pub async fn send_bulk(
        self: &Arc<Self>,
        kind: Kind,
        group: GroupId,
        id: u64,
        body: Bytes,
        stall: Duration,
    ) -> Result<(), Lost> {
        let mut abort = Abort { link: Arc::clone(self), id, armed: true };
        for frame in Frame::cut(kind, group, id, body) {
            tokio::select! {
                biased;
                () = self.lost.cancelled() => return Err(Lost),
                () = tokio::time::sleep(stall) => return Err(Lost),
                sent = self.bulk.send(frame) => sent.map_err(|_| Lost)?,
            }
        }
        abort.armed = false;
        Ok(())
    }

    /// Queues a message of one frame in the bulk lane; `stall` bounds the wait for room.
    pub async fn send_bulk_frame(
        &self,
        kind: Kind,
        group: GroupId,
        id: u64,
        body: Bytes,
        stall: Duration,
    ) -> Result<(), Lost> {
        tokio::select! {
            biased;
            () = self.lost.cancelled() => Err(Lost),
            () = tokio::time::sleep(stall) => Err(Lost),
            sent = self.bulk.send(Frame { kind, more: false, group, id, body }) => sent.map_err(|_| Lost),
        }
    }

    /// Queues a message if there is room for all of it now.
    pub fn try_send(&self, lane: Lane, kind: Kind, id: u64, body: Bytes) -> Result<(), Lost> {
        if self.is_closed() {
            return Err(Lost);
        }
        let frames: Vec<Frame> = Frame::cut(kind, GroupId::META, id, body).collect();
        let room = self.lane(lane).try_reserve_many(frames.len()).map_err(|_| Lost)?;
        for (permit, frame) in room.zip(frames) {
            permit.send(frame);
        }
        Ok(())
    }

    /// Registers a call; its answer comes through the receiver, which fails when the link is lost.
    pub fn expect(self: &Arc<Self>, kind: Kind) -> Result<Expected, Lost> {
        let id = self.new_id();
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting();
        if waiting.over {
            return Err(Lost);
        }
        waiting.calls.insert((kind, id), sender);
        drop(waiting);
        Ok(Expected { link: Arc::clone(self), kind, id, receiver })
    }

    /// Registers a stream of appends; its answers come through the receiver.
    pub fn open_appends(self: &Arc<Self>) -> Result<(u64, mpsc::Receiver<Bytes>), Lost> {
        let id = self.new_id();
        let (sender, receiver) = mpsc::channel(APPEND_ANSWERS);
        let mut waiting = self.waiting();
        if waiting.over {
            return Err(Lost);
        }
        waiting.appends.insert(id, sender);
        Ok((id, receiver))
    }

    /// Forgets a stream of appends.
    pub fn close_appends(&self, id: u64) -> bool {
        self.waiting().appends.remove(&id).is_some()
    }

    /// Hands an incoming answer to whoever waits; nobody may, when the deadline has passed.
    pub fn answered(&self, kind: Kind, id: u64, reply: Reply) {
        let waiter = self.waiting().calls.remove(&(kind, id));
        if let Some(waiter) = waiter {
            let _ = waiter.send(reply);
        }
    }

    /// Hands an answer to an append on. A stream whose reader does not keep up with the window it
    /// opened itself is ended.
    pub fn append_answered(&self, id: u64, body: Bytes) {
        let mut waiting = self.waiting();
        let full = waiting.appends.get(&id).is_some_and(|queue| queue.try_send(body).is_err());
        if full {
            waiting.appends.remove(&id);
        }
    }
}

/// A registered call.
pub struct Expected {
    link: Arc<Link>,
    kind: Kind,
    /// Its id on the wire.
    pub id: u64,
    receiver: oneshot::Receiver<Reply>,
}

impl Expected {
    /// Waits for the answer.
    pub async fn answer(&mut self) -> Result<Reply, Lost> {
        (&mut self.receiver).await.map_err(|_| Lost)
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.link.waiting().calls.remove(&(self.kind, self.id));
    }
}

/// Tells the peer to forget a message that will not be finished.
struct Abort {
    link: Arc<Link>,
    id: u64,
    armed: bool,
}

impl Drop for Abort {
    fn drop(&mut self) {
        if self.armed && self.link.try_send(Lane::Urgent, Kind::Abort, self.id, Bytes::new()).is_err() {
            // Then the peer would hold the part for ever: a fresh link forgets it.
            self.link.close();
        }
    }
}
