//! Starts one group on this node and answers for it.

use super::activity::Activity;
use super::batcher::Batcher;
use super::clock::LogClock;
use super::export::Export;
use super::handle::{Group, GroupStatus, Replica, Shared};
use super::leadership::watch_leadership;
use super::machine::{Applied, Machine};
use super::members::{self, GroupMembers, MemberChange};
use crate::api::{GroupId, Leadership, NodeId, ProposeError};
use crate::config::{Config, World};
use crate::seeded::{Seeded, SeededBug};
use crate::store::LogStore;
use crate::transport::Network;
use crate::type_config::types::{LogId, Raft};
use futures::future::BoxFuture;
use openraft::errors::{LinearizableReadError, RaftError};
use openraft::rt::WatchReceiver;
use openraft::{ReadPolicy, SnapshotPolicy};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, watch};

/// Pause before a read asks again for a lease that is not confirmed.
const LEASE_RETRY: Duration = Duration::from_millis(5);
/// A follower that is this many times the snapshot distance behind gets a snapshot.
const LAG_FACTOR: u64 = 2;
/// Entries in one message of appends; the log bounds their bytes.
const APPEND_ENTRIES: u64 = 64;

/// A started group: its handle, its openraft instance, and what must be watched.
pub struct Started {
    /// The handle.
    pub group: Group,
    /// openraft.
    pub raft: Raft,
    /// Whether it is used.
    pub activity: Arc<Activity>,
    /// Resolves with the reason when the group ends.
    pub ended: tokio::task::JoinHandle<String>,
}

/// openraft's settings for a group. `stands`: for election, from the start.
fn settings(config: &Config, group: GroupId, stands: bool, entropy: u64) -> Result<openraft::Config, String> {
    let timing = config.timing;
    // Staggered, so that groups do not write their snapshots at the same time.
    let entries = config.limits.snapshot_entries;
    let entries = entries + entropy % (entries / 2 + 1);
    openraft::Config {
        cluster_name: format!("{} {group}", config.cluster_id),
        heartbeat_interval: timing.heartbeat_ms,
        election_timeout_min: timing.election_min_ms,
        election_timeout_max: timing.election_max_ms,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(entries),
        replication_lag_threshold: entries.saturating_mul(LAG_FACTOR),
        max_in_snapshot_log_to_keep: entries / 4,
        max_payload_entries: APPEND_ENTRIES,
        enable_pre_vote: Some(true),
        enable_elect: stands,
        // A restarted leader would act on a leadership that may have passed on long since.
        enable_leader_restore: Some(false),
        ..openraft::Config::default()
    }
    .validate()
    .map_err(|error| error.to_string())
}

/// Starts a group over a log and a restored machine. `floor`: the end of a longer log that this node has removed,
/// where it must not stand for election before it has as much again.
///
/// # Errors
/// What openraft found wrong.
pub async fn start(
    config: &Config,
    world: &World,
    group: GroupId,
    network: Network,
    (log, floor): (LogStore, Option<LogId>),
    (machine, applied): (Machine, watch::Receiver<Applied>),
    (clock, activity): (Arc<LogClock>, Arc<Activity>),
) -> Result<Started, String> {
    let settings = Arc::new(settings(config, group, floor.is_none(), world.entropy.next_u64())?);
    let export = Export { group, log: log.clone(), snapshots: machine.snapshots() };
    let raft = Raft::new(config.node.0, settings, network, log, machine).await;
    let raft = raft.map_err(|error| error.to_string())?;
    let (told, leadership) = watch::channel(Leadership::default());
    let ended = tokio::spawn(watch_leadership(
        group,
        config.node,
        raft.clone(),
        applied.clone(),
        Arc::clone(&clock),
        told,
        Seeded::of(config),
    ));
    let limits = config.limits;
    let (proposals, queue) = mpsc::channel(limits.pending_commands);
    let patience = Duration::from_millis(2 * config.timing.election_max_ms);
    let batcher = Batcher {
        group,
        node: config.node,
        raft: raft.clone(),
        clock: Arc::clone(&clock),
        limits,
        proposals: queue,
        leadership: leadership.clone(),
        activity: Arc::clone(&activity),
        patience,
        lease: Duration::from_millis(config.timing.election_max_ms),
    };
    tokio::spawn(batcher.run());
    let replica = RaftReplica {
        node: config.node,
        raft: raft.clone(),
        applied,
        leadership: leadership.clone(),
        activity: Arc::clone(&activity),
        patience,
        seeded: Seeded::of(config),
    };
    let shared = Shared {
        id: group,
        node: config.node,
        command_bytes: limits.command_bytes,
        proposals,
        permits: Arc::new(Semaphore::new(limits.pending_commands)),
        leadership,
        clock,
        replica: Box::new(replica),
        export,
    };
    Ok(Started { group: Group { shared: Arc::new(shared) }, raft, activity, ended })
}

struct RaftReplica {
    node: NodeId,
    raft: Raft,
    applied: watch::Receiver<Applied>,
    leadership: watch::Receiver<Leadership>,
    activity: Arc<Activity>,
    patience: Duration,
    seeded: Seeded,
}

impl RaftReplica {
    /// A lease read where the lease is good, otherwise a round to a quorum.
    async fn barrier(&self) -> Result<(), ProposeError> {
        if self.seeded.has(SeededBug::StaleReadBarrier) && self.leadership.borrow().leading {
            return Ok(());
        }
        let lease = self.raft.ensure_linearizable(ReadPolicy::LeaseRead).await;
        let result = match lease {
            Ok(_) => return Ok(()),
            Err(_) => self.raft.ensure_linearizable(ReadPolicy::ReadIndex).await,
        };
        match result {
            Ok(_) => Ok(()),
            Err(RaftError::APIError(LinearizableReadError::ForwardToLeader(forward))) => {
                let leader = forward.leader_id.map(NodeId).filter(|leader| *leader != self.node);
                Err(ProposeError::NotLeader { leader })
            }
            Err(_) => Err(ProposeError::NotLeader { leader: None }),
        }
    }
}

impl Replica for RaftReplica {
    fn read_barrier(&self) -> BoxFuture<'_, Result<(), ProposeError>> {
        Box::pin(async move {
            self.activity.used();
            let deadline = tokio::time::Instant::now() + self.patience;
            loop {
                let barrier = tokio::time::timeout_at(deadline, self.barrier()).await;
                let result = barrier.unwrap_or(Err(ProposeError::NotLeader { leader: None }));
                let here = self.leadership.borrow().leader == Some(self.node);
                match result {
                    Err(ProposeError::NotLeader { leader: None })
                        if here && tokio::time::Instant::now() < deadline =>
                    {
                        tokio::time::sleep(LEASE_RETRY).await;
                    }
                    other => return other,
                }
            }
        })
    }

    fn transfer_leadership(&self, to: NodeId) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            let now = *self.leadership.borrow();
            if !now.leading {
                return Err(format!("{} does not lead", self.node));
            }
            // openraft would take no more commands in this term, and wait for one that cannot be elected.
            if to == self.node || !self.members().voters().contains(&to) {
                return Err(format!("{to} is none of the other voters"));
            }
            self.activity.handing_over();
            let sent = self.raft.trigger().transfer_leader(to.0).await;
            sent.map_err(|error| error.to_string())
        })
    }

    fn status(&self) -> GroupStatus {
        let now = *self.leadership.borrow();
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        GroupStatus {
            term: now.term,
            leader: now.leader,
            leading: now.leading,
            last_index: metrics.last_log_index.unwrap_or(0),
            applied: self.applied.borrow().index,
            snapshot: metrics.snapshot.map_or(0, |id| id.index),
            load: self.activity.meter.load(tokio::time::Instant::now()),
            voters: metrics.membership_config.membership().voter_ids().map(NodeId).collect(),
        }
    }

    fn members(&self) -> GroupMembers {
        members::members(&self.raft)
    }

    fn change_members(&self, at: u64, change: MemberChange) -> BoxFuture<'_, Result<(), String>> {
        self.activity.used();
        Box::pin(members::change(&self.raft, at, change))
    }

    fn behind(&self, member: NodeId) -> Option<u64> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let matching = (*metrics.replication.as_ref()?.get(&member.0)?)?;
        Some(metrics.last_log_index?.saturating_sub(matching.index))
    }
}
