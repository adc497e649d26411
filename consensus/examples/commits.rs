//! Prints commits per second and their latency: three nodes in one process, real disk, loopback.
//! `cargo run --release -p centralita-consensus --example commits [SECONDS [GROUPS]]`

use bytes::Bytes;
use consensus::disk::RealDisk;
use consensus::{
    Batch, BatchPosition, Clock, Config, Consensus, Entropy, Group, NodeId, StateMachine, TcpDial, World,
};
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;

const COMMAND_BYTES: usize = 128;

struct RealClock(Instant);

impl Clock for RealClock {
    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
    #[allow(clippy::disallowed_methods)]
    fn wall_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

struct Counter(AtomicU64);

impl Entropy for Counter {
    fn next_u64(&self) -> u64 {
        self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
    }
}

#[derive(Default)]
struct Sum {
    count: u64,
    time_us: u64,
}

impl StateMachine for Sum {
    fn apply(&mut self, _at: BatchPosition, batch: &Batch) -> Result<Vec<Vec<u8>>, String> {
        self.time_us = batch.time_us;
        self.count += batch.commands.len() as u64;
        Ok(vec![vec![1]; batch.commands.len()])
    }
    fn snapshot(&mut self) -> BoxFuture<'static, io::Result<Vec<u8>>> {
        let bytes = [self.count.to_le_bytes(), self.time_us.to_le_bytes()].concat();
        Box::pin(async move { Ok(bytes) })
    }
    fn restore(&mut self, _at: BatchPosition, _snapshot: &[u8]) -> Result<(), String> {
        Ok(())
    }
    fn log_time_us(&self) -> u64 {
        self.time_us
    }
}

#[allow(clippy::disallowed_methods)]
fn now() -> Instant {
    Instant::now()
}

/// Writers that each propose, wait for the answer, and propose again.
async fn measure(groups: &[Group], writers: usize, length: Duration) {
    let until = now() + length;
    let mut tasks = Vec::new();
    for writer in 0..writers {
        let group = groups[writer % groups.len()].clone();
        tasks.push(tokio::spawn(async move {
            let mut latencies_us = Vec::new();
            while now() < until {
                let start = now();
                if group.propose(vec![7; COMMAND_BYTES]).await.is_ok() {
                    latencies_us.push(start.elapsed().as_micros());
                }
            }
            latencies_us
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.unwrap_or_default());
    }
    all.sort_unstable();
    let at = |share: f64| {
        #[allow(clippy::cast_precision_loss, clippy::cast_sign_loss, clippy::cast_possible_truncation)]
        let index = (all.len() as f64 * share) as usize;
        all.get(index.min(all.len().saturating_sub(1))).copied().unwrap_or(0)
    };
    #[allow(clippy::cast_precision_loss)]
    let rate = all.len() as f64 / length.as_secs_f64();
    println!(
        "{writers:5} writers, {} groups: {rate:9.0} commits/s, p50 {} us, p99 {} us, max {} us",
        groups.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).init();
    let mut arguments = std::env::args().skip(1);
    let seconds: u64 = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let shards: u32 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let mut listeners = BTreeMap::new();
    for id in 1..=3 {
        listeners.insert(NodeId(id), TcpListener::bind("127.0.0.1:0").await?);
    }
    let mut members = BTreeMap::new();
    for (id, listener) in &listeners {
        members.insert(*id, listener.local_addr()?.to_string());
    }
    let mut nodes = Vec::new();
    for (id, listener) in listeners {
        let data = folder.path().join(id.to_string());
        let config = Config::new(id, "bench", members.clone(), shards, data);
        let world = World {
            clock: Arc::new(RealClock(now())),
            entropy: Arc::new(Counter(AtomicU64::new(id.0))),
            disk: Arc::new(RealDisk::new()?),
            dial: Arc::new(TcpDial),
        };
        let consensus = Consensus::start(config, world, |_| Box::new(Sum::default())).await?;
        let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
        let service = consensus.transport_service();
        tokio::spawn(async move {
            tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming).await
        });
        nodes.push(consensus);
    }
    let mut leaders = Vec::new();
    for shard in 1..=shards {
        let all = nodes.iter().filter_map(|node| node.group(consensus::GroupId(shard)));
        let all: Vec<Group> = all.collect();
        let leader = loop {
            match all.iter().find(|group| group.status().leading) {
                Some(leader) => break leader.clone(),
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        leaders.push(leader);
    }
    let length = Duration::from_secs(seconds);
    for writers in [1, 8, 64, 512, 4_096] {
        measure(&leaders, writers, length).await;
    }
    let peers = nodes[0].peers();
    let start = now();
    let mut calls = 0u32;
    while start.elapsed() < Duration::from_secs(1) {
        let _ = peers.call(NodeId(2), Bytes::new(), Duration::from_secs(1)).await;
        calls += 1;
    }
    println!("calls between nodes, one at a time: {calls}/s");
    for node in &nodes {
        node.stop().await;
    }
    Ok(())
}
