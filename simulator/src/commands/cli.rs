//! The command line of `centralita-sim`.

use super::{day, load, replay};
use clap::{Parser, Subcommand};

/// Simulates days of calls, and loads clusters with them.
#[derive(Debug, Parser)]
#[command(name = "centralita-sim", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a day through the routing core alone, in virtual time.
    Day(day::Args),
    /// Drives a running cluster with calls and desks, and judges its promises.
    Load(load::Args),
    /// Applies a log again that a node exported: same state, and any entity at any index.
    Replay(replay::Args),
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// What went wrong, in words for the terminal.
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Day(args) => day::run(&args),
            Command::Load(args) => load::run(&args),
            Command::Replay(args) => replay::run(&args),
        }
    }
}
