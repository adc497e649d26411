//! `ctl node drain` and `undrain`: a running node is taken out of service, for good or for a while.

use super::super::client::Client;
use super::super::cluster::fetch;
use super::super::output::Output;
use super::plan::{How, plan};
use super::progress::Progress;
use super::remove::{gone, leads, leave};
use super::say;
use crate::failure::Failure;
use proto::v1;
use proto::v1::cluster_client::ClusterClient;

pub(super) const EXAMPLES: &str = "\
To restart a node nothing of this is needed: a node that is told to stop (SIGTERM) hands over what it leads
before it ends. It is refused what would take a group below a quorum.

Examples:
  centralita ctl node drain 3 --dry-run
  centralita ctl node drain 3            it leaves for good; its process ends with 0
  centralita ctl node drain 3 --keep     it leads nothing until `centralita ctl node undrain 3`";

const STAYS: &str =
    "`centralita ctl cluster` shows what it leads: another voter of that must be up and up to date";

/// Which node, and for how long.
#[derive(Debug, clap::Args)]
pub(in crate::commands::ctl) struct Drain {
    /// The node's number, as `ctl cluster` shows it.
    node: u64,
    /// It stays a member with all its replicas, and leads nothing until it is undrained, also after it was
    /// restarted.
    #[arg(long)]
    keep: bool,
    /// Only says what would be done.
    #[arg(long)]
    dry_run: bool,
    /// How long to wait until it is done, in seconds.
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    wait: u64,
}

impl Drain {
    pub(super) async fn run(self, client: &Client, out: Output) -> Result<(), Failure> {
        let Self { node, keep, dry_run, wait } = self;
        let state = fetch(client).await?;
        let plan = plan(&state, node, if keep { How::Keep } else { How::Drain })?;
        if dry_run {
            say(out, &plan.lines)?;
            return plan.check();
        }
        plan.check()?;
        let address = state.nodes.iter().find(|one| one.id == node).map(|one| one.address.clone());
        let mut progress = Progress::new(client, state, wait);
        if keep {
            set(client, node, false).await?;
            progress
                .until(node, STAYS, |state| {
                    let led = leads(state, node);
                    (led > 0).then(|| format!("node {node} leads {led} of {} groups", state.shards.len()))
                })
                .await?;
            let done = format!("node {node} leads nothing and can be stopped");
            return say(out, &[done, format!("it leads again after `centralita ctl node undrain {node}`")]);
        }
        leave(client, node).await?;
        gone(&mut progress, node).await?;
        progress.until_silent(node, &address.unwrap_or_default()).await?;
        say(out, &[format!("node {node} has left the cluster and has stopped")])
    }
}

/// Lets a node lead again.
pub(super) async fn undrain(client: &Client, node: u64, out: Output) -> Result<(), Failure> {
    set(client, node, true).await?;
    say(out, &[format!("node {node} may lead again: it gets its share within a minute")])
}

async fn set(client: &Client, node: u64, lead_again: bool) -> Result<(), Failure> {
    let request = v1::DrainNodeRequest { node, lead_again };
    let call = || async { ClusterClient::new(client.channel.clone()).drain_node(request).await };
    client.call(call).await.map(drop)
}
