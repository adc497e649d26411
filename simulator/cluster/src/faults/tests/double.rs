//! A world of nodes that do nothing but use their disks, and of a network that is only noted.

use crate::machine::SimClock;
use crate::world::{Order, Place, World};
use actors::{ClusterState, Figures, NodeStage, NodeState, Replica, ShardState};
use consensus::disk::{MemDisk, OpenMode, SharedDisk};
use consensus::{GroupId, NodeId};
use routing::LogTime;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// A node stops this long after it was told to.
const STOPS_IN: Duration = Duration::from_millis(200);
/// A disk that has not answered by then stands still.
const STANDS_STILL: Duration = Duration::from_secs(30);

/// The double, and what was done to it.
pub(super) struct Double {
    pub(super) now: Duration,
    pub(super) record: Vec<String>,
    pub(super) cuts: BTreeSet<(Place, Place)>,
    pub(super) delays: BTreeMap<(Place, Place), Duration>,
    pub(super) up: BTreeSet<NodeId>,
    /// Nodes that do as they are told when they are told to stop.
    pub(super) obedient: bool,
    failures: BTreeMap<NodeId, String>,
    stops: BTreeMap<NodeId, Duration>,
    disks: BTreeMap<NodeId, MemDisk>,
    clocks: BTreeMap<NodeId, Arc<SimClock>>,
    crashes: u64,
    runtime: Runtime,
}

impl Double {
    pub(super) fn new(nodes: u64) -> Self {
        let ids: Vec<NodeId> = (1..=nodes).map(NodeId).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        Self {
            now: Duration::ZERO,
            record: Vec::new(),
            cuts: BTreeSet::new(),
            delays: BTreeMap::new(),
            up: ids.iter().copied().collect(),
            obedient: true,
            failures: BTreeMap::new(),
            stops: BTreeMap::new(),
            disks: ids.iter().map(|id| (*id, MemDisk::new())).collect(),
            clocks: ids.iter().map(|id| (*id, Arc::new(SimClock::new(0)))).collect(),
            crashes: 0,
            runtime: runtime.unwrap(),
        }
    }

    fn note(&mut self, text: String) {
        self.record.push(format!("{:?} {text}", self.now));
    }

    /// Whether anything was done that begins so.
    pub(super) fn has(&self, action: &str) -> bool {
        self.record.iter().any(|line| line.split_once(' ').is_some_and(|(_, text)| text.starts_with(action)))
    }

    /// The node fails by itself.
    pub(super) fn fail(&mut self, node: NodeId, why: &str) {
        self.note(format!("failed {node}"));
        self.failures.insert(node, why.to_owned());
        self.up.remove(&node);
    }

    /// How long a node's disk takes for a write and a sync.
    pub(super) fn disk_takes(&self, node: NodeId) -> io::Result<Duration> {
        let disk = self.disks[&node].mount();
        self.runtime.block_on(async {
            let began = tokio::time::Instant::now();
            let work = append(&disk);
            match tokio::time::timeout(STANDS_STILL, work).await {
                Ok(Ok(())) => Ok(began.elapsed()),
                Ok(Err(error)) => Err(error),
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            }
        })
    }

    /// Time passes, and nodes work.
    pub(super) fn advance(&mut self, by: Duration) {
        self.now += by;
        let stopped: Vec<NodeId> =
            self.stops.iter().filter(|(_, at)| **at <= self.now).map(|(node, _)| *node).collect();
        for node in stopped {
            self.stops.remove(&node);
            self.note(format!("stopped {node}"));
            self.up.remove(&node);
        }
    }

    /// Every node that runs uses its disk, and fails when that fails.
    pub(super) fn work(&mut self) {
        for node in self.nodes() {
            if !self.up.contains(&node) {
                continue;
            }
            let disk = self.disks[&node].mount();
            let done = self.runtime.block_on(async { tokio::time::timeout(STANDS_STILL, work(&disk)).await });
            if let Ok(Err(error)) = done {
                self.fail(node, &error.to_string());
            }
        }
    }
}

async fn append(disk: &SharedDisk) -> io::Result<()> {
    let folder = Path::new("/data/log");
    disk.create_dir_all(folder).await?;
    let path = folder.join("one");
    let file = match disk.open(&path, OpenMode::Existing).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let file = disk.open(&path, OpenMode::CreateNew).await?;
            disk.sync_dir(folder).await?;
            file
        }
        opened => opened?,
    };
    file.write_at_and_sync(0, bytes::Bytes::from_static(b"entry")).await
}

/// An append, a read, and a snapshot.
async fn work(disk: &SharedDisk) -> io::Result<()> {
    append(disk).await?;
    let file = disk.open(Path::new("/data/log/one"), OpenMode::Existing).await?;
    file.read_at(0, 5).await?;
    let folder = Path::new("/data/snapshots");
    disk.create_dir_all(folder).await?;
    let (temporary, path) = (folder.join("one.tmp"), folder.join("one"));
    match disk.remove(&temporary).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = disk.open(&temporary, OpenMode::CreateNew).await?;
    file.write_at_and_sync(0, bytes::Bytes::from_static(b"state")).await?;
    disk.rename(&temporary, &path).await?;
    disk.sync_dir(folder).await
}

impl World for Double {
    fn now(&self) -> Duration {
        self.now
    }

    fn nodes(&self) -> Vec<NodeId> {
        self.disks.keys().copied().collect()
    }

    fn sites(&self) -> Vec<u8> {
        vec![1, 2]
    }

    fn is_up(&self, node: NodeId) -> bool {
        self.up.contains(&node)
    }

    fn crash(&mut self, node: NodeId) {
        self.note(format!("crash {node}"));
        self.crashes += 1;
        self.disks[&node].crash(self.crashes);
        self.up.remove(&node);
        self.stops.remove(&node);
    }

    fn kill(&mut self, node: NodeId) {
        self.note(format!("kill {node}"));
        self.disks[&node].kill();
        self.up.remove(&node);
        self.stops.remove(&node);
    }

    fn start(&mut self, node: NodeId) {
        assert!(!self.is_up(node), "{node} runs already");
        self.note(format!("start {node}"));
        self.failures.remove(&node);
        self.up.insert(node);
    }

    fn disk(&self, node: NodeId) -> MemDisk {
        self.disks[&node].clone()
    }

    fn clock(&self, node: NodeId) -> Arc<SimClock> {
        Arc::clone(&self.clocks[&node])
    }

    fn cut(&mut self, from: Place, to: Place) {
        self.note(format!("cut {from} {to}"));
        assert!(self.cuts.insert((from, to)), "{from} and {to} are cut already");
    }

    fn mend(&mut self, from: Place, to: Place) {
        self.note(format!("mend {from} {to}"));
        assert!(self.cuts.remove(&(from, to)), "{from} and {to} are not cut");
    }

    fn delay(&mut self, a: Place, b: Place, extra: Duration) {
        self.note(format!("delay {a} {b} {extra:?}"));
        if extra.is_zero() {
            self.delays.remove(&(a, b));
        } else {
            self.delays.insert((a, b), extra);
        }
    }

    fn drop_connections(&mut self, a: Place, b: Place) {
        self.note(format!("drop {a} {b}"));
    }

    /// The first node that runs leads everything.
    fn seen_by(&self, node: NodeId) -> Option<ClusterState> {
        if !self.is_up(node) {
            return None;
        }
        let leader = self.up.first().copied();
        let shard = |group| ShardState {
            group: GroupId(group),
            term: 1,
            leader,
            leading: leader == Some(node),
            applied: 0,
            log_time: LogTime::default(),
            now: LogTime::default(),
            domains: u64::from(group > 0),
            replicas: self
                .nodes()
                .into_iter()
                .map(|node| Replica { node, voter: true, applied: None })
                .collect(),
        };
        let state = |id| NodeState {
            id,
            address: String::new(),
            reachable: true,
            stage: NodeStage::Member,
            knows: Some(1),
            zone: String::new(),
            leads: None,
        };
        Some(ClusterState {
            cluster: "double".to_owned(),
            this: node,
            nodes: self.nodes().into_iter().map(state).collect(),
            shards: (0..=2).map(shard).collect(),
            alarms: Vec::new(),
            replicas: 5,
            level: 1,
            level_held: false,
            moves: Vec::new(),
            moves_begun: 0,
            planted: None,
            speed: 1.0,
            figures: Figures { sessions_here: 10, ..Figures::default() },
        })
    }

    fn spares(&self) -> Vec<NodeId> {
        vec![NodeId(self.disks.len() as u64 + 1)]
    }

    fn install(&mut self, node: NodeId, level: u32) {
        self.note(format!("install {node} {level}"));
    }

    fn retire(&mut self, node: NodeId) {
        self.note(format!("retire {node}"));
    }

    fn failure(&self, node: NodeId) -> Option<String> {
        self.failures.get(&node).cloned()
    }

    fn order(&mut self, node: NodeId, order: Order) {
        self.note(format!("order {node} {order:?}"));
        if order == Order::Stop && self.obedient {
            self.stops.insert(node, self.now + STOPS_IN);
        }
    }
}
