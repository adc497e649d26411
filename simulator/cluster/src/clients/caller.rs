//! Unary calls: one intent, one request id, attempts at one node after the other until there is
//! an answer or the patience is over. Every attempt is written down.

use super::Phase;
use super::answered::Answered;
use super::lines::Lines;
use super::realm::Realm;
use super::way::Way;
use crate::checks::{Answer, Asked, Call, History, Outcome, now_us};
use crate::determinism::Draw;
use consensus::NodeId;
use routing::DomainId;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tonic::{Code, Request, Response, Status};

/// Pause before the next attempt, doubled each time.
const PAUSE: Duration = Duration::from_millis(30);
/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_millis(600);
/// Time beyond the deadline that a node was told, for its last word.
const LAST_WORD: Duration = Duration::from_millis(150);

/// How long somebody goes on trying.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// Deadline of one attempt.
    pub(super) attempt: Duration,
    /// Attempts at most.
    pub(super) attempts_max: u32,
    /// Time in all.
    pub(super) patience: Duration,
}

impl Manner {
    /// What ordinary clients do.
    pub(super) const ORDINARY: Manner =
        Manner { attempt: Duration::from_millis(2_500), attempts_max: 12, patience: Duration::from_secs(20) };
    /// Once, and then never again.
    pub(super) const ONCE: Manner =
        Manner { attempt: Duration::from_millis(1_500), attempts_max: 1, patience: Duration::from_secs(2) };
    /// Until it is done.
    pub(super) const FOR_EVER: Manner = Manner {
        attempt: Duration::from_secs(3),
        attempts_max: u32::MAX,
        patience: Duration::from_secs(86_400),
    };
}

/// Tries of something that is refused until the cluster has risen to its level, which it does in their time.
#[derive(Debug, Default)]
pub(super) struct Tries(u32);

impl Tries {
    const MOST: u32 = 5;
    const PAUSE: Duration = Duration::from_secs(2);

    /// Whether there is another, after a pause if one was refused.
    pub(super) async fn another(&mut self, caller: &mut Caller) -> bool {
        if self.0 > 0 {
            caller.sleep(Self::PAUSE).await;
        }
        self.0 += 1;
        self.0 <= Self::MOST && caller.plays()
    }
}

/// How an intent ended.
#[derive(Debug)]
pub(super) enum Settled<T> {
    Done(T, Answer),
    Refused(String),
    Unknown,
}

/// Somebody who calls.
pub(super) struct Caller {
    pub(super) lines: Arc<Lines>,
    pub(super) history: Arc<History>,
    pub(super) draw: Draw,
    pub(super) phase: watch::Receiver<Phase>,
    pub(super) domain: Option<DomainId>,
    last: Option<NodeId>,
}

impl Caller {
    pub(super) fn new(
        lines: Arc<Lines>,
        history: Arc<History>,
        draw: Draw,
        phase: watch::Receiver<Phase>,
        domain: Option<DomainId>,
    ) -> Self {
        Self { lines, history, draw, phase, domain, last: None }
    }

    /// Another one at the same place, with draws of its own.
    pub(super) fn child(&self, name: &str) -> Self {
        let draw = self.draw.child(name);
        let (lines, history) = (Arc::clone(&self.lines), Arc::clone(&self.history));
        Self::new(lines, history, draw, self.phase.clone(), self.domain)
    }

    /// Whether everybody still does as they like: nothing has to be finished yet.
    pub(super) fn plays(&self) -> bool {
        *self.phase.borrow() == Phase::Safety
    }

    /// Whether the run is over.
    pub(super) fn is_over(&self) -> bool {
        *self.phase.borrow() == Phase::Over
    }

    /// Calls until an answer, a refusal, or the end of patience.
    pub(super) async fn settle<T, F>(
        &mut self,
        asked: &Asked,
        request: u128,
        manner: Manner,
        call: impl Fn(Way, Duration) -> F,
    ) -> Settled<T>
    where
        T: Answered,
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let until = Instant::now() + manner.patience;
        let mut pause = PAUSE;
        let mut unknown = false;
        for attempt in 1..=manner.attempts_max {
            let (node, line) = self.lines.draw(&mut self.draw, self.last.filter(|_| attempt > 1));
            self.last = Some(node);
            let sent_us = now_us();
            if let Some(domain) = self.domain {
                self.history.sent(domain, asked);
            }
            let result = timeout(manner.attempt + LAST_WORD, call(line, manner.attempt)).await;
            let (outcome, answer) = match result {
                Ok(Ok(response)) => {
                    let response = response.into_inner();
                    (Outcome::Done(response.answer()), Some(response))
                }
                Ok(Err(status)) => (outcome_of(&self.history, node, &status), None),
                Err(_) => (Outcome::Unknown, None),
            };
            let written = Call {
                domain: self.domain,
                request,
                asked: asked.clone(),
                node,
                sent_us,
                returned_us: now_us(),
                outcome: outcome.clone(),
            };
            self.history.call(written);
            match (outcome, answer) {
                (Outcome::Done(answer), Some(response)) => return Settled::Done(response, answer),
                // An earlier attempt may have been done before the window closed.
                (Outcome::Refused(reason), _) if reason == "REQUEST_TOO_OLD" && unknown => {
                    return Settled::Unknown;
                }
                (Outcome::Refused(reason), _) => return Settled::Refused(reason),
                (Outcome::NotDone, _) => {}
                _ => unknown = true,
            }
            if Instant::now() + pause >= until || self.is_over() {
                break;
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
        Settled::Unknown
    }

    /// Reads until there is an answer, a refusal (`Err(Some(reason))`) or the end of patience.
    pub(super) async fn read<T, F>(
        &mut self,
        manner: Manner,
        call: impl Fn(Way, Duration) -> F,
    ) -> Result<T, Option<String>>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let mut pause = PAUSE;
        for attempt in 1..=manner.attempts_max {
            let (node, line) = self.lines.draw(&mut self.draw, self.last.filter(|_| attempt > 1));
            self.last = Some(node);
            match timeout(manner.attempt + LAST_WORD, call(line, manner.attempt)).await {
                Ok(Ok(response)) => {
                    self.history.count("read", "ok");
                    return Ok(response.into_inner());
                }
                Ok(Err(status)) => {
                    if let Outcome::Refused(reason) = outcome_of(&self.history, node, &status) {
                        self.history.count("read", "refused");
                        return Err(Some(reason));
                    }
                }
                Err(_) => {}
            }
            self.history.count("read", "unknown");
            if self.is_over() {
                break;
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
        Err(None)
    }

    /// Waits until it may act once more, after a time drawn around this mean; false once it is to finish, or its
    /// domain is out of service.
    pub(super) async fn acts_again(&mut self, realm: &Realm, every: Duration) -> bool {
        while self.plays() && !realm.is_quarantined() {
            let pause = self.draw.exponential(every);
            if !self.sleep(pause).await {
                return true;
            }
        }
        false
    }

    /// Sleeps; true if the phase changed meanwhile, at once.
    pub(super) async fn sleep(&mut self, duration: Duration) -> bool {
        tokio::select! {
            biased;
            changed = self.phase.changed() => {
                if changed.is_err() {
                    // Nobody leads the run any more.
                    std::future::pending::<()>().await;
                }
                true
            }
            () = sleep(duration) => false,
        }
    }
}

/// A request that says how long it may take.
pub(super) fn timed<T>(message: T, deadline: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(deadline);
    request
}

/// The machine-readable reason of a status; its code where there is none.
pub(super) fn reason(status: &Status) -> String {
    use tonic_types::StatusExt;
    match status.get_details_error_info() {
        Some(info) if !info.reason.is_empty() => info.reason,
        _ => format!("{:?}", status.code()),
    }
}

/// What a failure says about a command.
pub(super) fn outcome_of(history: &History, node: NodeId, status: &Status) -> Outcome {
    outcome(history, node, status.code(), reason(status), status.message())
}

/// The same for what streams answer.
pub(super) fn outcome(history: &History, node: NodeId, code: Code, reason: String, message: &str) -> Outcome {
    if reason == "BUG" {
        history.found("alarm", format!("{node} answered {reason}: {message}"));
    }
    // Both say of themselves that the command was certainly not carried out.
    if matches!(reason.as_str(), "UNAVAILABLE" | "OVERLOADED") {
        return Outcome::NotDone;
    }
    let unknown = match code {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown | Code::Internal => true,
        Code::ResourceExhausted => reason != "FULL",
        // A node that has not heard of a new domain yet.
        Code::NotFound => reason == "UNKNOWN_DOMAIN",
        _ => false,
    };
    if unknown { Outcome::Unknown } else { Outcome::Refused(reason) }
}

/// Calls with a client until done or refused; true when done. The request's mutation is filled in.
macro_rules! change {
    ($caller:ident, $name:literal, $client:ident, $method:ident, $request:expr) => {{
        use $crate::clients::caller::{Manner, Settled, timed};
        let id = $crate::clients::request::request_id(&mut $caller.draw);
        let mut request = $request;
        request.mutation = $crate::clients::request::mutation(id);
        let asked = $crate::checks::Asked::Configure($name);
        let settled = $caller
            .settle(&asked, id, Manner::ORDINARY, |line, deadline| {
                let request = request.clone();
                async move { $client::new(line).$method(timed(request, deadline)).await }
            })
            .await;
        matches!(settled, Settled::Done(..))
    }};
}
pub(super) use change;
