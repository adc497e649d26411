//! The heavy path: many commands on one stream, answered as they are done.

use super::call::{execute, unexpected};
use super::limits::{DEADLINE_DEFAULT, SUBMIT_IN_FLIGHT_MAX};
use super::routing::{read_abandon, read_close, read_end_contact, read_start, read_wake};
use crate::convert::conversation::write_started;
use crate::convert::mutation::receipt;
use crate::problem::Problem;
use crate::telemetry;
use actors::Engine;
use futures::stream::FuturesUnordered;
use futures::{Stream, StreamExt, stream};
use proto::v1;
use proto::v1::submit_request::Command;
use proto::v1::submit_response::Result as Outcome;
use std::future::Future;
use std::pin::Pin;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, Streaming};
use tracing::Instrument;

type InFlight = FuturesUnordered<Pin<Box<dyn Future<Output = v1::SubmitResponse> + Send>>>;

struct Submit {
    engine: Engine,
    /// `None` once the client has sent its last command.
    inbound: Option<Streaming<v1::SubmitRequest>>,
    in_flight: InFlight,
    stopping: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

/// Runs a stream. Nothing is read while [`SUBMIT_IN_FLIGHT_MAX`] commands are under way, and
/// nothing is done while the client does not take its answers.
pub(super) fn run(
    engine: Engine,
    inbound: Streaming<v1::SubmitRequest>,
    stopping: CancellationToken,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<v1::SubmitResponse, Status>> + Send + 'static {
    let submit =
        Submit { engine, inbound: Some(inbound), in_flight: InFlight::new(), stopping, _permit: permit };
    stream::unfold(Some(submit), |submit| async {
        let mut submit = submit?;
        match submit.next().await? {
            Ok(response) => Some((Ok(response), Some(submit))),
            Err(status) => Some((Err(status), None)),
        }
    })
}

impl Submit {
    async fn next(&mut self) -> Option<Result<v1::SubmitResponse, Status>> {
        loop {
            let Some(inbound) = &mut self.inbound else {
                return self.in_flight.next().await.map(Ok);
            };
            let room = self.in_flight.len() < SUBMIT_IN_FLIGHT_MAX;
            tokio::select! {
                // What is done goes out before more is taken in.
                biased;
                Some(response) = self.in_flight.next() => return Some(Ok(response)),
                () = self.stopping.cancelled() => {
                    self.inbound = None;
                    if self.in_flight.is_empty() {
                        return Some(Err(stopping().into()));
                    }
                }
                message = inbound.message(), if room => match message {
                    Ok(Some(request)) => {
                        let engine = self.engine.clone();
                        self.in_flight.push(Box::pin(answer(engine, request)));
                    }
                    Ok(None) => self.inbound = None,
                    // The client is gone or sent what is no message; what is under way is done all
                    // the same, its answers are in the table of request ids.
                    Err(status) => return Some(Err(status)),
                },
            }
        }
    }
}

fn stopping() -> Problem {
    Problem::new(Code::Unavailable, "STOPPING", "this node is stopping: go on at another one")
}

async fn answer(engine: Engine, request: v1::SubmitRequest) -> v1::SubmitResponse {
    let span = telemetry::stream_span("centralita.v1.Routing/Submit");
    let outcome = carry_out(&engine, request.command).instrument(span.clone()).await;
    let result = outcome.unwrap_or_else(|problem| {
        telemetry::note_problem(&span, &problem);
        Outcome::Failure(problem.failure())
    });
    v1::SubmitResponse { tag: request.tag, result: Some(result) }
}

async fn carry_out(engine: &Engine, command: Option<Command>) -> Result<Outcome, Problem> {
    let request = match command {
        None => {
            let what = "is required: one of start, abandon, end_contact, close or wake";
            return Err(Problem::field("command", what));
        }
        Some(Command::Start(start)) => {
            let done = execute(engine, read_start(start)?, DEADLINE_DEFAULT).await?;
            return write_started(&done).map(Outcome::Started).ok_or_else(|| unexpected("an arrival"));
        }
        Some(Command::Abandon(abandon)) => read_abandon(abandon)?,
        Some(Command::EndContact(end)) => read_end_contact(end)?,
        Some(Command::Close(close)) => read_close(close)?,
        Some(Command::Wake(wake)) => read_wake(wake)?,
    };
    Ok(Outcome::Done(receipt(&execute(engine, request, DEADLINE_DEFAULT).await?)))
}
