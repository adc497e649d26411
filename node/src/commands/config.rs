//! `config check`: reads a file as `serve` would, and says what a node would run with.

use crate::config::{KEYS, from_file, resolve};
use crate::failure::Failure;
use actors::EventLimits;
use clap::Subcommand;
use std::path::PathBuf;

/// What to do with configuration.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Reads a file and prints what a node would run with.
    ///
    /// Example: centralita config check centralita.toml
    Check {
        /// The TOML file.
        file: PathBuf,
    },
    /// Lists every key with its meaning and default.
    Keys,
}

/// Carries the command out.
///
/// # Errors
/// When the file is wrong.
pub fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Check { file } => {
            let settings = resolve(from_file(file)?)?;
            println!("{} is good. A node would run with:", file.display());
            println!("  data        {}", settings.data.display());
            println!("  listen      {}", settings.listen);
            println!("  node        {} of cluster '{}'", settings.node, settings.cluster);
            for (id, address) in &settings.members {
                println!("  member      {id} at {address}");
            }
            println!("  shards      {}", settings.shards);
            println!("  speed       {}", settings.speed);
            let EventLimits { retained_bytes_max, retained_age_max, .. } = &settings.events;
            let age =
                retained_age_max.map_or_else(|| "any age".into(), |age| format!("{} s", age.0 / 1_000_000));
            println!("  events      {retained_bytes_max} bytes per shard, {age}");
            println!("  log         {} ({:?})", settings.log, settings.log_format);
            println!("  otlp        {}", settings.otlp.as_deref().unwrap_or("none"));
        }
        Command::Keys => {
            for key in KEYS {
                println!("{:<16} {}", key.name, key.about);
            }
            println!("\nIn the environment: CENTRALITA_ and the key in capitals. Flags go before the");
            println!("environment, the environment before the file.");
        }
    }
    Ok(())
}
