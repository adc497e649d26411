//! What taking a node out of service comes to, and whether the others can do without it.

use crate::failure::{Failure, Kind};
use proto::v1::ClusterState;
use proto::v1::cluster_state::node::Stage;
use proto::v1::cluster_state::{Node, Shard};

/// How a node goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// For good, alive or dead.
    Remove,
    /// For good, alive.
    Drain,
    /// It stays a member and leads nothing.
    Keep,
}

/// What would be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// Step by step.
    pub(super) lines: Vec<String>,
    /// Why it must not be done now, with what to do.
    pub(super) refused: Option<(String, String)>,
}

impl Plan {
    /// The refusal, if there is one, as the command's end.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match &self.refused {
            Some((why, remedy)) => Err(Failure::new(Kind::Refused, why).remedy(remedy)),
            None => Ok(()),
        }
    }
}

/// Makes the plan, from the cluster as one node sees it.
///
/// # Errors
/// When there is no such node.
pub(super) fn plan(state: &ClusterState, node: u64, how: How) -> Result<Plan, Failure> {
    let Some(goes) = state.nodes.iter().find(|one| one.id == node) else {
        let ids: Vec<String> = state.nodes.iter().map(|one| one.id.to_string()).collect();
        let message = format!("the cluster has no node {node}: its nodes are {}", ids.join(", "));
        return Err(Failure::new(Kind::Refused, message));
    };
    let mut lines = Vec::new();
    let led: Vec<&Shard> = state.shards.iter().filter(|shard| shard.leader == node).collect();
    lines.push(format!("{} groups led by node {node} get another leader", led.len()));
    for shard in led {
        let heirs = heirs(state, shard, node);
        lines.push(match heirs.is_empty() {
            true => format!("  {}: nobody can lead it now", name(shard)),
            false => format!("  {}: node {}", name(shard), list(&heirs, " or ")),
        });
    }
    if how == How::Keep {
        lines.push(format!(
            "node {node} stays a member of {} groups, votes in {}, and leads nothing as long as others can",
            groups_of(state, node),
            votes_in(state, node)
        ));
    } else {
        let stay = staying(state, node).len();
        lines.push(format!("{} groups in which it votes get other voters", votes_in(state, node)));
        lines.push(format!(
            "{} groups are left by it, one change of a group at a time, the meta group last; then it stops",
            groups_of(state, node)
        ));
        lines.push(format!("{stay} nodes stay"));
        lines.extend(few(stay));
    }
    let refused = match how {
        How::Drain | How::Keep if !is_up(state, goes) => Some((
            format!("node {node} does not answer: there is nothing to drain"),
            format!("start it; if it is gone for good, `centralita ctl node remove {node}`"),
        )),
        How::Keep => cannot_stop(state, node),
        How::Drain | How::Remove => cannot_leave(state, node),
    };
    lines.extend(refused.iter().map(|(why, remedy)| format!("NOT POSSIBLE NOW: {why}; {remedy}")));
    Ok(Plan { lines, refused })
}

/// Groups that the node is a member of.
pub(super) fn groups_of(state: &ClusterState, node: u64) -> usize {
    state.shards.iter().filter(|shard| shard.members.iter().any(|member| member.node == node)).count()
}

fn votes_in(state: &ClusterState, node: u64) -> usize {
    state.shards.iter().filter(|shard| voters(shard).contains(&node)).count()
}

fn voters(shard: &Shard) -> Vec<u64> {
    shard.members.iter().filter(|member| member.voter).map(|member| member.node).collect()
}

fn is_up(state: &ClusterState, node: &Node) -> bool {
    node.reachable || node.id == state.this_node
}

/// The nodes that are not to leave, without this one.
fn staying(state: &ClusterState, node: u64) -> Vec<&Node> {
    state.nodes.iter().filter(|one| one.id != node && one.stage() != Stage::Leaving).collect()
}

fn up_of(state: &ClusterState, ids: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let up = |id: &u64| state.nodes.iter().any(|node| node.id == *id && is_up(state, node));
    ids.iter().copied().partition(|id| up(id))
}

/// Who may lead a group in its place.
fn heirs(state: &ClusterState, shard: &Shard, node: u64) -> Vec<u64> {
    let can = |id: &u64| {
        let heir = staying(state, node).into_iter().find(|one| one.id == *id);
        heir.is_some_and(|heir| is_up(state, heir) && heir.stage() != Stage::Drained)
    };
    voters(shard).into_iter().filter(can).collect()
}

/// Whether work would stop without it: it is drained in order to be stopped.
fn cannot_stop(state: &ClusterState, node: u64) -> Option<(String, String)> {
    for shard in state.shards.iter().filter(|shard| voters(shard).contains(&node)) {
        let voters = voters(shard);
        let others: Vec<u64> = voters.iter().copied().filter(|id| *id != node).collect();
        let (live, dead) = up_of(state, &others);
        if live.len() <= voters.len() / 2 {
            let without = format!(
                "{} would have {} of {} voters without node {node} and take no work",
                name(shard),
                live.len(),
                voters.len()
            );
            let remedy = match dead.is_empty() {
                true => "join another node first".to_owned(),
                false => format!("start node {} first", list(&dead, ", ")),
            };
            return Some((without, remedy));
        }
        if heirs(state, shard, node).is_empty() {
            let why = format!("nobody else may lead {}", name(shard));
            return Some((
                why,
                "let another node lead again first, with `centralita ctl node undrain`".into(),
            ));
        }
    }
    None
}

/// Whether a group could not change its members now, or would be below a quorum afterwards.
fn cannot_leave(state: &ClusterState, node: u64) -> Option<(String, String)> {
    let start = |dead: &[u64]| {
        format!(
            "start node {0} first; what is gone for good is removed first (`centralita ctl node remove {0}`)",
            list(dead, ", ")
        )
    };
    let stay: Vec<u64> = staying(state, node).iter().map(|one| one.id).collect();
    if stay.is_empty() {
        return Some((format!("node {node} is the last one"), "join another node first".to_owned()));
    }
    for shard in state.shards.iter().filter(|shard| !shard.members.is_empty()) {
        let voters = voters(shard);
        let (live, dead) = up_of(state, &voters);
        if live.len() <= voters.len() / 2 {
            let why =
                format!("{} has {} of {} voters and cannot change", name(shard), live.len(), voters.len());
            return Some((why, start(&dead)));
        }
    }
    // The voters that a group has in the end, wherever they are.
    let most = if state.replicas == 0 { 5 } else { state.replicas as usize };
    let (live, dead) = up_of(state, &stay);
    for (what, nodes) in [("the meta group", stay.len()), ("a shard", stay.len().min(most))] {
        let voters = voters_of(nodes);
        if live.len() <= voters / 2 {
            let why = format!(
                "without node {node} {what} has {voters} voters, of which at most {} would be up: below a quorum",
                live.len()
            );
            return Some((why, start(&dead)));
        }
    }
    None
}

/// Voters of a group of so many members, as the cluster has it.
fn voters_of(members: usize) -> usize {
    match members {
        0..=3 => members,
        4 => 3,
        _ => 5,
    }
}

fn few(stay: usize) -> Option<String> {
    match stay {
        1 => Some("one node is left: then its loss is the loss of everything; join another first".to_owned()),
        2 => {
            Some("two nodes are left: then the loss of either stops all work; join another first".to_owned())
        }
        _ => None,
    }
}

fn name(shard: &Shard) -> String {
    if shard.id == 0 { "the meta group".to_owned() } else { format!("shard {}", shard.id) }
}

fn list(ids: &[u64], between: &str) -> String {
    ids.iter().map(u64::to_string).collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::v1::cluster_state::Replica;

    /// Nodes 1 to `nodes`, seen by node 1, all of which vote in the meta group and in shards 1 and 2; shard N
    /// is led by node N + 1.
    fn state(nodes: u64) -> ClusterState {
        let node = |id: u64| Node {
            id,
            address: format!("host{id}:1"),
            reachable: true,
            stage: Stage::Member.into(),
            ..Node::default()
        };
        let member = |id: u64| Replica { node: id, voter: id <= 5, applied: Some(7) };
        let shard = |id: u32| Shard {
            id,
            leader: u64::from(id) % nodes + 1,
            members: (1..=nodes).map(member).collect(),
            ..Shard::default()
        };
        ClusterState {
            this_node: 1,
            nodes: (1..=nodes).map(node).collect(),
            shards: (0..=2).map(shard).collect(),
            replicas: 5,
            ..ClusterState::default()
        }
    }

    fn down(state: &mut ClusterState, ids: &[u64]) {
        state.nodes.iter_mut().filter(|node| ids.contains(&node.id)).for_each(|node| node.reachable = false);
    }

    #[test]
    fn what_would_take_a_group_below_a_quorum_is_refused_with_what_to_do() {
        use How::{Drain, Keep, Remove};
        // Nodes, which of them are down, which one goes and how, and what is said; nothing: it may go.
        let cases: &[(u64, &[u64], u64, How, &str)] = &[
            (3, &[], 3, Drain, ""),
            (3, &[], 3, Keep, ""),
            (3, &[], 1, Keep, ""),
            (3, &[2], 3, Drain, "start node 2 first"),
            (3, &[2], 3, Remove, "below a quorum"),
            (3, &[2], 3, Keep, "start node 2 first"),
            (3, &[2], 2, Drain, "ctl node remove 2"),
            (3, &[2], 2, Keep, "does not answer"),
            (3, &[2], 2, Remove, ""),
            (3, &[2, 3], 3, Remove, "1 of 3 voters and cannot change"),
            (4, &[2], 3, Drain, ""),
            (4, &[2, 4], 3, Drain, "start node 2, 4 first"),
            (5, &[2], 3, Keep, ""),
            (5, &[2, 4], 3, Keep, "start node 2, 4 first"),
            (5, &[2, 4], 3, Drain, ""),
            (5, &[2, 4], 4, Remove, ""),
            (6, &[2], 3, Drain, ""),
            (2, &[], 2, Drain, ""),
            (2, &[], 2, Keep, "join another node first"),
            (1, &[], 1, Drain, "the last one"),
            (1, &[], 1, Keep, "join another node first"),
        ];
        for (nodes, dead, node, how, said) in cases {
            let what = format!("{nodes} nodes, {dead:?} down, node {node}, {how:?}");
            let mut state = state(*nodes);
            down(&mut state, dead);
            let plan = plan(&state, *node, *how).unwrap();
            match &plan.refused {
                None => assert_eq!(*said, "", "{what} is not refused"),
                Some((why, remedy)) => {
                    assert!(!said.is_empty(), "{what} is refused: {why}; {remedy}");
                    assert!(format!("{why}; {remedy}").contains(said), "{what}: {why}; {remedy}");
                    assert!(plan.lines.iter().any(|line| line.contains("NOT POSSIBLE NOW")), "{what}");
                }
            }
            assert_eq!(plan.check().is_err(), !said.is_empty());
        }
    }

    #[test]
    fn the_plan_names_who_leads_instead() {
        let mut state = state(4);
        state.nodes[3].stage = Stage::Drained.into();
        let said = plan(&state, 2, How::Drain).unwrap().lines.join("\n");
        assert!(said.contains("1 groups led by node 2") && said.contains("  shard 1: node 1 or 3"), "{said}");
        assert!(said.contains("3 groups are left by it") && said.contains("3 nodes stay"), "{said}");
        let kept = plan(&state, 2, How::Keep).unwrap().lines.join("\n");
        assert!(kept.contains("stays a member of 3 groups, votes in 3"), "{kept}");
        // Where all others lead nothing, there is nobody.
        state
            .nodes
            .iter_mut()
            .filter(|node| node.id != 2)
            .for_each(|node| node.stage = Stage::Drained.into());
        let refused = plan(&state, 2, How::Keep).unwrap().refused.unwrap();
        assert!(refused.1.contains("undrain"), "{refused:?}");
        assert!(plan(&state, 9, How::Drain).is_err());
        let two = plan(&super::tests::state(3), 3, How::Remove).unwrap().lines.join("\n");
        assert!(two.contains("two nodes are left"), "{two}");
    }
}
