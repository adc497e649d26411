//! Whom this node keeps links with: the members that the meta group's log names.

use crate::api::{GroupId, NodeId};
use crate::config::Config;
use crate::transport::Hub;
use crate::type_config::types::Raft;
use openraft::rt::WatchReceiver;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Keeps links with the members of the meta group, as they change, until openraft ends. Before its
/// log names this node, with those that the configuration names too: the log of a node that joins
/// is read from the beginning, and what is said there of members is long over.
pub async fn follow(config: Config, meta: Raft, hub: Arc<Hub>, stop: CancellationToken) {
    let mut metrics = meta.metrics();
    let mut present = None;
    loop {
        let named = {
            let metrics = metrics.borrow_watched();
            let membership = &metrics.membership_config;
            (present != Some(*membership.log_id())).then(|| {
                present = Some(*membership.log_id());
                let nodes = membership.membership().nodes();
                nodes.map(|(id, member)| (NodeId(*id), member.address.clone())).collect()
            })
        };
        if let Some(members) = named {
            hub.set_members(&with_those_known(&config, members));
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            changed = metrics.changed() => if changed.is_err() {
                tracing::debug!(group = %GroupId::META, "members are followed no more");
                return;
            },
        }
    }
}

fn with_those_known(config: &Config, mut named: BTreeMap<NodeId, String>) -> BTreeMap<NodeId, String> {
    if !named.contains_key(&config.node) {
        for (id, address) in &config.members {
            named.entry(*id).or_insert_with(|| address.clone());
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_configured_counts_until_the_log_names_this_node() {
        let members = |ids: &[u64]| -> BTreeMap<NodeId, String> {
            ids.iter().map(|id| (NodeId(*id), format!("host{id}:1"))).collect()
        };
        let config = Config::new(NodeId(4), "test", members(&[2, 3, 4]), 1, "/data");
        assert_eq!(with_those_known(&config, members(&[])), members(&[2, 3, 4]));
        assert_eq!(with_those_known(&config, members(&[1, 2])), members(&[1, 2, 3, 4]));
        assert_eq!(with_those_known(&config, members(&[3, 4, 5])), members(&[3, 4, 5]));
    }
}
