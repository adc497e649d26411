//! `ctl node`: nodes that leave, and nodes that lead nothing for a while.

mod drain;
mod plan;
mod progress;
mod remove;

use super::client::Client;
use super::output::Output;
use crate::failure::Failure;
use clap::Subcommand;

/// What to do with a node.
#[derive(Debug, Subcommand)]
pub(super) enum Node {
    /// Takes a running node out of service: others lead what it leads, then others take its places, then its
    /// process ends. With `--keep` it stays a member that leads nothing, for work on its machine.
    #[command(after_help = drain::EXAMPLES)]
    Drain(drain::Drain),
    /// Lets a node lead again that was drained with `--keep`.
    #[command(after_help = "Example: centralita ctl node undrain 3")]
    Undrain {
        /// The node's number, as `ctl cluster` shows it.
        node: u64,
    },
    /// Has a node leave the cluster: others take its places, then it stops. Also for a node that is
    /// dead for good. Its work goes on without a gap that a caller would see; its data folder is of
    /// no use afterwards.
    #[command(after_help = remove::EXAMPLES)]
    Remove(remove::Remove),
}

impl Node {
    /// Carries the command out.
    pub(super) async fn run(self, client: &Client, out: Output) -> Result<(), Failure> {
        match self {
            Self::Drain(drain) => drain.run(client, out).await,
            Self::Undrain { node } => drain::undrain(client, node, out).await,
            Self::Remove(remove) => remove.run(client, out).await,
        }
    }
}

pub(super) fn say(out: Output, lines: &[String]) -> Result<(), Failure> {
    if out.json {
        println!("{:#}", serde_json::json!({ "said": lines }));
    } else {
        lines.iter().for_each(|line| println!("{line}"));
    }
    Ok(())
}
