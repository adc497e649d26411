//! Groups over pipes within the process, in paused time.
#![allow(missing_docs)]

mod harness;

use bytes::Bytes;
use consensus::disk::MemDisk;
use consensus::{
    Clock, Config, Consensus, Dial, GroupId, NodeId, PeerService, Pipe, ProposeError, StateMachine, Wire,
    World, seed_thread,
};
use futures::future::BoxFuture;
use harness::{Counter, Echo, LONG, Ledger, eventually, logged};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

const SIZE: u64 = 3;
const LATENCY: Duration = Duration::from_millis(1);

/// What becomes of the messages from and to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    /// Connections close and none is made.
    Closed,
    /// Nothing arrives, and nobody is told.
    Silent,
}

#[derive(Default)]
struct Net {
    services: Mutex<BTreeMap<String, PeerService>>,
    weather: Mutex<BTreeMap<NodeId, Weather>>,
    dialled: Mutex<Vec<(NodeId, NodeId)>>,
}

impl Net {
    fn weather(&self, a: NodeId, b: NodeId) -> Option<Weather> {
        let weather = self.weather.lock().unwrap();
        weather.get(&a).or_else(|| weather.get(&b)).copied()
    }

    fn set(&self, node: NodeId, weather: Option<Weather>) {
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
            tokio::spawn(Arc::clone(&net).carry((from, to), far_end.incoming, near_end.outgoing));
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

struct Cluster {
    net: Arc<Net>,
    nodes: BTreeMap<NodeId, (Arc<Consensus>, Ledger)>,
}

fn address(id: u64) -> String {
    format!("node-{id}")
}

fn config(id: NodeId) -> Config {
    let members = (1..=SIZE).map(|id| (NodeId(id), address(id))).collect();
    Config::new(id, "test", members, 1, "/data")
}

fn world(id: NodeId, net: &Arc<Net>) -> World {
    World {
        clock: Arc::new(PausedClock(Instant::now())),
        entropy: Arc::new(Counter::new(id.0)),
        disk: MemDisk::new().mount(),
        dial: Arc::new(NetDial { from: id, net: Arc::clone(net) }),
    }
}

async fn start(config: Config, net: &Arc<Net>, mut machine: impl FnMut(GroupId) -> Ledger) -> Arc<Consensus> {
    let world = world(config.node, net);
    let at = config.members[&config.node].clone();
    let started =
        Consensus::start(config, world, |group| Box::new(machine(group)) as Box<dyn StateMachine>).await;
    let started = started.unwrap();
    net.services.lock().unwrap().insert(at, started.transport_service());
    started
}

impl Cluster {
    async fn start() -> Cluster {
        let mut cluster = Cluster { net: Arc::default(), nodes: BTreeMap::new() };
        for id in (1..=SIZE).map(NodeId) {
            let ledger = Ledger::default();
            let machine = |group| if group == GroupId(1) { ledger.clone() } else { Ledger::default() };
            let started = start(config(id), &cluster.net, machine).await;
            cluster.nodes.insert(id, (started, ledger));
        }
        cluster
    }

    fn connected(&self, a: NodeId, b: NodeId) -> bool {
        self.nodes[&a].0.peers().connected(b)
    }

    async fn leader_without(&self, without: Option<NodeId>) -> NodeId {
        eventually("a leader", || {
            let mut ids = self.nodes.keys().copied().filter(|id| Some(*id) != without);
            ids.find(|id| self.nodes[id].0.group(GroupId(1)).unwrap().leadership().borrow().leading)
        })
        .await
    }

    async fn propose(&self, command: &[u8], without: Option<NodeId>) {
        loop {
            let leader = self.leader_without(without).await;
            match self.nodes[&leader].0.group(GroupId(1)).unwrap().propose(command.to_vec()).await {
                Ok(_) => return,
                Err(ProposeError::Unknown(why)) => panic!("unknown: {why}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    async fn agreed(&self) -> Vec<Vec<u8>> {
        eventually("agreement", || {
            let mut all = self.nodes.values().map(|(_, ledger)| ledger.seen.lock().unwrap().commands.clone());
            let first = all.next()?;
            all.all(|other| other == first).then_some(first)
        })
        .await
    }
}

/// Cuts the leader of a group of three off and lets it back; what every node has applied then.
async fn leader_cut_off(weather: Weather) -> Vec<Vec<u8>> {
    let cluster = Cluster::start().await;
    cluster.propose(b"before", None).await;
    let old = cluster.leader_without(None).await;
    let others: Vec<_> = cluster.nodes.keys().copied().filter(|id| *id != old).collect();
    cluster.net.set(old, Some(weather));
    let cut = Instant::now();
    cluster.propose(b"during", Some(old)).await;
    eventually("both ends to notice", || {
        others.iter().all(|id| !cluster.connected(*id, old) && !cluster.connected(old, *id)).then_some(())
    })
    .await;
    let noticed = cut.elapsed();
    assert_eq!(noticed > Duration::from_secs(2), weather == Weather::Silent, "{noticed:?}");
    assert!(cluster.connected(others[0], others[1]));
    cluster.net.set(old, None);
    eventually("the way back", || others.iter().all(|id| cluster.connected(old, *id)).then_some(())).await;
    cluster.propose(b"after", None).await;
    let agreed = cluster.agreed().await;
    for (consensus, _) in cluster.nodes.values() {
        consensus.stop().await;
    }
    agreed
}

#[tokio::test(start_paused = true)]
async fn a_group_elects_replicates_and_survives_cuts() {
    logged();
    for weather in [Weather::Closed, Weather::Silent] {
        seed_thread(1);
        assert_eq!(leader_cut_off(weather).await, [b"before".as_slice(), b"during", b"after"]);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_of_any_size_get_through_and_stop_with_the_peer() {
    logged();
    let cluster = Cluster::start().await;
    let (one, two) = (NodeId(1), NodeId(2));
    eventually("a link", || cluster.connected(one, two).then_some(())).await;
    cluster.nodes[&two].0.set_handler(Arc::new(Echo::default()));
    let peers = cluster.nodes[&one].0.peers();
    let large: Bytes = (0..3 << 20).map(|at| (at / 1_000) as u8).collect::<Vec<u8>>().into();
    let answer = peers.call(two, large.clone(), LONG).await.unwrap();
    assert!(answer.iter().rev().eq(large.iter()));
    cluster.nodes[&two].0.stop().await;
    eventually("the loss", || (!cluster.connected(one, two)).then_some(())).await;
    let dialled = cluster.net.dialled.lock().unwrap().clone();
    assert!(dialled.iter().all(|(from, to)| from < to), "the lower id dials: {dialled:?}");
    for id in [1, 3] {
        cluster.nodes[&NodeId(id)].0.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn strangers_are_refused_with_the_reason() {
    logged();
    let net = Arc::<Net>::default();
    let one = start(config(NodeId(1)), &net, |_| Ledger::default()).await;
    let mut stranger = config(NodeId(2));
    stranger.cluster_id = "other".into();
    let stranger = start(stranger, &net, |_| Ledger::default()).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(net.dialled.lock().unwrap().len() > 5, "it goes on trying");
    assert!(!one.peers().connected(NodeId(2)) && !stranger.peers().connected(NodeId(1)));

    // Whoever says nothing is not waited for, nor is one that stops in the middle.
    let service = one.transport_service();
    let (silent, end) = Pipe::pair(1);
    assert!(service.accept_pipe(end).await.unwrap_err().contains("no introduction"));
    assert!(silent.outgoing.is_closed());
    let (gone, end) = Pipe::pair(1);
    drop(gone);
    assert!(service.accept_pipe(end).await.unwrap_err().contains("closed"));
    let (garbage, end) = Pipe::pair(1);
    garbage.outgoing.send(Bytes::from_static(b"hello")).await.unwrap();
    assert!(service.accept_pipe(end).await.unwrap_err().contains("introduction"));

    stranger.stop().await;
    one.stop().await;
    let (_held, end) = Pipe::pair(1);
    assert!(service.accept_pipe(end).await.is_err(), "a stopped node takes nobody in");
}
