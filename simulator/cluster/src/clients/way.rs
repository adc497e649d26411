//! A line whose failures are of a type of their own: generated clients over a boxed error make no
//! futures that can be spawned.

use super::Line;
use futures::TryFutureExt;
use futures::future::MapErr;
use std::fmt;
use std::task::{Context, Poll};
use tonic::body::Body;
use tower::Service;

/// What clients call over.
#[derive(Clone)]
pub(super) struct Way(pub(super) Line);

/// Why a line failed.
#[derive(Debug)]
pub(super) struct Failed(Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

type Inner = <Line as Service<http::Request<Body>>>::Future;

impl Service<http::Request<Body>> for Way {
    type Response = http::Response<Body>;
    type Error = Failed;
    type Future = MapErr<Inner, fn(Box<dyn std::error::Error + Send + Sync>) -> Failed>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        self.0.poll_ready(cx).map_err(Failed)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        self.0.call(request).map_err(Failed)
    }
}
