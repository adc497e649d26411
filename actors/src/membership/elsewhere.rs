//! Which nodes are members of shards: those that are to leave leave the shards first, then the meta group.

use consensus::NodeId;
use std::collections::BTreeSet;

/// What a shard's leader says of its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// It was not asked: no node is to leave, or another one decides.
    NotAsked,
    /// There is none that answers.
    Nothing,
    /// These.
    Members(BTreeSet<NodeId>),
}

/// What this node knows of one shard's members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sight {
    /// As its own log names them, which may be behind; none where it has no replica, or one that has nothing yet.
    pub named: BTreeSet<NodeId>,
    /// As the shard's leader says.
    pub said: Said,
}

/// The members of all these shards. Where a leader says nothing, all that are to leave may be its members,
/// whatever the log here names.
pub(super) fn in_shards(shards: &[Sight], leaving: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
    let of = |shard: &Sight| {
        let mut all = shard.named.clone();
        match &shard.said {
            Said::NotAsked => {}
            Said::Nothing => all.extend(leaving),
            Said::Members(members) => all.extend(members),
        }
        all
    };
    shards.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(ids: &[u64]) -> BTreeSet<NodeId> {
        ids.iter().copied().map(NodeId).collect()
    }

    /// What is known of each shard, and who may be a member of one.
    type Row<'a> = (&'a str, &'a [(&'a [u64], Said)], &'a [u64]);

    #[test]
    fn whoever_may_be_a_member_of_a_shard_is_not_gone() {
        let members = |ids: &[u64]| Said::Members(nodes(ids));
        let table: &[Row<'_>] = &[
            ("by the log here", &[(&[1, 2], Said::NotAsked), (&[2, 3], Said::NotAsked)], &[1, 2, 3]),
            ("by the leader, where there is no replica", &[(&[], members(&[3, 4]))], &[3, 4]),
            (
                "by the leader, where the replica here has nothing yet",
                &[(&[1, 2], members(&[1, 2])), (&[], members(&[3]))],
                &[1, 2, 3],
            ),
            ("by the leader, where the log here is behind", &[(&[1, 2], members(&[2, 3]))], &[1, 2, 3]),
            ("no leader, no replica", &[(&[], Said::Nothing)], &[3, 9]),
            ("no leader, and a log that may be behind", &[(&[1, 2], Said::Nothing)], &[1, 2, 3, 9]),
            ("no shard", &[], &[]),
        ];
        for (name, shards, expected) in table {
            let shards: Vec<Sight> = shards
                .iter()
                .map(|(named, said)| Sight { named: nodes(named), said: said.clone() })
                .collect();
            assert_eq!(in_shards(&shards, &nodes(&[3, 9])), nodes(expected), "{name}");
        }
    }
}
