//! Who should lead less: leadership goes from nodes that lead much to nodes that lead little, a group at a
//! time, so that the work is spread after nodes came, went, or failed.

use crate::api::{GroupId, NodeId};
use crate::consensus::Consensus;
use std::collections::BTreeMap;
use std::sync::Weak;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time between two looks.
const LOOK: Duration = Duration::from_secs(5);
/// Looks in a row at which there must be something to give away; then a group at every look.
const STEADY_LOOKS: u32 = 3;
/// Entries that the next leader may be behind.
const BEHIND_MAX: u64 = 100;
/// By so many groups a node must lead more than the other: by one less, the other would lead more then.
const MORE_BY: usize = 2;

/// A group that this node leads, and the voters that could take over now.
type Led = (GroupId, Vec<NodeId>);

/// What to give to whom, if anything: to the voter that leads least, if that is less enough. `own`: groups
/// that this node leads; `others`: groups that each connected peer leads, by its last ping.
fn give(own: usize, others: &BTreeMap<NodeId, usize>, led: &[Led]) -> Option<(GroupId, NodeId)> {
    let pairs = led.iter().flat_map(|(group, heirs)| heirs.iter().map(move |heir| (*group, *heir)));
    let counted = pairs.filter_map(|(group, heir)| Some((*others.get(&heir)?, heir, group)));
    let less = counted.filter(|(count, ..)| own >= count + MORE_BY);
    less.min().map(|(_, heir, group)| (group, heir))
}

/// What was seen of the voters of the groups led here, to know whose log grows.
#[derive(Default)]
struct Watched {
    had: BTreeMap<(GroupId, NodeId), u64>,
    steady: u32,
}

impl Watched {
    /// The groups that this node leads, each with the voters that are there and up to date. A member that
    /// lags and gets nothing more has a disk that stands still.
    fn led(&mut self, consensus: &Consensus) -> Vec<Led> {
        let peers = consensus.peers();
        let mut led = Vec::new();
        let mut has = BTreeMap::new();
        for group in consensus.groups() {
            let status = group.status();
            if !status.leading {
                continue;
            }
            let mut heirs = Vec::new();
            let drained = consensus.drained();
            let there = |voter: &NodeId| peers.connected(*voter) && !drained.contains(voter);
            for voter in status.voters.into_iter().filter(there) {
                let Some(behind) = group.behind(voter) else { continue };
                let index = status.last_index.saturating_sub(behind);
                let moves = behind == 0 || self.had.get(&(group.id(), voter)).is_none_or(|had| index > *had);
                has.insert((group.id(), voter), index);
                if behind <= BEHIND_MAX && moves {
                    heirs.push(voter);
                }
            }
            led.push((group.id(), heirs));
        }
        self.had = has;
        led
    }
}

/// Looks, and gives away, until the node stops.
pub async fn run(consensus: Weak<Consensus>, stop: CancellationToken) {
    let mut watched = Watched::default();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let Some(consensus) = consensus.upgrade() else { return };
        let led = watched.led(&consensus);
        let Some((group, heir)) = give(led.len(), &consensus.led_by_peers(), &led) else {
            watched.steady = 0;
            continue;
        };
        watched.steady += 1;
        if watched.steady < STEADY_LOOKS {
            continue;
        }
        tracing::info!(%group, to = %heir, "handing leadership to a voter that leads less");
        if let Some(group) = consensus.group(group)
            && let Err(error) = group.transfer_leadership(heir).await
        {
            tracing::debug!(group = %group.id(), "leadership not handed over: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn others(counts: &[(u64, usize)]) -> BTreeMap<NodeId, usize> {
        counts.iter().map(|(id, count)| (NodeId(*id), *count)).collect()
    }

    #[test]
    fn the_least_busy_voter_gets_a_group_and_nobody_where_that_gains_nothing() {
        let led = |groups: &[(u32, &[u64])]| -> Vec<Led> {
            groups
                .iter()
                .map(|(id, heirs)| (GroupId(*id), heirs.iter().map(|id| NodeId(*id)).collect()))
                .collect()
        };
        let three = led(&[(1, &[2, 3]), (2, &[2, 3]), (3, &[2])]);
        assert_eq!(give(3, &others(&[(2, 1), (3, 0)]), &three), Some((GroupId(1), NodeId(3))));
        assert_eq!(give(3, &others(&[(2, 1), (3, 2)]), &three), Some((GroupId(1), NodeId(2))));
        assert_eq!(give(3, &others(&[(2, 2), (3, 2)]), &three), None, "one less is as good");
        assert_eq!(give(3, &others(&[(4, 0)]), &three), None, "it votes nowhere");
        assert_eq!(give(3, &others(&[]), &three), None, "nobody is there");
    }

    /// Every node gives at the same time, knowing what the others led before: it ends, and evenly.
    #[test]
    fn any_beginning_ends_evenly() {
        for nodes in 2..=7u64 {
            for shift in 0..20u64 {
                let voters: Vec<NodeId> = (1..=nodes).map(NodeId).collect();
                let mut leaders: BTreeMap<GroupId, NodeId> = (0..=32u32)
                    .map(|id| (GroupId(id), NodeId(1 + (u64::from(id) * shift / 7) % nodes)))
                    .collect();
                let count = |leaders: &BTreeMap<GroupId, NodeId>, node: NodeId| {
                    leaders.values().filter(|leader| **leader == node).count()
                };
                for _ in 0..60 {
                    let before = leaders.clone();
                    for node in &voters {
                        let rest = voters.iter().copied().filter(|other| other != node);
                        let others = rest.clone().map(|other| (other, count(&before, other))).collect();
                        let led: Vec<Led> = before
                            .iter()
                            .filter(|(_, leader)| *leader == node)
                            .map(|(group, _)| (*group, rest.clone().collect()))
                            .collect();
                        if let Some((group, heir)) = give(led.len(), &others, &led) {
                            leaders.insert(group, heir);
                        }
                    }
                }
                let counts: BTreeSet<usize> = voters.iter().map(|node| count(&leaders, *node)).collect();
                let (least, most) = (counts.first().unwrap(), counts.last().unwrap());
                assert!(most - least <= 2, "{nodes} nodes, {shift}: {leaders:?}");
            }
        }
    }
}
