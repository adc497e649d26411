//! Collects commands into batches while the batches before are on their way.

use super::activity::Activity;
use super::clock::LogClock;
use super::handle::{Outcome, Proposal};
use crate::api::{Batch, GroupId, Leadership, NodeId, ProposeError};
use crate::config::Limits;
use crate::type_config::TypeConfig;
use crate::type_config::types::{CommittedLeaderId, Raft};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesOrdered;
use openraft::Instant as _;
use openraft::ReadPolicy;
use openraft::errors::{ClientWriteError, ForwardReason};
use openraft::impls::ProgressResponder;
use openraft::raft::ClientWriteResult;
use openraft::rt::WatchReceiver;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

/// Pause before a batch is offered again to a leader that has not confirmed its lease yet.
const LEASE_RETRY: Duration = Duration::from_millis(5);

/// A leader that has had nothing to write for this long writes an empty batch, so that no more
/// log time than this is lost when it fails.
const TIME_MARK: Duration = Duration::from_secs(10);

/// One group's batcher.
pub struct Batcher {
    pub group: GroupId,
    pub node: NodeId,
    pub raft: Raft,
    pub clock: Arc<LogClock>,
    pub limits: Limits,
    pub proposals: mpsc::Receiver<Proposal>,
    pub leadership: watch::Receiver<Leadership>,
    pub activity: Arc<Activity>,
    /// How long commands wait for this node to lead, or for its lease.
    pub patience: Duration,
    /// How long a quorum's word that this node leads is good for.
    pub lease: Duration,
}

type Written = Result<ClientWriteResult<TypeConfig>, ()>;

struct InFlight {
    proposals: Vec<Proposal>,
    since: Instant,
    written: Written,
}

impl Batcher {
    /// Runs until all handles of the group are gone.
    pub async fn run(mut self) {
        let mut flying: FuturesOrdered<BoxFuture<'static, InFlight>> = FuturesOrdered::new();
        let mut again: VecDeque<(Vec<Proposal>, Instant)> = VecDeque::new();
        let mut fresh = Vec::new();
        let mut carried: Option<Proposal> = None;
        loop {
            while flying.len() < self.limits.batches_in_flight
                && let Some((proposals, since)) = again.pop_front()
            {
                if let Some(written) = self.write(proposals, since).await {
                    flying.push_back(written);
                }
            }
            let room = flying.len() < self.limits.batches_in_flight && again.is_empty();
            tokio::select! {
                biased;
                Some(done) = flying.next() => {
                    if let Some(retry) = self.finish(done) {
                        tokio::time::sleep(LEASE_RETRY).await;
                        again.push_back(retry);
                    }
                }
                proposals = collect(&mut self.proposals, &mut carried, &mut fresh, &self.limits), if room => {
                    if !proposals {
                        return;
                    }
                    let proposals = std::mem::take(&mut fresh);
                    if let Some(written) = self.write(proposals, Instant::now()).await {
                        flying.push_back(written);
                    }
                }
                () = tokio::time::sleep(TIME_MARK), if flying.is_empty() => {
                    if self.leadership.borrow().leading
                        && let Some(written) = self.write(Vec::new(), Instant::now()).await
                    {
                        flying.push_back(written);
                    }
                }
            }
        }
    }

    /// Stamps a batch and hands it to openraft; answers its proposals at once where this node does
    /// not lead.
    async fn write(
        &mut self,
        proposals: Vec<Proposal>,
        since: Instant,
    ) -> Option<BoxFuture<'static, InFlight>> {
        let deadline = since + self.patience;
        let term = match self.leading(deadline).await {
            Ok(term) => term,
            Err(leader) => {
                refuse(proposals, leader);
                return None;
            }
        };
        let marks_time = proposals.is_empty();
        let proposals = of_term(proposals, term);
        if proposals.is_empty() && !marks_time {
            return None;
        }
        if !marks_time {
            self.activity.used();
        }
        self.confirm().await;
        let (time_us, wall_ms) = self.clock.stamp();
        let commands = proposals.iter().map(|proposal| proposal.command.clone()).collect();
        let (responder, receiver) = ProgressResponder::complete_only();
        // A stamp is above all before it only as long as this term lasts: in any other term
        // openraft must refuse the batch.
        let written = self
            .raft
            .write(Batch { time_us, wall_ms, commands })
            .with_leader(CommittedLeaderId::new(term))
            .responder(responder)
            .await;
        Some(Box::pin(async move {
            let written = match written {
                Ok(()) => receiver.await.map_err(drop),
                Err(_) => Err(()),
            };
            InFlight { proposals, since, written }
        }))
    }

    /// Renews the lease of a leader that has rested, without which openraft takes no entry: one
    /// round of heartbeats. Where that fails, openraft refuses the batch, and it is tried again.
    async fn confirm(&self) {
        let stale = {
            let metrics = self.raft.metrics();
            let metrics = metrics.borrow_watched();
            let fresh = metrics.last_quorum_acked.is_some_and(|at| at.elapsed() < self.lease * 3 / 4);
            !fresh && metrics.membership_config.membership().voter_ids().count() > 1
        };
        if stale {
            let _ = self.raft.get_read_linearizer(ReadPolicy::ReadIndex).await;
        }
    }

    /// Waits until this node leads; the term, or who leads instead.
    async fn leading(&mut self, deadline: Instant) -> Result<u64, Option<NodeId>> {
        let node = self.node;
        let settled = self.leadership.wait_for(|now| now.leading || now.leader != Some(node));
        match tokio::time::timeout_at(deadline, settled).await {
            Ok(Ok(now)) if now.leading => Ok(now.term),
            Ok(Ok(now)) => Err(now.leader),
            Ok(Err(_)) | Err(_) => Err(None),
        }
    }

    /// Answers a batch's proposals, or gives them back when they may be tried again.
    fn finish(&self, done: InFlight) -> Option<(Vec<Proposal>, Instant)> {
        let InFlight { proposals, since, written } = done;
        match written {
            Ok(Ok(response)) => {
                let answers = response.data;
                if answers.len() == proposals.len() {
                    for (proposal, answer) in proposals.into_iter().zip(answers) {
                        let _ = proposal.answer.send(Ok(answer));
                    }
                } else {
                    let (want, have) = (proposals.len(), answers.len());
                    tracing::error!(group = %self.group, "bug: {have} answers to {want} commands");
                    unknown(proposals, "the state machine did not answer every command");
                }
            }
            // openraft says this before it appends: certainly not in the log.
            Ok(Err(ClientWriteError::ForwardToLeader(forward))) => match forward.reason {
                ForwardReason::LeaseExpired if since.elapsed() < self.patience => {
                    return Some((proposals, since));
                }
                _ => refuse(proposals, forward.leader_id.map(NodeId).filter(|leader| *leader != self.node)),
            },
            Ok(Err(ClientWriteError::LogEntryDiscarded(_))) => {
                unknown(proposals, "leadership was lost while it was under way");
            }
            Ok(Err(error)) => unknown(proposals, &error.to_string()),
            Err(()) => unknown(proposals, "the group stopped while it was under way"),
        }
        None
    }
}

/// Waits for a first command and takes what else is there, within the bounds of a batch. Drops
/// none when it is dropped.
async fn collect(
    queue: &mut mpsc::Receiver<Proposal>,
    carried: &mut Option<Proposal>,
    batch: &mut Vec<Proposal>,
    limits: &Limits,
) -> bool {
    let first = match carried.take() {
        Some(proposal) => proposal,
        None => match queue.recv().await {
            Some(proposal) => proposal,
            None => return false,
        },
    };
    let mut bytes = first.command.len();
    batch.push(first);
    while batch.len() < limits.batch_commands
        && let Ok(proposal) = queue.try_recv()
    {
        if proposal.answer.is_closed() {
            continue;
        }
        if bytes + proposal.command.len() > limits.batch_bytes {
            *carried = Some(proposal);
            break;
        }
        bytes += proposal.command.len();
        batch.push(proposal);
    }
    true
}

fn answer_all(proposals: Vec<Proposal>, outcome: impl Fn() -> Outcome) {
    for Proposal { answer, .. } in proposals {
        let _: Result<(), Outcome> = oneshot::Sender::send(answer, outcome());
    }
}

/// The proposals that may be written in this term; the others are refused.
fn of_term(proposals: Vec<Proposal>, term: u64) -> Vec<Proposal> {
    let of_another = |proposal: &Proposal| proposal.term.is_some_and(|only| only != term);
    let (over, good) = proposals.into_iter().partition(of_another);
    refuse(over, None);
    good
}

fn refuse(proposals: Vec<Proposal>, leader: Option<NodeId>) {
    answer_all(proposals, || Err(ProposeError::NotLeader { leader }));
}

fn unknown(proposals: Vec<Proposal>, why: &str) {
    answer_all(proposals, || Err(ProposeError::Unknown(why.to_owned())));
}
