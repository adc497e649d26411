//! Nodes in this process: real sockets on loopback, disks in memory, a state machine of sums.
#![allow(dead_code, missing_docs)]

use bytes::Bytes;
use consensus::disk::MemDisk;
use consensus::{
    Batch, BatchPosition, Clock, Config, Consensus, Dial, Entropy, Group, GroupId, MemberChange, NodeId,
    PeerHandler, StateMachine, TcpDial, Wire, World,
};
use futures::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Generous: only a hang is a failure.
pub const LONG: Duration = Duration::from_secs(60);

/// A command on which the state machine panics.
pub const POISON: &[u8] = b"poison";
/// A command that the state machine says it cannot apply.
pub const STRANGE: &[u8] = b"strange";

pub struct RealClock(Instant);

#[allow(clippy::disallowed_methods)]
impl Default for RealClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for RealClock {
    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap()
    }
    #[allow(clippy::disallowed_methods)]
    fn wall_ms(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        u64::try_from(since.as_millis()).unwrap()
    }
}

#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn new(start: u64) -> Counter {
        Counter(AtomicU64::new(start))
    }
}

impl Entropy for Counter {
    fn next_u64(&self) -> u64 {
        self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed) ^ 0x1234_5678
    }
}

/// What a test sees of a replica's state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Every command applied, in order.
    pub commands: Vec<Vec<u8>>,
    /// The time of every batch, in order.
    pub times: Vec<u64>,
    /// Commands in every batch.
    pub sizes: Vec<usize>,
    /// Snapshots restored.
    pub restored: usize,
    /// Log time.
    pub time_us: u64,
}

/// Keeps all commands and answers with how many there are.
#[derive(Clone, Default)]
pub struct Ledger {
    pub seen: Arc<Mutex<Seen>>,
    pub padding: usize,
}

impl StateMachine for Ledger {
    fn apply(&mut self, _at: BatchPosition, batch: &Batch) -> Result<Vec<Vec<u8>>, String> {
        let mut seen = self.seen.lock().unwrap();
        assert!(batch.time_us > seen.time_us, "log time must grow");
        seen.time_us = batch.time_us;
        seen.times.push(batch.time_us);
        seen.sizes.push(batch.commands.len());
        let mut answers = Vec::new();
        for command in &batch.commands {
            assert!(command.as_slice() != POISON, "poison");
            if command.as_slice() == STRANGE {
                return Err("a command of a later version".to_owned());
            }
            seen.commands.push(command.clone());
            answers.push(seen.commands.len().to_le_bytes().to_vec());
        }
        Ok(answers)
    }

    fn snapshot(&mut self) -> BoxFuture<'static, io::Result<Vec<u8>>> {
        let seen = self.seen.lock().unwrap().clone();
        let padding = self.padding;
        Box::pin(async move {
            let mut picture = vec![7u8; padding];
            picture.extend(proto::codec::encode(&(seen.commands, seen.time_us)));
            Ok(picture)
        })
    }

    fn restore(&mut self, _at: BatchPosition, snapshot: &[u8]) -> Result<(), String> {
        let picture = snapshot.get(self.padding..).ok_or("too short")?;
        let (commands, time_us): (Vec<Vec<u8>>, u64) =
            proto::codec::decode(picture).map_err(|error| error.to_string())?;
        let mut seen = self.seen.lock().unwrap();
        let restored = seen.restored + 1;
        *seen = Seen { commands, time_us, restored, ..Seen::default() };
        Ok(())
    }

    fn log_time_us(&self) -> u64 {
        self.seen.lock().unwrap().time_us
    }
}

/// Connections that a test can cut and refuse.
#[derive(Clone, Default)]
pub struct Switchboard {
    cut: Arc<Mutex<BTreeSet<NodeId>>>,
}

impl Switchboard {
    pub fn cut(&self, node: NodeId) {
        self.cut.lock().unwrap().insert(node);
    }
    pub fn heal(&self, node: NodeId) {
        self.cut.lock().unwrap().remove(&node);
    }
    pub fn is_cut(&self, node: NodeId) -> bool {
        self.cut.lock().unwrap().contains(&node)
    }
}

/// Refuses connections from and to nodes that are cut off, and stalls open ones.
pub struct TestDial {
    from: NodeId,
    members: BTreeMap<String, NodeId>,
    board: Switchboard,
}

impl Dial for TestDial {
    fn dial(&self, address: String) -> BoxFuture<'static, io::Result<Box<dyn Wire>>> {
        let (from, board) = (self.from, self.board.clone());
        let to = self.members[&address];
        let dialled = TcpDial.dial(address);
        Box::pin(async move {
            if board.is_cut(from) || board.is_cut(to) {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            let wire = dialled.await?;
            let (near, far) = tokio::io::duplex(64 << 10);
            tokio::spawn(relay(far, wire, board, from, to));
            Ok(Box::new(near) as Box<dyn Wire>)
        })
    }
}

/// Carries bytes both ways until either node is cut off; then nothing arrives any more, as on a
/// real network, and nobody is told.
async fn relay(
    near: tokio::io::DuplexStream,
    far: Box<dyn Wire>,
    board: Switchboard,
    from: NodeId,
    to: NodeId,
) {
    let (near_in, near_out) = tokio::io::split(near);
    let (far_in, far_out) = tokio::io::split(far);
    tokio::join!(carry(near_in, far_out, &board, from, to), carry(far_in, near_out, &board, from, to));
}

async fn carry(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    board: &Switchboard,
    a: NodeId,
    b: NodeId,
) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut buffer = vec![0; 64 << 10];
    let mut dead = false;
    while let Ok(count) = from.read(&mut buffer).await {
        dead |= board.is_cut(a) || board.is_cut(b);
        if count == 0 || (!dead && to.write_all(&buffer[..count]).await.is_err()) {
            break;
        }
    }
    let _ = to.shutdown().await;
}

/// A running node.
pub struct Node {
    pub consensus: Arc<Consensus>,
    pub ledgers: BTreeMap<GroupId, Ledger>,
    server: JoinHandle<()>,
}

/// A cluster.
pub struct Cluster {
    pub members: BTreeMap<NodeId, String>,
    pub disks: BTreeMap<NodeId, MemDisk>,
    pub nodes: BTreeMap<NodeId, Node>,
    pub board: Switchboard,
    /// Nodes up to this one have founded the cluster.
    pub founders: NodeId,
    pub shards: u32,
    pub adjust: fn(&mut Config),
    pub padding: usize,
}

impl Cluster {
    /// Starts `size` nodes.
    pub async fn start(size: u64, shards: u32, adjust: fn(&mut Config)) -> Cluster {
        let mut cluster = Cluster::prepare(size, shards, adjust).await;
        for id in cluster.members.keys().copied().collect::<Vec<_>>() {
            cluster.run(id).await;
        }
        cluster
    }

    /// Chooses addresses without starting anything.
    pub async fn prepare(size: u64, shards: u32, adjust: fn(&mut Config)) -> Cluster {
        let mut members = BTreeMap::new();
        let mut held = Vec::new();
        for id in 1..=size {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            members.insert(NodeId(id), listener.local_addr().unwrap().to_string());
            held.push(listener);
        }
        let disks = members.keys().map(|id| (*id, MemDisk::new())).collect();
        Cluster {
            members,
            disks,
            nodes: BTreeMap::new(),
            board: Switchboard::default(),
            founders: NodeId(size),
            shards,
            adjust,
            padding: 0,
        }
    }

    pub fn config(&self, id: NodeId) -> Config {
        let founding = id <= self.founders;
        let mut members = self.members.clone();
        members.retain(|id, _| !founding || *id <= self.founders);
        let mut config = Config { founding, ..Config::new(id, "test", members, self.shards, "/data") };
        (self.adjust)(&mut config);
        config
    }

    pub fn world(&self, id: NodeId) -> World {
        World {
            clock: Arc::new(RealClock::default()),
            entropy: Arc::new(Counter::new(id.0)),
            disk: self.disks[&id].mount(),
            dial: Arc::new(TestDial {
                from: id,
                members: self.members.iter().map(|(id, address)| (address.clone(), *id)).collect(),
                board: self.board.clone(),
            }),
        }
    }

    /// Starts a node over its disk.
    pub async fn run(&mut self, id: NodeId) {
        let mut ledgers = BTreeMap::new();
        let padding = self.padding;
        let consensus = Consensus::start(self.config(id), self.world(id), |group| {
            let ledger = Ledger { padding, ..Ledger::default() };
            ledgers.insert(group, ledger.clone());
            Box::new(ledger)
        });
        let consensus = consensus.await.unwrap();
        let listener = loop {
            match TcpListener::bind(&self.members[&id]).await {
                Ok(listener) => break listener,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
        let service = consensus.transport_service();
        let server = tokio::spawn(async move {
            tonic::transport::Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming)
                .await
                .unwrap();
        });
        self.nodes.insert(id, Node { consensus, ledgers, server });
    }

    /// Starts one more node, which the others do not know yet.
    pub async fn run_stranger(&mut self) -> NodeId {
        let id = NodeId(self.members.keys().last().unwrap().0 + 1);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.members.insert(id, listener.local_addr().unwrap().to_string());
        drop(listener);
        self.disks.insert(id, MemDisk::new());
        self.run(id).await;
        for group in 1..=self.shards {
            self.open(id, group, 0).await;
        }
        id
    }

    /// Opens a replica on a node that has none.
    pub async fn open(&mut self, id: NodeId, group: u32, at: u64) {
        let ledger = Ledger { padding: self.padding, ..Ledger::default() };
        let node = self.nodes.get_mut(&id).unwrap();
        let machine = ledger.clone();
        node.consensus.open(GroupId(group), at, || Box::new(machine)).await.unwrap();
        node.ledgers.insert(GroupId(group), ledger);
    }

    /// Makes a change of a group's members at whoever leads, until it is done.
    pub async fn change(&self, group: u32, change: &MemberChange) {
        for _ in 0..200 {
            let leader = self.group(self.leader(group).await, group);
            let at = leader.members().index;
            let changed = tokio::time::timeout(LONG, leader.change_members(at, change.clone())).await;
            match changed.unwrap() {
                Ok(()) => return,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        panic!("not done: {change:?}");
    }

    /// Stops a node cleanly.
    pub async fn stop(&mut self, id: NodeId) {
        let node = self.nodes.remove(&id).unwrap();
        node.consensus.stop().await;
        node.server.abort();
        let _ = node.server.await;
    }

    /// Stops a node as a crash would: its disk loses what was not flushed.
    pub async fn crash(&mut self, id: NodeId, seed: u64) {
        self.disks[&id].crash(seed);
        let node = self.nodes.remove(&id).unwrap();
        node.server.abort();
        let _ = node.server.await;
        node.consensus.stop().await;
    }

    pub async fn stop_all(mut self) {
        for id in self.nodes.keys().copied().collect::<Vec<_>>() {
            self.stop(id).await;
        }
    }

    pub fn group(&self, id: NodeId, group: u32) -> Group {
        self.nodes[&id].consensus.group(GroupId(group)).unwrap()
    }

    pub fn seen(&self, id: NodeId, group: u32) -> Seen {
        self.nodes[&id].ledgers[&GroupId(group)].seen.lock().unwrap().clone()
    }

    /// Waits for a node that leads a group, not counting `without`.
    pub async fn leader_without(&self, group: u32, without: Option<NodeId>) -> NodeId {
        eventually("a leader", || {
            let ids = self.nodes.keys().copied().filter(|id| Some(*id) != without);
            let leads = |id: &NodeId| {
                let here = self.nodes[id].consensus.group(GroupId(group));
                here.is_some_and(|group| group.leadership().borrow().leading)
            };
            ids.into_iter().find(leads)
        })
        .await
    }

    pub async fn leader(&self, group: u32) -> NodeId {
        self.leader_without(group, None).await
    }

    /// Proposes to whoever leads until there is an answer; how often the outcome was unknown.
    pub async fn propose(&self, group: u32, command: &[u8]) -> usize {
        self.propose_without(group, command, None).await
    }

    pub async fn propose_without(&self, group: u32, command: &[u8], without: Option<NodeId>) -> usize {
        let mut unknown = 0;
        loop {
            let leader = self.leader_without(group, without).await;
            match self.group(leader, group).propose(command.to_vec()).await {
                Ok(_) => return unknown,
                Err(consensus::ProposeError::Unknown(_)) => unknown += 1,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Waits until all running nodes hold the same commands, and returns them.
    pub async fn agreed(&self, group: u32, least: usize) -> Vec<Vec<u8>> {
        eventually("agreement", || {
            let mut all = self.nodes.keys().map(|id| self.seen(*id, group).commands);
            let first = all.next()?;
            (first.len() >= least && all.all(|other| other == first)).then_some(first)
        })
        .await
    }
}

/// Polls until there is a value; only a hang fails.
pub async fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = tokio::time::Instant::now();
    loop {
        if let Some(value) = look() {
            return value;
        }
        assert!(start.elapsed() < LONG, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Answers calls with the message reversed; notes casts and changes.
#[derive(Default)]
pub struct Echo {
    pub casts: Mutex<Vec<(NodeId, Bytes)>>,
    pub changes: Mutex<Vec<(NodeId, bool)>>,
}

impl PeerHandler for Echo {
    fn call(&self, _from: NodeId, message: Bytes) -> BoxFuture<'static, Bytes> {
        Box::pin(async move {
            if message.as_ref() == b"never" {
                std::future::pending::<()>().await;
            }
            message.iter().rev().copied().collect::<Vec<u8>>().into()
        })
    }
    fn cast(&self, from: NodeId, message: Bytes) {
        self.casts.lock().unwrap().push((from, message));
    }
    fn peer_changed(&self, peer: NodeId, connected: bool) {
        self.changes.lock().unwrap().push((peer, connected));
    }
}

/// Shows the log of a failing test when RUST_LOG is set.
pub fn logged() {
    let _ = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_test_writer()
        .try_init();
}
