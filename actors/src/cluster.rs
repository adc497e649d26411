//! The cluster as one node sees it.

use crate::engine::Inner;
use crate::meta::{DomainMove, MetaState, MoveStage};
use crate::wire::{PeerAnswer, PeerCall};
use crate::{
    ClusterState, Engine, Figures, MoveProgress, MoveState, NodeStage, NodeState, Replica, ShardState,
};
use consensus::{Group, GroupId, GroupMember, GroupMembers, Leads, NodeId};
use proto::codec;
use routing::{DomainId, LogTime, ShardId};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The level of the first nodes of which all know [`PeerCall::Look`].
const LOOK_FROM: u32 = 2;

impl Engine {
    /// The cluster as this node sees it.
    #[must_use]
    pub fn cluster(&self) -> ClusterState {
        let inner = &self.inner;
        let config = &inner.consensus_config;
        ClusterState {
            cluster: config.cluster_id.clone(),
            this: config.node,
            nodes: inner.nodes(),
            shards: inner.shard_states(),
            alarms: inner.alarms.list(),
            replicas: inner.meta_state().replicas(),
            level: inner.meta_state().level(),
            level_held: inner.meta_state().level_held(),
            moves: inner.moves(),
            moves_begun: inner.meta_state().moves_begun(),
            planted: inner.config.planted.map(|bug| format!("{bug:?}")),
            speed: f64::from(config.speed),
            figures: inner.figures(),
        }
    }

    /// The same, with how far every node has applied, and with what the leaders of shards say that this
    /// node has no replica of, as far as they answer within `patience`.
    pub async fn cluster_with_lag(&self, patience: Duration) -> ClusterState {
        let mut state = self.cluster();
        let (this, peers) = (self.inner.router.this, &self.inner.router.peers);
        let asked = state.nodes.iter().map(|node| node.id).map(|id| async move {
            let answer = if id == this {
                self.inner.look()
            } else {
                // Releases before levels may not know what to look for.
                let knows_it = peers.about(id).is_some_and(|about| about.level >= LOOK_FROM);
                let call = if knows_it { PeerCall::Look } else { PeerCall::Status };
                codec::decode(&peers.call(id, codec::encode(&call).into(), patience).await.ok()?).ok()?
            };
            let (applied, led) = match answer {
                PeerAnswer::Look(applied, led) => (applied, led),
                PeerAnswer::Status(applied) => (applied, Vec::new()),
                _ => return None,
            };
            Some((id, applied.into_iter().collect::<BTreeMap<u32, u64>>(), led))
        });
        let answers = futures::future::join_all(asked).await;
        let mut applied: BTreeMap<NodeId, BTreeMap<u32, u64>> = BTreeMap::new();
        let mut led = Vec::new();
        for (id, there, leads) in answers.into_iter().flatten() {
            applied.insert(id, there);
            led.extend(leads);
        }
        for shard in &mut state.shards {
            let far =
                self.inner.replica_here(ShardId(shard.group.0)).is_none() && shard.group != GroupId::META;
            let said = led.iter().filter(|said| far && said.group == shard.group);
            if let Some(said) = said.max_by_key(|said| said.term) {
                *shard = ShardState { leading: false, ..said.clone() };
            }
            for replica in &mut shard.replicas {
                let there = applied.get(&replica.node);
                replica.applied = there.and_then(|groups| groups.get(&shard.group.0)).copied();
            }
        }
        state
    }
}

fn replica((node, member): (NodeId, GroupMember)) -> Replica {
    Replica { node, voter: member.voter, applied: None }
}

impl Inner {
    fn moves(&self) -> Vec<MoveState> {
        let meta = self.meta_state();
        let state = |(domain, way): (&DomainId, &DomainMove)| MoveState {
            domain: *domain,
            from: way.from,
            to: way.to,
            progress: match way.stage {
                MoveStage::Begun => MoveProgress::Sent,
                MoveStage::Placed => MoveProgress::Placed,
                MoveStage::GivenUp => MoveProgress::GivenUp,
            },
        };
        meta.moves().iter().map(state).collect()
    }

    /// How far this node has applied what it has replicas of, and how the shards stand that it leads.
    pub(crate) fn look(&self) -> PeerAnswer {
        let groups = self.consensus.groups();
        let applied = groups.iter().map(|group| (group.id().0, group.status().applied)).collect();
        let led = groups.iter().filter(|group| group.id() != GroupId::META && group.status().leading);
        PeerAnswer::Look(applied, led.map(|group| self.shard_state(group)).collect())
    }

    fn shard_states(&self) -> Vec<ShardState> {
        let state = |id: GroupId| match self.consensus.group(id) {
            Some(group) => self.shard_state(&group),
            None => {
                let told = self.consensus.leader(id).map(|told| *told.borrow()).unwrap_or_default();
                ShardState {
                    group: id,
                    term: told.term,
                    leader: told.leader,
                    leading: false,
                    applied: 0,
                    log_time: LogTime(0),
                    now: LogTime(0),
                    domains: self.meta_state().domains_on(ShardId(id.0)),
                    replicas: Vec::new(),
                }
            }
        };
        self.consensus_config.groups().map(state).collect()
    }

    fn shard_state(&self, group: &Group) -> ShardState {
        let status = group.status();
        let (log_time, domains) = match self.shards.get(ShardId(group.id().0)) {
            Some(shard) => (shard.replica.read().shard.now(), self.meta_state().domains_on(shard.id)),
            None => (LogTime(group.log_time_us()), 0),
        };
        ShardState {
            group: group.id(),
            term: status.term,
            leader: status.leader,
            leading: status.leading,
            applied: status.applied,
            log_time,
            now: LogTime(group.log_time_us()),
            domains,
            replicas: group.members().members.into_iter().map(replica).collect(),
        }
    }

    /// The cluster's nodes; before it is founded, those of the configuration.
    fn nodes(&self) -> Vec<NodeState> {
        let config = &self.consensus_config;
        let meta = self.meta_state();
        let known = meta.members().iter();
        // Where there are more nodes than replicas, only the meta group has all of them.
        let stay = meta.members().values().filter(|member| !member.leaving).count();
        let groups = if stay > meta.replicas() { 1 } else { usize::MAX };
        let groups: Vec<GroupMembers> =
            self.consensus.groups().iter().take(groups).map(Group::members).collect();
        let leads = self.consensus.leads();
        let state = |id: NodeId, address: &str, leaving| {
            self.node_state((&meta, &groups, &leads), (id, address, leaving))
        };
        let mut nodes: Vec<NodeState> =
            known.map(|(id, member)| state(*id, &member.address, member.leaving)).collect();
        if nodes.is_empty() {
            nodes = config.members.iter().map(|(id, address)| state(*id, address, false)).collect();
        }
        nodes
    }

    fn node_state(
        &self,
        (meta, groups, leads): (&MetaState, &[GroupMembers], &BTreeMap<NodeId, Leads>),
        (id, address, leaving): (NodeId, &str, bool),
    ) -> NodeState {
        let reachable = id == self.router.this || self.router.peers.connected(id);
        let drained = meta.drained().contains(&id);
        let everywhere = groups.iter().all(|group| group.members.contains_key(&id));
        let stage = match (leaving, everywhere) {
            (true, _) => NodeStage::Leaving,
            (false, true) if drained => NodeStage::Drained,
            (false, true) => NodeStage::Member,
            (false, false) => NodeStage::Joining,
        };
        let said = self.router.peers.about(id).map(|about| about.level);
        let knows = if id == self.router.this { Some(self.config.level) } else { said };
        let zone = meta.zones().get(&id).cloned().unwrap_or_default();
        let leads = leads.get(&id).copied();
        NodeState { id, address: address.to_owned(), reachable, stage, knows, zone, leads }
    }

    fn figures(&self) -> Figures {
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.replicas.counters;
        Figures {
            sessions_here: self.front.len() as u64,
            leases_led: self.shards.all().iter().map(|shard| shard.leases.len() as u64).sum(),
            desks_led: self.shards.all().iter().map(|shard| shard.desks.len() as u64).sum(),
            actors: count(&counters.actors),
            overloaded: count(&counters.overloaded),
            agents_silent: count(&counters.agents_silent),
            nodes_unreachable: count(&counters.nodes_unreachable),
        }
    }
}
