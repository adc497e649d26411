//! The next step of a group towards the members it should have.

use super::zones::spread;
use crate::meta::Member;
use consensus::{GroupId, GroupMembers, MemberChange, NodeId};
use std::collections::{BTreeMap, BTreeSet};

/// A member that is at most this many entries behind may vote.
const BEHIND_MAX: u64 = 1_000;

/// One step: the leader takes it, and looks again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Changes the members.
    Change(MemberChange),
    /// Has another member lead, because this one is to go, or to lead nothing.
    HandOver(NodeId),
}

/// What a group's leader knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation<'a> {
    /// The group.
    pub group: GroupId,
    /// Its leader: this node.
    pub this: NodeId,
    /// Its members.
    pub now: &'a GroupMembers,
    /// The nodes of the cluster.
    pub nodes: &'a BTreeMap<NodeId, Member>,
    /// Nodes that this one is connected with, and itself.
    pub up: &'a BTreeSet<NodeId>,
    /// Nodes that have been away for so long that others vote in their place, if there are others.
    pub lost: &'a BTreeSet<NodeId>,
    /// Members of other groups, which must be left first.
    pub elsewhere: &'a BTreeSet<NodeId>,
    /// How many replicas a shard should have; every node has one of the meta group.
    pub replicas: usize,
    /// What nodes share their fate with.
    pub zones: &'a BTreeMap<NodeId, String>,
    /// Nodes that are to lead nothing, as long as others can.
    pub drained: &'a BTreeSet<NodeId>,
}

/// Voters of a group in a cluster of so many nodes: as many as give the most safety for the
/// quorum's size, five at most. Two nodes both vote, so that everything is on two disks.
pub(crate) fn voters_of(nodes: usize) -> usize {
    match nodes {
        0..=3 => nodes,
        4 => 3,
        _ => 5,
    }
}

/// The next step, if one is due and possible now. Steps are safe in any order and may be repeated:
/// openraft allows one change at a time, each based on the one before. No set of voters is taken
/// unless a majority of it is there.
pub(crate) fn next(situation: &Situation<'_>) -> Option<Step> {
    let Situation { this, now, nodes, .. } = *situation;
    if now.joint {
        return Some(Step::Change(MemberChange::Settle));
    }
    if !now.committed || nodes.is_empty() {
        return None;
    }
    if situation.drained.contains(&this)
        && let Some(heir) = heir(situation)
    {
        return Some(Step::HandOver(heir));
    }
    let wanted = wanted(situation);
    for (&node, member) in nodes.iter().filter(|(_, member)| !member.leaving) {
        let address = member.address.clone();
        // A shard's replica is opened there first. A node that joins the cluster has a link with this one
        // once the meta group names it.
        let reached = situation.group == GroupId::META || situation.up.contains(&node);
        match now.members.get(&node) {
            None if !wanted.contains(&node) || !reached => {}
            None => return Some(Step::Change(MemberChange::Admit { node, address })),
            Some(known) if known.address != address => {
                return Some(Step::Change(MemberChange::Move { node, address }));
            }
            Some(_) => {}
        }
    }
    let (voters, target) = (now.voters(), target(situation, &wanted));
    if voters != target && has_majority(&target, situation.up) {
        if target.contains(&this) {
            return Some(Step::Change(MemberChange::SetVoters(target)));
        }
        let heir = target.intersection(&voters).find(|id| situation.up.contains(id) && is_near(now, **id));
        return Some(match heir {
            Some(heir) => Step::HandOver(*heir),
            // None of those that are to vote does so yet: they join this one first.
            None if target.is_subset(&voters) => return None,
            None => Step::Change(MemberChange::SetVoters(target.into_iter().chain([this]).collect())),
        });
    }
    let goes = |id: &NodeId| !wanted.contains(id);
    let left = |id: &NodeId| situation.group != GroupId::META || !situation.elsewhere.contains(id);
    let gone = now.members.keys().find(|id| !voters.contains(id) && goes(id) && left(id))?;
    Some(Step::Change(MemberChange::Dismiss(*gone)))
}

/// Who leads in place of a node that is to lead nothing: a voter that is there and up to date, another one
/// for each group, so that what one led is spread.
fn heir(situation: &Situation<'_>) -> Option<NodeId> {
    let Situation { group, now, nodes, up, drained, .. } = *situation;
    let able = now.voters().into_iter().filter(|id| {
        let stays = nodes.get(id).is_some_and(|node| !node.leaving);
        stays && up.contains(id) && !drained.contains(id) && is_near(now, *id)
    });
    able.max_by_key(|id| weight(group, *id))
}

fn is_near(now: &GroupMembers, node: NodeId) -> bool {
    now.members.get(&node).and_then(|member| member.behind).is_some_and(|behind| behind <= BEHIND_MAX)
}

fn has_majority(voters: &BTreeSet<NodeId>, up: &BTreeSet<NodeId>) -> bool {
    voters.intersection(up).count() > voters.len() / 2
}

/// Who should be a member: the nodes with the largest weight for this group, so that a node that comes
/// or goes changes only its own share (highest random weight, Thaler and Ravishankar 1998), spread over
/// zones. One that has been away for long is passed over when there is another.
fn wanted(situation: &Situation<'_>) -> BTreeSet<NodeId> {
    let Situation { group, nodes, lost, replicas, zones, .. } = *situation;
    let stay = nodes.iter().filter(|(_, member)| !member.leaving).map(|(id, _)| *id);
    if group == GroupId::META {
        return stay.collect();
    }
    let stay: Vec<_> = stay.map(|id| (id, lost.contains(&id), weight(group, id))).collect();
    spread(&stay, zones, replicas.max(1)).into_iter().collect()
}

/// Who should vote: of the members that vote or could, first those that are to stay members, then by
/// zone and weight as in [`wanted`].
fn target(situation: &Situation<'_>, wanted: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
    let Situation { group, now, nodes, lost, zones, .. } = *situation;
    let mut able = Vec::new();
    for (id, member) in &now.members {
        let stays = nodes.get(id).is_some_and(|node| !node.leaving);
        if stays && (member.voter || is_near(now, *id)) {
            able.push((*id, (!wanted.contains(id), lost.contains(id)), weight(group, *id)));
        }
    }
    // As many as in the end: one that is to go, and votes until another can, is none more.
    let count = voters_of(able.len().min(wanted.len()));
    spread(&able, zones, count).into_iter().collect()
}

/// A number that differs for every pair, the same on every node (SplitMix64's output function).
fn weight(group: GroupId, node: NodeId) -> u64 {
    let mut word = u64::from(group.0) << 40 ^ node.0;
    word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
