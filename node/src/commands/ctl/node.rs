//! `ctl node`: nodes that leave.

use super::client::Client;
use super::cluster::fetch;
use super::output::Output;
use crate::failure::{Failure, Kind};
use clap::Subcommand;
use proto::v1;
use proto::v1::ClusterState;
use proto::v1::cluster_client::ClusterClient;
use std::time::Duration;
use tokio::time::Instant;

/// Pause between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(500);

/// What to do with a node.
#[derive(Debug, Subcommand)]
pub(super) enum Node {
    /// Has a node leave the cluster: others take its places, then it stops. Also for a node that is
    /// dead for good. Its work goes on without a gap that a caller would see; its data folder is of
    /// no use afterwards.
    #[command(
        visible_alias = "drain",
        after_help = "Examples: centralita ctl node remove 3 --dry-run\n          centralita ctl node remove 3"
    )]
    Remove {
        /// The node's number, as `ctl cluster` shows it.
        node: u64,
        /// Only says what would be done.
        #[arg(long)]
        dry_run: bool,
        /// How long to wait until it has left, in seconds.
        #[arg(long, default_value_t = 120, value_name = "SECONDS")]
        wait: u64,
    },
}

impl Node {
    /// Carries the command out.
    pub(super) async fn run(self, client: &Client, out: Output) -> Result<(), Failure> {
        let Self::Remove { node, dry_run, wait } = self;
        let state = fetch(client).await?;
        let plan = plan(&state, node)?;
        if dry_run {
            return say(out, &plan);
        }
        let request = v1::RemoveNodeRequest { node };
        let call = || async { ClusterClient::new(client.channel.clone()).remove_node(request).await };
        client.call(call).await?;
        let until = Instant::now() + Duration::from_secs(wait);
        let mut told = usize::MAX;
        loop {
            // The node that is asked may be the one that leaves.
            let Ok(state) = fetch(client).await else {
                let message =
                    format!("the node that was asked does not answer any more (is it node {node}?)");
                return Err(Failure::new(Kind::Unreachable, message)
                    .remedy("`centralita ctl cluster --target` another node shows how far it is"));
            };
            let left = groups_of(&state, node);
            if left == 0 && state.nodes.iter().all(|one| one.id != node) {
                return say(out, &[format!("node {node} has left the cluster")]);
            }
            if left != told {
                eprintln!("node {node} is still member of {left} of {} groups", state.shards.len());
                told = left;
            }
            if Instant::now() >= until {
                let message = format!("node {node} has not left within {wait} s; it goes on leaving");
                return Err(Failure::new(Kind::Other, message).remedy(
                    "`centralita ctl cluster` says what it waits for: a majority of the others must be up",
                ));
            }
            tokio::time::sleep(LOOK).await;
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

fn groups_of(state: &ClusterState, node: u64) -> usize {
    state.shards.iter().filter(|shard| shard.members.iter().any(|member| member.node == node)).count()
}

/// What removing a node comes to.
fn plan(state: &ClusterState, node: u64) -> Result<Vec<String>, Failure> {
    if state.nodes.iter().all(|one| one.id != node) {
        let ids: Vec<String> = state.nodes.iter().map(|one| one.id.to_string()).collect();
        let message = format!("the cluster has no node {node}: its nodes are {}", ids.join(", "));
        return Err(Failure::new(Kind::Refused, message));
    }
    let stay: Vec<u64> = state.nodes.iter().map(|one| one.id).filter(|id| *id != node).collect();
    let up = state.nodes.iter().filter(|one| one.id != node && (one.reachable || one.id == state.this_node));
    let led = state.shards.iter().filter(|shard| shard.leader == node).count();
    let votes = state
        .shards
        .iter()
        .filter(|shard| shard.members.iter().any(|member| member.node == node && member.voter));
    let mut lines = vec![
        format!("{led} groups led by node {node} get another leader"),
        format!("{} groups in which it votes get other voters", votes.count()),
        format!("{} groups are left by it, the meta group last; then it stops", groups_of(state, node)),
        format!("{} nodes stay", stay.len()),
    ];
    if up.count() <= stay.len() / 2 {
        lines.push("NOT POSSIBLE NOW: fewer than a majority of the nodes that stay are reachable".to_owned());
    }
    if stay.len() == 2 {
        lines.push(
            "two nodes are left: then the loss of either stops all work; join another first".to_owned(),
        );
    }
    Ok(lines)
}
