//! The state machine as openraft sees it.

use super::activity::Activity;
use super::clock::LogClock;
use crate::api::{BatchPosition, GroupId, StateMachine};
use crate::seeded::{Seeded, SeededBug};
use crate::snapshots::SnapshotStore;
use crate::type_config::TypeConfig;
use crate::type_config::types::{LogId, Snapshot, SnapshotMeta, StoredMembership};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{Stream, TryStreamExt};
use openraft::storage::{EntryResponder, RaftSnapshotBuilder, RaftStateMachine};
use openraft::{EntryPayload, OptionalSend};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// How far a replica has applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Index of the last applied entry; 0 before the first.
    pub index: u64,
    /// Its term.
    pub term: u64,
    /// Time of the last applied batch, in microseconds.
    pub entry_time_us: u64,
}

/// A group's state machine, its snapshots, and how far it is.
pub struct Machine {
    group: GroupId,
    inner: Mutex<Box<dyn StateMachine>>,
    last_applied: Option<LogId>,
    membership: StoredMembership,
    entry_time_us: u64,
    snapshots: Arc<SnapshotStore<SnapshotMeta>>,
    clock: Arc<LogClock>,
    activity: Arc<Activity>,
    applied: watch::Sender<Applied>,
    seeded: Seeded,
}

impl Machine {
    /// Restores the machine from the group's last snapshot, if there is one.
    ///
    /// # Errors
    /// A damaged snapshot, one the machine cannot read, or the disk's.
    pub async fn open(
        group: GroupId,
        inner: Box<dyn StateMachine>,
        snapshots: SnapshotStore<SnapshotMeta>,
        (clock, activity): (Arc<LogClock>, Arc<Activity>),
        seeded: Seeded,
    ) -> io::Result<(Machine, watch::Receiver<Applied>)> {
        let (applied, watcher) = watch::channel(Applied::default());
        let mut machine = Machine {
            group,
            inner: Mutex::new(inner),
            last_applied: None,
            membership: StoredMembership::default(),
            entry_time_us: 0,
            snapshots: Arc::new(snapshots),
            clock,
            activity,
            applied,
            seeded,
        };
        if let Some((meta, data)) = machine.snapshots.load().await? {
            machine.restore(&meta, &data)?;
        }
        Ok((machine, watcher))
    }

    /// The group's snapshots.
    pub fn snapshots(&self) -> Arc<SnapshotStore<SnapshotMeta>> {
        Arc::clone(&self.snapshots)
    }

    fn inner(&mut self) -> &mut Box<dyn StateMachine> {
        self.inner.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn restore(&mut self, meta: &SnapshotMeta, data: &[u8]) -> io::Result<()> {
        let (index, term) = meta.last_log_id.map_or((0, 0), |id| (id.index, id.committed_leader_id().term));
        let at = BatchPosition { group: self.group, index, term };
        self.inner().restore(at, data).map_err(|text| {
            io::Error::new(io::ErrorKind::InvalidData, format!("snapshot of {}: {text}", self.group))
        })?;
        self.entry_time_us = self.inner().log_time_us();
        self.last_applied = meta.last_log_id;
        self.membership = meta.last_membership.clone();
        self.clock.restored(self.entry_time_us);
        self.publish();
        Ok(())
    }

    /// Tells the watchers how far this is.
    fn publish(&self) {
        let (index, term) = self.last_applied.map_or((0, 0), |id| (id.index, id.committed_leader_id().term));
        self.applied.send_replace(Applied { index, term, entry_time_us: self.entry_time_us });
    }
}

impl RaftStateMachine<TypeConfig> for Machine {
    type SnapshotData = Bytes;
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> io::Result<(Option<LogId>, StoredMembership)> {
        Ok((self.last_applied, self.membership.clone()))
    }

    async fn apply<S>(&mut self, mut entries: S) -> io::Result<()>
    where
        S: Stream<Item = io::Result<EntryResponder<TypeConfig>>> + Unpin + OptionalSend,
    {
        while let Some((entry, responder)) = entries.try_next().await? {
            let log_id = entry.log_id;
            let mut answers = Vec::new();
            let at = BatchPosition {
                group: self.group,
                index: log_id.index,
                term: log_id.committed_leader_id().term,
            };
            match entry.payload {
                EntryPayload::Blank => self.inner().passed(at),
                EntryPayload::Membership(membership) => {
                    self.inner().passed(at);
                    self.membership = StoredMembership::new(Some(log_id), membership);
                }
                EntryPayload::Normal(batch) => {
                    let ready = self.inner().ready();
                    ready.await;
                    answers = self.inner().apply(at, &batch).map_err(|text| {
                        let text = format!("entry {} of {}: {text}", at.index, self.group);
                        io::Error::new(io::ErrorKind::InvalidData, text)
                    })?;
                    self.entry_time_us = batch.time_us;
                    self.clock.applied(batch.time_us);
                    self.activity.meter.applied(batch.commands.len());
                }
            }
            self.last_applied = Some(log_id);
            if let Some(responder) = responder {
                responder.send(answers);
            }
        }
        self.publish();
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        let meta = SnapshotMeta { last_log_id: self.last_applied, last_membership: self.membership.clone() };
        let data = self.inner().snapshot();
        Builder { meta, data: Mutex::new(Some(data)), snapshots: Arc::clone(&self.snapshots) }
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, snapshot: Bytes) -> io::Result<()> {
        // Durable first: the log before it may be purged as soon as this returns.
        if !self.seeded.has(SeededBug::InstalledSnapshotNotSaved) {
            self.snapshots.save(meta, snapshot.clone()).await?;
        }
        self.restore(meta, &snapshot)
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<Snapshot>> {
        let loaded = self.snapshots.load().await?;
        Ok(loaded.map(|(meta, snapshot)| Snapshot { meta, snapshot }))
    }
}

/// A snapshot being made, beside further applying.
pub struct Builder {
    meta: SnapshotMeta,
    data: Mutex<Option<BoxFuture<'static, io::Result<Vec<u8>>>>>,
    snapshots: Arc<SnapshotStore<SnapshotMeta>>,
}

impl RaftSnapshotBuilder<TypeConfig> for Builder {
    type SnapshotData = Bytes;

    async fn build_snapshot(&mut self) -> io::Result<Snapshot> {
        let data = self.data.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let data = data.ok_or_else(|| io::Error::other("a snapshot is built once"))?;
        let snapshot = Bytes::from(data.await?);
        // Only a durable snapshot is reported: openraft purges the log after it.
        self.snapshots.save(&self.meta, snapshot.clone()).await?;
        Ok(Snapshot { meta: self.meta.clone(), snapshot })
    }
}
