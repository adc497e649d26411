//! R-15 in a node's event store: a snapshot that a node took of itself covers no event that its store can still lose.

use actors::{Applied, Spot};
use consensus::NodeId;
use routing::command::MovePart;
use routing::{Command, DomainId, Sequence, ShardId, Whereabouts};
use std::collections::{BTreeMap, BTreeSet};

/// Whose snapshots the replicas start from.
#[derive(Debug, Default)]
pub(super) struct Stores {
    replicas: BTreeMap<(NodeId, ShardId), Replica>,
}

#[derive(Debug, Default)]
struct Replica {
    /// Indices at which it took a snapshot of itself.
    took: BTreeSet<u64>,
    /// Indices of snapshots that a leader sent.
    sent: BTreeSet<u64>,
    /// Where domains were in the last of them.
    sent_upto: BTreeMap<DomainId, Sequence>,
    /// Nothing was restored or applied in this life yet.
    is_fresh: bool,
    /// The snapshot that this life began with.
    began_with: Option<u64>,
    /// The first event that came along with a domain that is on its way here.
    came_with: BTreeMap<DomainId, Sequence>,
}

impl Stores {
    fn replica(&mut self, node: NodeId, shard: ShardId) -> &mut Replica {
        self.replicas.entry((node, shard)).or_default()
    }

    /// A life begins.
    pub(super) fn began(&mut self, node: NodeId, shard: ShardId) {
        let replica = self.replica(node, shard);
        (replica.is_fresh, replica.began_with) = (true, None);
    }

    /// A replica takes a snapshot of itself.
    pub(super) fn took(&mut self, spot: Spot, shard: ShardId) {
        self.replica(spot.node, shard).took.insert(spot.index);
    }

    /// A replica's state became that of a snapshot: the first of a life may be the one on its disk, all others come
    /// from a leader; so does the first one of a node that has just joined.
    pub(super) fn restored(
        &mut self,
        spot: Spot,
        shard: ShardId,
        domains: impl IntoIterator<Item = (DomainId, Sequence)>,
    ) {
        let replica = self.replica(spot.node, shard);
        let on_disk = replica.took.contains(&spot.index) || replica.sent.contains(&spot.index);
        if std::mem::take(&mut replica.is_fresh) && on_disk {
            replica.began_with = Some(spot.index);
        } else {
            replica.sent.insert(spot.index);
            replica.sent_upto.extend(domains);
        }
    }

    /// A replica entered an index; what it restores from now on comes from a leader.
    pub(super) fn entered(&mut self, node: NodeId, shard: ShardId) {
        self.replica(node, shard).is_fresh = false;
    }

    /// A replica applied an entry: a domain that moves here comes without its events of before, but for the last.
    pub(super) fn applied(&mut self, seen: &Applied<'_>) {
        let Command::Move(part) = &seen.entry.request.command else { return };
        let domain = seen.entry.request.domain;
        let replica = self.replica(seen.node, seen.shard.id());
        match &**part {
            MovePart::Take { part: 0, .. } => drop(replica.came_with.remove(&domain)),
            MovePart::Record { .. } => {
                if let Some(first) = seen.events.first() {
                    replica.came_with.entry(domain).or_insert(first.sequence);
                }
            }
            MovePart::End { placed: true, .. } if seen.shard.whereabouts(domain) == Whereabouts::Here => {
                let all = seen.shard.domain(domain).map_or(Sequence(0), |domain| domain.sequence);
                let upto = replica.came_with.remove(&domain).map_or(all, |first| Sequence(first.0 - 1));
                replica.sent_upto.insert(domain, upto);
            }
            MovePart::End { .. } => drop(replica.came_with.remove(&domain)),
            MovePart::Take { .. } | MovePart::Freeze { .. } => {}
        }
    }

    /// What is wrong about a store that lacks events at the start of a life.
    pub(super) fn lacking(
        &mut self,
        node: NodeId,
        shard: ShardId,
        domain: DomainId,
        (from, to): (Sequence, Sequence),
    ) -> Option<String> {
        let replica = self.replica(node, shard);
        let index = replica.began_with?;
        // A leader's snapshot comes without the events before it, and a domain may have had none since.
        let own = replica.took.contains(&index)
            && !replica.sent.contains(&index)
            && replica.sent_upto.get(&domain).is_none_or(|upto| *upto < to);
        own.then(|| {
            format!(
                "{node} lost the events {} to {} of {domain}, which its own snapshot of {shard} at index {index} covers",
                from.0, to.0
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: NodeId = NodeId(1);
    const S: ShardId = ShardId(1);

    fn at(index: u64) -> Spot {
        Spot { node: N, shard: S, index, term: 1 }
    }

    fn lacking(stores: &mut Stores) -> bool {
        stores.lacking(N, S, DomainId(1), (Sequence(3), Sequence(4))).is_some()
    }

    fn restored(stores: &mut Stores, index: u64, sequence: u64) {
        stores.restored(at(index), S, [(DomainId(1), Sequence(sequence))]);
    }

    #[test]
    fn a_node_keeps_the_events_under_its_own_snapshot() {
        let mut stores = Stores::default();
        stores.began(N, S);
        assert!(!lacking(&mut stores), "without a snapshot there is nothing to lack");
        stores.entered(N, S);
        stores.took(at(10), S);
        stores.began(N, S);
        restored(&mut stores, 10, 4);
        assert!(lacking(&mut stores));
    }

    #[test]
    fn a_snapshot_of_the_leaders_comes_without_events() {
        let mut stores = Stores::default();
        stores.began(N, S);
        stores.entered(N, S);
        restored(&mut stores, 20, 3);
        for _ in 0..2 {
            stores.began(N, S);
            restored(&mut stores, 20, 3);
            assert!(!lacking(&mut stores));
        }
        stores.entered(N, S);
        stores.took(at(30), S);
        stores.began(N, S);
        restored(&mut stores, 30, 4);
        assert!(lacking(&mut stores), "what came after it is the node's own to keep");
    }

    #[test]
    fn the_first_snapshot_of_a_node_that_joins_is_a_leaders() {
        let mut stores = Stores::default();
        stores.began(N, S);
        restored(&mut stores, 20, 4);
        stores.entered(N, S);
        stores.took(at(30), S);
        stores.began(N, S);
        restored(&mut stores, 30, 4);
        assert!(!lacking(&mut stores), "nothing came after it");
    }

    #[test]
    fn a_domain_without_events_since_a_leaders_snapshot_lacks_none_of_its_own() {
        let mut stores = Stores::default();
        stores.began(N, S);
        stores.entered(N, S);
        restored(&mut stores, 20, 4);
        stores.entered(N, S);
        stores.took(at(30), S);
        stores.began(N, S);
        restored(&mut stores, 30, 4);
        assert!(!lacking(&mut stores));
    }
}
