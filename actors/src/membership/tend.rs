//! Takes the steps of the groups that this node leads, one each at a time.

use super::plan::{Situation, Step, next};
use crate::alarms::Alarms;
use crate::engine::new_request_id;
use crate::meta::{Member, MetaCommand, MetaDone, MetaRequest, SharedMeta};
use consensus::env::{SharedClock, SharedEntropy};
use consensus::{Consensus, Group, GroupId, NodeId};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use proto::codec;
use routing::Rejected;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(500);
/// One step may take this long; then it is looked at again.
const STEP_MAX: Duration = Duration::from_secs(5);

/// Looks after the members of the groups of this node.
pub(crate) struct Tender {
    pub(crate) this: NodeId,
    pub(crate) consensus: Arc<Consensus>,
    pub(crate) meta: SharedMeta,
    pub(crate) clock: SharedClock,
    pub(crate) entropy: SharedEntropy,
    pub(crate) alarms: Alarms,
    /// A node that was away for this long is replaced by another, if there is one.
    pub(crate) lost_after: Duration,
}

/// Since when nodes have been away, on this node's monotonic clock.
type Away = BTreeMap<NodeId, u64>;

impl Tender {
    /// Goes on for as long as the node runs.
    pub(crate) async fn run(self) {
        let mut away = Away::new();
        let mut removed = BTreeSet::new();
        loop {
            tokio::time::sleep(LOOK).await;
            let (nodes, gone) = {
                let meta = self.meta.read().unwrap_or_else(PoisonError::into_inner);
                (meta.members().clone(), meta.removed())
            };
            if gone != removed {
                self.consensus.set_removed(gone.clone());
                removed = gone;
            }
            let up = self.up(&nodes);
            let lost = self.lost(&nodes, &up, &mut away);
            let elsewhere = self.elsewhere();
            let mut steps = FuturesUnordered::new();
            for group in self.consensus.groups().filter(|group| group.status().leading) {
                let now = group.members();
                let situation = Situation {
                    group: group.id(),
                    this: self.this,
                    now: &now,
                    nodes: &nodes,
                    up: &up,
                    lost: &lost,
                    elsewhere: &elsewhere,
                };
                if let Some(step) = next(&situation) {
                    steps.push(take(group.clone(), now.index, step));
                }
                if group.id() == GroupId::META {
                    let all: BTreeSet<NodeId> = elsewhere.iter().chain(now.members.keys()).copied().collect();
                    self.keep_records(group, &nodes, &all).await;
                }
            }
            while steps.next().await.is_some() {}
        }
    }

    fn up(&self, nodes: &BTreeMap<NodeId, Member>) -> BTreeSet<NodeId> {
        let peers = self.consensus.peers();
        nodes.keys().copied().filter(|id| *id == self.this || peers.connected(*id)).collect()
    }

    fn lost(
        &self,
        nodes: &BTreeMap<NodeId, Member>,
        up: &BTreeSet<NodeId>,
        away: &mut Away,
    ) -> BTreeSet<NodeId> {
        let now_us = self.clock.monotonic_us();
        away.retain(|id, _| nodes.contains_key(id) && !up.contains(id));
        for id in nodes.keys().filter(|id| !up.contains(id)) {
            away.entry(*id).or_insert(now_us);
        }
        let patience_us = u64::try_from(self.lost_after.as_micros()).unwrap_or(u64::MAX);
        let lost = away.iter().filter(|(_, since)| now_us.saturating_sub(**since) >= patience_us);
        lost.map(|(id, _)| *id).collect()
    }

    /// Members of shards, as this node's logs name them.
    fn elsewhere(&self) -> BTreeSet<NodeId> {
        let shards = self.consensus.groups().filter(|group| group.id() != GroupId::META);
        shards.flat_map(|group| group.members().members.into_keys()).collect()
    }

    /// What the meta group's leader writes down: who has founded the cluster, and who is gone from
    /// every group (`present`: who is not).
    async fn keep_records(&self, meta: &Group, nodes: &BTreeMap<NodeId, Member>, present: &BTreeSet<NodeId>) {
        let command = if nodes.is_empty() {
            let founders = meta.members().members;
            MetaCommand::Found {
                members: founders.into_iter().map(|(id, member)| (id, member.address)).collect(),
            }
        } else {
            let gone = nodes.iter().find(|(id, node)| node.leaving && !present.contains(id));
            let Some((node, _)) = gone else { return };
            MetaCommand::Gone { node: *node }
        };
        let from_ms = self.meta.read().unwrap_or_else(PoisonError::into_inner).asked_from_ms();
        let id = new_request_id(&self.clock, &self.entropy, from_ms);
        let request = codec::encode(&MetaRequest { id, command: command.clone() });
        let Ok(Ok(answer)) = tokio::time::timeout(STEP_MAX, meta.propose(request)).await else { return };
        match codec::decode::<Result<Result<MetaDone, Rejected>, String>>(&answer) {
            Ok(Ok(Ok(_))) => tracing::info!(?command, "written down"),
            other => self.alarms.raise(format!(
                "bug: the meta group did not take {command:?}: {other:?}; report this, members do not change"
            )),
        }
    }
}

async fn take(group: Group, at: u64, step: Step) {
    let id = group.id();
    tracing::info!(group = %id, ?step, "members change");
    let taken = tokio::time::timeout(STEP_MAX, async {
        match step.clone() {
            Step::Change(change) => group.change_members(at, change).await,
            Step::HandOver(to) => {
                let asked = group.transfer_leadership(to).await;
                asked.map_err(|error| error.to_string())
            }
        }
    });
    match taken.await {
        Ok(Ok(())) => {}
        Ok(Err(why)) => tracing::info!(group = %id, ?step, why, "not done yet"),
        Err(_) => tracing::info!(group = %id, ?step, "not done within {STEP_MAX:?}"),
    }
}
