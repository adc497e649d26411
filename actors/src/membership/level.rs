//! The cluster's feature level rises when all its nodes know the next: first that of the meta group's
//! state, then that of every shard, each by an entry of its own log (docs/adr/0019).

use super::Tender;
use super::tend::STEP_MAX;
use crate::meta::{Member, MetaCommand};
use crate::seeded::SeededBug;
use crate::wire::ShardAnswer;
use consensus::{About, Group, NodeId};
use proto::codec;
use routing::entry::Request;
use routing::{Command, DomainId, ShardId};
use std::collections::BTreeMap;
use std::sync::PoisonError;

/// The level that all nodes know; none as long as one of them is away, since it may have been started
/// with another release when it is back.
pub(crate) fn known_to_all(knows: impl IntoIterator<Item = Option<u32>>) -> Option<u32> {
    let knows: Option<Vec<u32>> = knows.into_iter().collect();
    knows?.into_iter().min()
}

impl Tender {
    /// What a node says of itself that is linked with this one.
    pub(super) fn about(&self, node: NodeId) -> Option<About> {
        if node == self.this { Some(self.about.clone()) } else { self.consensus.peers().about(node) }
    }

    fn knows(&self, node: NodeId) -> Option<u32> {
        self.about(node).map(|about| about.level)
    }

    /// The meta group's leader writes down that the cluster runs at a higher level, once all know it.
    pub(super) async fn raise_level(&self, meta: &Group, nodes: &BTreeMap<NodeId, Member>) {
        let (now, held) = {
            let state = self.meta.read().unwrap_or_else(PoisonError::into_inner);
            (state.level(), state.level_held())
        };
        let mut known = known_to_all(nodes.keys().map(|id| self.knows(*id)));
        if self.seeded.has(SeededBug::LevelByMajority) {
            let mut each: Vec<u32> = nodes.keys().map(|id| self.knows(*id).unwrap_or(0)).collect();
            each.sort_unstable();
            known = each.get(each.len().saturating_sub(1) / 2).copied();
        }
        if let Some(level) = known.filter(|known| *known > now && !held) {
            tracing::info!(level, "all nodes know the level: the cluster goes to it");
            self.write_down(meta, MetaCommand::SetLevel { level }).await;
        }
    }

    /// A shard's leader raises it to the cluster's level.
    pub(super) async fn follow_level(&self, group: &Group, level: u32) {
        let Some(shard) = self.replicas.get(ShardId(group.id().0)) else { return };
        if shard.replica.read().shard.level() >= level {
            return;
        }
        let command = Command::SetLevel { level };
        let request = Request { id: None, domain: DomainId::SHARD, expected_version: None, command };
        match tokio::time::timeout(STEP_MAX, group.propose(codec::encode(&request))).await {
            Ok(Ok(answer)) => match codec::decode::<ShardAnswer>(&answer) {
                Ok(Ok(Ok(_))) => tracing::info!(group = %group.id(), level, "the shard is at the level"),
                other => self.alarms.raise(format!(
                    "bug: {} did not take level {level}: {other:?}; report this, upgrades do not end",
                    shard.id
                )),
            },
            Ok(Err(error)) => tracing::info!(group = %group.id(), level, %error, "not at the level yet"),
            Err(_) => tracing::info!(group = %group.id(), level, "not at the level within {STEP_MAX:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::known_to_all;

    #[test]
    fn all_must_be_there_and_know_it() {
        assert_eq!(known_to_all([Some(2), Some(3), Some(2)]), Some(2));
        assert_eq!(known_to_all([Some(3), Some(3)]), Some(3));
        assert_eq!(known_to_all([Some(3), None, Some(3)]), None);
        assert_eq!(known_to_all([]), None, "nobody has founded the cluster");
    }
}
