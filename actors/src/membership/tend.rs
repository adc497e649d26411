//! Takes the steps of the groups that this node leads, one each at a time.

use super::elsewhere::{Said, Sight, in_shards};
use super::moves::Mover;
use super::plan::{Situation, Step, next};
use crate::alarms::Alarms;
use crate::engine::new_request_id;
use crate::meta::{Member, MetaCommand, MetaDone, MetaRequest, SharedMeta};
use crate::seeded::Seeded;
use crate::shard::ShardTable;
use crate::wire::{PeerAnswer, PeerCall};
use consensus::env::{SharedClock, SharedEntropy};
use consensus::{About, Consensus, Group, GroupId, GroupMembers, MemberChange, NodeId};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use proto::codec;
use routing::{Rejected, ShardId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(500);
/// One step may take this long; then it is looked at again.
pub(super) const STEP_MAX: Duration = Duration::from_secs(5);

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
    /// Shards of the cluster.
    pub(crate) shards: u32,
    /// What this node says of itself.
    pub(crate) about: About,
    /// The shards that this node has replicas of.
    pub(crate) replicas: ShardTable,
    pub(crate) seeded: Seeded,
    pub(crate) mover: Mover,
}

/// To which nodes it was said that they have no replica of a group, as of which change of its members.
type SharedTold = Arc<Mutex<BTreeMap<(GroupId, NodeId), u64>>>;

/// Since when nodes have been away, on this node's monotonic clock.
type Away = BTreeMap<NodeId, u64>;

impl Tender {
    /// Goes on for as long as the node runs.
    pub(crate) async fn run(self) {
        let mut away = Away::new();
        let mut removed = BTreeSet::new();
        let told = SharedTold::default();
        loop {
            tokio::time::sleep(LOOK).await;
            let (nodes, gone, replicas, level, zones, drained) = {
                let meta = self.meta.read().unwrap_or_else(PoisonError::into_inner);
                let (zones, drained) = (meta.zones().clone(), meta.drained().clone());
                (meta.members().clone(), meta.removed(), meta.replicas(), meta.level(), zones, drained)
            };
            self.consensus.set_level(level);
            self.consensus.set_drained(&drained);
            if gone != removed {
                self.consensus.set_removed(gone.clone());
                removed = gone;
            }
            self.mover.look();
            let up = self.up(&nodes);
            let lost = self.lost(&nodes, &up, &mut away);
            let elsewhere = self.elsewhere(&nodes).await;
            let mut steps = FuturesUnordered::new();
            let led = self.consensus.groups().into_iter().filter(|group| group.status().leading);
            for group in led {
                let now = group.members();
                let situation = Situation {
                    group: group.id(),
                    this: self.this,
                    now: &now,
                    nodes: &nodes,
                    up: &up,
                    lost: &lost,
                    elsewhere: &elsewhere,
                    replicas,
                    zones: &zones,
                    drained: &drained,
                };
                match next(&situation) {
                    Some(step) => steps.push(self.take(group.clone(), now.index, step)),
                    None => self.close_elsewhere(&group, &now, &up, &told),
                }
                if group.id() == GroupId::META {
                    let all: BTreeSet<NodeId> = elsewhere.iter().chain(now.members.keys()).copied().collect();
                    self.keep_records(&group, &nodes, &all).await;
                    self.raise_level(&group, &nodes).await;
                    self.keep_zones(&group, &nodes, &zones).await;
                } else {
                    self.follow_level(&group, level).await;
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

    /// Nodes that are members of shards: as this node's logs name them, and where one is to leave, as the
    /// leaders of all shards say.
    async fn elsewhere(&self, nodes: &BTreeMap<NodeId, Member>) -> BTreeSet<NodeId> {
        let groups = self.consensus.groups();
        let leads = groups.iter().any(|group| group.id() == GroupId::META && group.status().leading);
        let leaving: BTreeSet<NodeId> =
            nodes.iter().filter(|(_, node)| node.leaving).map(|(id, _)| *id).collect();
        let sights = (1..=self.shards).map(GroupId).map(|id| self.sight(id, leads && !leaving.is_empty()));
        in_shards(&futures::future::join_all(sights).await, &leaving)
    }

    /// What this node knows of a shard's members; `asks`: the leader says, too.
    async fn sight(&self, id: GroupId, asks: bool) -> Sight {
        let here = self.consensus.group(id);
        let named = here.as_ref().map(|group| group.members().members.into_keys().collect());
        let named: BTreeSet<NodeId> = named.unwrap_or_default();
        let said = match here {
            _ if !asks => Said::NotAsked,
            Some(group) if group.status().leading => Said::Members(named.clone()),
            // A replica that is behind, or has nothing yet, names others than there are.
            _ => self
                .members_of(id)
                .await
                .map_or(Said::Nothing, |members| Said::Members(members.into_iter().collect())),
        };
        Sight { named, said }
    }

    /// The members of a shard that another node leads, as that one knows.
    async fn members_of(&self, group: GroupId) -> Option<Vec<NodeId>> {
        let leader = self.consensus.leader(group)?.borrow().leader?;
        match self.call(leader, &PeerCall::Members(ShardId(group.0))).await? {
            PeerAnswer::Members(members) => Some(members),
            _ => None,
        }
    }

    async fn call(&self, node: NodeId, call: &PeerCall) -> Option<PeerAnswer> {
        let answer = self.consensus.peers().call(node, codec::encode(call).into(), STEP_MAX).await.ok()?;
        codec::decode(&answer).ok()
    }

    /// Tells nodes that are no members, as is committed, that they have no replica any more; each once,
    /// as far as this node knows. It is harmless where there is none.
    fn close_elsewhere(&self, group: &Group, now: &GroupMembers, up: &BTreeSet<NodeId>, all: &SharedTold) {
        let id = group.id();
        if id == GroupId::META || !now.committed || now.joint {
            return;
        }
        let mut told = all.lock().unwrap_or_else(PoisonError::into_inner);
        for node in up.iter().filter(|node| !now.members.contains_key(node)).copied() {
            if told.get(&(id, node)) == Some(&now.index) {
                continue;
            }
            told.insert((id, node), now.index);
            let call = PeerCall::CloseReplica { shard: ShardId(id.0), at: now.index };
            let (peers, all) = (self.consensus.peers(), all.clone());
            tokio::spawn(async move {
                let answer = peers.call(node, codec::encode(&call).into(), STEP_MAX).await;
                let closed = answer.ok().and_then(|answer| codec::decode(&answer).ok());
                if !matches!(closed, Some(PeerAnswer::Replica(Ok(())))) {
                    tracing::info!(group = %id, %node, ?closed, "not closed yet");
                    all.lock().unwrap_or_else(PoisonError::into_inner).remove(&(id, node));
                }
            });
        }
        told.retain(|(of, node), _| *of != id || !now.members.contains_key(node));
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
        self.write_down(meta, command).await;
    }

    pub(super) async fn write_down(&self, meta: &Group, command: MetaCommand) {
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

impl Tender {
    async fn take(&self, group: Group, at: u64, step: Step) {
        let id = group.id();
        tracing::info!(group = %id, ?step, "members change");
        let taken = tokio::time::timeout(STEP_MAX, async {
            match step.clone() {
                Step::Change(change) => {
                    if let (MemberChange::Admit { node, .. }, true) = (&change, id != GroupId::META) {
                        let call = PeerCall::OpenReplica { shard: ShardId(id.0), at };
                        match self.call(*node, &call).await {
                            Some(PeerAnswer::Replica(opened)) => opened?,
                            other => return Err(format!("{node} opens no replica: {other:?}")),
                        }
                    }
                    group.change_members(at, change).await
                }
                Step::HandOver(to) => group.transfer_leadership(to).await,
            }
        });
        match taken.await {
            Ok(Ok(())) => {}
            Ok(Err(why)) => tracing::info!(group = %id, ?step, why, "not done yet"),
            Err(_) => tracing::info!(group = %id, ?step, "not done within {STEP_MAX:?}"),
        }
    }
}
