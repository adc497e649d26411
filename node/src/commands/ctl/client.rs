//! The connection to a node, and calls that are tried again where that can help.

use crate::failure::{Failure, Kind};
use proto::v1;
use std::future::Future;
use std::time::Duration;
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Response, Status};
use tonic_types::StatusExt;

const CONNECT_MAX: Duration = Duration::from_secs(3);
/// How long a call is tried again before its last answer counts.
const TRY_FOR: Duration = Duration::from_secs(10);

/// A connected client.
pub(super) struct Client {
    /// To make services' clients of.
    pub(super) channel: Channel,
}

impl Client {
    /// Connects to the first target that answers.
    pub(super) async fn connect(targets: &str) -> Result<Self, Failure> {
        let mut tried = Vec::new();
        for target in targets.split(',').map(str::trim) {
            match connect(target).await {
                Ok(channel) => return Ok(Self { channel }),
                Err(error) => tried.push(format!("{target}: {error}")),
            }
        }
        Err(Failure::new(Kind::Unreachable, format!("no node answers ({})", tried.join("; ")))
            .remedy("start one with `centralita serve`, or name a running one with --target HOST:PORT"))
    }

    /// Calls until it is done, refused for good, or time is over. The request is made once, so its
    /// request id stays the same.
    pub(super) async fn call<T, W>(&self, call: impl Fn() -> W) -> Result<T, Failure>
    where
        W: Future<Output = Result<Response<T>, Status>>,
    {
        let until = Instant::now() + TRY_FOR;
        loop {
            let status = match call().await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) => status,
            };
            match again_after(&status) {
                Some(after) if Instant::now() + after < until => tokio::time::sleep(after).await,
                _ => return Err(refused(&status)),
            }
        }
    }
}

async fn connect(target: &str) -> Result<Channel, String> {
    let url = if target.contains("://") { target.to_owned() } else { format!("http://{target}") };
    let endpoint = Endpoint::from_shared(url).map_err(|_| "is not HOST:PORT".to_owned())?;
    endpoint.connect_timeout(CONNECT_MAX).connect().await.map_err(|error| {
        // The chain ends in what the operating system said.
        let mut cause: &dyn std::error::Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        cause.to_string()
    })
}

fn again_after(status: &Status) -> Option<Duration> {
    match status.code() {
        Code::Unavailable | Code::ResourceExhausted => {
            let delay = status.get_details_retry_info()?.retry_delay?;
            Some(delay.max(Duration::from_millis(20)))
        }
        _ => None,
    }
}

/// A status as a failure of the command.
pub(super) fn refused(status: &Status) -> Failure {
    let reason = status.get_details_error_info().map(|info| info.reason);
    let reason = reason.unwrap_or_else(|| format!("{:?}", status.code()));
    let kind = match status.code() {
        Code::Unavailable | Code::DeadlineExceeded => Kind::Unreachable,
        _ => Kind::Refused,
    };
    Failure::new(kind, format!("{reason}: {}", status.message()))
}

/// A mutation with a request id of its own.
pub(super) fn mutation() -> Option<v1::Mutation> {
    Some(v1::Mutation { request_id: uuid::Uuid::now_v7().to_string(), expected_version: None })
}
