//! `ctl level`: which formats and which behaviour the cluster uses.

use super::client::Client;
use super::cluster::fetch;
use super::node::say;
use super::output::Output;
use crate::failure::Failure;
use proto::v1;
use proto::v1::ClusterState;
use proto::v1::cluster_client::ClusterClient;

/// Shown by `--help`.
pub(super) const EXAMPLES: &str = "\
A cluster runs at one feature level, a release knows all up to its own. The level rises by itself as soon as
all nodes run a release that knows the next; from then on no node can go back to the release before. To
try a release first: hold the level, upgrade all nodes, and let it rise when you are content.

Examples:
  centralita ctl level
  centralita ctl level --hold
  centralita ctl level --release";

/// What to do about it; nothing: show it.
#[derive(Debug, clap::Args)]
pub(super) struct Level {
    /// Stay at the present level, whatever the nodes know.
    #[arg(long, conflicts_with = "release")]
    hold: bool,
    /// Let it rise again.
    #[arg(long)]
    release: bool,
}

impl Level {
    /// Carries the command out.
    pub(super) async fn run(self, client: &Client, out: Output) -> Result<(), Failure> {
        if self.hold || self.release {
            let request = v1::HoldLevelRequest { hold: self.hold };
            let call = || async { ClusterClient::new(client.channel.clone()).hold_level(request).await };
            client.call(call).await?;
            let text =
                if self.hold { "the level is held" } else { "the level rises when all nodes know the next" };
            return say(out, &[text.to_owned()]);
        }
        let state = fetch(client).await?;
        let held = if state.level_held { ", held" } else { "" };
        let mut lines = vec![format!("the cluster runs at level {}{held}", state.level.max(1))];
        lines.extend(under_way(&state));
        say(out, &lines)
    }
}

fn listed(nodes: &[u64]) -> String {
    nodes.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

/// An upgrade that is under way or held, with what to do to end it.
pub(super) fn under_way(state: &ClusterState) -> Option<String> {
    let highest = state.nodes.iter().filter_map(|node| node.knows).max()?;
    let earlier: Vec<u64> = state
        .nodes
        .iter()
        .filter(|node| node.knows.is_some_and(|knows| knows < highest))
        .map(|node| node.id)
        .collect();
    let away: Vec<u64> = state.nodes.iter().filter(|node| node.knows.is_none()).map(|node| node.id).collect();
    // A release before levels says nothing of them.
    let now = state.level.max(1);
    if highest <= now {
        return None;
    }
    let to_do = match (earlier.as_slice(), away.as_slice()) {
        ([], []) if state.level_held => {
            "is held: `centralita ctl level --release` when you do not want to go back".to_owned()
        }
        ([], []) => "all nodes know it".to_owned(),
        ([], away) => format!("waits for node {}: start it, or remove it", listed(away)),
        (earlier, _) => format!("waits for node {}: start it with the later release", listed(earlier)),
    };
    Some(format!("MOVES from level {now} to {highest}: {to_do}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::v1::cluster_state::Node;

    #[test]
    fn an_upgrade_says_what_it_waits_for() {
        let said = |level, held, knows: [Option<u32>; 3]| {
            let node = |(id, knows)| Node { id, knows, ..Node::default() };
            let nodes = (1..).zip(knows).map(node).collect();
            under_way(&ClusterState { level, level_held: held, nodes, ..ClusterState::default() })
        };
        assert_eq!(said(2, false, [Some(2); 3]), None);
        assert_eq!(said(2, true, [Some(2), Some(2), None]), None);
        let part = |level, held, knows, text: &str| {
            let said = said(level, held, knows).unwrap_or_default();
            assert!(said.contains(text), "{said}");
        };
        part(1, false, [Some(2), Some(1), Some(1)], "from level 1 to 2: waits for node 2, 3: start it with");
        part(1, false, [Some(2), None, Some(2)], "waits for node 2: start it, or remove it");
        part(1, true, [Some(2); 3], "ctl level --release");
        part(1, false, [Some(2); 3], "all nodes know it");
    }
}
