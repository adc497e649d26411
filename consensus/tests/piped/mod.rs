//! Nodes in this process that are linked by pipes, in paused time.
#![allow(dead_code, missing_docs)]

use super::harness::{Counter, LONG, Ledger, eventually};
use bytes::Bytes;
use consensus::disk::MemDisk;
use consensus::{
    Clock, Config, Consensus, Dial, Figures, Group, GroupId, NodeId, PeerService, Pipe, ProposeError,
    StartError, StateMachine, Wire, World,
};
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

pub const SIZE: u64 = 3;
const LATENCY: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(1);

/// What becomes of the messages from and to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Connections close and none is made.
    Closed,
    /// Nothing arrives, and nobody is told.
    Silent,
}

#[derive(Default)]
pub struct Net {
    pub services: Mutex<BTreeMap<String, PeerService>>,
    pub weather: Mutex<BTreeMap<NodeId, Weather>>,
    /// From one node to another alone.
    pub between: Mutex<BTreeMap<(NodeId, NodeId), Weather>>,
    /// Frames sent since the start, by kind.
    pub frames: Mutex<BTreeMap<u8, usize>>,
    pub dialled: Mutex<Vec<(NodeId, NodeId)>>,
    /// A node to which each connection carries so many bytes, and then breaks.
    pub breaks: Mutex<Option<(NodeId, usize)>>,
}

impl Net {
    pub fn weather(&self, a: NodeId, b: NodeId) -> Option<Weather> {
        let weather = self.weather.lock().unwrap();
        let between = self.between.lock().unwrap();
        weather.get(&a).or_else(|| weather.get(&b)).or_else(|| between.get(&(a, b))).copied()
    }

    pub fn set_from(&self, a: NodeId, b: NodeId, weather: Option<Weather>) {
        let mut all = self.between.lock().unwrap();
        match weather {
            Some(weather) => drop(all.insert((a, b), weather)),
            None => drop(all.remove(&(a, b))),
        }
    }

    pub fn set_between(&self, a: NodeId, b: NodeId, weather: Option<Weather>) {
        self.set_from(a, b, weather);
        self.set_from(b, a, weather);
    }

    /// Counts the frames of a message: after a length of 4 bytes there is the kind. Introductions
    /// are no frames.
    fn count(&self, message: &Bytes) {
        let mut rest = message.as_ref();
        let mut frames = self.frames.lock().unwrap();
        while let Some((length, body)) = rest.split_first_chunk::<4>() {
            let Some((frame, after)) = body.split_at_checked(u32::from_le_bytes(*length) as usize) else {
                return;
            };
            *frames.entry(frame[0]).or_default() += 1;
            rest = after;
        }
    }

    /// Frames of one kind sent since the start.
    pub fn sent(&self, kind: u8) -> usize {
        self.frames.lock().unwrap().get(&kind).copied().unwrap_or_default()
    }

    pub fn set(&self, node: NodeId, weather: Option<Weather>) {
        let mut all = self.weather.lock().unwrap();
        match weather {
            Some(weather) => drop(all.insert(node, weather)),
            None => drop(all.remove(&node)),
        }
    }

    async fn carry(
        self: Arc<Self>,
        (a, b): (NodeId, NodeId),
        mut from: mpsc::Receiver<Bytes>,
        to: mpsc::Sender<Bytes>,
    ) {
        let mut carried = 0;
        loop {
            let message = tokio::select! {
                biased;
                message = from.recv() => message,
                () = tokio::time::sleep(Duration::from_millis(10)) => {
                    if self.weather(a, b) == Some(Weather::Closed) { return }
                    continue;
                }
            };
            let Some(message) = message else { return };
            carried += message.len();
            let breaks = *self.breaks.lock().unwrap();
            if breaks.is_some_and(|(node, most)| node == b && carried > most) {
                return;
            }
            self.count(&message);
            tokio::time::sleep(LATENCY).await;
            match self.weather(a, b) {
                Some(Weather::Closed) => return,
                Some(Weather::Silent) => {}
                None if to.send(message).await.is_err() => return,
                None => {}
            }
        }
    }
}

struct NetDial {
    from: NodeId,
    net: Arc<Net>,
}

impl Dial for NetDial {
    fn dial(&self, _address: String) -> BoxFuture<'static, io::Result<Box<dyn Wire>>> {
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }

    fn pipe(&self, address: String) -> Option<BoxFuture<'static, io::Result<Pipe>>> {
        let (from, net) = (self.from, Arc::clone(&self.net));
        Some(Box::pin(async move {
            let to = NodeId(address.trim_start_matches("node-").parse().unwrap());
            let service = net.services.lock().unwrap().get(&address).cloned();
            let service = service.filter(|_| net.weather(from, to).is_none());
            let service = service.ok_or(io::ErrorKind::ConnectionRefused)?;
            net.dialled.lock().unwrap().push((from, to));
            let (near, near_end) = Pipe::pair(16);
            let (far_end, far) = Pipe::pair(16);
            tokio::spawn(Arc::clone(&net).carry((from, to), near_end.incoming, far_end.outgoing));
            tokio::spawn(Arc::clone(&net).carry((to, from), far_end.incoming, near_end.outgoing));
            tokio::spawn(async move { service.accept_pipe(far).await });
            Ok(near)
        }))
    }
}

struct PausedClock(Instant);

impl Clock for PausedClock {
    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap()
    }
    fn wall_ms(&self) -> u64 {
        1_000_000 + self.monotonic_us() / 1_000
    }
}

fn address(id: NodeId) -> String {
    format!("node-{}", id.0)
}

/// A running node; the ledger is its first shard's.
pub struct Node {
    pub consensus: Arc<Consensus>,
    pub ledger: Ledger,
    pub figures: Arc<Figures>,
}

/// Three nodes with one shard.
pub struct Cluster {
    pub net: Arc<Net>,
    pub disks: BTreeMap<NodeId, MemDisk>,
    pub nodes: BTreeMap<NodeId, Node>,
    pub adjust: fn(&mut Config),
}

impl Cluster {
    pub fn prepare(adjust: fn(&mut Config)) -> Cluster {
        let disks = (1..=SIZE).map(|id| (NodeId(id), MemDisk::new())).collect();
        Cluster { net: Arc::default(), disks, nodes: BTreeMap::new(), adjust }
    }

    pub async fn start(adjust: fn(&mut Config)) -> Cluster {
        let mut cluster = Cluster::prepare(adjust);
        for id in (1..=SIZE).map(NodeId) {
            cluster.run(id).await.unwrap();
        }
        cluster
    }

    fn world(&self, id: NodeId) -> World {
        World {
            clock: Arc::new(PausedClock(Instant::now())),
            entropy: Arc::new(Counter::new(id.0)),
            disk: self.disks[&id].mount(),
            dial: Arc::new(NetDial { from: id, net: Arc::clone(&self.net) }),
        }
    }

    /// Starts a node over its disk.
    pub async fn run(&mut self, id: NodeId) -> Result<(), StartError> {
        let members = (1..=SIZE).map(|id| (NodeId(id), address(NodeId(id)))).collect();
        let mut config = Config::new(id, "test", members, 1, "/data");
        (self.adjust)(&mut config);
        let (ledger, figures) = (Ledger::default(), Arc::clone(&config.figures));
        let machine = |group| {
            let ledger = if group == GroupId(1) { ledger.clone() } else { Ledger::default() };
            Box::new(ledger) as Box<dyn StateMachine>
        };
        let consensus = Consensus::start(config, self.world(id), machine).await?;
        self.net.services.lock().unwrap().insert(address(id), consensus.transport_service());
        self.nodes.insert(id, Node { consensus, ledger, figures });
        Ok(())
    }

    /// Stops a node cleanly.
    pub async fn stop(&mut self, id: NodeId) {
        self.net.services.lock().unwrap().remove(&address(id));
        self.nodes.remove(&id).unwrap().consensus.stop().await;
    }

    /// Stops a node as a crash would: its disk loses what was not flushed.
    pub async fn crash(&mut self, id: NodeId, seed: u64) {
        self.net.set(id, Some(Weather::Closed));
        self.disks[&id].crash(seed);
        self.stop(id).await;
        self.net.set(id, None);
    }

    pub async fn stop_all(mut self) {
        for id in self.nodes.keys().copied().collect::<Vec<_>>() {
            self.stop(id).await;
        }
    }

    pub fn group(&self, id: NodeId) -> Group {
        self.nodes[&id].consensus.group(GroupId(1)).unwrap()
    }

    pub fn connected(&self, a: NodeId, b: NodeId) -> bool {
        self.nodes[&a].consensus.peers().connected(b)
    }

    pub async fn leader_without(&self, without: Option<NodeId>) -> NodeId {
        eventually("a leader", || {
            let mut ids = self.nodes.keys().copied().filter(|id| Some(*id) != without);
            ids.find(|id| self.group(*id).leadership().borrow().leading)
        })
        .await
    }

    /// Proposes to whoever leads until it is refused no more.
    pub async fn propose(&self, command: &[u8], without: Option<NodeId>) {
        loop {
            let leader = self.leader_without(without).await;
            match self.group(leader).propose(command.to_vec()).await {
                Ok(_) => return,
                Err(ProposeError::Unknown(why)) => panic!("unknown: {why}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Proposes once to each node that leads; whether one of them answered in time that it is done.
    pub async fn try_propose(&self, command: &[u8]) -> bool {
        for id in self.nodes.keys().filter(|id| self.group(**id).leadership().borrow().leading) {
            let group = self.group(*id);
            let outcome = tokio::time::timeout(PATIENCE, group.propose(command.to_vec())).await;
            if matches!(outcome, Ok(Ok(_))) {
                return true;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        false
    }

    /// Proposes until it is done, perhaps more than once.
    pub async fn propose_again(&self, command: &[u8]) {
        let start = Instant::now();
        while !self.try_propose(command).await {
            assert!(start.elapsed() < LONG, "waited in vain for an answer");
        }
    }

    /// What all running nodes have applied, once it is the same and at least this much.
    pub async fn agreed(&self, least: usize) -> Vec<Vec<u8>> {
        eventually("agreement", || {
            let mut all = self.nodes.values().map(|node| node.ledger.seen.lock().unwrap().commands.clone());
            let first = all.next()?;
            (first.len() >= least && all.all(|other| other == first)).then_some(first)
        })
        .await
    }

    /// Waits until a node says that it must stop; why.
    pub async fn failed(&self, id: NodeId) -> String {
        let failure = self.nodes[&id].consensus.failure();
        eventually("the failure", || failure.borrow().clone()).await
    }
}
