//! What the layers above hold of a group.

use super::clock::LogClock;
use super::export::Export;
use super::members::{GroupMembers, MemberChange};
use crate::api::{GroupId, Leadership, NodeId, ProposeError};
use futures::future::BoxFuture;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

/// Overloaded callers are told to try again after this many milliseconds.
const RETRY_AFTER_MS: u64 = 50;

/// How a proposal ends.
pub(crate) type Outcome = Result<Vec<u8>, ProposeError>;

/// A command on its way to the batcher.
pub(crate) struct Proposal {
    pub command: Vec<u8>,
    /// The only term it may be written in, if it is not good in any.
    pub term: Option<u64>,
    pub answer: oneshot::Sender<Outcome>,
}

/// What a group's consensus does for its handle.
pub(crate) trait Replica: Send + Sync + 'static {
    fn read_barrier(&self) -> BoxFuture<'_, Result<(), ProposeError>>;
    fn transfer_leadership(&self, to: NodeId) -> BoxFuture<'_, Result<(), String>>;
    fn status(&self) -> GroupStatus;
    fn behind(&self, member: NodeId) -> Option<u64>;
    fn members(&self) -> GroupMembers;
    fn change_members(&self, at: u64, change: MemberChange) -> BoxFuture<'_, Result<(), String>>;
}

/// How a group stands on this node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupStatus {
    /// Raft term.
    pub term: u64,
    /// The leader, if one is known.
    pub leader: Option<NodeId>,
    /// Whether this node leads and may answer, as in [`Leadership`].
    pub leading: bool,
    /// Index of the last entry in this node's log; 0 when there is none.
    pub last_index: u64,
    /// Index of the last entry applied here.
    pub applied: u64,
    /// Index of the last entry covered by a snapshot here.
    pub snapshot: u64,
    /// How much work it is, in commands a second, smoothed; one in which nothing happens has some too.
    pub load: u64,
    /// Members that vote.
    pub voters: Vec<NodeId>,
}

/// One group on this node. Clones are cheap.
#[derive(Clone)]
pub struct Group {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub id: GroupId,
    pub node: NodeId,
    pub command_bytes: usize,
    pub proposals: mpsc::Sender<Proposal>,
    pub permits: Arc<Semaphore>,
    pub leadership: watch::Receiver<Leadership>,
    pub clock: Arc<LogClock>,
    pub replica: Box<dyn Replica>,
    pub export: Export,
}

impl Group {
    /// Which group.
    #[must_use]
    pub fn id(&self) -> GroupId {
        self.shared.id
    }

    /// Replicates a command and returns the state machine's answer. Proposals that are under way
    /// at the same time may be applied in any order. There is no deadline: a leader that is cut
    /// off from the others answers when it is not, so the caller sets one and then treats the
    /// outcome as unknown.
    ///
    /// # Errors
    /// See [`ProposeError`]; a command above the largest size is `Overloaded` for ever.
    pub async fn propose(&self, command: Vec<u8>) -> Result<Vec<u8>, ProposeError> {
        self.propose_in(None, command).await
    }

    /// As [`Group::propose`], for a command that rests on what this node knew as the leader of
    /// `term`: it is written in that term or not at all, even if this node leads again later.
    ///
    /// # Errors
    /// As of [`Group::propose`]; [`ProposeError::NotLeader`] without a leader once the term is over.
    pub async fn propose_in_term(&self, term: u64, command: Vec<u8>) -> Result<Vec<u8>, ProposeError> {
        self.propose_in(Some(term), command).await
    }

    async fn propose_in(&self, term: Option<u64>, command: Vec<u8>) -> Result<Vec<u8>, ProposeError> {
        let shared = &self.shared;
        let leader = shared.leadership.borrow().leader;
        if leader != Some(shared.node) {
            return Err(ProposeError::NotLeader { leader });
        }
        let overloaded = || ProposeError::Overloaded { retry_after_ms: RETRY_AFTER_MS };
        if command.len() > shared.command_bytes {
            return Err(ProposeError::Overloaded { retry_after_ms: u64::MAX });
        }
        let _permit = shared.permits.try_acquire().map_err(|_| overloaded())?;
        let (answer, outcome) = oneshot::channel();
        // As many places as permits: a full queue can only be proposals whose callers gave up.
        shared.proposals.try_send(Proposal { command, term, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => overloaded(),
            mpsc::error::TrySendError::Closed(_) => ProposeError::NotLeader { leader: None },
        })?;
        outcome.await.unwrap_or_else(|_| Err(ProposeError::Unknown("the node stops".into())))
    }

    /// Who leads, as it changes.
    #[must_use]
    pub fn leadership(&self) -> watch::Receiver<Leadership> {
        self.shared.leadership.clone()
    }

    /// Waits until local state is at least what it was when this was called: after it, a read of
    /// local state on the leader is linearizable.
    ///
    /// # Errors
    /// [`ProposeError::NotLeader`] when this node does not lead (any more).
    pub async fn read_barrier(&self) -> Result<(), ProposeError> {
        self.shared.replica.read_barrier().await
    }

    /// Log time in microseconds: the present one on the leader, elsewhere that of the last entry.
    #[must_use]
    pub fn log_time_us(&self) -> u64 {
        self.shared.clock.now_us()
    }

    /// How the group stands here.
    #[must_use]
    pub fn status(&self) -> GroupStatus {
        self.shared.replica.status()
    }

    /// What the group has on this node's disk.
    #[must_use]
    pub fn export(&self) -> Export {
        self.shared.export.clone()
    }

    /// Who the group's members are, as this node's log names them.
    #[must_use]
    pub fn members(&self) -> GroupMembers {
        self.shared.replica.members()
    }

    /// Changes the members, on the leader, if they are still those of the entry `at`
    /// ([`GroupMembers::index`]): one change at a time, each based on the one before. Waits until it
    /// is committed, so the caller sets a deadline. Doing it again is harmless.
    ///
    /// # Errors
    /// Why it was not done, or is not known to be; look at [`Group::members`] before the next try.
    pub async fn change_members(&self, at: u64, change: MemberChange) -> Result<(), String> {
        self.shared.replica.change_members(at, change).await
    }

    /// How many entries a member is behind, as the leader knows.
    pub(crate) fn behind(&self, member: NodeId) -> Option<u64> {
        self.shared.replica.behind(member)
    }

    /// Asks another voter to take over; returns before it has. Watch [`Group::leadership`].
    ///
    /// # Errors
    /// Why it was not asked: this node does not lead, or the other does not vote. One that asks takes no
    /// more commands, so whoever is asked must be able to follow.
    pub async fn transfer_leadership(&self, to: NodeId) -> Result<(), String> {
        self.shared.replica.transfer_leadership(to).await
    }
}
