//! A connection within the process, for simulations: the same introductions, checks, messages and
//! time-outs as over gRPC, without sockets and HTTP/2.

use super::frame::Frame;
use super::hello::Hello;
use super::hub::{CONNECT, Hub, Incoming, messages};
use super::link::{Link, Outgoing};
use crate::api::NodeId;
use crate::config::About;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use std::sync::Arc;
use tokio::sync::mpsc;

/// One end of a connection within the process: messages of bytes, in order, both ways. Dropping an
/// end, or either half of it, closes the connection.
///
/// The first message each way is an introduction; what is in the messages is the nodes' own matter.
/// A message has up to half a mebibyte.
#[derive(Debug)]
pub struct Pipe {
    /// What this end sends.
    pub outgoing: mpsc::Sender<Bytes>,
    /// What the other end sent.
    pub incoming: mpsc::Receiver<Bytes>,
}

impl Pipe {
    /// Two ends that are connected without anything between; up to `messages`, at least 1, wait
    /// each way.
    #[must_use]
    pub fn pair(messages: usize) -> (Pipe, Pipe) {
        let (there, from_here) = mpsc::channel(messages);
        let (back, from_there) = mpsc::channel(messages);
        (Pipe { outgoing: there, incoming: from_there }, Pipe { outgoing: back, incoming: from_here })
    }

    async fn send<T: serde::Serialize>(&self, message: &T) -> Result<(), String> {
        let message = Bytes::from(proto::codec::encode(message));
        self.outgoing.send(message).await.map_err(|_| CLOSED.to_owned())
    }

    async fn receive<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, String> {
        let message = self.incoming.recv().await.ok_or(CLOSED)?;
        proto::codec::decode(&message).map_err(|error| format!("introduction: {error}"))
    }
}

const CLOSED: &str = "the pipe was closed";

/// What a side introduces itself with, and what it says of itself.
type Introduction = (Hello, About);

/// The accepting side's, or why it does not.
type Answer = Result<Introduction, String>;

impl Hub {
    /// The dialling side of a pipe. The caller sets the deadline.
    pub(super) async fn connect_pipe(
        &self,
        peer: NodeId,
        mut pipe: Pipe,
    ) -> Result<(Arc<Link>, Incoming), String> {
        let mine = self.hello(peer);
        pipe.send(&(&mine, self.about())).await?;
        let (theirs, about) = pipe.receive::<Answer>().await??;
        mine.check(&theirs)?;
        self.hear(peer, about)?;
        Ok(open(peer, pipe))
    }

    /// The accepting side of a pipe.
    ///
    /// # Errors
    /// Strangers are refused with what is wrong, which they are told too.
    pub(super) async fn accept_pipe(self: &Arc<Self>, mut pipe: Pipe) -> Result<NodeId, String> {
        let introduced = tokio::time::timeout(CONNECT, async {
            let (theirs, about) = pipe.receive::<Introduction>().await?;
            let admitted = self.admit(&theirs, about).map(|mine| (mine, self.about().clone()));
            let answer: Answer = admitted.map_err(|status| status.message().to_owned());
            pipe.send(&answer).await?;
            answer.map(|_| theirs.node)
        });
        let peer = introduced.await.map_err(|_| format!("no introduction within {CONNECT:?}"))??;
        let (link, incoming) = open(peer, pipe);
        let hub = Arc::clone(self);
        tokio::spawn(async move { hub.serve(link, incoming).await });
        Ok(peer)
    }
}

/// A link over a pipe on which the introductions are through.
fn open(peer: NodeId, pipe: Pipe) -> (Arc<Link>, Incoming) {
    let Pipe { outgoing, incoming } = pipe;
    let (link, queues) = Link::new(peer);
    tokio::spawn(pump(Arc::clone(&link), queues, outgoing));
    let incoming = futures::stream::unfold(incoming, |mut incoming| async move {
        let message = incoming.recv().await?;
        Some((Ok(message), incoming))
    });
    (link, incoming.boxed())
}

/// Sends what a link has until either is gone.
async fn pump(link: Arc<Link>, queues: Outgoing, pipe: mpsc::Sender<Bytes>) {
    let mut messages = messages(Arc::clone(&link), queues);
    while let Some(frames) = messages.next().await {
        let mut message = BytesMut::with_capacity(frames.iter().map(Frame::wire_bytes).sum());
        for frame in &frames {
            frame.write(&mut message);
        }
        tokio::select! {
            biased;
            () = link.closed() => return,
            sent = pipe.send(message.freeze()) => if sent.is_err() {
                link.close();
                return;
            },
        }
    }
}
