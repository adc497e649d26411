//! The process on a machine: the real engine and the real services, over simulated parts.

use super::{Birth, Life, Machine, SeededEntropy};
use crate::run::Parts;
use crate::world::Order;
use actors::{Engine, EngineConfig};
use consensus::{Config, NodeId, SharedDial, World};
use node::services::Shared;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

/// Folder of a node's data on its disk.
pub const DATA: &str = "/data";
/// Port of every node.
pub const PORT: u16 = 7400;
/// How long a node is asked to change the members.
const CHANGE_MAX: Duration = Duration::from_secs(5);
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
    machines: BTreeMap<NodeId, Machine>,
}

/// Starts the node of a machine.
///
/// # Errors
/// Why the node does not start.
pub async fn boot(parts: &Parts, machine: &Machine, life: &Life, dial: SharedDial) -> Result<Served, String> {
    let plan = &parts.plan;
    let founders: BTreeMap<NodeId, String> = plan.members().map(|id| (id, address(id))).collect();
    let founding = Config::new(machine.node, "simulated", founders, plan.shards, DATA);
    let mut config = match machine.birth() {
        Birth::Founder => founding,
        Birth::Joined(told) => {
            Config { founding: false, members: told.members, shards: told.shards, ..founding }
        }
        Birth::Spare | Birth::Retired => return Err("a machine without a node was started".to_owned()),
    };
    config.figures = Arc::clone(&parts.figures);
    config.limits.snapshot_entries = plan.snapshot_entries;
    config.limits.snapshot_part_bytes = plan.snapshot_part_bytes;
    config.limits.log_segment_bytes = plan.log_segment_bytes;
    let probe = parts.inside.probe(life.clone());
    let (level, zone) = (machine.knows(), plan.zone(machine.node));
    let mut engine =
        EngineConfig { allow_panic: true, probe: Some(probe), level, zone, ..EngineConfig::default() };
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
    Ok(Served { engine, routes, stopping, orders, machines: parts.machines.clone() })
}

/// Has a spare machine's node join. It draws one number in its life, so that one is one node however
/// often it asks.
async fn join(engine: &Engine, machine: &Machine) {
    let nonce = u128::from(machine.node.0);
    match engine.join(nonce, address(machine.node), CHANGE_MAX).await {
        Ok(joined) => {
            assert_eq!(joined.node, machine.node, "spare machines join in order, each once");
            tracing::info!(node = %machine.node, "has joined");
            machine.joined(joined);
        }
        Err(error) => tracing::info!(node = %machine.node, %error, "has not joined"),
    }
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
                    Some(Order::Join(spare)) => {
                        let (engine, machine) = (self.engine.clone(), self.machines[&spare].clone());
                        tokio::spawn(async move { join(&engine, &machine).await });
                    }
                    Some(Order::Remove(node)) => {
                        let engine = self.engine.clone();
                        tokio::spawn(async move {
                            let id = engine.new_request_id();
                            let removed = engine.remove_node(id, node, CHANGE_MAX).await;
                            tracing::info!(%node, ?removed, "asked to remove");
                        });
                    }
                    Some(Order::Replicas(replicas)) => {
                        let engine = self.engine.clone();
                        tokio::spawn(async move {
                            let id = engine.new_request_id();
                            let set = engine.set_replicas(id, replicas, CHANGE_MAX).await;
                            tracing::info!(replicas, ?set, "asked for replicas");
                        });
                    }
                    Some(Order::Move(domain, to)) => {
                        let engine = self.engine.clone();
                        tokio::spawn(async move {
                            let id = engine.new_request_id();
                            let asked = engine.move_domain(id, domain, to, CHANGE_MAX).await;
                            tracing::info!(%domain, %to, ?asked, "asked to move");
                        });
                    }
                    Some(Order::Stay(domain)) => {
                        let engine = self.engine.clone();
                        tokio::spawn(async move {
                            let id = engine.new_request_id();
                            let asked = engine.cancel_move(id, domain, CHANGE_MAX).await;
                            tracing::info!(%domain, ?asked, "asked to give its move up");
                        });
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
