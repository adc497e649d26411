//! The process on a machine: the real engine and the real services, over simulated parts.

use super::{Life, Machine, SeededEntropy};
use crate::run::Parts;
use crate::world::Order;
use actors::{Engine, EngineConfig};
use consensus::{Config, NodeId, SharedDial, World};
use node::services::Shared;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

/// Folder of a node's data on its disk.
pub const DATA: &str = "/data";
/// Port of every node.
pub const PORT: u16 = 7400;
/// Orders that wait.
const ORDERS_MAX: usize = 16;

/// The address of a node.
#[must_use]
pub fn address(node: NodeId) -> String {
    format!("node-{}:{PORT}", node.0)
}

/// The node at an address.
#[must_use]
pub fn peer_of(address: &str) -> Option<NodeId> {
    address.strip_prefix("node-")?.split(':').next()?.parse().ok().map(NodeId)
}

/// A node that serves.
pub struct Served {
    /// Its engine.
    pub engine: Engine,
    /// Its services.
    pub routes: Routes,
    /// Ends the services' streams.
    pub stopping: CancellationToken,
    orders: mpsc::Receiver<Order>,
}

/// Starts the node of a machine.
///
/// # Errors
/// Why the node does not start.
pub async fn boot(parts: &Parts, machine: &Machine, life: &Life, dial: SharedDial) -> Result<Served, String> {
    let plan = &parts.plan;
    let members: BTreeMap<NodeId, String> = plan.members().map(|id| (id, address(id))).collect();
    let mut config = Config::new(machine.node, "simulated", members, plan.shards, DATA);
    config.limits.snapshot_entries = plan.snapshot_entries;
    config.limits.log_segment_bytes = plan.log_segment_bytes;
    let probe = parts.inside.probe(life.clone());
    let mut engine = EngineConfig { allow_panic: true, probe: Some(probe), ..EngineConfig::default() };
    engine.events.segment_bytes = plan.event_segment_bytes;
    if let Some(bug) = plan.bug {
        bug.plant(&mut config, &mut engine);
    }
    let world = World {
        clock: machine.clock.clone(),
        entropy: Arc::new(SeededEntropy::new(machine.draw.child(&format!("life {}", life.number())))),
        disk: machine.disk.mount(),
        dial,
    };
    let engine = Engine::start(engine, config, world).await.map_err(|error| error.to_string())?;
    let stopping = CancellationToken::new();
    let shared = Shared::new(engine.clone(), stopping.clone(), true);
    let routes = node::server::routes(&shared);
    let (order, orders) = mpsc::channel(ORDERS_MAX);
    life.started(engine.clone(), order);
    Ok(Served { engine, routes, stopping, orders })
}

impl Served {
    /// Serves until the node fails (then why) or is told to stop.
    pub async fn run<E: std::fmt::Display>(
        mut self,
        serving: impl Future<Output = Result<(), E>>,
    ) -> Option<String> {
        let mut failure = self.engine.failure();
        tokio::pin!(serving);
        let why = loop {
            tokio::select! {
                biased;
                failed = failure.wait_for(Option::is_some) => {
                    break Some(failed.ok().and_then(|why| why.clone()).unwrap_or_else(|| "replication ended".to_owned()));
                }
                order = self.orders.recv() => match order {
                    Some(Order::Transfer(group, to)) => {
                        let engine = self.engine.clone();
                        tokio::spawn(async move { engine.transfer_leadership(group, to).await });
                    }
                    Some(Order::Stop) => break None,
                    None => break None,
                },
                ended = &mut serving => break Some(match ended {
                    Ok(()) => "the server ended".to_owned(),
                    Err(error) => format!("the server failed: {error}"),
                }),
            }
        };
        // As `centralita serve` does: streams end, leadership is handed over, then connections close.
        self.stopping.cancel();
        self.engine.stop().await;
        why
    }
}
