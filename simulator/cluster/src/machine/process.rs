//! The process on a machine: the real engine and the real services, over simulated parts.

use super::{Machine, SeededEntropy};
use crate::plan::Plan;
use actors::{Engine, EngineConfig, Probe};
use consensus::{Config, NodeId, SharedDial, World};
use node::services::Shared;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

/// Folder of a node's data on its disk.
pub const DATA: &str = "/data";
/// Port of every node.
pub const PORT: u16 = 7400;

/// A node that serves.
pub struct Served {
    /// Its engine.
    pub engine: Engine,
    /// Its services.
    pub routes: Routes,
    /// Ends the services' streams.
    pub stopping: CancellationToken,
}

/// The address of a node.
#[must_use]
pub fn address(node: NodeId) -> String {
    format!("node-{}:{PORT}", node.0)
}

/// Starts the node of a machine; what becomes of it is in the machine's life.
///
/// # Errors
/// Why the node does not start.
pub async fn boot(
    plan: &Plan,
    machine: &Machine,
    dial: SharedDial,
    probe: Arc<dyn Probe>,
) -> Result<Served, String> {
    let number = {
        let mut life = machine.life();
        life.number += 1;
        life.failure = None;
        life.engine = None;
        life.number
    };
    let members: BTreeMap<NodeId, String> = plan.members().map(|id| (id, address(id))).collect();
    let mut config = Config::new(machine.node, "simulated", members, plan.shards, DATA);
    config.limits.snapshot_entries = plan.snapshot_entries;
    let mut engine = EngineConfig { allow_panic: true, probe: Some(probe), ..EngineConfig::default() };
    if let Some(bug) = plan.bug {
        bug.plant(&mut config, &mut engine);
    }
    let world = World {
        clock: machine.clock.clone(),
        entropy: Arc::new(SeededEntropy::new(machine.draw.child(&format!("life {number}")))),
        disk: machine.disk.mount(),
        dial,
    };
    let engine = Engine::start(engine, config, world).await.map_err(|error| error.to_string())?;
    let stopping = CancellationToken::new();
    let shared = Shared::new(engine.clone(), stopping.clone(), true);
    let routes = node::server::routes(&shared).map_err(|error| error.to_string())?;
    machine.life().engine = Some(engine.clone());
    Ok(Served { engine, routes, stopping })
}
