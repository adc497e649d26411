//! How clients reach nodes: the node's routes, with the fabric between.

use super::carry::{Ended, carry};
use super::fabric::{Fabric, Ticket, Way};
use crate::clients::{Line, Reach};
use crate::world::Place;
use bytes::Bytes;
use consensus::NodeId;
use futures::{FutureExt, StreamExt, stream};
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyStream, StreamBody};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tonic::body::Body;
use tower::Service;
use tower::util::BoxCloneSyncService;

type Failure = Box<dyn Error + Send + Sync>;

/// Frames that wait to be read.
const WAITING_MAX: usize = 64;
/// A connection over which nothing passes is given up after this long, as HTTP/2's pings do.
const SILENCE: Duration = Duration::from_secs(4);

/// Through the fabric, from one place.
pub(super) struct FabricReach {
    fabric: Arc<Fabric>,
    from: Place,
}

impl FabricReach {
    pub(super) fn new(fabric: Arc<Fabric>, site: u8) -> Self {
        Self { fabric, from: Place::Site(site) }
    }
}

impl Reach for FabricReach {
    fn line(&self, node: NodeId) -> Line {
        let (fabric, from) = (Arc::clone(&self.fabric), self.from);
        BoxCloneSyncService::new(tower::service_fn(move |request| {
            let call = Call { fabric: Arc::clone(&fabric), from, node };
            async move {
                let answer = call.call(request);
                answer.await.map_err(|status| Box::new(status) as Failure)
            }
        }))
    }
}

/// One request.
struct Call {
    fabric: Arc<Fabric>,
    from: Place,
    node: NodeId,
}

impl Call {
    async fn call(self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let timeout = timeout_of(request.headers());
        match timeout {
            Some(timeout) => tokio::time::timeout(timeout, self.exchange(request))
                .await
                .unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer in time"))),
            None => self.exchange(request).await,
        }
    }

    async fn exchange(self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let there = Way { from: self.from, to: Place::Node(self.node) };
        let refused = || Status::unavailable(format!("{} does not listen", there.to));
        let (ticket, mut door) = self.fabric.connect(self.from, self.node).ok_or_else(refused)?;
        self.pass(there, ticket).await?;
        let request = request.map(|body| self.carried(there, ticket, body));
        let answer = door.routes.call(request);
        let response = tokio::select! {
            biased;
            () = self.broken(ticket) => return Err(lost()),
            response = answer => response.unwrap_or_else(|never| match never {}),
        };
        self.pass(there.back(), ticket).await?;
        Ok(response.map(|body| self.carried(there.back(), ticket, body)))
    }

    /// A message passes, or does not in time.
    async fn pass(&self, way: Way, ticket: Ticket) -> Result<(), Status> {
        tokio::time::sleep(self.fabric.latency(way)).await;
        let mut changes = self.fabric.changes();
        let passed = async {
            while !self.fabric.is_open(way) && self.fabric.holds(ticket) {
                let _ = changes.changed().await;
            }
        };
        let in_time = tokio::time::timeout(SILENCE, passed).await.is_ok();
        if in_time && self.fabric.holds(ticket) { Ok(()) } else { Err(lost()) }
    }

    async fn broken(&self, ticket: Ticket) {
        let mut changes = self.fabric.changes();
        while self.fabric.holds(ticket) {
            let _ = changes.changed().await;
        }
    }

    /// A body on its way: what is there already comes with the request or the answer itself, the rest by and by,
    /// and breaks with the connection.
    fn carried(&self, way: Way, ticket: Ticket, body: Body) -> Body {
        let mut frames = BodyStream::new(body);
        let mut ready = Vec::new();
        while ready.len() < WAITING_MAX {
            match frames.next().now_or_never() {
                Some(Some(frame)) => ready.push(frame),
                Some(None) => return Body::new(StreamBody::new(stream::iter(ready))),
                None => break,
            }
        }
        let (sink, arrived) = mpsc::channel::<Result<Frame<Bytes>, Status>>(WAITING_MAX);
        let fabric = Arc::clone(&self.fabric);
        tokio::spawn(async move {
            let frames = frames.map(|frame| frame.map_err(|error| Status::from_error(error.into())));
            let silent = silence(Arc::clone(&fabric), way, ticket);
            let ended = tokio::select! {
                biased;
                () = silent => Ended::Broken,
                ended = carry(fabric, way, ticket, frames, sink.clone()) => ended,
            };
            if ended == Ended::Broken {
                let _ = sink.send(Err(lost())).await;
            }
        });
        Body::new(StreamBody::new(stream::iter(ready).chain(ReceiverStream::new(arrived))))
    }
}

/// Resolves when a way has been cut for so long that pings would have failed.
async fn silence(fabric: Arc<Fabric>, way: Way, ticket: Ticket) {
    let mut changes = fabric.changes();
    loop {
        if fabric.is_open(way) && fabric.is_open(way.back()) {
            let _ = changes.changed().await;
            continue;
        }
        let mended = async {
            while fabric.holds(ticket) && !(fabric.is_open(way) && fabric.is_open(way.back())) {
                let _ = changes.changed().await;
            }
        };
        if tokio::time::timeout(SILENCE, mended).await.is_err() {
            return;
        }
        if !fabric.holds(ticket) {
            // Whoever carries notices at once.
            std::future::pending::<()>().await;
        }
    }
}

fn lost() -> Status {
    Status::unavailable("the connection is lost")
}

/// The deadline that a request names, in gRPC's notation: digits and a unit.
fn timeout_of(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at(text.len().checked_sub(1)?);
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount.saturating_mul(3_600)),
        "M" => Duration::from_secs(amount.saturating_mul(60)),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}
