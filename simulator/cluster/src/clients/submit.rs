//! The heavy path: a backend that sends its customers' commands on one `Submit` stream.

use super::Phase;
use super::answered::Answered;
use super::caller::{Caller, outcome};
use crate::checks::{Asked, Call, Outcome, now_us};
use proto::v1;
use proto::v1::routing_client::RoutingClient;
use proto::v1::submit_request::Command;
use proto::v1::submit_response::Result as Answer;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

/// Commands on their way out.
const OUT_MAX: usize = 64;
/// Time to open a stream.
const OPEN: Duration = Duration::from_secs(3);
/// A stream that is silent for so long while answers are due is given up.
const SILENCE: Duration = Duration::from_secs(4);
/// Pause before another node is tried.
const PAUSE: Duration = Duration::from_millis(200);

/// One command of a customer; what is told back is one attempt's outcome.
pub(super) struct Job {
    pub(super) request: u128,
    pub(super) asked: Asked,
    pub(super) command: Command,
    pub(super) told: oneshot::Sender<Outcome>,
}

struct Sent {
    job: Job,
    sent_us: u64,
}

/// Runs until the run is over.
pub(super) async fn run(mut caller: Caller, mut jobs: mpsc::Receiver<Job>) {
    let mut other_than = None;
    while !caller.is_over() {
        let (node, line) = caller.lines.draw(&mut caller.draw, other_than);
        other_than = Some(node);
        let (out, requests) = mpsc::channel(OUT_MAX);
        let mut client = RoutingClient::new(line);
        let opened = timeout(OPEN, client.submit(ReceiverStream::new(requests))).await;
        let Ok(Ok(answers)) = opened else {
            sleep(PAUSE).await;
            continue;
        };
        caller.history.count("submit", "streams");
        let mut answers = answers.into_inner();
        let mut under_way: BTreeMap<u64, Sent> = BTreeMap::new();
        let mut tag = 0;
        let over = |caller: &Caller, sent: Sent, outcome: Outcome| {
            let written = Call {
                domain: caller.domain,
                request: sent.job.request,
                asked: sent.job.asked,
                node,
                sent_us: sent.sent_us,
                returned_us: now_us(),
                outcome: outcome.clone(),
            };
            caller.history.call(written);
            // A customer that went away needs no answer.
            let _ = sent.job.told.send(outcome);
        };
        loop {
            // Tags grow with time: the first is the oldest.
            let oldest_us = under_way.values().next().map_or(u64::MAX, |sent| sent.sent_us);
            if now_us().saturating_sub(oldest_us) > SILENCE.as_micros().try_into().unwrap_or(u64::MAX) {
                break;
            }
            tokio::select! {
                biased;
                answer = timeout(SILENCE, answers.message()), if !under_way.is_empty() => {
                    let Ok(Ok(Some(answer))) = answer else { break };
                    let Some(sent) = under_way.remove(&answer.tag) else { continue };
                    let outcome = match answer.result {
                        Some(Answer::Started(started)) => Outcome::Done(started.answer()),
                        Some(Answer::Done(receipt)) => Outcome::Done(receipt.answer()),
                        Some(Answer::Failure(failure)) => outcome(
                            &caller.history,
                            node,
                            Code::from_i32(failure.code),
                            failure.reason,
                            &failure.message,
                        ),
                        None => Outcome::Unknown,
                    };
                    over(&caller, sent, outcome);
                }
                job = jobs.recv() => {
                    let Some(job) = job else { return };
                    tag += 1;
                    if let Some(domain) = caller.domain {
                        caller.history.sent(domain, &job.asked);
                    }
                    let request = v1::SubmitRequest { tag, command: Some(job.command.clone()) };
                    under_way.insert(tag, Sent { job, sent_us: now_us() });
                    if out.try_send(request).is_err() {
                        break;
                    }
                }
                changed = caller.phase.changed() => {
                    if changed.is_err() || *caller.phase.borrow() == Phase::Over {
                        return;
                    }
                }
            }
        }
        for (_, sent) in under_way {
            over(&caller, sent, Outcome::Unknown);
        }
        sleep(PAUSE).await;
    }
}
