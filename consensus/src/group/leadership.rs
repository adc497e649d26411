//! Who leads, told only when it is safe to act on.

use super::clock::LogClock;
use super::machine::Applied;
use crate::api::{GroupId, Leadership, NodeId};
use crate::seeded::{Seeded, SeededBug};
use crate::type_config::types::Raft;
use openraft::ServerState;
use openraft::rt::WatchReceiver;
use std::sync::Arc;
use tokio::sync::watch;

/// What openraft says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Claim {
    term: u64,
    leader: Option<NodeId>,
    /// In the role of leader, with a vote that a quorum granted to this node in this term.
    elected: bool,
    failed: Option<String>,
}

fn claim(raft: &Raft, node: NodeId) -> Claim {
    let metrics = raft.metrics();
    let metrics = metrics.borrow_watched();
    let vote = &metrics.vote;
    let elected = metrics.state == ServerState::Leader
        && vote.is_committed()
        && vote.leader_id().voted_for == node.0
        && vote.leader_id().term == metrics.current_term;
    let failed = metrics.running_state.as_ref().err().map(ToString::to_string);
    Claim { term: metrics.current_term, leader: metrics.current_leader.map(NodeId), elected, failed }
}

/// Follows openraft's metrics and what is applied, until openraft ends; returns why.
pub async fn watch_leadership(
    group: GroupId,
    node: NodeId,
    raft: Raft,
    mut applied: watch::Receiver<Applied>,
    clock: Arc<LogClock>,
    told: watch::Sender<Leadership>,
    seeded: Seeded,
) -> String {
    let mut metrics = raft.metrics();
    loop {
        let now = claim(&raft, node);
        let position = *applied.borrow_and_update();
        // The first entry of a term commits everything before it: once it is applied here, state
        // holds all that former leaders acknowledged.
        let caught_up = position.term == now.term || seeded.has(SeededBug::LeadsTooEarly);
        let leading = now.failed.is_none() && now.elected && caught_up;
        let before = *told.borrow();
        if before.leading && (!leading || before.term != now.term) {
            clock.follow(position.entry_time_us);
            tracing::info!(%group, term = before.term, "no longer leading");
        }
        if leading && (!before.leading || before.term != now.term) {
            clock.lead();
            tracing::info!(%group, term = now.term, "leading");
        }
        let next = Leadership { term: now.term, leader: now.leader, leading };
        told.send_if_modified(|present| std::mem::replace(present, next) != next);
        if let Some(failed) = now.failed {
            return failed;
        }
        tokio::select! {
            biased;
            changed = metrics.changed() => if changed.is_err() {
                let next = Leadership { term: now.term, leader: None, leading: false };
                told.send_replace(next);
                return claim(&raft, node).failed.unwrap_or_else(|| "stopped".into());
            },
            _ = applied.changed(), if applied.has_changed().is_ok() => {}
        }
    }
}
