//! The stream between a desk and a node.

use crate::clients::way::Way;
use consensus::NodeId;
use proto::v1;
use proto::v1::agent_desk_client::AgentDeskClient;
use proto::v1::desk_request::Message;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

/// Messages on their way out; a desk that has more gives the stream up.
const OUT_MAX: usize = 256;
/// Time to open a stream.
const OPEN: Duration = Duration::from_secs(3);

pub(super) struct Link {
    pub(super) node: NodeId,
    /// Its number among all streams of the run.
    pub(super) number: u64,
    out: mpsc::Sender<v1::DeskRequest>,
    inbound: Streaming<v1::DeskResponse>,
}

/// The stream is of no use any more.
pub(super) struct Lost;

impl Link {
    /// Opens a stream and says hello; `None` when there is no way.
    pub(super) async fn open(node: NodeId, line: Way, number: u64, hello: v1::Hello) -> Option<Link> {
        let (out, requests) = mpsc::channel(OUT_MAX);
        let first = v1::DeskRequest { tag: 0, message: Some(Message::Hello(hello)) };
        out.send(first).await.ok()?;
        let mut client = AgentDeskClient::new(line);
        let opened = timeout(OPEN, client.session(ReceiverStream::new(requests))).await;
        Some(Link { node, number, out, inbound: opened.ok()?.ok()?.into_inner() })
    }

    pub(super) fn send(&self, tag: u64, message: Message) -> Result<(), Lost> {
        self.out.try_send(v1::DeskRequest { tag, message: Some(message) }).map_err(|_| Lost)
    }

    /// The next message; `None` when the stream is over. Nothing is lost when it is not awaited
    /// to the end.
    pub(super) async fn next(&mut self) -> Option<v1::DeskResponse> {
        self.inbound.message().await.ok().flatten()
    }
}
