//! A node's part in the cluster: all its groups, one log, one transport.

use crate::api::{GroupId, NodeId, PeerHandler, StateMachine};
use crate::bootstrap;
use crate::config::{Config, StartError, World};
use crate::group::{self, Group, LogClock, Machine, Started};
use crate::members;
use crate::seeded::Seeded;
use crate::snapshots::SnapshotStore;
use crate::store::{DataFolder, Identity, LogStore};
use crate::transport::{Hub, Network, PeerService, Peers};
use crate::type_config::types::Raft;
use crate::wal::{Wal, WalOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A node's part in the cluster.
pub struct Consensus {
    opened: Opened,
    hub: Arc<Hub>,
    wal: Wal,
    failed: watch::Sender<Option<String>>,
    stop: CancellationToken,
    /// Keeps the folder locked; taken when everything has stopped.
    folder: Mutex<Option<DataFolder>>,
}

impl Consensus {
    /// Opens the data folder, restores every group's machine from its snapshot and its log, and
    /// starts taking part. `machines` makes the state machine of each group, the meta group's
    /// first. Members with a higher id are dialled from now on; those with a lower one reach this
    /// node through [`Consensus::transport_service`].
    ///
    /// # Errors
    /// See [`StartError`]; each says what to do.
    pub async fn start(
        config: Config,
        world: World,
        mut machines: impl FnMut(GroupId) -> Box<dyn StateMachine>,
    ) -> Result<Arc<Consensus>, StartError> {
        config.check()?;
        // The number of shards is fixed at birth: domains were placed by it.
        let cluster = format!("{} of {} shards", config.cluster_id, config.shards);
        let identity = Identity { cluster, node: config.node };
        let folder = DataFolder::open(&world.disk, &config.data, &identity, world.entropy.as_ref());
        let folder = folder.await.map_err(|error| data_error(&config, error))?;
        let (disk, seeded) = (Arc::clone(&world.disk), Seeded::of(&config));
        let options = WalOptions { segment_bytes: config.limits.log_segment_bytes, ..WalOptions::default() };
        let wal = Wal::open_seeded(disk, &folder.log(), folder.salt(), options, seeded).await;
        let wal = wal.map_err(|error| data_error(&config, error))?;
        let stop = CancellationToken::new();
        let hub = Hub::new(&config, Arc::clone(&world.dial), Arc::clone(&world.entropy), stop.clone());
        let failed = watch::Sender::new(None);
        let mut opened = Opened::default();
        for id in config.groups() {
            let context = Context { config: &config, world: &world, hub: &hub, wal: &wal, folder: &folder };
            let started = context.open(id, machines(id)).await;
            let started = match started {
                Ok(started) => started,
                Err(error) => {
                    stop.cancel();
                    opened.shutdown().await;
                    return Err(error);
                }
            };
            watch_group(id, started.ended, failed.clone(), stop.clone());
            let (raft, peers) = (started.raft.clone(), hub.peers.clone());
            if config.founding {
                tokio::spawn(bootstrap::initialize(config.clone(), id, raft, peers.clone(), stop.clone()));
            }
            hub.liveness.watch(id, started.raft.clone(), started.activity);
            let group = started.group.clone();
            tokio::spawn(bootstrap::prefer_leader(config.clone(), group, peers, stop.clone()));
            opened.groups.insert(id, started.group);
            opened.rafts.insert(id, started.raft);
        }
        watch_log(wal.clone(), failed.clone(), stop.clone());
        hub.inbox.set_groups(opened.rafts.clone());
        hub.start();
        hub.set_members(&config.members);
        if let Some(meta) = opened.rafts.get(&GroupId::META) {
            tokio::spawn(members::follow(config, meta.clone(), Arc::clone(&hub), stop.clone()));
        }
        watch_dismissal(&hub, failed.clone(), stop.clone());
        Ok(Arc::new(Consensus { opened, hub, wal, failed, stop, folder: Mutex::new(Some(folder)) }))
    }

    /// Who answers calls and takes casts of other nodes. Until it is set, calls are refused. Only
    /// the first one counts.
    pub fn set_handler(&self, handler: Arc<dyn PeerHandler>) {
        if !self.hub.set_handler(handler) {
            tracing::error!("bug: a second handler of peers was set and is not used");
        }
    }

    /// The service to add to the node's tonic server, which must listen at this member's address.
    #[must_use]
    pub fn transport_service(&self) -> PeerService {
        PeerService::new(Arc::clone(&self.hub))
    }

    /// A group of this node; `None` when there is no such group.
    #[must_use]
    pub fn group(&self, id: GroupId) -> Option<Group> {
        self.opened.groups.get(&id).cloned()
    }

    /// All groups, the meta group first.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.opened.groups.values()
    }

    /// Calls and casts to other nodes.
    #[must_use]
    pub fn peers(&self) -> Peers {
        self.hub.peers.clone()
    }

    /// Says which nodes were removed from the cluster: they are refused, and stop when they hear it.
    pub fn set_removed(&self, removed: BTreeSet<NodeId>) {
        self.hub.set_removed(removed);
    }

    /// Becomes `Some` when this node must stop: the log has failed, a group has ended on its own,
    /// the node was removed, or it was said ([`Consensus::fail`]). The text says why.
    #[must_use]
    pub fn failure(&self) -> watch::Receiver<Option<String>> {
        self.failed.subscribe()
    }

    /// Says that this node must stop, for something that the layers above keep on its disk: as if the
    /// log had failed. The first reason counts.
    pub fn fail(&self, why: String) {
        report(&self.failed, why);
    }

    /// Stops taking part: groups first, then links, then the log, which is closed cleanly. Hand
    /// over leadership before, where it matters. Proposals under way end as unknown.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.opened.shutdown().await;
        self.hub.stop();
        if let Err(error) = self.wal.close().await {
            tracing::warn!("the log was not closed cleanly: {error}");
        }
        self.folder.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Drop for Consensus {
    fn drop(&mut self) {
        self.stop.cancel();
        self.hub.stop();
    }
}

#[derive(Default)]
struct Opened {
    groups: BTreeMap<GroupId, Group>,
    rafts: BTreeMap<GroupId, Raft>,
}

impl Opened {
    async fn shutdown(&self) {
        for (id, raft) in &self.rafts {
            if let Err(error) = raft.shutdown().await {
                tracing::warn!(group = %id, "did not stop cleanly: {error}");
            }
        }
    }
}

/// What groups are opened from.
struct Context<'a> {
    config: &'a Config,
    world: &'a World,
    hub: &'a Hub,
    wal: &'a Wal,
    folder: &'a DataFolder,
}

impl Context<'_> {
    async fn open(&self, id: GroupId, machine: Box<dyn StateMachine>) -> Result<Started, StartError> {
        let Context { config, world, .. } = self;
        let snapshots = SnapshotStore::open(Arc::clone(&world.disk), &self.folder.snapshots(), id).await;
        let seeded = Seeded::of(config);
        let snapshots = snapshots.map_err(|error| data_error(config, error))?.seeded(seeded);
        let clock = Arc::new(LogClock::new(Arc::clone(&world.clock), config.speed, seeded));
        let machine = Machine::open(id, machine, snapshots, Arc::clone(&clock), seeded).await;
        let machine = machine.map_err(|error| data_error(config, error))?;
        let network = Network::new(self.hub.peers.clone(), id, seeded);
        let log = LogStore::new(self.wal, id);
        let parts = (clock, self.hub.liveness.activity());
        let started = group::start(config, world, id, network, log, machine, parts).await;
        started.map_err(|text| StartError::Group { group: id, text })
    }
}

fn data_error(config: &Config, error: impl Into<Box<dyn Error + Send + Sync>>) -> StartError {
    StartError::Data { folder: config.data.clone(), error: error.into() }
}

/// Reports a group that ends although the node does not stop.
fn watch_group(
    id: GroupId,
    ended: tokio::task::JoinHandle<String>,
    failed: watch::Sender<Option<String>>,
    stop: CancellationToken,
) {
    tokio::spawn(async move {
        let why = match ended.await {
            Ok(why) => why,
            Err(error) => error.to_string(),
        };
        if !stop.is_cancelled() {
            report(&failed, format!("{id} has ended: {why}"));
        }
    });
}

/// Reports a failed log.
fn watch_log(wal: Wal, failed: watch::Sender<Option<String>>, stop: CancellationToken) {
    tokio::spawn(async move {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            why = wal.failed() => report(&failed, format!("the log has failed: {why}")),
        }
    });
}

/// Reports that the others have removed this node.
fn watch_dismissal(hub: &Hub, failed: watch::Sender<Option<String>>, stop: CancellationToken) {
    let mut dismissed = hub.dismissed();
    tokio::spawn(stop.run_until_cancelled_owned(async move {
        if let Ok(why) = dismissed.wait_for(Option::is_some).await
            && let Some(why) = why.clone()
        {
            report(&failed, why);
        }
    }));
}

/// The first failure is the cause; later ones are its consequences.
fn report(failed: &watch::Sender<Option<String>>, why: String) {
    tracing::error!("this node must stop: {why}");
    failed.send_if_modified(|present| {
        let first = present.is_none();
        if first {
            *present = Some(why);
        }
        first
    });
}
