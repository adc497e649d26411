//! All links of a node: who is connected, dialling, accepting, reading.

use super::codec::{FrameCodec, METHOD};
use super::dial::SharedDial;
use super::frame::{FRAGMENT_BYTES, Frame};
use super::hello::{Hello, check_level, read_about, write_about};
use super::inbox::{Inbox, Reader};
use super::link::{Link, Outgoing};
use super::liveness::Liveness;
use super::peers::Peers;
use crate::api::{NodeId, PeerHandler};
use crate::config::{About, Config, NODES_MAX};
use crate::env::SharedEntropy;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Endpoint, Uri};
use tonic::{Request, Response, Status, Streaming};

/// How often the connection itself is probed, below the pings of [`Liveness`].
const PROBE: Duration = Duration::from_millis(500);
/// A link on which nothing came for this long is lost.
const SILENCE: Duration = Duration::from_millis(2_500);
/// Time for a connection and the exchange of introductions.
pub(super) const CONNECT: Duration = Duration::from_millis(1_500);
/// First pause between attempts to connect, in milliseconds; doubles, with jitter.
const BACKOFF_MIN_MS: u64 = 20;
/// Longest pause between attempts to connect, in milliseconds.
const BACKOFF_MAX_MS: u64 = 400;
/// A member with a higher id dials one with a lower id, which should dial it, after this long
/// without a link: the lower one may be so far behind that it does not know the other yet.
const RELUCTANCE: Duration = Duration::from_secs(3);
/// Peers that a node keeps a place for: members, and those that its log does not name yet.
const PEERS_MAX: usize = 4 * NODES_MAX;
/// How a node that was removed is told so.
const REMOVED: &str = "was removed from the cluster";
/// Frames are packed into messages of about this many bytes.
const MESSAGE_BYTES: usize = 2 * FRAGMENT_BYTES;
/// HTTP/2 flow control of the stream and the connection.
const WINDOW_BYTES: u32 = 8 << 20;

/// What the accepting side answers with.
pub type Frames = BoxStream<'static, Result<Vec<Frame>, Status>>;

/// Messages of frames from a peer; an error ends the link.
pub(super) type Incoming = BoxStream<'static, Result<Bytes, String>>;

/// All links of a node.
pub struct Hub {
    config: Config,
    pub(crate) peers: Peers,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) liveness: Arc<Liveness>,
    dial: SharedDial,
    entropy: SharedEntropy,
    /// Held while a slot changes and the handler is told, so that it is told in order.
    changing: Mutex<()>,
    members: Mutex<Members>,
    /// The feature level that the cluster runs at, as far as this node has heard.
    level: AtomicU32,
    /// What another node said when it refused this one as removed.
    dismissed: watch::Sender<Option<String>>,
    /// Whether it has had a link with another node since it was started.
    met: AtomicBool,
    stop: CancellationToken,
}

/// Who is dialled, and who must not come back.
#[derive(Default)]
struct Members {
    dialled: BTreeMap<NodeId, Dialled>,
    removed: BTreeSet<NodeId>,
}

/// A member that this node keeps a link with.
struct Dialled {
    address: String,
    stop: CancellationToken,
}

impl Hub {
    /// A hub without links.
    pub fn new(
        config: &Config,
        dial: SharedDial,
        entropy: SharedEntropy,
        stop: CancellationToken,
    ) -> Arc<Hub> {
        let peers = Peers::new();
        let liveness = Liveness::new(config, peers.clone());
        Arc::new(Hub {
            config: config.clone(),
            peers,
            inbox: Arc::new(Inbox::new(config.limits, Arc::clone(&config.figures), Arc::clone(&liveness))),
            liveness,
            dial,
            entropy,
            changing: Mutex::new(()),
            members: Mutex::default(),
            level: AtomicU32::new(0),
            dismissed: watch::Sender::new(None),
            met: AtomicBool::new(false),
            stop,
        })
    }

    /// Starts telling peers that this node lives, and hearing it of them.
    pub fn start(&self) {
        tokio::spawn(Arc::clone(&self.liveness).run(self.stop.clone()));
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps links with these members from now on, and with no others that were members before.
    pub fn set_members(self: &Arc<Self>, wanted: &BTreeMap<NodeId, String>) {
        let mut members = self.members();
        let stays = |id: &NodeId, dialled: &Dialled| wanted.get(id) == Some(&dialled.address);
        let gone: Vec<NodeId> =
            members.dialled.iter().filter(|(id, dialled)| !stays(id, dialled)).map(|(id, _)| *id).collect();
        for id in gone {
            if let Some(dialled) = members.dialled.remove(&id) {
                dialled.stop.cancel();
            }
            if !wanted.contains_key(&id) {
                self.drop_peer(id);
            }
        }
        for (&id, address) in wanted {
            if id == self.config.node || members.dialled.contains_key(&id) || members.removed.contains(&id) {
                continue;
            }
            self.peers.add(id);
            let dialled = Dialled { address: address.clone(), stop: self.stop.child_token() };
            let stop = dialled.stop.clone();
            let (hub, address) = (Arc::clone(self), address.clone());
            tokio::spawn(async move { stop.run_until_cancelled(hub.keep_connected(id, address)).await });
            members.dialled.insert(id, dialled);
        }
    }

    /// These are members no more and never again: they are refused, and told why.
    pub fn set_removed(&self, removed: BTreeSet<NodeId>) {
        let mut members = self.members();
        let fresh: Vec<NodeId> = removed.difference(&members.removed).copied().collect();
        for id in fresh {
            if let Some(dialled) = members.dialled.remove(&id) {
                dialled.stop.cancel();
            }
            self.drop_peer(id);
        }
        members.removed = removed;
    }

    /// Ends the link with a node and forgets it.
    fn drop_peer(&self, peer: NodeId) {
        let _order = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(slot) = self.peers.forget(peer) else { return };
        if let Some(link) = slot.send_replace(None) {
            link.close();
            self.liveness.went(peer);
            self.inbox.changed(peer, false);
        }
    }

    /// The cluster runs at this feature level: nodes that do not know it are refused from now on.
    pub fn set_level(&self, level: u32) {
        self.level.fetch_max(level, Ordering::Relaxed);
    }

    /// What this node says of itself.
    pub(super) fn about(&self) -> &About {
        &self.config.about
    }

    /// A node says this of itself.
    ///
    /// # Errors
    /// When it does not know the cluster's level.
    pub(super) fn hear(&self, peer: NodeId, about: About) -> Result<(), String> {
        check_level(peer, about.level, self.level.load(Ordering::Relaxed))?;
        self.peers.set_about(peer, about);
        Ok(())
    }

    /// Becomes `Some` when another node refuses this one because it was removed.
    pub fn dismissed(&self) -> watch::Receiver<Option<String>> {
        self.dismissed.subscribe()
    }

    /// Whether another node refuses this one as removed that was a member when this one was started: it has
    /// left, and is not an old folder that comes back.
    pub fn has_left(&self) -> bool {
        self.met.load(Ordering::Relaxed) && self.dismissed.borrow().is_some()
    }

    /// Sets who answers calls, once, and tells it who is connected; false when there is one.
    pub fn set_handler(&self, handler: Arc<dyn PeerHandler>) -> bool {
        let _order = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let set = self.inbox.set_handler(handler);
        if set {
            for peer in self.peers.all_connected() {
                self.inbox.changed(peer, true);
            }
        }
        set
    }

    /// Ends all links and dialling.
    pub fn stop(&self) {
        self.stop.cancel();
        self.peers.close_all();
    }

    pub(super) fn hello(&self, to: NodeId) -> Hello {
        Hello {
            protocol: super::hello::PROTOCOL,
            cluster: self.config.cluster_id.clone(),
            node: self.config.node,
            to,
            shards: self.config.shards,
            speed: self.config.speed,
        }
    }

    async fn keep_connected(self: &Arc<Self>, peer: NodeId, address: String) {
        let mut pause_ms = BACKOFF_MIN_MS;
        let mut told = String::new();
        let mut link = self.peers.add(peer).subscribe();
        loop {
            // The other one may have dialled.
            if link.wait_for(Option::is_none).await.is_err() {
                return;
            }
            if peer < self.config.node {
                let came = tokio::time::timeout(RELUCTANCE, link.wait_for(Option::is_some)).await;
                if matches!(came, Ok(Ok(_))) {
                    continue;
                }
            }
            match tokio::time::timeout(CONNECT, self.connect(peer, &address)).await {
                Ok(Ok((link, incoming))) => {
                    pause_ms = BACKOFF_MIN_MS;
                    told.clear();
                    self.serve(link, incoming).await;
                }
                Ok(Err(text)) if text == told => {}
                Ok(Err(text)) if text.contains(REMOVED) => {
                    self.dismissed.send_replace(Some(text));
                    return;
                }
                Ok(Err(text)) => {
                    tracing::warn!(%peer, address, "not connected: {text}");
                    told = text;
                }
                Err(_) => tracing::debug!(%peer, address, "not connected: no answer within {CONNECT:?}"),
            }
            let jitter_ms = self.entropy.next_u64() % pause_ms;
            tokio::time::sleep(Duration::from_millis(pause_ms / 2 + jitter_ms)).await;
            pause_ms = (pause_ms * 2).min(BACKOFF_MAX_MS);
        }
    }

    async fn connect(&self, peer: NodeId, address: &str) -> Result<(Arc<Link>, Incoming), String> {
        if let Some(pipe) = self.dial.pipe(address.to_owned()) {
            let pipe = pipe.await.map_err(|error| error.to_string())?;
            return self.connect_pipe(peer, pipe).await;
        }
        let endpoint = Endpoint::from_shared(format!("http://{address}"))
            .map_err(|error| format!("address '{address}': {error}"))?
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES)
            .http2_keep_alive_interval(PROBE)
            .keep_alive_timeout(SILENCE)
            .keep_alive_while_idle(true);
        let dial = Arc::clone(&self.dial);
        let target = address.to_owned();
        let connector = tower::service_fn(move |_: Uri| {
            let wire = dial.dial(target.clone());
            async move { wire.await.map(hyper_util::rt::TokioIo::new) }
        });
        let channel = endpoint.connect_with_connector(connector).await.map_err(|error| with_cause(&error))?;
        let mut grpc = tonic::client::Grpc::new(channel);
        grpc.ready().await.map_err(|error| with_cause(&error))?;
        let (link, outgoing) = Link::new(peer);
        let mut request = Request::new(messages(Arc::clone(&link), outgoing));
        self.hello(peer).write(request.metadata_mut());
        write_about(self.about(), request.metadata_mut());
        let path = PathAndQuery::from_static(METHOD);
        let answer = grpc.streaming(request, path, FrameCodec).await;
        let answer = answer.map_err(|status| status.message().to_owned())?;
        let theirs = Hello::read(answer.metadata()).map_err(|status| status.message().to_owned())?;
        self.hello(peer).check(&theirs)?;
        self.hear(peer, read_about(answer.metadata()))?;
        Ok((link, incoming(answer.into_inner())))
    }

    /// Whether a node that dialled, and says this of itself, may have a link with this one; the
    /// introduction to answer with.
    ///
    /// # Errors
    /// Strangers are refused with what is wrong.
    pub(super) fn admit(&self, theirs: &Hello, about: About) -> Result<Hello, Status> {
        if self.stop.is_cancelled() {
            return Err(Status::unavailable("the node stops"));
        }
        let mine = self.hello(theirs.node);
        mine.check(theirs).map_err(Status::failed_precondition)?;
        if self.members().removed.contains(&theirs.node) {
            return Err(Status::failed_precondition(format!(
                "{} {REMOVED}: stop it; to use the machine again, start it with an empty folder and --join",
                theirs.node
            )));
        }
        // A node of this cluster that the own log does not name yet: it may be far behind.
        if self.peers.slot(theirs.node).is_none() && self.peers.len() >= PEERS_MAX {
            return Err(Status::resource_exhausted(format!(
                "{} keeps links with too many",
                self.config.node
            )));
        }
        self.hear(theirs.node, about).map_err(Status::failed_precondition)?;
        self.peers.add(theirs.node);
        Ok(mine)
    }

    /// The accepting side of a stream.
    ///
    /// # Errors
    /// Strangers are refused with what is wrong.
    pub fn accept(self: &Arc<Self>, request: Request<Streaming<Bytes>>) -> Result<Response<Frames>, Status> {
        let theirs = Hello::read(request.metadata())?;
        let mine = self.admit(&theirs, read_about(request.metadata()))?;
        let (link, outgoing) = Link::new(theirs.node);
        let hub = Arc::clone(self);
        let incoming = incoming(request.into_inner());
        let served = Arc::clone(&link);
        tokio::spawn(async move { hub.serve(served, incoming).await });
        let stream = messages(link, outgoing).map(Ok).boxed();
        let mut response = Response::new(stream);
        mine.write(response.metadata_mut());
        write_about(self.about(), response.metadata_mut());
        Ok(response)
    }

    /// Reads a link until it ends.
    pub(super) async fn serve(self: &Arc<Self>, link: Arc<Link>, mut incoming: Incoming) {
        let peer = link.peer();
        self.install(&link);
        tracing::info!(%peer, "connected");
        let mut reader = Reader::new(Arc::clone(&self.inbox), Arc::clone(&link));
        let mut last_heard = tokio::time::Instant::now();
        let why = loop {
            let silent = tokio::time::sleep_until(last_heard + SILENCE);
            tokio::select! {
                biased;
                () = link.closed() => break "replaced or stopped".to_owned(),
                message = incoming.next() => match message {
                    Some(Ok(message)) => {
                        last_heard = tokio::time::Instant::now();
                        if let Err(text) = reader.message(message) {
                            break text;
                        }
                    }
                    None => break "closed by the peer".to_owned(),
                    Some(Err(text)) => break text,
                },
                () = silent => break format!("nothing heard for {SILENCE:?}"),
            }
        };
        self.remove(&link);
        tracing::info!(%peer, "connection lost: {why}");
    }

    /// Makes a link the present one, ending the one before.
    fn install(&self, link: &Arc<Link>) {
        let _order = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(slot) = self.peers.slot(link.peer()) else {
            link.close();
            return;
        };
        if let Some(old) = slot.send_replace(None) {
            old.close();
            self.inbox.changed(link.peer(), false);
        }
        if self.stop.is_cancelled() {
            link.close();
            return;
        }
        self.met.store(true, Ordering::Relaxed);
        slot.send_replace(Some(Arc::clone(link)));
        self.liveness.came(link.peer());
        self.inbox.changed(link.peer(), true);
    }

    fn remove(&self, link: &Arc<Link>) {
        let _order = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        link.close();
        let Some(slot) = self.peers.slot(link.peer()) else { return };
        let present = slot.borrow().as_ref().is_some_and(|present| Arc::ptr_eq(present, link));
        if present {
            slot.send_replace(None);
            self.liveness.went(link.peer());
            self.inbox.changed(link.peer(), false);
        }
    }
}

/// What a peer sends over gRPC.
fn incoming(stream: Streaming<Bytes>) -> Incoming {
    stream.map(|message| message.map_err(|status| status.message().to_owned())).boxed()
}

/// What a link sends: frames that wait at the same time share a message.
pub(super) fn messages(link: Arc<Link>, outgoing: Outgoing) -> BoxStream<'static, Vec<Frame>> {
    futures::stream::unfold((link, outgoing), |(link, mut outgoing)| async move {
        let first = tokio::select! {
            biased;
            () = link.closed() => return None,
            frame = outgoing.next() => frame?,
        };
        let mut bytes = first.wire_bytes();
        let mut frames = vec![first];
        while bytes < MESSAGE_BYTES
            && let Some(frame) = outgoing.ready()
        {
            bytes += frame.wire_bytes();
            frames.push(frame);
        }
        Some((frames, (link, outgoing)))
    })
    .boxed()
}

/// tonic's errors say little without their causes.
fn with_cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
