//! The command line of `centralita`.

use crate::commands::{config, ctl, demo, restore, serve};
use crate::failure::{EXIT_CODES, Failure};
use clap::{Parser, Subcommand};

/// Routes conversations of every channel to agents, on a replicated log.
#[derive(Debug, Parser)]
#[command(name = "centralita", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands, one file each.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs a node.
    Serve(Box<serve::Args>),
    /// Starts a cluster in a temporary folder and lets a day of calls run through it.
    Demo(Box<demo::Args>),
    /// Checks configuration files.
    Config(config::Args),
    /// Operates a running cluster.
    Ctl(Box<ctl::Args>),
    /// Begins a cluster from a backup.
    Restore(restore::Args),
}

impl Cli {
    /// Carries the command out.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Serve(args) => serve::run(*args).await,
            Command::Demo(args) => demo::run(*args).await,
            Command::Config(args) => config::run(&args),
            Command::Ctl(args) => ctl::run(*args).await,
            Command::Restore(args) => restore::run(args).await,
        }
    }
}
