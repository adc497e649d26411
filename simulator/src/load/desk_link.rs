//! The stream between a desk and a node.

use proto::v1;
use proto::v1::agent_desk_client::AgentDeskClient;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Channel;

/// Messages on their way out; a desk that has more waits.
const OUT_MAX: usize = 64;
/// Time to open the stream.
const OPEN: Duration = Duration::from_secs(5);

pub(super) struct Link {
    out: mpsc::Sender<v1::DeskRequest>,
    inbound: Streaming<v1::DeskResponse>,
}

/// Opens a stream and says hello; `None` when there is no way.
pub(super) async fn connect(channel: Channel, hello: v1::Hello) -> Option<Link> {
    let (out, requests) = mpsc::channel(OUT_MAX);
    let first = v1::DeskRequest { tag: 0, message: Some(v1::desk_request::Message::Hello(hello)) };
    out.send(first).await.ok()?;
    let mut client = AgentDeskClient::new(channel);
    let opened = tokio::time::timeout(OPEN, client.session(ReceiverStream::new(requests))).await;
    let inbound = opened.ok()?.inspect_err(|status| tracing::debug!(%status, "no session")).ok()?;
    Some(Link { out, inbound: inbound.into_inner() })
}

impl Link {
    /// Sends, waiting for room.
    pub(super) async fn send(&self, tag: u64, message: v1::desk_request::Message) -> Result<(), ()> {
        self.out.send(v1::DeskRequest { tag, message: Some(message) }).await.map_err(|_| ())
    }

    /// The next message; `None` when the stream is over. Nothing is lost when it is not awaited
    /// to the end.
    pub(super) async fn next(&mut self) -> Option<v1::DeskResponse> {
        match self.inbound.message().await {
            Ok(message) => message,
            Err(status) => {
                tracing::debug!(%status, "session lost");
                None
            }
        }
    }

    /// Reads to the end.
    pub(super) async fn drain(&mut self) {
        while self.next().await.is_some() {}
    }
}
