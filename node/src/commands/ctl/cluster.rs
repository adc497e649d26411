//! `ctl cluster`: nodes, shards, leaders, lag, moves under way, what is wrong and what to do.

use super::client::Client;
use super::output::{Output, table};
use crate::failure::Failure;
use comfy_table::Table;
use proto::v1;
use proto::v1::ClusterState;
use proto::v1::cluster_client::ClusterClient;
use proto::v1::cluster_state::node::Stage;
use proto::v1::cluster_state::{Node, Shard};
use std::collections::BTreeSet;

/// Entries that a replica may be behind without being called so.
const BEHIND_MAX: u64 = 1_000;

/// Prints the cluster.
pub(super) async fn run(client: &Client, out: Output) -> Result<(), Failure> {
    let state = fetch(client).await?;
    out.print("ClusterState", &state, |state| {
        let version = format!(
            "version {} · level {}{} · speed {} · {} replicas a shard",
            state.version,
            // A release before levels says nothing of it.
            state.level.max(1),
            if state.level_held { " (held)" } else { "" },
            state.speed,
            state.replicas
        );
        println!("cluster {} · {version}\n\n{}\n", state.cluster_id, nodes(state));
        for line in wrong(state) {
            println!("{line}");
        }
        shards(state)
    })
}

/// The cluster as the asked node sees it.
pub(super) async fn fetch(client: &Client) -> Result<ClusterState, Failure> {
    let call =
        || async { ClusterClient::new(client.channel.clone()).get_cluster(v1::GetClusterRequest {}).await };
    client.call(call).await
}

fn nodes(state: &ClusterState) -> Table {
    let mut nodes =
        table(["NODE", "ADDRESS", "ZONE", "SEEN", "STATE", "LEADS", "LOAD", "VOTES IN", "LEARNS"]);
    nodes.add_rows(state.nodes.iter().map(|node| {
        let seen = match (node.id == state.this_node, node.reachable) {
            (true, _) => "asked",
            (false, true) => "reachable",
            (false, false) => "UNREACHABLE",
        };
        let stage = match node.stage() {
            Stage::Joining => "joining",
            Stage::Leaving => "leaving",
            Stage::Drained => "drained",
            Stage::Member | Stage::Unspecified => "member",
        };
        let led = state.shards.iter().filter(|shard| shard.leader == node.id).count();
        let led = node.leads.map_or(led.to_string(), |leads| leads.to_string());
        let load = node.load.map_or_else(|| "?".to_owned(), |load| load.to_string());
        let part = |voter: bool| {
            let members = state.shards.iter().flat_map(|shard| &shard.members);
            members.filter(|member| member.node == node.id && member.voter == voter).count()
        };
        [
            node.id.to_string(),
            node.address.clone(),
            node.zone.clone(),
            seen.to_owned(),
            stage.to_owned(),
            led,
            load,
            part(true).to_string(),
            part(false).to_string(),
        ]
    }));
    nodes
}

fn shards(state: &ClusterState) -> Table {
    let mut shards = table(["SHARD", "LEADER", "TERM", "APPLIED", "VOTERS", "LEARNERS", "LAG", "DOMAINS"]);
    shards.add_rows(state.shards.iter().map(|shard| {
        let part = |voter: bool| {
            let members = shard.members.iter().filter(|member| member.voter == voter);
            members.map(|member| member.node.to_string()).collect::<Vec<_>>().join(" ")
        };
        let lag = lag(shard).map_or_else(|| "?".to_owned(), |(_, behind)| behind.to_string());
        [
            name(shard),
            if shard.leader == 0 { "NONE".to_owned() } else { shard.leader.to_string() },
            shard.term.to_string(),
            furthest(shard).to_string(),
            part(true),
            part(false),
            lag,
            shard.domains.to_string(),
        ]
    }));
    shards
}

fn name(shard: &Shard) -> String {
    if shard.id == 0 { "meta".to_owned() } else { shard.id.to_string() }
}

/// The highest index that is applied anywhere.
fn furthest(shard: &Shard) -> u64 {
    shard.members.iter().filter_map(|member| member.applied).chain([shard.applied]).max().unwrap_or(0)
}

/// The member that is furthest behind, of those that answer.
fn lag(shard: &Shard) -> Option<(u64, u64)> {
    let most = furthest(shard);
    let behind = shard.members.iter().filter_map(|member| Some((member.node, most - member.applied?)));
    behind.max_by_key(|(_, behind)| *behind)
}

/// What is wrong or under way, each with what to do.
fn wrong(state: &ClusterState) -> Vec<String> {
    let mut lines = Vec::new();
    let dead = |node: &&Node| !node.reachable && node.id != state.this_node;
    for node in state.nodes.iter().filter(dead) {
        lines.push(format!(
            "WRONG node {} does not answer {}: start it again; if its machine or data are gone for good, \
             `centralita ctl node remove {}` and join another",
            node.id, state.this_node, node.id
        ));
    }
    for node in &state.nodes {
        let groups = state.shards.iter();
        let left = groups.filter(|shard| shard.members.iter().any(|member| member.node == node.id)).count();
        match node.stage() {
            Stage::Joining => lines.push(format!(
                "MOVES node {} joins: member of {left} of {} groups",
                node.id,
                state.shards.len()
            )),
            Stage::Leaving => {
                lines.push(format!("MOVES node {} leaves: still member of {left} groups", node.id));
            }
            Stage::Drained => lines.push(format!(
                "MOVES node {} is drained and leads nothing: `centralita ctl node undrain {}` when it may",
                node.id, node.id
            )),
            Stage::Member | Stage::Unspecified => {}
        }
    }
    lines.extend(super::level::under_way(state));
    lines.extend(state.moves.iter().map(super::move_domain::under_way));
    for shard in &state.shards {
        let up = |id: u64| {
            state.nodes.iter().any(|node| node.id == id && (node.reachable || id == state.this_node))
        };
        let voters: Vec<u64> =
            shard.members.iter().filter(|member| member.voter).map(|member| member.node).collect();
        let live = voters.iter().filter(|id| up(**id)).count();
        if !voters.is_empty() && live <= voters.len() / 2 {
            lines.push(format!(
                "WRONG shard {} has {live} of {} voters and takes no work: start the missing nodes ({})",
                name(shard),
                voters.len(),
                voters.iter().filter(|id| !up(**id)).map(u64::to_string).collect::<Vec<_>>().join(", ")
            ));
        } else if shard.leader == 0 {
            lines.push(format!("WRONG shard {} has no leader now: look again in a second", name(shard)));
        }
        lines.extend(in_one_zone(state, shard));
        if let Some((node, behind)) = lag(shard).filter(|(_, behind)| *behind > BEHIND_MAX) {
            lines.push(format!("SLOW  shard {}: node {node} is {behind} entries behind", name(shard)));
        }
    }
    lines.extend(state.alarms.iter().map(|alarm| format!("ALARM {alarm}")));
    if !state.planted.is_empty() {
        lines.push(format!("PLANTED FAULT {}", state.planted));
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

/// A shard that one zone's loss would stop, in a cluster of several.
fn in_one_zone(state: &ClusterState, shard: &Shard) -> Option<String> {
    let zone = |id: u64| state.nodes.iter().find(|node| node.id == id).map_or("", |node| node.zone.as_str());
    let zones: BTreeSet<&str> = state.nodes.iter().map(|node| node.zone.as_str()).collect();
    let voters: Vec<u64> =
        shard.members.iter().filter(|member| member.voter).map(|member| member.node).collect();
    let of = |name: &str| voters.iter().filter(|id| zone(**id) == name).count();
    // Less than three zones cannot help it; with a single voter nothing can.
    let worst = zones.iter().copied().max_by_key(|name| of(name))?;
    (zones.len() > 2 && voters.len() > 2 && of(worst) * 2 > voters.len()).then(|| {
        format!(
            "SLOW  shard {}: {} of {} voters are in zone '{worst}': they are moved when nodes of other zones are up",
            name(shard),
            of(worst),
            voters.len()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::v1::cluster_state::Replica;

    fn state(reachable: [bool; 3], applied: [Option<u64>; 3]) -> ClusterState {
        let node = |id: u64| Node {
            id,
            address: format!("host{id}:1"),
            reachable: reachable[id as usize - 1],
            stage: Stage::Member.into(),
            knows: Some(1),
            ..Node::default()
        };
        let member = |id: u64| Replica { node: id, voter: true, applied: applied[id as usize - 1] };
        let shard = Shard { id: 1, leader: 1, members: (1..=3).map(member).collect(), ..Shard::default() };
        ClusterState {
            this_node: 1,
            nodes: (1..=3).map(node).collect(),
            shards: vec![shard],
            ..ClusterState::default()
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_do() {
        let well = state([true; 3], [Some(10); 3]);
        assert_eq!(wrong(&well), [""; 0]);
        let one_dead = wrong(&state([true, true, false], [Some(10), Some(10), None]));
        assert!(one_dead[0].contains("ctl node remove 3"), "{one_dead:?}");
        assert_eq!(one_dead.len(), 2);
        let two_dead = wrong(&state([true, false, false], [Some(10), None, None])).join("\n");
        assert!(
            two_dead.contains("1 of 3 voters and takes no work: start the missing nodes (2, 3)"),
            "{two_dead}"
        );
        let slow = wrong(&state([true; 3], [Some(5_000), Some(10), Some(4_999)])).join("\n");
        assert!(slow.contains("node 2 is 4990 entries behind"), "{slow}");
        let mut zoned = state([true; 3], [Some(1); 3]);
        zoned.nodes.push(Node { id: 4, ..zoned.nodes[0].clone() });
        for (node, zone) in zoned.nodes.iter_mut().zip(["a", "b", "a", "c"]) {
            node.zone = zone.to_owned();
        }
        let said = wrong(&zoned).join("\n");
        assert!(said.contains("2 of 3 voters are in zone 'a'"), "{said}");
        zoned.nodes[2].zone = "c".to_owned();
        assert_eq!(wrong(&zoned), [""; 0]);
        let mut moving = state([true; 3], [Some(1); 3]);
        moving.nodes[2].stage = Stage::Leaving.into();
        assert!(wrong(&moving)[0].contains("node 3 leaves: still member of 1 groups"));
        moving.nodes[2].stage = Stage::Drained.into();
        assert!(wrong(&moving)[0].contains("ctl node undrain 3"));
    }
}
