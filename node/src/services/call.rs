//! What every service shares: the engine, the bounds, and how a unary call runs.

use super::deadline;
use super::limits::{
    CALLS_MAX, DEADLINE_DEFAULT, EXPORTS_MAX, PICTURES_MAX, SESSIONS_MAX, SUBMITS_MAX, WATCHES_MAX,
};
use crate::problem::Problem;
use crate::telemetry;
use ::routing::entry::Request as CoreRequest;
use ::routing::{DomainId, Done};
use actors::{Engine, WatchError};
use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Code, Request, Response, Status};
use tracing::Instrument;

/// Time beyond a call's deadline in which the engine may still say what became of it.
const LAST_WORD: Duration = Duration::from_millis(100);
/// Time for a node to hear what others know.
const NEWS_AFTER: Duration = Duration::from_millis(50);

/// Where an answer says who leads the shard of the domain it is about: `HOST:PORT`.
const LEADER: &str = "centralita-leader";

tokio::task_local! {
    /// The domain that the unary call under way is about.
    static ABOUT: Cell<Option<DomainId>>;
}

/// What every service shares. Cheap to clone.
#[derive(Clone)]
pub struct Shared {
    pub(super) engine: Engine,
    pub(super) sessions: Arc<Semaphore>,
    pub(super) submits: Arc<Semaphore>,
    pub(super) watches: Arc<Semaphore>,
    pub(super) exports: Arc<Semaphore>,
    pub(super) pictures: Arc<Semaphore>,
    pub(super) stopping: CancellationToken,
    pub(super) allow_fault_injection: bool,
    calls: Arc<Semaphore>,
}

impl Shared {
    /// Over this engine; `stopping` ends streams that the engine does not end by itself.
    #[must_use]
    pub fn new(engine: Engine, stopping: CancellationToken, allow_fault_injection: bool) -> Self {
        Self {
            engine,
            sessions: Arc::new(Semaphore::new(SESSIONS_MAX)),
            submits: Arc::new(Semaphore::new(SUBMITS_MAX)),
            watches: Arc::new(Semaphore::new(WATCHES_MAX)),
            exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
            pictures: Arc::new(Semaphore::new(PICTURES_MAX)),
            stopping,
            allow_fault_injection,
            calls: Arc::new(Semaphore::new(CALLS_MAX)),
        }
    }

    /// The service by which peers reach this node.
    pub(crate) fn transport_service(&self) -> consensus::PeerService {
        self.engine.transport_service()
    }

    /// Runs a unary call within its bounds: a permit, a deadline, a span.
    pub(super) async fn unary<R, T, F, W>(
        &self,
        method: &'static str,
        request: Request<R>,
        work: F,
    ) -> Result<Response<T>, Status>
    where
        F: FnOnce(Engine, R, Duration) -> W,
        W: Future<Output = Result<T, Problem>>,
    {
        let _permit = permit(&self.calls, "calls under way", CALLS_MAX)?;
        let deadline = deadline::of(request.metadata());
        let span = telemetry::rpc_span(method, request.metadata());
        let work = work(self.engine.clone(), request.into_inner(), deadline);
        let work = tokio::time::timeout(deadline + LAST_WORD, work.instrument(span.clone()));
        let (done, domain) =
            ABOUT.scope(Cell::new(None), async { (work.await, ABOUT.with(Cell::get)) }).await;
        match done {
            Ok(Ok(answer)) => {
                let mut response = Response::new(answer);
                if let Some(leader) = domain.and_then(|domain| self.leader_of(domain)) {
                    response.metadata_mut().insert(LEADER, leader);
                }
                Ok(response)
            }
            Ok(Err(problem)) => {
                telemetry::note_problem(&span, &problem);
                Err(problem.into())
            }
            Err(_) => {
                let problem = out_of_time(deadline);
                telemetry::note_problem(&span, &problem);
                Err(problem.into())
            }
        }
    }
}

impl Shared {
    /// The address of whoever leads a domain's shard, for clients that would rather go there at once.
    fn leader_of(&self, domain: DomainId) -> Option<MetadataValue<Ascii>> {
        self.engine.leader_of(domain)?.parse().ok()
    }
}

/// Notes which domain the unary call under way is about.
pub(super) fn about(domain: DomainId) {
    // Streams answer elsewhere and name no leader.
    let _ = ABOUT.try_with(|about| about.set(Some(domain)));
}

fn out_of_time(deadline: Duration) -> Problem {
    let message = format!(
        "no answer within {} ms: the outcome is unknown; try again with the same request id",
        deadline.as_millis()
    );
    Problem::new(Code::DeadlineExceeded, "OUTCOME_UNKNOWN", message)
}

/// Takes a permit, or refuses with a time to try again.
pub(super) fn permit(of: &Arc<Semaphore>, what: &str, limit: usize) -> Result<OwnedSemaphorePermit, Problem> {
    Arc::clone(of).try_acquire_owned().map_err(|_| {
        let message = format!("this node has its {limit} {what}: try again, or call another node");
        Problem::new(Code::ResourceExhausted, "OVERLOADED", message).retry_after(Duration::from_millis(100))
    })
}

/// Carries out a command.
pub(super) async fn execute(
    engine: &Engine,
    request: CoreRequest,
    deadline: Duration,
) -> Result<Done, Problem> {
    about(request.domain);
    Ok(engine.execute(request, deadline).await?)
}

/// Why a domain cannot be watched here. A domain that this node has not heard of may be new.
pub(super) async fn not_watched(engine: &Engine, domain: DomainId, error: WatchError) -> Problem {
    let unknown_here = matches!(error, WatchError::UnknownDomain(_));
    if unknown_here && engine.place(domain, DEADLINE_DEFAULT).await.is_ok() {
        let message = format!("this node has not heard of {domain} yet: try again");
        return Problem::new(Code::Unavailable, "NOT_HERE_YET", message).retry_after(NEWS_AFTER);
    }
    error.into()
}

/// What to answer when the engine's answer is of another kind than its question.
pub(super) fn unexpected(what: &str) -> Problem {
    Problem::bug(&format!("the engine answered {what} with something else"))
}
