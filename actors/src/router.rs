//! Finds the leader and tries again inside the caller's deadline, where that is safe.

use crate::leader::Leader;
use crate::seeded::SeededBug;
use crate::wire::{PeerAnswer, PeerCall};
use crate::{CallError, PlacedDomain};
use consensus::{Consensus, GroupId, NodeId, PeerError, Peers};
use proto::codec;
use routing::entry::Request;
use routing::outcome::DoneWhat;
use routing::{Command, DomainId, Done, LogTime, Rejected, RequestId, Sequence, ShardId, Version};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// One try at one node; then another leader may have been elected.
const TRY_MAX: Duration = Duration::from_millis(2_000);
const WAIT_FIRST: Duration = Duration::from_millis(10);
const WAIT_MAX: Duration = Duration::from_millis(320);
/// Wait for a domain that is on its way between shards: first, and at most.
const WAIT_MOVING_FIRST: Duration = Duration::from_millis(5);
const WAIT_MOVING_MAX: Duration = Duration::from_millis(40);
/// Callers without an answer are told to try again after this many milliseconds.
const RETRY_AFTER_MS: u64 = 200;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Router {
    pub(crate) this: NodeId,
    pub(crate) peers: Peers,
    pub(crate) consensus: Arc<Consensus>,
    pub(crate) leader: Arc<Leader>,
    /// Ends when the engine does.
    pub(crate) stop: CancellationToken,
}

/// Whether a command may be sent again when nobody knows what became of it.
fn may_repeat(request: &Request) -> bool {
    // What the cluster asks for says what it is about once and for all.
    let says_itself =
        matches!(request.command, Command::Arrive(_) | Command::Withdraw { .. } | Command::Move(_));
    request.id.is_some() || says_itself
}

/// How a try ended.
enum Tried {
    Answered(PeerAnswer),
    /// Certainly not done.
    Missed(String),
    /// Perhaps done.
    Unknown(String),
}

impl Router {
    pub(crate) fn now_us(&self) -> u64 {
        self.leader.clock.monotonic_us()
    }

    /// Where a domain is, also when this node has not heard of it yet.
    ///
    /// # Errors
    /// See [`CallError`]; an unknown domain is `Rejected`.
    pub(crate) async fn place(
        &self,
        domain: DomainId,
        deadline: Duration,
    ) -> Result<PlacedDomain, CallError> {
        let known = self.leader.meta.read().unwrap_or_else(PoisonError::into_inner).place(domain).cloned();
        if let Some(place) = known {
            return Ok(place);
        }
        let call = PeerCall::Place(domain);
        match self.to_leader_of(GroupId::META, call, deadline, true).await? {
            PeerAnswer::Place(Some(place)) => Ok(place),
            PeerAnswer::Place(None) => Err(Rejected::UnknownDomain.into()),
            other => Err(odd(&other)),
        }
    }

    /// Carries out a command at the leader of a shard; again when the outcome is unknown only if the
    /// request has an id, or if the command itself says what it is about once and for all.
    ///
    /// # Errors
    /// See [`CallError`].
    pub(crate) async fn execute(
        &self,
        shard: ShardId,
        request: Request,
        deadline: Duration,
    ) -> Result<Done, CallError> {
        let again = may_repeat(&request);
        let call = PeerCall::Execute { shard, request: Box::new(request) };
        match self.to_leader(shard, call, deadline, again).await? {
            PeerAnswer::Done(done) => Ok(done),
            other => Err(odd(&other)),
        }
    }

    /// Carries out a command of a domain, wherever that is, also while it moves.
    ///
    /// # Errors
    /// See [`CallError`].
    pub(crate) async fn execute_in(
        &self,
        place: ShardId,
        request: Request,
        deadline: Duration,
    ) -> Result<Done, CallError> {
        let again = may_repeat(&request);
        let call = |shard| PeerCall::Execute { shard, request: Box::new(request.clone()) };
        match self.where_it_is(place, deadline, again, call).await? {
            PeerAnswer::Done(done) => Ok(done),
            other => Err(odd(&other)),
        }
    }

    /// Calls the leader of the shard that has a domain: first that of `place`, then wherever it is said to
    /// have gone. `again`: whether doing it twice is the same as once.
    ///
    /// # Errors
    /// See [`CallError`].
    pub(crate) async fn where_it_is(
        &self,
        place: ShardId,
        deadline: Duration,
        again: bool,
        call: impl Fn(ShardId) -> PeerCall,
    ) -> Result<PeerAnswer, CallError> {
        let until_us = self.until_us(deadline);
        let (mut shard, mut unknown, mut wait) = (place, None, WAIT_MOVING_FIRST);
        loop {
            let asked = self.ask_leader(GroupId(shard.0), call(shard), until_us, again, &mut unknown);
            let moving = match asked.await {
                Err(CallError::Rejected(moving @ (Rejected::Moving | Rejected::Moved { .. }))) => moving,
                answered => return answered,
            };
            if let Rejected::Moved { to } = moving
                && to != shard
                && wait == WAIT_MOVING_FIRST
            {
                // Only the first time at once: replicas that lag behind may send back and forth.
                (shard, wait) = (to, wait * 2);
                continue;
            }
            if let Rejected::Moved { to } = moving {
                shard = to;
            }
            let left = Duration::from_micros(until_us.saturating_sub(self.now_us()));
            if left <= wait {
                return Err(match unknown {
                    Some(why) => CallError::Unknown { why },
                    None => moving.into(),
                });
            }
            tokio::time::sleep(wait).await;
            wait = WAIT_MOVING_MAX.min(wait * 2);
        }
    }

    fn until_us(&self, deadline: Duration) -> u64 {
        self.now_us().saturating_add(u64::try_from(deadline.as_micros()).unwrap_or(u64::MAX / 2))
    }

    /// Calls the leader of a shard. `again`: whether doing it twice is the same as once.
    ///
    /// # Errors
    /// See [`CallError`].
    pub(crate) async fn to_leader(
        &self,
        shard: ShardId,
        call: PeerCall,
        deadline: Duration,
        again: bool,
    ) -> Result<PeerAnswer, CallError> {
        self.to_leader_of(GroupId(shard.0), call, deadline, again).await
    }

    pub(crate) async fn to_leader_of(
        &self,
        group: GroupId,
        call: PeerCall,
        deadline: Duration,
        again: bool,
    ) -> Result<PeerAnswer, CallError> {
        self.ask_leader(group, call, self.until_us(deadline), again, &mut None).await
    }

    /// `unknown`: why it may have been done already, if it may.
    async fn ask_leader(
        &self,
        group: GroupId,
        mut call: PeerCall,
        until_us: u64,
        again: bool,
        unknown: &mut Option<String>,
    ) -> Result<PeerAnswer, CallError> {
        let Some(mut leadership) = self.consensus.leader(group) else {
            return Err(CallError::Bug(format!("this cluster has no {group}")));
        };
        let mut why = "no leader is known".to_owned();
        let mut hint = None;
        let mut wait = WAIT_FIRST;
        loop {
            let left = Duration::from_micros(until_us.saturating_sub(self.now_us()));
            if left.is_zero() {
                return Err(match unknown.take() {
                    Some(why) => CallError::Unknown { why },
                    None => CallError::Unavailable { why, retry_after_ms: RETRY_AFTER_MS },
                });
            }
            let known = leadership.borrow_and_update().leader;
            let target = hint.take().or(known);
            if let Some(target) = target {
                let most = if again { left.min(TRY_MAX) } else { left };
                match self.try_at(target, &call, most).await {
                    Tried::Answered(PeerAnswer::NotLeader(other)) => {
                        why = format!("{target} does not lead");
                        // Followed once at a time: two nodes that name each other must not spin.
                        hint = other.filter(|other| *other != target);
                    }
                    Tried::Answered(PeerAnswer::Failed(CallError::Unknown { why })) | Tried::Unknown(why) => {
                        if let Some(result) = self.mistaken(group, &mut call, &why) {
                            return result;
                        }
                        if !again {
                            return Err(CallError::Unknown { why });
                        }
                        *unknown = Some(why);
                    }
                    Tried::Answered(PeerAnswer::Failed(CallError::Unavailable { why: text, .. })) => {
                        why = text
                    }
                    Tried::Answered(PeerAnswer::Failed(CallError::Overloaded { .. }))
                        if unknown.is_some() => {}
                    Tried::Answered(PeerAnswer::Failed(error)) => return Err(error),
                    Tried::Answered(answer) => return Ok(answer),
                    Tried::Missed(text) => why = text,
                }
            }
            let left = Duration::from_micros(until_us.saturating_sub(self.now_us()));
            // Woken early by news of a leader. A node that stops hears none any more.
            let news = self.stop.run_until_cancelled(leadership.changed());
            wait = match tokio::time::timeout(wait.min(left), news).await {
                // Who is new may be a moment from being able to lead: it is asked again soon, however
                // long it took to elect it.
                Ok(Some(Ok(()))) => WAIT_FIRST,
                Ok(None | Some(Err(_))) => {
                    why = "this node stops".to_owned();
                    return Err(match unknown.take() {
                        Some(why) => CallError::Unknown { why },
                        None => CallError::Unavailable { why, retry_after_ms: RETRY_AFTER_MS },
                    });
                }
                Err(_) => WAIT_MAX.min(wait * 2),
            };
        }
    }

    /// What becomes of a command without an answer, by mistake: an end, or another command.
    fn mistaken(
        &self,
        group: GroupId,
        call: &mut PeerCall,
        why: &str,
    ) -> Option<Result<PeerAnswer, CallError>> {
        let seeded = self.leader.seeded;
        let PeerCall::Execute { request, .. } = call else { return None };
        if seeded.has(SeededBug::RetryWithNewId) {
            request.id = request.id.map(|id| RequestId(id.0 ^ u128::from(self.now_us() | 1)));
        }
        if seeded.has(SeededBug::UnknownTakenAsFailed) {
            return Some(Err(CallError::Unavailable { why: why.to_owned(), retry_after_ms: RETRY_AFTER_MS }));
        }
        let says_only_that = matches!(
            request.command,
            Command::Reject { .. }
                | Command::EndContact { .. }
                | Command::Complete { .. }
                | Command::Close { .. }
                | Command::Abandon { .. }
                | Command::SetPresence { .. }
                | Command::Transfer { .. }
        );
        if says_only_that && seeded.has(SeededBug::UnknownTakenAsDone) {
            let at = LogTime(self.consensus.group(group).map_or(0, |group| group.log_time_us()));
            let (sequence, version) = (Sequence(0), Version(0));
            return Some(Ok(PeerAnswer::Done(Done { what: DoneWhat::Ok, at, sequence, version })));
        }
        None
    }

    async fn try_at(&self, target: NodeId, call: &PeerCall, most: Duration) -> Tried {
        if target == self.this {
            let answer = self.leader.answer(self.this, call.clone());
            return match tokio::time::timeout(most, answer).await {
                Ok(answer) => Tried::Answered(answer),
                Err(_) => Tried::Unknown(format!("no answer within {} ms", most.as_millis())),
            };
        }
        match self.peers.call(target, codec::encode(call).into(), most).await {
            Ok(bytes) => match codec::decode(&bytes) {
                Ok(answer) => Tried::Answered(answer),
                Err(error) => Tried::Answered(PeerAnswer::Failed(CallError::Bug(error.to_string()))),
            },
            Err(error @ PeerError::Unreachable(_)) => Tried::Missed(error.to_string()),
            Err(error @ PeerError::NoAnswer(..)) => Tried::Unknown(error.to_string()),
        }
    }
}

pub(crate) fn odd(answer: &PeerAnswer) -> CallError {
    CallError::Bug(format!("the leader answered {answer:?}"))
}
