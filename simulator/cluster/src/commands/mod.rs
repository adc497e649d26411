//! The commands, one file each.

mod cluster;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

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
}

impl Arguments {
    /// Carries the command out: 0 is good, 1 a broken promise or a difference, 2 anything else.
    #[must_use]
    pub fn run(self) -> ExitCode {
        match self.command {
            Command::Cluster(options) => cluster::run(&options),
        }
    }
}
