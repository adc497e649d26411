//! A node's part in the cluster: all its groups, one log, one transport.

use crate::api::{GroupId, Leadership, NodeId, PeerHandler, StateMachine};
use crate::balance::{self, Leads};
use crate::bootstrap;
use crate::config::{Config, StartError, World};
use crate::figures::Figures;
use crate::group::{self, Group, LogClock, Machine, Standing, Started};
use crate::members;
use crate::seeded::Seeded;
use crate::snapshots::{Incoming, SnapshotStore};
use crate::store::{DataFolder, Identity, LogStore};
use crate::transport::{Hub, Network, PeerService, Peers};
use crate::type_config::types::{LogId, Raft, SnapshotMeta};
use crate::wal::{Wal, WalOptions};
use openraft::storage::RaftLogStorage;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A node's part in the cluster.
pub struct Consensus {
    config: Config,
    world: World,
    snapshots: PathBuf,
    groups: RwLock<BTreeMap<GroupId, Opened>>,
    /// Held while a group is opened or closed.
    changing: tokio::sync::Mutex<()>,
    hub: Arc<Hub>,
    wal: Wal,
    /// Nodes that are to lead nothing.
    drained: Mutex<BTreeSet<NodeId>>,
    failed: watch::Sender<Option<String>>,
    stop: CancellationToken,
    /// Keeps the folder locked; taken when everything has stopped.
    folder: Mutex<Option<DataFolder>>,
}

impl Consensus {
    /// Opens the data folder, restores the machine of every group that this node has a replica of from
    /// its snapshot and its log, and starts taking part. `machines` makes the state machine of each
    /// such group, the meta group's first. A founder begins with all groups, a node that joins with the
    /// meta group; [`Consensus::open`] and [`Consensus::close`] change that. Members with a higher id are
    /// dialled from now on; those with a lower one reach this node through [`Consensus::transport_service`].
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
        let snapshots = folder.snapshots();
        let folder = Mutex::new(Some(folder));
        let (groups, changing) = (RwLock::default(), tokio::sync::Mutex::default());
        let drained = Mutex::default();
        let consensus =
            Consensus { config, world, snapshots, groups, changing, hub, wal, drained, failed, stop, folder };
        let written = consensus.wal.groups();
        for id in consensus.config.groups() {
            let standing = consensus.standing(id)?;
            // Without a word about it: of a founder, or of a build that had a replica of everything.
            let unsaid = consensus.config.founding || id == GroupId::META || written.contains(&id);
            if !standing.map_or(unsaid, |standing| standing.open) {
                continue;
            }
            let floor = standing.and_then(|standing| standing.floor);
            let founds = consensus.config.founding && standing.is_none();
            if let Err(error) = consensus.start_group(id, floor, machines(id), founds).await {
                consensus.stop.cancel();
                consensus.shutdown().await;
                return Err(error);
            }
        }
        let Consensus { config, hub, failed, stop, .. } = &consensus;
        watch_log(consensus.wal.clone(), failed.clone(), stop.clone());
        hub.start();
        hub.set_members(&config.members);
        for (id, opened) in consensus.opened().iter() {
            hub.inbox.serve(*id, opened.raft.clone(), opened.floor, consensus.incoming(*id));
            if *id == GroupId::META {
                let (meta, hub) = (opened.raft.clone(), Arc::clone(hub));
                tokio::spawn(members::follow(config.clone(), meta, hub, stop.clone()));
            }
        }
        watch_dismissal(Arc::clone(hub), failed.clone(), stop.clone());
        let consensus = Arc::new(consensus);
        tokio::spawn(balance::run(Arc::downgrade(&consensus), consensus.config.node, consensus.stop.clone()));
        Ok(consensus)
    }

    /// From now on this node has a replica of a group, which begins with nothing: the group's leader
    /// says so before it admits the node as a member. `at`: the index of the change of members by which
    /// the leader knows that it is none yet. Where there is one already, nothing changes.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn open(
        &self,
        id: GroupId,
        at: u64,
        machine: impl FnOnce() -> Box<dyn StateMachine>,
    ) -> Result<Group, StartError> {
        let _one_at_a_time = self.changing.lock().await;
        let former = self.standing(id)?;
        let floor = former.and_then(|standing| standing.floor);
        let at = former.map_or(at, |standing| standing.at.max(at));
        let standing = Standing { open: true, at, floor };
        let present = self.group(id);
        if present.is_none() {
            // Left by a process that died while it closed the group.
            let left = SnapshotStore::<SnapshotMeta>::open(Arc::clone(&self.world.disk), &self.snapshots, id);
            let left = left.await.map_err(|error| data_error(&self.config, error))?;
            left.clear().await.map_err(|error| data_error(&self.config, error))?;
        }
        if former != Some(standing) {
            let saved = self.wal.save_standing(id, standing.encode()).await;
            saved.map_err(|error| data_error(&self.config, error))?;
        }
        if let Some(group) = present {
            return Ok(group);
        }
        self.start_group(id, floor, machine(), false).await?;
        let (raft, group) = {
            let opened = self.opened();
            let opened = opened.get(&id).ok_or_else(|| StartError::Config("the node stops".to_owned()))?;
            (opened.raft.clone(), opened.group.clone())
        };
        self.hub.inbox.serve(id, raft, floor, self.incoming(id));
        tracing::info!(group = %id, at, "a replica is opened");
        Ok(group)
    }

    /// This node has no replica of a group any more: what it has of it on its disk goes, except for its
    /// vote and the end of its log. `at`: the index of the committed change of members that says so. False
    /// when that is over: the replica was opened for a later one, or knows of one.
    ///
    /// # Errors
    /// See [`StartError`]; the meta group is never closed.
    pub async fn close(&self, id: GroupId, at: u64) -> Result<bool, StartError> {
        if id == GroupId::META {
            return Err(StartError::Config("every node has a replica of the meta group".to_owned()));
        }
        let _one_at_a_time = self.changing.lock().await;
        let said = self.standing(id)?;
        let former = said.unwrap_or_default();
        let known = self.group(id).map_or(0, |group| group.members().index);
        if former.open && former.at >= at || known > at {
            return Ok(false);
        }
        let opened = self.groups.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
        match opened {
            Some(opened) => {
                self.hub.inbox.forget(id);
                opened.stop.cancel();
                if let Err(error) = opened.raft.shutdown().await {
                    tracing::warn!(group = %id, "did not stop cleanly: {error}");
                }
                self.hub.liveness.forget(id);
            }
            // Otherwise it was begun before, and something went wrong.
            None if !said.is_some_and(|said| said.open) => return Ok(true),
            None => {}
        }
        let failed = |error: io::Error| data_error(&self.config, error);
        let end = LogStore::new(&self.wal, id).get_log_state().await.map_err(failed)?.last_log_id;
        let standing = Standing { open: false, at, floor: former.floor.max(end) };
        self.wal.forget(id, standing.encode()).await.map_err(failed)?;
        let snapshots =
            SnapshotStore::<SnapshotMeta>::open(Arc::clone(&self.world.disk), &self.snapshots, id);
        let snapshots = snapshots.await.map_err(|error| data_error(&self.config, error))?;
        snapshots.clear().await.map_err(failed)?;
        tracing::info!(group = %id, at, "the replica is closed");
        Ok(true)
    }

    fn opened(&self) -> RwLockReadGuard<'_, BTreeMap<GroupId, Opened>> {
        self.groups.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self, id: GroupId) -> Result<Option<Standing>, StartError> {
        let standing = Standing::of(&self.wal, &LogStore::new(&self.wal, id));
        standing.map_err(|error| data_error(&self.config, error))
    }

    /// Where what comes of a group's snapshot is kept.
    fn incoming(&self, id: GroupId) -> Incoming<SnapshotMeta> {
        let bytes_max = self.config.limits.snapshot_bytes as u64;
        Incoming::new(Arc::clone(&self.world.disk), &self.snapshots, id, bytes_max)
    }

    /// Starts a group over what the disk has of it. `founds`: whether this node may be the first of it; one
    /// whose replica was opened for a group that works must not.
    async fn start_group(
        &self,
        id: GroupId,
        floor: Option<LogId>,
        machine: Box<dyn StateMachine>,
        founds: bool,
    ) -> Result<(), StartError> {
        let Consensus { config, hub, .. } = self;
        let end =
            LogStore::new(&self.wal, id).get_log_state().await.map_err(|error| data_error(config, error))?;
        let below = floor.filter(|floor| end.last_log_id < Some(*floor));
        let started = self.restored(id, machine, below).await?;
        let stop = self.stop.child_token();
        watch_group(id, started.ended, self.failed.clone(), stop.clone());
        if founds {
            let (raft, peers) = (started.raft.clone(), hub.peers.clone());
            tokio::spawn(bootstrap::initialize(config.clone(), id, raft, peers, stop.clone()));
        }
        hub.liveness.watch(id, started.raft.clone(), started.activity, below);
        tokio::spawn(tell_leader(started.group.clone(), Arc::clone(hub), stop.clone()));
        let opened = Opened { group: started.group, raft: started.raft, floor, stop };
        self.groups.write().unwrap_or_else(PoisonError::into_inner).insert(id, opened);
        Ok(())
    }

    async fn restored(
        &self,
        id: GroupId,
        machine: Box<dyn StateMachine>,
        floor: Option<LogId>,
    ) -> Result<Started, StartError> {
        let Consensus { config, world, .. } = self;
        let snapshots = SnapshotStore::open(Arc::clone(&world.disk), &self.snapshots, id).await;
        let seeded = Seeded::of(config);
        let snapshots = snapshots.map_err(|error| data_error(config, error))?.seeded(seeded);
        let clock = Arc::new(LogClock::new(Arc::clone(&world.clock), config.speed, seeded));
        let parts = (clock, self.hub.liveness.activity());
        let machine = Machine::open(id, machine, snapshots, parts.clone(), seeded).await;
        let machine = machine.map_err(|error| data_error(config, error))?;
        let network = Network::new(self.hub.peers.clone(), id, config.limits.snapshot_part_bytes, seeded);
        let log = (LogStore::new(&self.wal, id), floor);
        let started = group::start(config, world, id, network, log, machine, parts).await;
        started.map_err(|text| StartError::Group { group: id, text })
    }

    async fn shutdown(&self) {
        let rafts: Vec<(GroupId, Raft)> =
            self.opened().iter().map(|(id, opened)| (*id, opened.raft.clone())).collect();
        for (id, raft) in rafts {
            if let Err(error) = raft.shutdown().await {
                tracing::warn!(group = %id, "did not stop cleanly: {error}");
            }
        }
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

    /// A group that this node has a replica of; `None` when there is none here.
    #[must_use]
    pub fn group(&self, id: GroupId) -> Option<Group> {
        self.opened().get(&id).map(|opened| opened.group.clone())
    }

    /// All groups that this node has a replica of, the meta group first.
    #[must_use]
    pub fn groups(&self) -> Vec<Group> {
        self.opened().values().map(|opened| opened.group.clone()).collect()
    }

    /// What each connected peer does as a leader, by its last ping.
    pub(crate) fn led_by_peers(&self) -> BTreeMap<NodeId, Leads> {
        self.hub.liveness.led()
    }

    /// What this node does as a leader, and each one that it has a stream with, as that one said last.
    #[must_use]
    pub fn leads(&self) -> BTreeMap<NodeId, Leads> {
        let mut all = self.led_by_peers();
        all.insert(self.config.node, self.hub.liveness.leads());
        all
    }

    /// Where what happens is counted.
    pub(crate) fn figures(&self) -> &Figures {
        &self.config.figures
    }

    /// Who leads a group, as it changes, also where this node has no replica of it; `None` when the
    /// cluster has no such group.
    #[must_use]
    pub fn leader(&self, id: GroupId) -> Option<watch::Receiver<Leadership>> {
        self.hub.liveness.leader(id)
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

    /// Says which nodes are to lead nothing: no leadership is given to them to spread the load.
    pub fn set_drained(&self, drained: &BTreeSet<NodeId>) {
        let mut known = self.drained.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != *drained {
            known.clone_from(drained);
        }
    }

    pub(crate) fn drained(&self) -> BTreeSet<NodeId> {
        self.drained.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The cluster runs at this feature level: nodes that do not know it are refused from now on.
    pub fn set_level(&self, level: u32) {
        self.hub.set_level(level);
    }

    /// Becomes `Some` when this node must stop: the log has failed, a group has ended on its own,
    /// the node was removed, or it was said ([`Consensus::fail`]). The text says why.
    #[must_use]
    pub fn failure(&self) -> watch::Receiver<Option<String>> {
        self.failed.subscribe()
    }

    /// Whether this node stops because it was removed from the cluster while it ran, as it was told to.
    #[must_use]
    pub fn has_left(&self) -> bool {
        self.hub.has_left()
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
        // Whoever opens or closes a group comes to its end first.
        let _one_at_a_time = self.changing.lock().await;
        self.shutdown().await;
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

/// A group that this node has a replica of.
struct Opened {
    group: Group,
    raft: Raft,
    floor: Option<LogId>,
    /// Ends what goes on as long as the replica is open.
    stop: CancellationToken,
}

/// Keeps what is known of a group's leader up to date, as the own replica knows it.
async fn tell_leader(group: Group, hub: Arc<Hub>, stop: CancellationToken) {
    let mut leadership = group.leadership();
    loop {
        let now = *leadership.borrow_and_update();
        hub.liveness.own(group.id(), now);
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            changed = leadership.changed() => if changed.is_err() {
                return;
            },
        }
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
fn watch_dismissal(hub: Arc<Hub>, failed: watch::Sender<Option<String>>, stop: CancellationToken) {
    let mut dismissed = hub.dismissed();
    tokio::spawn(stop.run_until_cancelled_owned(async move {
        if let Ok(why) = dismissed.wait_for(Option::is_some).await
            && let Some(why) = why.clone()
        {
            if hub.has_left() {
                tracing::info!("this node has left the cluster: {why}");
                first(&failed, why);
            } else {
                report(&failed, why);
            }
        }
    }));
}

/// The first failure is the cause; later ones are its consequences.
fn report(failed: &watch::Sender<Option<String>>, why: String) {
    tracing::error!("this node must stop: {why}");
    first(failed, why);
}

fn first(failed: &watch::Sender<Option<String>>, why: String) {
    failed.send_if_modified(|present| {
        let first = present.is_none();
        if first {
            *present = Some(why);
        }
        first
    });
}
