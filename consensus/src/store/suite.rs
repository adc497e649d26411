//! openraft's own storage tests, on this log.

use super::LogStore;
use crate::api::GroupId;
use crate::disk::{LossyDisk, MemDisk, RealDisk, SharedDisk};
use crate::runtime::Runtime;
use crate::snapshots::SnapshotStore;
use crate::type_config::TypeConfig;
use crate::type_config::types::{LogId, SnapshotMeta, StoredMembership};
use crate::wal::{Wal, WalOptions};
use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use openraft::storage::{EntryResponder, RaftStateMachine, Snapshot};
use openraft::testing::log::{StoreBuilder, Suite};
use openraft::type_config::TypeConfigExt;
use openraft::{EntryPayload, OptionalSend, RaftSnapshotBuilder, StorageError};
use openraft_rt::AsyncRuntime;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts commands; its snapshots are files.
#[derive(Clone)]
struct Counter {
    commands: u64,
    applied: Option<LogId>,
    membership: StoredMembership,
    snapshots: Arc<SnapshotStore<SnapshotMeta>>,
}

impl RaftSnapshotBuilder<TypeConfig> for Counter {
    type SnapshotData = Bytes;

    async fn build_snapshot(&mut self) -> io::Result<openraft::alias::SnapshotOf<TypeConfig, Bytes>> {
        let meta = SnapshotMeta { last_log_id: self.applied, last_membership: self.membership.clone() };
        let data = Bytes::from(self.commands.to_le_bytes().to_vec());
        self.snapshots.save(&meta, data.clone()).await?;
        Ok(Snapshot { meta, snapshot: data })
    }
}

impl RaftStateMachine<TypeConfig> for Counter {
    type SnapshotData = Bytes;
    type SnapshotBuilder = Counter;

    async fn applied_state(&mut self) -> io::Result<(Option<LogId>, StoredMembership)> {
        Ok((self.applied, self.membership.clone()))
    }

    async fn apply<S>(&mut self, entries: S) -> io::Result<()>
    where
        S: Stream<Item = io::Result<EntryResponder<TypeConfig>>> + Unpin + OptionalSend,
    {
        let mut entries = entries;
        while let Some((entry, responder)) = entries.try_next().await? {
            self.applied = Some(entry.log_id);
            match entry.payload {
                EntryPayload::Blank => {}
                EntryPayload::Normal(batch) => self.commands += batch.commands.len() as u64,
                EntryPayload::Membership(membership) => {
                    self.membership = StoredMembership::new(self.applied, membership);
                }
            }
            if let Some(responder) = responder {
                responder.send(Vec::new());
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Counter {
        self.clone()
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, snapshot: Bytes) -> io::Result<()> {
        let count = snapshot.as_ref().try_into().map_err(io::Error::other)?;
        self.commands = u64::from_le_bytes(count);
        self.applied = meta.last_log_id;
        self.membership = meta.last_membership.clone();
        self.snapshots.save(meta, snapshot).await
    }

    async fn get_current_snapshot(
        &mut self,
    ) -> io::Result<Option<openraft::alias::SnapshotOf<TypeConfig, Bytes>>> {
        let loaded = self.snapshots.load().await?;
        Ok(loaded.map(|(meta, snapshot)| Snapshot { meta, snapshot }))
    }
}

/// Builds every store on the same disk, in a folder of its own.
struct Builder {
    disk: SharedDisk,
    folder: PathBuf,
    built: AtomicU64,
}

impl Builder {
    async fn stores(&self) -> io::Result<(LogStore, Counter)> {
        let number = self.built.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.join(number.to_string());
        // Small, so that the tests meet new segments, the disk, and copying.
        let options = WalOptions { segment_bytes: 600, cache_bytes: 100, ..WalOptions::default() };
        let wal = Wal::open(self.disk.clone(), &folder.join("log"), 7, options).await?;
        let group = GroupId(3);
        let snapshots = SnapshotStore::open(self.disk.clone(), &folder.join("snapshots"), group).await?;
        let counter = Counter {
            commands: 0,
            applied: None,
            membership: StoredMembership::default(),
            snapshots: Arc::new(snapshots),
        };
        Ok((LogStore::new(&wal, group), counter))
    }
}

impl StoreBuilder<TypeConfig, LogStore, Counter> for Builder {
    async fn build(&self) -> Result<((), LogStore, Counter), StorageError<TypeConfig>> {
        let (log, machine) =
            self.stores().await.map_err(|error| StorageError::read(TypeConfig::err_from_error(&error)))?;
        Ok(((), log, machine))
    }
}

fn run_suite(disk: impl FnOnce() -> SharedDisk, folder: &Path) {
    Runtime::new(1).block_on(async {
        let builder = Builder { disk: disk(), folder: folder.to_owned(), built: AtomicU64::new(0) };
        Suite::test_all(builder).await.expect("the storage suite passes");
    });
}

#[test]
fn storage_suite_in_memory() {
    run_suite(|| MemDisk::new().mount(), Path::new("/node"));
}

#[test]
fn storage_suite_on_real_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    run_suite(|| Arc::new(RealDisk::new().expect("a thread")), folder.path());
}

#[test]
fn storage_suite_on_a_lossy_disk() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    run_suite(|| Arc::new(LossyDisk::new(RealDisk::new().expect("a thread"), 1)), folder.path());
}
