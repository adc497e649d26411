//! What arrives on a link, handed to the groups and to the layers above.

use super::frame::{Frame, Kind};
use super::link::{Lane, Link, Reply};
use super::liveness::Liveness;
use super::raft_inbound;
use super::snapshot_receive::{Arrived, QUEUE, Receiver};
use crate::api::{GroupId, NodeId, PeerHandler};
use crate::config::Limits;
use crate::figures::Figures;
use crate::snapshots::Incoming;
use crate::type_config::types::{LogId, Raft, SnapshotMeta};
use bytes::{Buf, Bytes, BytesMut};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};

/// Messages of one link that are being put together at the same time.
const PARTIAL_MESSAGES: usize = 4_096;
/// Append streams of one link, beyond which ended ones are forgotten.
const APPEND_STREAMS: usize = 8_192;
/// Longest time a call from another node may take.
const CALL_MAX: Duration = Duration::from_secs(600);

/// Where incoming frames go; shared by all links.
pub struct Inbox {
    limits: Limits,
    figures: Arc<Figures>,
    liveness: Arc<Liveness>,
    groups: RwLock<BTreeMap<GroupId, Served>>,
    handler: OnceLock<Arc<dyn PeerHandler>>,
}

/// A group that is open here.
#[derive(Clone)]
struct Served {
    raft: Raft,
    /// The end of the log that this node once had of the group and has removed since.
    floor: Option<LogId>,
    /// Snapshots in parts, which are taken one after the other.
    snapshots: mpsc::Sender<Arrived>,
}

impl Inbox {
    /// An inbox without groups and handler: calls are refused until there are.
    pub fn new(limits: Limits, figures: Arc<Figures>, liveness: Arc<Liveness>) -> Inbox {
        Inbox { limits, figures, liveness, groups: RwLock::default(), handler: OnceLock::new() }
    }

    /// From now on the group answers. With a `floor`, it votes for nobody whose log ends before that.
    /// `incoming`: where what comes of a snapshot is kept.
    pub fn serve(&self, group: GroupId, raft: Raft, floor: Option<LogId>, incoming: Incoming<SnapshotMeta>) {
        let (snapshots, queue) = mpsc::channel(QUEUE);
        let receiver = Receiver::new(group, raft.clone(), incoming, Arc::clone(&self.figures));
        tokio::spawn(receiver.run(queue));
        let served = Served { raft, floor, snapshots };
        self.groups.write().unwrap_or_else(PoisonError::into_inner).insert(group, served);
    }

    /// The group is not here any more.
    pub fn forget(&self, group: GroupId) {
        self.groups.write().unwrap_or_else(PoisonError::into_inner).remove(&group);
    }

    /// Sets the handler; false when there is one already.
    pub fn set_handler(&self, handler: Arc<dyn PeerHandler>) -> bool {
        self.handler.set(handler).is_ok()
    }

    /// Tells the handler that a peer came or went.
    pub fn changed(&self, peer: NodeId, connected: bool) {
        if let Some(handler) = self.handler.get() {
            handler.peer_changed(peer, connected);
        }
    }

    fn served(&self) -> RwLockReadGuard<'_, BTreeMap<GroupId, Served>> {
        self.groups.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads one link.
pub struct Reader {
    inbox: Arc<Inbox>,
    link: Arc<Link>,
    partial: BTreeMap<(Kind, u64), BytesMut>,
    appends: BTreeMap<u64, mpsc::Sender<Bytes>>,
    calls: Arc<Semaphore>,
}

impl Reader {
    /// A reader of a fresh link.
    pub fn new(inbox: Arc<Inbox>, link: Arc<Link>) -> Reader {
        let calls = Arc::new(Semaphore::new(inbox.limits.calls_per_peer));
        Reader { inbox, link, partial: BTreeMap::new(), appends: BTreeMap::new(), calls }
    }

    /// Takes one message of frames.
    ///
    /// # Errors
    /// When the peer breaks the protocol; the link must end.
    pub fn message(&mut self, mut message: Bytes) -> Result<(), String> {
        while !message.is_empty() {
            let frame = Frame::read(&mut message).ok_or("broken frame")?;
            if let Some(frame) = self.whole(frame)? {
                self.frame(frame);
            }
        }
        Ok(())
    }

    /// Puts fragments together.
    fn whole(&mut self, mut frame: Frame) -> Result<Option<Frame>, String> {
        let key = (frame.kind, frame.id);
        if frame.kind == Kind::Abort {
            self.partial.remove(&(Kind::Snapshot, frame.id));
            return Ok(None);
        }
        if !frame.more && !self.partial.contains_key(&key) {
            return Ok(Some(frame));
        }
        let limits = &self.inbox.limits;
        let most = if frame.kind == Kind::Snapshot { limits.snapshot_bytes } else { limits.message_bytes };
        if self.partial.len() >= PARTIAL_MESSAGES {
            return Err("too many unfinished messages".into());
        }
        let body = self.partial.entry(key).or_default();
        if body.len() + frame.body.len() > most {
            return Err(format!("a {:?} message above {most} bytes", frame.kind));
        }
        body.extend_from_slice(&frame.body);
        if frame.more {
            return Ok(None);
        }
        frame.body = self.partial.remove(&key).unwrap_or_default().freeze();
        Ok(Some(frame))
    }

    fn frame(&mut self, frame: Frame) {
        let Frame { kind, group, id, body, .. } = frame;
        match kind {
            Kind::Abort => {}
            Kind::Ping => self.inbox.liveness.pinged(self.link.peer(), id, body),
            Kind::Ask => self.inbox.liveness.asked(GroupId(u32::try_from(id).unwrap_or(u32::MAX))),
            Kind::Call => self.call(id, body),
            Kind::Answer => self.link.answered(Kind::Answer, id, Reply::Body(body)),
            Kind::Refused => self.link.answered(Kind::Answer, id, Reply::Refused),
            Kind::Cast => {
                if let Some(handler) = self.inbox.handler.get() {
                    handler.cast(self.link.peer(), body);
                }
            }
            Kind::RaftAnswer => self.link.answered(Kind::RaftAnswer, id, Reply::Body(body)),
            Kind::RaftRefused => self.link.answered(Kind::RaftAnswer, id, Reply::Refused),
            Kind::AppendAnswer => self.link.append_answered(id, body),
            Kind::AppendOver => {
                self.link.close_appends(id);
            }
            Kind::Raft | Kind::Snapshot => self.raft(kind, group, id, body),
            Kind::SnapshotOffer | Kind::SnapshotPart => self.snapshot(kind, group, id, body),
            Kind::Append => self.append(group, id, body),
            Kind::AppendEnd => {
                self.appends.remove(&id);
            }
        }
    }

    fn refuse(&self, kind: Kind, id: u64) {
        let _ = self.link.try_send(Lane::Urgent, kind, id, Bytes::new());
    }

    fn call(&self, id: u64, mut body: Bytes) {
        let permit = Arc::clone(&self.calls).try_acquire_owned();
        let (Some(handler), Ok(permit), true) = (self.inbox.handler.get(), permit, body.len() >= 8) else {
            self.refuse(Kind::Refused, id);
            return;
        };
        let deadline = Duration::from_millis(body.get_u64_le()).min(CALL_MAX);
        let answer = handler.call(self.link.peer(), body);
        let link = Arc::clone(&self.link);
        tokio::spawn(async move {
            let exchange = async {
                let answer = answer.await;
                let _ = link.send(Lane::Normal, Kind::Answer, GroupId::META, id, answer).await;
            };
            tokio::select! {
                biased;
                () = link.closed() => {}
                _ = tokio::time::timeout(deadline, exchange) => {}
            }
            drop(permit);
        });
    }

    fn raft(&self, kind: Kind, group: GroupId, id: u64, body: Bytes) {
        let Some(Served { raft, floor, .. }) = self.inbox.served().get(&group).cloned() else {
            self.refuse(Kind::RaftRefused, id);
            return;
        };
        let link = Arc::clone(&self.link);
        let inbox = Arc::clone(&self.inbox);
        tokio::spawn(async move {
            let refuses = || inbox.liveness.refuses(group, link.peer());
            let answer = match kind {
                Kind::Snapshot => raft_inbound::snapshot(&raft, body).await,
                _ => raft_inbound::request(&raft, &body, floor, refuses).await,
            };
            let _ = match answer {
                Some(answer) => link.send(Lane::Urgent, Kind::RaftAnswer, group, id, answer).await,
                None => link.send(Lane::Urgent, Kind::RaftRefused, group, id, Bytes::new()).await,
            };
        });
    }

    fn snapshot(&self, kind: Kind, group: GroupId, id: u64, body: Bytes) {
        let snapshots = self.inbox.served().get(&group).map(|served| served.snapshots.clone());
        let arrived = Arrived { link: Arc::clone(&self.link), kind, id, body };
        // Without room, too: the sender keeps its window, and goes on from where this node is.
        if snapshots.is_none_or(|snapshots| snapshots.try_send(arrived).is_err()) {
            self.refuse(Kind::RaftRefused, id);
        }
    }

    fn append(&mut self, group: GroupId, id: u64, body: Bytes) {
        if !self.appends.contains_key(&id) {
            // Ended streams stay until the leader says that it knows, so that what it sent before
            // does not start another one.
            if self.appends.len() >= APPEND_STREAMS {
                self.appends.retain(|_, queue| !queue.is_closed());
            }
            let raft = self.inbox.served().get(&group).map(|served| served.raft.clone());
            let Some(raft) = raft else {
                self.refuse(Kind::AppendOver, id);
                return;
            };
            let (queue, requests) = mpsc::channel(raft_inbound::APPEND_WINDOW);
            tokio::spawn(raft_inbound::appends(raft, Arc::clone(&self.link), id, requests));
            self.appends.insert(id, queue);
        }
        let refused = self.appends.get(&id).is_some_and(|queue| queue.try_send(body).is_err());
        if refused {
            // The stream has ended here (a conflict, a higher vote) or its window was not kept.
            // What the leader sent since must not start a new one: it goes on from the answer.
            self.refuse(Kind::AppendOver, id);
        }
    }
}
