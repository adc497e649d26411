//! The command line.

use crate::crowd;
use crate::experiment::{self, What};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  cargo build --release --workspace
  target/release/centralita-chaos kill --kills 20 --json failover.json
  target/release/centralita-chaos kill --kills 20 --transfers 20
  target/release/centralita-chaos rolling --rounds 2
  target/release/centralita-chaos upgrade --from centralita-of-before
  target/release/centralita-chaos crowd --nodes 3 --desks 10000 --domains 40
  target/release/centralita-chaos crowd --nodes 3 --desks 2000 --domains 40 --late
  target/release/centralita-chaos move --moves 20 --transfers 20
  target/release/centralita-chaos grow --json grow.json
  target/release/centralita-chaos replace --nodes 3 --shards 4
  target/release/centralita-chaos behind --nodes 3 --shards 1 --domains 8 --probed 4 --probe-rate 100
  target/release/centralita-chaos kill --nodes 3 --shards 4 --domains 20 --probed 4 --kills 3

Exit code: 0 good, 1 something was lost, failed, or out of bounds, 2 it could not be tried.";

/// Kills and restarts the nodes of a cluster under load, and says what callers and desks noticed.
#[derive(Debug, Parser)]
#[command(name = "centralita-chaos", version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Kills nodes (SIGKILL), one after the other, and starts each again.
    Kill {
        #[command(flatten)]
        setting: Setting,
        /// How often a node is killed; each in its turn.
        #[arg(long, default_value_t = 20)]
        kills: u32,
        /// How long it stays dead, in seconds.
        #[arg(long, default_value_t = 3.0)]
        down_s: f64,
    },
    /// Kills a node, lets entries come to a shard while it is away, and starts it again.
    Behind {
        #[command(flatten)]
        setting: Setting,
        /// How many entries.
        #[arg(long, default_value_t = 100_000)]
        entries: u64,
    },
    /// Has one more node join, and waits until it has taken its share of replicas and leaders.
    Grow {
        #[command(flatten)]
        setting: Setting,
    },
    /// Kills a node and removes its data, has it leave the cluster, and another one join in its place.
    Replace {
        #[command(flatten)]
        setting: Setting,
    },
    /// Begins with another binary, and upgrades all nodes to this one, one after the other.
    Upgrade {
        #[command(flatten)]
        setting: Setting,
        /// The binary `centralita` that the nodes begin with.
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
    },
    /// Kills a node with many desks on it, and measures how long they take to be back elsewhere.
    Crowd {
        #[command(flatten)]
        setting: Setting,
        /// Desks at the node that is killed, spread over the domains that are not probed.
        #[arg(long, default_value_t = 10_000)]
        desks: usize,
        /// So many of them have a conversation.
        #[arg(long, default_value_t = 2_000)]
        holding: usize,
        /// Stops the node's process where it is (SIGSTOP) instead of killing it: nobody is told anything.
        #[arg(long)]
        cut_off: bool,
        /// Has the agents come back only when lease and grace are over: what they held must have been kept, queued
        /// again or closed, as their domains say.
        #[arg(long)]
        late: bool,
    },
    /// Moves probed domains to other shards, each in its turn, and measures what their desks notice.
    Move {
        #[command(flatten)]
        setting: Setting,
        /// How often a domain is moved.
        #[arg(long, default_value_t = 20)]
        moves: u32,
    },
    /// Restarts all nodes in good order, one after the other.
    Rolling {
        #[command(flatten)]
        setting: Setting,
        /// How often all of them.
        #[arg(long, default_value_t = 1)]
        rounds: u32,
    },
}

/// The cluster and its load.
#[derive(Debug, Clone, clap::Args)]
pub struct Setting {
    /// Nodes.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=9))]
    pub nodes: u64,
    /// Shards.
    #[arg(long, default_value_t = 16)]
    pub shards: u32,
    /// Domains, the probed ones included.
    #[arg(long, default_value_t = 200)]
    pub domains: usize,
    /// Domains in which a desk waits for offers and conversations come at the probing rate.
    #[arg(long, default_value_t = 20)]
    pub probed: usize,
    /// New conversations per second in each probed domain.
    #[arg(long, default_value_t = 20.0)]
    pub probe_rate: f64,
    /// New conversations per second in all other domains together.
    #[arg(long, default_value_t = 20.0)]
    pub rate: f64,
    /// Conversations per second that set out from one domain for another, in domains of their own.
    #[arg(long, default_value_t = 0.0)]
    pub transfers: f64,
    /// Domains between which they go.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(2..=100))]
    pub transfer_domains: u64,
    /// Time between the end of one disturbance and the next, in seconds.
    #[arg(long, default_value_t = 4.0)]
    pub rest_s: f64,
    /// Bound on the median time without offers, in milliseconds: above it the run fails.
    #[arg(long)]
    pub p50_max_ms: Option<f64>,
    /// Bound on its 99th percentile, in milliseconds.
    #[arg(long)]
    pub p99_max_ms: Option<f64>,
    /// Writes the figures as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// The binary `centralita` [default: the one beside this].
    #[arg(long, value_name = "FILE")]
    pub centralita: Option<PathBuf>,
}

impl Cli {
    /// The cluster and its load.
    #[must_use]
    pub fn setting(&self) -> &Setting {
        match &self.command {
            Command::Kill { setting, .. }
            | Command::Behind { setting, .. }
            | Command::Grow { setting }
            | Command::Replace { setting }
            | Command::Upgrade { setting, .. }
            | Command::Crowd { setting, .. }
            | Command::Move { setting, .. }
            | Command::Rolling { setting, .. } => setting,
        }
    }

    /// Carries the command out; whether all was well.
    ///
    /// # Errors
    /// When it could not be tried.
    pub async fn run(self) -> anyhow::Result<bool> {
        match self.command {
            Command::Kill { setting, kills, down_s } => {
                let what = What::Kill { times: kills, down: Duration::from_secs_f64(down_s) };
                experiment::run(&setting, what).await
            }
            Command::Behind { setting, entries } => experiment::run(&setting, What::Away { entries }).await,
            Command::Grow { setting } => experiment::run(&setting, What::Grow).await,
            Command::Replace { setting } => experiment::run(&setting, What::Replace).await,
            Command::Crowd { setting, desks, holding, cut_off, late } => {
                crowd::run(&setting, &crowd::Crowd { desks, holding, cut_off, late }).await
            }
            Command::Upgrade { setting, from } => experiment::run(&setting, What::Upgrade { from }).await,
            Command::Move { setting, moves } => experiment::run(&setting, What::Moves { times: moves }).await,
            Command::Rolling { setting, rounds } => experiment::run(&setting, What::Restart { rounds }).await,
        }
    }
}
