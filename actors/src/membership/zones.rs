//! Zones: what nodes share their fate with. Each says its own; the meta group keeps what was said, so
//! that replicas are spread in the same way whoever leads, and while a node is away.

use super::Tender;
use crate::meta::{Member, MetaCommand};
use consensus::{Group, NodeId};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::PoisonError;

impl Tender {
    /// The meta group's leader writes down a zone that a node says and the state does not.
    pub(super) async fn keep_zones(
        &self,
        meta: &Group,
        nodes: &BTreeMap<NodeId, Member>,
        zones: &BTreeMap<NodeId, String>,
    ) {
        for node in nodes.keys().copied() {
            let Some(about) = self.about(node) else { continue };
            let command = MetaCommand::SetZone { node, zone: about.zone };
            let MetaCommand::SetZone { zone, .. } = &command else { continue };
            let written = zones.get(&node).map_or("", String::as_str);
            let level = self.meta.read().unwrap_or_else(PoisonError::into_inner).level();
            if zone != written && level >= command.level() {
                self.write_down(meta, command).await;
            }
        }
    }
}

/// So many of these nodes, no more of a zone than need be. Of equally good ones first those of the lower
/// class, then of the zone with the fewest taken, then of the larger weight. Nodes that say no zone
/// are of one zone.
pub(super) fn spread<C: Ord + Copy>(
    nodes: &[(NodeId, C, u64)],
    zones: &BTreeMap<NodeId, String>,
    count: usize,
) -> Vec<NodeId> {
    let zone = |node: &NodeId| zones.get(node).map_or("", String::as_str);
    let mut left = nodes.to_vec();
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    let mut chosen = Vec::new();
    while chosen.len() < count {
        let best = left.iter().enumerate().min_by_key(|(_, (node, class, weight))| {
            (*class, taken.get(zone(node)).copied().unwrap_or(0), Reverse(*weight), *node)
        });
        let Some((place, _)) = best else { break };
        let (node, ..) = left.swap_remove(place);
        *taken.entry(zone(&node)).or_default() += 1;
        chosen.push(node);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::spread;
    use consensus::NodeId;
    use std::collections::BTreeMap;

    #[test]
    fn zones_are_filled_evenly_and_classes_go_first() {
        let zones: BTreeMap<NodeId, String> = [(1, "a"), (2, "a"), (3, "a"), (4, "b"), (5, "b"), (6, "c")]
            .map(|(id, zone)| (NodeId(id), zone.to_owned()))
            .into();
        // The weights would take all of a.
        let nodes: Vec<(NodeId, bool, u64)> = (1..=6).map(|id| (NodeId(id), false, 100 - id)).collect();
        let chosen = |nodes: &[(NodeId, bool, u64)], count| {
            spread(nodes, &zones, count).into_iter().map(|id| id.0).collect::<Vec<_>>()
        };
        assert_eq!(chosen(&nodes, 3), [1, 4, 6]);
        assert_eq!(chosen(&nodes, 5), [1, 4, 6, 2, 5]);
        assert_eq!(chosen(&nodes, 9), [1, 4, 6, 2, 5, 3]);
        let mut lost = nodes.clone();
        lost[5].1 = true;
        assert_eq!(chosen(&lost, 3), [1, 4, 2], "one that is lost goes last, whatever its zone");
        let none = spread(&nodes, &BTreeMap::new(), 3);
        assert_eq!(none, [1, 2, 3].map(NodeId), "without zones by weight alone");
    }
}
