//! Unary calls with retries: one intent, one request id, until an answer or the deadline.

use super::recorder::Recorder;
use super::target::Target;
use crate::checker::model::{Answer, Asked, Outcome};
use std::future::Future;
use std::time::{Duration, Instant};
use tonic::transport::Channel;
use tonic::{Code, Status};
use uuid::Uuid;

/// Longest time for one attempt.
const ATTEMPT: Duration = Duration::from_secs(3);
/// Pause before the next attempt, doubled each time.
const PAUSE: Duration = Duration::from_millis(20);
/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// Whether a refusal says nothing about the command, so that only a retry can tell.
#[must_use]
pub fn is_unknown(code: Code, reason: &str) -> bool {
    match code {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown | Code::Internal => true,
        Code::ResourceExhausted => reason != "FULL",
        _ => false,
    }
}

/// The machine-readable reason of a status; its code where there is none.
#[must_use]
pub fn reason(status: &Status) -> String {
    use tonic_types::StatusExt;
    match status.get_details_error_info() {
        Some(info) if !info.reason.is_empty() => info.reason,
        _ => format!("{:?}", status.code()),
    }
}

/// What every command answers, as far as the checker wants it.
pub trait Answered {
    /// For the checker.
    fn answer(&self) -> Answer;
    /// Log time of the command, microseconds.
    fn at_us(&self) -> u64;
}

impl Answered for proto::v1::StartResponse {
    fn answer(&self) -> Answer {
        Answer {
            sequence: self.receipt.map_or(0, |receipt| receipt.sequence),
            conversation: self.conversation.parse().ok(),
            offer: self.offer.parse().ok(),
        }
    }
    fn at_us(&self) -> u64 {
        self.receipt.map_or(0, |receipt| receipt.at_us)
    }
}

impl Answered for proto::v1::Receipt {
    fn answer(&self) -> Answer {
        Answer { sequence: self.sequence, conversation: None, offer: None }
    }
    fn at_us(&self) -> u64 {
        self.at_us
    }
}

/// An OK answer and the attempt that got it.
#[derive(Debug)]
pub struct Settled<T> {
    /// The answer.
    pub answer: T,
    /// When the successful attempt was sent; `None` when an earlier attempt may have done it, so
    /// that the stamp may be older.
    pub sent: Option<Instant>,
}

/// Calls until an answer or the deadline; every attempt is recorded.
///
/// # Errors
/// The refusal's reason, or `None` when the outcome stayed unknown.
pub async fn settle<T, F>(
    target: &Target,
    recorder: &Recorder,
    asked: &Asked,
    request: Uuid,
    deadline: Instant,
    attempt: impl Fn(Channel) -> F,
) -> Result<Settled<T>, Option<String>>
where
    T: Answered,
    F: Future<Output = Result<tonic::Response<T>, Status>>,
{
    let mut pause = PAUSE;
    let mut first = true;
    loop {
        let sent = Instant::now();
        let left = deadline.saturating_duration_since(sent).min(ATTEMPT);
        let result = tokio::time::timeout(left, attempt(target.call())).await;
        let outcome = match &result {
            Ok(Ok(response)) => Outcome::Done(response.get_ref().answer()),
            Ok(Err(status)) => {
                let reason = reason(status);
                if is_unknown(status.code(), &reason) { Outcome::Unknown } else { Outcome::Refused(reason) }
            }
            Err(_) => Outcome::Unknown,
        };
        recorder.call(request.as_u128(), asked.clone(), sent, outcome.clone());
        match (result, outcome) {
            (Ok(Ok(response)), outcome) => {
                recorder.settled(&outcome);
                return Ok(Settled { answer: response.into_inner(), sent: first.then_some(sent) });
            }
            (_, Outcome::Refused(reason)) => {
                recorder.settled(&Outcome::Refused(reason.clone()));
                return Err(Some(reason));
            }
            _ => {}
        }
        first = false;
        if Instant::now() + pause >= deadline {
            recorder.settled(&Outcome::Unknown);
            return Err(None);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}
