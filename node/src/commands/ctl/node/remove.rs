//! `ctl node remove`: a node leaves for good, alive or dead.

use super::super::client::Client;
use super::super::cluster::fetch;
use super::super::output::Output;
use super::plan::{How, groups_of, plan};
use super::progress::Progress;
use super::say;
use crate::failure::Failure;
use proto::v1;
use proto::v1::ClusterState;
use proto::v1::cluster_client::ClusterClient;

pub(super) const EXAMPLES: &str = "Examples: centralita ctl node remove 3 --dry-run
          centralita ctl node remove 3";

const WAITS: &str = "`centralita ctl cluster` says what it waits for: a majority of the others must be up";

/// Which node.
#[derive(Debug, clap::Args)]
pub(in crate::commands::ctl) struct Remove {
    /// The node's number, as `ctl cluster` shows it.
    node: u64,
    /// Only says what would be done.
    #[arg(long)]
    dry_run: bool,
    /// How long to wait until it has left, in seconds.
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    wait: u64,
}

impl Remove {
    pub(super) async fn run(self, client: &Client, out: Output) -> Result<(), Failure> {
        let Self { node, dry_run, wait } = self;
        let state = fetch(client).await?;
        let plan = plan(&state, node, How::Remove)?;
        if dry_run {
            say(out, &plan.lines)?;
            return plan.check();
        }
        plan.check()?;
        leave(client, node).await?;
        gone(&mut Progress::new(client, state, wait), node).await?;
        say(out, &[format!("node {node} has left the cluster")])
    }
}

/// Has it decided that the node leaves.
pub(super) async fn leave(client: &Client, node: u64) -> Result<(), Failure> {
    let request = v1::RemoveNodeRequest { node };
    let call = || async { ClusterClient::new(client.channel.clone()).remove_node(request).await };
    client.call(call).await.map(drop)
}

/// Waits until the node is in no group any more.
pub(super) async fn gone(progress: &mut Progress<'_>, node: u64) -> Result<(), Failure> {
    progress.until(node, WAITS, |state| left(state, node)).await
}

fn left(state: &ClusterState, node: u64) -> Option<String> {
    let (left, led) = (groups_of(state, node), leads(state, node));
    let known = state.nodes.iter().any(|one| one.id == node);
    (left > 0 || known)
        .then(|| format!("node {node} leads {led} and is member of {left} of {} groups", state.shards.len()))
}

/// Groups that a node leads.
pub(super) fn leads(state: &ClusterState, node: u64) -> usize {
    state.shards.iter().filter(|shard| shard.leader == node).count()
}
