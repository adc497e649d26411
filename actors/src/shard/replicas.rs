//! Opens and closes this node's replicas of shards.

use super::{Counters, Desks, Leases, Parts, ShardMachine, ShardRuntime, ShardTable, SharedReplica};
use crate::alarms::Alarms;
use crate::events::EventStore;
use crate::seeded::Seeded;
use crate::{EngineConfig, StartError};
use consensus::disk::SharedDisk;
use consensus::env::SharedClock;
use consensus::{Consensus, Group, GroupId, NodeId};
use routing::{Shard, ShardId};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// What a replica is made of.
pub(crate) struct Replicas {
    pub(crate) node: NodeId,
    pub(crate) config: EngineConfig,
    pub(crate) disk: SharedDisk,
    pub(crate) clock: SharedClock,
    pub(crate) alarms: Alarms,
    pub(crate) counters: Arc<Counters>,
    pub(crate) seeded: Seeded,
    pub(crate) first_session: u64,
    /// Holds a folder for each shard's events.
    pub(crate) events: PathBuf,
    pub(crate) table: ShardTable,
    /// Ends when the engine does.
    pub(crate) stop: CancellationToken,
    /// Held while a replica is opened or closed.
    pub(crate) changing: Mutex<()>,
}

impl Replicas {
    fn folder(&self, id: ShardId) -> PathBuf {
        self.events.join(id.to_string())
    }

    /// The parts of a replica and its state machine, over what the disk has of its events.
    pub(crate) fn make(&self, id: ShardId) -> (Parts, ShardMachine) {
        let lease_us = u64::try_from(self.config.lease.as_micros()).unwrap_or(u64::MAX);
        let (disk, limits) = (self.disk.clone(), self.config.events.clone());
        let part = Parts {
            replica: SharedReplica::new(Shard::new(id), self.config.planted),
            events: EventStore::begin(disk, self.folder(id), limits, self.alarms.clone()),
            desks: Arc::new(Desks::new(self.seeded, self.first_session)),
            leases: Arc::new(Leases::new(lease_us)),
            subscribers: Arc::default(),
        };
        let (clock, alarms) = (self.clock.clone(), self.alarms.clone());
        let machine = ShardMachine::new(self.node, &part, clock, alarms, &self.config);
        (part, machine)
    }

    /// Takes a replica into the table once its events can be read.
    ///
    /// # Errors
    /// [`StartError::Events`].
    pub(crate) async fn take(
        &self,
        id: ShardId,
        parts: Parts,
        group: Group,
        consensus: &Arc<Consensus>,
    ) -> Result<(), StartError> {
        parts.events.opened().await.map_err(StartError::Events)?;
        for (domain, from, to) in parts.events.lacking() {
            tracing::warn!(
                shard = %id, %domain, from = from.0, to = to.0,
                "this node does not have these events, as after a snapshot from the leader: watch them at another node"
            );
            if let Some(probe) = &self.config.probe {
                probe.events_lacking(self.node, id, domain, (from, to));
            }
        }
        let stop = self.stop.child_token();
        let watched = stop_without_events(parts.events.clone(), consensus.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(watched));
        let Parts { replica, events, desks, leases, subscribers } = parts;
        let (counters, seeded) = (self.counters.clone(), self.seeded);
        let shard =
            ShardRuntime { id, group, replica, events, desks, leases, subscribers, counters, seeded, stop };
        self.table.insert(Arc::new(shard));
        Ok(())
    }

    /// This node is about to be a member of a shard's group: it has a replica from now on, which begins
    /// with nothing. See [`Consensus::open`].
    ///
    /// # Errors
    /// See [`StartError`].
    pub(crate) async fn open(
        &self,
        consensus: &Arc<Consensus>,
        id: ShardId,
        at: u64,
    ) -> Result<(), StartError> {
        let _one_at_a_time = self.changing.lock().await;
        if consensus.group(GroupId(id.0)).is_none() {
            // Left by a process that died while it closed the replica.
            self.remove_events(id).await.map_err(StartError::Events)?;
        }
        let mut made = None;
        let group = consensus.open(GroupId(id.0), at, || {
            let (parts, machine) = self.make(id);
            made = Some(parts);
            Box::new(machine)
        });
        let group = group.await?;
        match made {
            Some(parts) => {
                let taken = self.take(id, parts, group, consensus).await;
                if let Err(error) = &taken {
                    // The group has a replica that nobody serves: it would be admitted, and might lead.
                    consensus.fail(format!("a replica of {id} is opened and cannot be used: {error}"));
                }
                taken
            }
            None => Ok(()),
        }
    }

    /// This node is no member of a shard's group any more: what it has of it goes. See
    /// [`Consensus::close`].
    ///
    /// # Errors
    /// See [`StartError`].
    pub(crate) async fn close(&self, consensus: &Consensus, id: ShardId, at: u64) -> Result<(), StartError> {
        let _one_at_a_time = self.changing.lock().await;
        if !consensus.close(GroupId(id.0), at).await? {
            return Ok(());
        }
        let Some(shard) = self.table.remove(id) else { return Ok(()) };
        shard.stop.cancel();
        shard.desks.follow();
        shard.leases.disarm();
        shard.subscribers.skipped();
        shard.events.close().await;
        self.remove_events(id).await.map_err(StartError::Events)
    }

    async fn remove_events(&self, id: ShardId) -> io::Result<()> {
        let folder = self.folder(id);
        let names = match self.disk.list(&folder).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            names => names?,
        };
        for name in &names {
            self.disk.remove(&folder.join(name)).await?;
        }
        if !names.is_empty() {
            self.disk.sync_dir(&folder).await?;
        }
        Ok(())
    }
}

/// A node that stores no events would go on, and those who watch at it would wait for ever.
async fn stop_without_events(events: EventStore, consensus: Arc<Consensus>) {
    consensus.fail(events.failed().await);
}
