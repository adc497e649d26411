//! The commands, one file each.

mod bugs;
mod cluster;
mod meta;
mod scenarios;
mod swarm;

pub use cluster::Overrides;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The exit code when somebody interrupted.
const INTERRUPTED: u8 = 130;

/// Whole clusters under simulated time, network, disks and crashes: the product's own code, one
/// seed, every fault.
#[derive(Debug, Parser)]
#[command(
    name = "cargo sim",
    version,
    after_help = "Examples:\n  cargo sim cluster --seed 17\n  cargo sim swarm --seeds 0..200"
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Cluster(cluster::Options),
    Meta(meta::Options),
    Swarm(swarm::Options),
    Scenarios(scenarios::Options),
    Bugs(bugs::Options),
    /// Applies a log again that a node exported (`centralita ctl export-log`): same state, and any entity
    /// at any index. The same as `centralita-sim replay`.
    Replay(simulator::commands::replay::Args),
}

impl Arguments {
    /// Carries the command out: 0 is good, 1 a broken promise or a difference, 2 anything else.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let ended = match self.command {
            Command::Cluster(options) => return cluster::run(&options),
            Command::Meta(options) => meta::run(&options),
            Command::Swarm(options) => swarm::run(&options),
            Command::Scenarios(options) => scenarios::run(&options),
            Command::Bugs(options) => bugs::run(&options),
            Command::Replay(args) => simulator::commands::replay::run(&args).map(|()| ExitCode::SUCCESS),
        };
        ended.unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        })
    }
}

/// Runs something that starts processes, in real time.
fn block_on<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work))
}

/// Cores of this machine that may be used.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
