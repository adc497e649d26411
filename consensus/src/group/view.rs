//! What a look at one group sees: the little of openraft's metrics that quietness goes by.

use crate::api::NodeId;
use crate::type_config::TypeConfig;
use crate::type_config::types::LogId;
use openraft::Instant as _;
use openraft::{RaftMetrics, ServerState};
use std::cmp::Reverse;
use std::time::Duration;

/// One group as this node's replica has it at this moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Raft term.
    pub term: u64,
    /// Who leads this term, as far as is known.
    pub leader: Option<NodeId>,
    /// This node has the role of leader.
    pub leads: bool,
    /// The group has ended here.
    pub failed: bool,
    /// Index of the last entry in the log.
    pub last_index: u64,
    /// The last entry that the state machine has applied.
    pub applied: Option<LogId>,
    /// Where this node leads: time since the message with which a quorum last confirmed it. A node that
    /// votes alone is that quorum, at any time.
    pub confirmed_ago: Option<Duration>,
    /// Where this node leads: every other member has all of the log.
    pub all_have_all: bool,
    /// Where this node leads: index of the last entry that is on its own disk.
    pub durable: u64,
    /// Where this node leads and its own disk is behind: the other voters, the one with the most
    /// log first.
    pub heirs: Vec<NodeId>,
    /// Who votes, in order.
    pub voters: Vec<NodeId>,
    /// All members other than this node, voters and learners.
    pub others: Vec<NodeId>,
}

impl View {
    /// The view of this node, from openraft's metrics.
    pub fn of(metrics: &RaftMetrics<TypeConfig>) -> View {
        let membership = metrics.membership_config.membership();
        let other = |id: &u64| *id != metrics.id;
        let leads = metrics.state == ServerState::Leader;
        let last = metrics.last_log_index;
        let matching = |id: &u64| {
            let matching = metrics.replication.as_ref().and_then(|all| all.get(id)).copied().flatten();
            matching.map(|log| log.index)
        };
        let durable = matching(&metrics.id);
        let mut heirs = Vec::new();
        if leads && durable < last {
            heirs.extend(membership.voter_ids().filter(other));
            heirs.sort_by_key(|id| (Reverse(matching(id)), *id));
        }
        let others: Vec<u64> = membership.nodes().map(|(id, _)| *id).filter(other).collect();
        let voters: Vec<NodeId> = membership.voter_ids().map(NodeId).collect();
        // openraft notes a confirmation where another member answers: alone, there is none that would.
        let confirmed_ago = if voters == [NodeId(metrics.id)] {
            Some(Duration::ZERO)
        } else {
            metrics.last_quorum_acked.map(|at| at.elapsed())
        };
        View {
            term: metrics.current_term,
            leader: metrics.current_leader.map(NodeId),
            leads,
            failed: metrics.running_state.is_err(),
            last_index: last.unwrap_or(0),
            applied: metrics.last_applied,
            confirmed_ago: confirmed_ago.filter(|_| leads),
            all_have_all: leads && others.iter().all(|id| matching(id) == last),
            durable: durable.unwrap_or(0),
            heirs: heirs.into_iter().map(NodeId).collect(),
            voters,
            others: others.into_iter().map(NodeId).collect(),
        }
    }
}
