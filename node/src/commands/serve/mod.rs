//! `serve`: runs a node until it is told to stop.

mod args;
mod birth;
mod disk;
mod faults;
mod parent;

pub use args::Args;
pub(in crate::commands) use birth::{Restored, UNFINISHED};

use crate::config::Settings;
use crate::failure::{Failure, Kind};
use crate::services::Shared;
use crate::serving::{self, Serving};
use crate::telemetry;
use crate::world::{SystemClock, SystemEntropy};
use actors::{Engine, EngineConfig, StartError};
use birth::Belongs;
use consensus::{Config, NodeId, TcpDial, World};
use faults::Faults;
use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Carries the command out: returns when the node has stopped.
///
/// # Errors
/// See [`Failure`].
pub async fn run(args: Args) -> Result<(), Failure> {
    let parent = args.stop_on_stdin_eof.then(parent::watch);
    let (settings, faults) = args.settle(std::env::vars())?;
    let telemetry = telemetry::start(&telemetry::Settings {
        filter: settings.log.clone(),
        format: settings.log_format,
        otlp: settings.otlp.clone(),
        instance: format!("{}-{}", settings.cluster, settings.node),
    })
    .map_err(|error| Failure::new(Kind::Config, error))?;
    let done = serve(&settings, &faults, parent).await;
    telemetry.stop();
    done
}

async fn serve(settings: &Settings, faults: &Faults, parent: Option<parent::Parent>) -> Result<(), Failure> {
    let mut signals = Signals::listen(parent)?;
    let listener = serving::listen(&settings.listen).await?;
    let address =
        listener.local_addr().map_err(|error| Failure::new(Kind::Listen, format!("no address: {error}")))?;
    let reached = reached_at(settings, address)?;
    let belongs = tokio::select! {
        belongs = birth::settle(settings, &listener, &reached, faults.level()) => belongs?,
        signal = signals.next() => {
            tracing::info!(signal, "stopped while it waited for a cluster");
            return Ok(());
        }
    };
    let config = configure(settings, belongs, reached);
    let node = config.node;
    let engine = start(settings, faults, config, address).await?;
    let stopping = CancellationToken::new();
    let shared = Shared::new(engine.clone(), stopping.clone(), faults.allow_injection);
    let mut serving = Serving::start(listener, &shared).await?;
    say_ready(settings, node, address);

    let mut failure = engine.failure();
    let reason = tokio::select! {
        signal = signals.next() => {
            tracing::info!(signal, "stopping");
            None
        }
        failed = failure.wait_for(Option::is_some) => {
            let why = failed.ok().and_then(|why| why.clone());
            Some(why.unwrap_or_else(|| "replication ended".to_owned()))
        }
        ended = serving.ended() => Some(ended),
    };
    stopping.cancel();
    let stop = async {
        serving.announce_stop().await;
        engine.stop().await;
        serving.stop().await;
    };
    tokio::select! {
        () = stop => {}
        signal = signals.next() => {
            return Err(Failure::new(Kind::Other, format!("{signal} again: stopped at once")));
        }
    }
    match reason {
        None => {
            tracing::info!("stopped");
            Ok(())
        }
        Some(_) if engine.has_left() => {
            tracing::info!("stopped: this node has left the cluster, its data folder is of no use any more");
            Ok(())
        }
        Some(why) => {
            tracing::error!(%why, "this node had to stop");
            let remedy = "see the log above for the first error; data that was acknowledged is on disk";
            Err(Failure::new(Kind::Other, format!("the node had to stop: {why}")).remedy(remedy))
        }
    }
}

/// Where the others reach this node.
fn reached_at(settings: &Settings, address: SocketAddr) -> Result<String, Failure> {
    let others = !settings.join.is_empty() || settings.bootstrap_expect.is_some();
    match &settings.advertise {
        Some(advertised) => Ok(advertised.clone()),
        None if others && address.ip().is_unspecified() => {
            let message = format!("the others cannot reach this node at {address}");
            Err(Failure::new(Kind::Config, message)
                .remedy("give the address at which they do, with --advertise HOST:PORT"))
        }
        None => Ok(address.to_string()),
    }
}

/// What consensus is told.
fn configure(settings: &Settings, belongs: Option<Belongs>, reached: String) -> Config {
    let Some(belongs) = belongs else {
        let node = NodeId(settings.node);
        let mut members: BTreeMap<NodeId, String> =
            settings.members.iter().map(|(id, address)| (NodeId(*id), address.clone())).collect();
        if members.is_empty() {
            members.insert(node, reached);
        }
        let config = Config::new(node, &settings.cluster, members, settings.shards, &settings.data);
        return Config { speed: settings.speed, ..config };
    };
    let Belongs { cluster, node, founder, shards, speed, members } = belongs;
    let config = Config::new(node, cluster, members, shards, &settings.data);
    Config { founding: founder, speed, ..config }
}

async fn start(
    settings: &Settings,
    faults: &Faults,
    config: Config,
    address: SocketAddr,
) -> Result<Engine, Failure> {
    let world = World {
        clock: Arc::new(SystemClock::start()),
        entropy: Arc::new(SystemEntropy),
        disk: disk::open(faults).map_err(|error| {
            Failure::new(Kind::Data, format!("the disk's thread does not start: {error}"))
        })?,
        dial: Arc::new(TcpDial),
    };
    let engine = EngineConfig {
        allow_panic: faults.allow_injection,
        planted: faults.planted,
        level: faults.level(),
        zone: settings.zone.clone(),
        events: settings.events.clone(),
        ..EngineConfig::default()
    };
    tracing::info!(
        cluster = %config.cluster_id, node = %config.node, %address, data = %settings.data.display(),
        shards = config.shards, speed = config.speed, "starting"
    );
    faults.warn();
    Engine::start(engine, config, world).await.map_err(|error| refused(&error))
}

/// A start that was refused, by what the operator must put right.
fn refused(error: &StartError) -> Failure {
    let kind = match error {
        StartError::Config(_) | StartError::Consensus(consensus::StartError::Config(_)) => Kind::Config,
        StartError::Events(_) | StartError::Consensus(consensus::StartError::Data { .. }) => Kind::Data,
        StartError::Consensus(_) => Kind::Other,
    };
    let failure = Failure::new(kind, error);
    match kind {
        Kind::Data => {
            failure.remedy("nothing was changed; choose another folder with --data, or put this one right")
        }
        Kind::Config => failure.remedy("see `centralita config keys` for every key with its meaning"),
        _ => failure,
    }
}

/// Tells a parent process, on stdout, that this node serves: one line of JSON.
fn say_ready(settings: &Settings, node: NodeId, address: SocketAddr) {
    let line = serde_json::json!({
        "ready": true,
        "node": node.0,
        "cluster": settings.cluster,
        "address": address.to_string(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    let mut out = std::io::stdout().lock();
    // Nobody has to read it.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    tracing::info!(%address, "serving");
}

/// The signals that ask a node to stop.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    parent: Option<parent::Parent>,
}

impl Signals {
    fn listen(parent: Option<parent::Parent>) -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::new(Kind::Other, format!("signals: {error}")));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            parent,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            () = parent::gone(&mut self.parent) => "the end of standard input",
        }
    }
}
