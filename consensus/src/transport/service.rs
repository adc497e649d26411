//! The accepting side, as a tonic service for the node's server.

use super::codec::{FrameCodec, METHOD, SERVICE};
use super::frame::Frame;
use super::hub::Hub;
use super::pipe::Pipe;
use crate::api::NodeId;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use tonic::codegen::{Body, Service, StdError, http};
use tonic::server::{Grpc, NamedService, StreamingService};
use tonic::{Request, Response, Status, Streaming};

/// Accepts the streams of peers: add it to the node's tonic server.
#[derive(Clone)]
pub struct PeerService {
    hub: Arc<Hub>,
}

impl PeerService {
    pub(crate) fn new(hub: Arc<Hub>) -> PeerService {
        PeerService { hub }
    }

    /// Accepts a peer's connection within the process: see [`Dial::pipe`](crate::Dial::pipe). The
    /// same checks and time-outs as over gRPC; returns who it is when the introductions are
    /// through, which takes a second and a half at most. From then on the link lives on tasks of
    /// the present runtime.
    ///
    /// # Errors
    /// Strangers are refused with what is wrong, which they are told too.
    pub async fn accept_pipe(&self, pipe: Pipe) -> Result<NodeId, String> {
        self.hub.accept_pipe(pipe).await
    }
}

impl NamedService for PeerService {
    const NAME: &'static str = SERVICE;
}

impl<B> Service<http::Request<B>> for PeerService
where
    B: Body + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let hub = Arc::clone(&self.hub);
        Box::pin(async move {
            if request.uri().path() == METHOD {
                Ok(Grpc::new(FrameCodec).streaming(Accept { hub }, request).await)
            } else {
                Ok(Status::unimplemented("no such method").into_http())
            }
        })
    }
}

struct Accept {
    hub: Arc<Hub>,
}

impl StreamingService<Bytes> for Accept {
    type Response = Vec<Frame>;
    type ResponseStream = BoxStream<'static, Result<Vec<Frame>, Status>>;
    type Future = BoxFuture<'static, Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let hub = Arc::clone(&self.hub);
        Box::pin(async move { hub.accept(request) })
    }
}
