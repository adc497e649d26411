//! A desk's stream: hello, welcome, then replies by tag and notices in order.
//!
//! One task per desk. It reads the desk's requests (a bounded number under way), takes what the
//! engine tells the desk, and writes both to a bounded channel that the transport empties. A desk
//! that does not read for [`DESK_SLOW_MAX`] is disconnected; its lease runs on, so that it may come
//! back with its epoch.

use super::desk::list_inbox;
use super::limits::{DEADLINE_DEFAULT, DESK_IN_FLIGHT_MAX, DESK_OUT_MAX, DESK_SLOW_MAX, HELLO_MAX};
use super::reads;
use super::session_hello::read_hello;
use super::session_request::{Asked, read};
use crate::convert::desk::write_accepted;
use crate::convert::mutation::receipt;
use crate::convert::{agent, notice};
use crate::problem::Problem;
use crate::telemetry;
use ::routing::view::DeskView;
use actors::{Engine, Session, SessionHandle, SessionMessage};
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use futures::{Stream, StreamExt};
use proto::v1;
use proto::v1::desk_response::Message;
use proto::v1::reply::Result as Outcome;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};
use tracing::Instrument;

type Written = Result<v1::DeskResponse, Status>;
type InFlight = FuturesUnordered<Pin<Box<dyn Future<Output = Option<v1::Reply>> + Send>>>;

/// The desk is gone or took too long; there is nobody to tell.
struct Gone;

/// Starts a desk's task; what it writes is the stream.
pub(super) fn start(
    engine: Engine,
    inbound: Streaming<v1::DeskRequest>,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Written> + Send + 'static {
    let (out, written) = mpsc::channel(DESK_OUT_MAX);
    tokio::spawn(async move {
        let _permit = permit;
        let out = Out { out, cursor: 0, at_us: 0 };
        if let Err(problem) = Desk::run(engine, inbound, &out).await {
            // A channel that is full belongs to a desk that does not read.
            let _ = out.out.try_send(Err(problem.into()));
        }
    });
    ReceiverStream::new(written)
}

/// Everything the desk must show. Offers are completed with the channel and the customer of their
/// conversations.
pub(super) async fn write_welcome(engine: &Engine, view: &DeskView, deadline: Duration) -> v1::Welcome {
    let offers = view.agent.offers.iter().map(|offer| async move {
        // An offer that is over by now has a notice that says so; it is shown bare until then.
        let found = reads::conversation(engine, offer.conversation, deadline).await.ok();
        let about = found.as_ref().map(|(found, _)| (found.channel, found.customer.as_str()));
        agent::write_offer(offer, about)
    });
    let offers = join_all(offers).await;
    v1::Welcome {
        epoch: view.agent.epoch.0,
        cursor: view.sequence.0,
        now_us: view.now.0,
        agent: Some(v1::Agent { offers, ..agent::write(&view.agent) }),
    }
}

/// The writing half.
struct Out {
    out: mpsc::Sender<Written>,
    cursor: u64,
    at_us: u64,
}

impl Out {
    async fn send(&self, message: Message) -> Result<(), Gone> {
        let response = v1::DeskResponse { cursor: self.cursor, message: Some(message) };
        self.out.send_timeout(Ok(response), DESK_SLOW_MAX).await.map_err(|_| Gone)
    }
}

struct Desk {
    engine: Engine,
    inbound: Streaming<v1::DeskRequest>,
    messages: mpsc::Receiver<SessionMessage>,
    handle: SessionHandle,
    in_flight: InFlight,
    out: Out,
}

impl Desk {
    async fn run(engine: Engine, mut inbound: Streaming<v1::DeskRequest>, out: &Out) -> Result<(), Problem> {
        let hello = match tokio::time::timeout(HELLO_MAX, inbound.message()).await {
            Err(_) => {
                let what = format!("no hello within {} s: send it first", HELLO_MAX.as_secs());
                return Err(Problem::new(Code::DeadlineExceeded, "NO_HELLO", what));
            }
            Ok(Err(_) | Ok(None)) => return Ok(()),
            Ok(Ok(Some(request))) => read_hello(request)?,
        };
        let span = telemetry::stream_span("centralita.v1.AgentDesk/Session");
        let Session { welcome, messages, handle, .. } = engine
            .open_session(hello, DEADLINE_DEFAULT)
            .instrument(span.clone())
            .await
            .map_err(Problem::from)
            .inspect_err(|problem| telemetry::note_problem(&span, problem))?;
        let out = Out { out: out.out.clone(), cursor: 0, at_us: 0 };
        let mut desk = Desk { engine, inbound, messages, handle, in_flight: InFlight::new(), out };
        if desk.welcome(&welcome).await.is_err() || desk.serve().await.is_err() {
            tracing::debug!(agent = %desk.handle.agent(), "the desk is gone; its lease runs on");
        }
        Ok(())
    }

    async fn welcome(&mut self, view: &DeskView) -> Result<(), Gone> {
        let welcome = write_welcome(&self.engine, view, DEADLINE_DEFAULT).await;
        self.out.cursor = welcome.cursor;
        self.out.at_us = welcome.now_us;
        self.out.send(Message::Welcome(welcome)).await
    }

    /// Until the session ends (`Ok`) or the desk is gone.
    async fn serve(&mut self) -> Result<(), Gone> {
        loop {
            let room = self.in_flight.len() < DESK_IN_FLIGHT_MAX;
            tokio::select! {
                message = self.messages.recv() => match message {
                    Some(message) => if self.tell(message).await? { return Ok(()) },
                    None => return Ok(()),
                },
                Some(reply) = self.in_flight.next() => {
                    if let Some(reply) = reply {
                        self.out.send(Message::Reply(reply)).await?;
                    }
                }
                request = self.inbound.message(), if room => match request {
                    Ok(Some(request)) => if self.take(request).await? { return Ok(()) },
                    Ok(None) | Err(_) => return Err(Gone),
                },
            }
        }
    }

    /// Passes on what the engine tells; true when it was the last.
    async fn tell(&mut self, message: SessionMessage) -> Result<bool, Gone> {
        match message {
            SessionMessage::Welcome(view) => self.welcome(&view).await?,
            SessionMessage::Event(event) => {
                self.out.cursor = event.sequence.0;
                self.out.at_us = event.at.0;
                if let Some(notice) = notice::write(&event) {
                    self.out.send(Message::Notice(notice)).await?;
                }
            }
            SessionMessage::InboxChanged => {
                self.out.send(Message::Notice(notice::inbox_changed(self.out.at_us))).await?;
            }
            SessionMessage::Ended(end) => {
                self.out.send(Message::Notice(notice::ended(end, self.out.at_us))).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes a request of the desk; true when it was its last.
    async fn take(&mut self, request: v1::DeskRequest) -> Result<bool, Gone> {
        let tag = request.tag;
        match read(request, self.handle.agent(), self.handle.epoch()) {
            Ok(Asked::Heartbeat) => {
                self.handle.heartbeat();
                self.out.send(Message::HeartbeatAck(v1::HeartbeatAck {})).await?;
            }
            Ok(Asked::Bye) => {
                self.leave(tag).await?;
                return Ok(true);
            }
            Ok(Asked::Inbox { limit }) => {
                self.handle.heartbeat();
                let (engine, agent) = (self.engine.clone(), self.handle.agent());
                self.in_flight.push(Box::pin(async move {
                    let listed = list_inbox(&engine, agent, limit, DEADLINE_DEFAULT).await;
                    reply(tag, listed.map(Outcome::Inbox))
                }));
            }
            Ok(Asked::Command(request)) => {
                let handle = self.handle.clone();
                self.in_flight.push(Box::pin(async move {
                    let span = telemetry::stream_span("centralita.v1.AgentDesk/Session");
                    let done = handle.submit(*request, DEADLINE_DEFAULT).instrument(span.clone()).await;
                    reply(
                        tag,
                        match done {
                            Ok(done) => Ok(match write_accepted(&done) {
                                Some(accepted) => Outcome::Accepted(accepted),
                                None => Outcome::Done(receipt(&done)),
                            }),
                            Err(error) => {
                                let problem = Problem::from(error);
                                telemetry::note_problem(&span, &problem);
                                Err(problem)
                            }
                        },
                    )
                }));
            }
            Err(problem) => {
                self.handle.heartbeat();
                if let Some(reply) = reply(tag, Err(problem)) {
                    self.out.send(Message::Reply(reply)).await?;
                }
            }
        }
        Ok(false)
    }

    /// Leaves on purpose: what is under way is answered first.
    async fn leave(&mut self, tag: u64) -> Result<(), Gone> {
        while let Some(reply) = self.in_flight.next().await {
            if let Some(reply) = reply {
                self.out.send(Message::Reply(reply)).await?;
            }
        }
        let id = self.engine.new_request_id();
        let closed = self.handle.close(id, DEADLINE_DEFAULT).await;
        let result = closed.map(|done| Outcome::Done(receipt(&done))).map_err(Problem::from);
        if let Some(reply) = reply(tag, result) {
            self.out.send(Message::Reply(reply)).await?;
        }
        let last = notice::ended(actors::SessionEnd::Closed, self.out.at_us);
        self.out.send(Message::Notice(last)).await
    }
}

/// A reply, unless none is wanted.
fn reply(tag: u64, result: Result<Outcome, Problem>) -> Option<v1::Reply> {
    if tag == 0 {
        return None;
    }
    let result = result.unwrap_or_else(|problem| Outcome::Failure(problem.failure()));
    Some(v1::Reply { tag, result: Some(result) })
}
