//! Sessions of agents that fell silent: each must end, or its work waits for nobody for ever.

use routing::view::Lease;
use routing::{AgentId, Position, Shard, ShardId, Whereabouts};
use std::collections::BTreeMap;

/// Agents whose desks are never heard of again, and whether their sessions still live.
#[derive(Debug, Default)]
pub(super) struct Silent {
    live: BTreeMap<AgentId, bool>,
    /// How far shards are; replicas that are behind say nothing new.
    heads: BTreeMap<ShardId, Position>,
}

impl Silent {
    /// How many there are.
    pub(super) fn known(&self) -> usize {
        self.live.len()
    }

    /// One more; its session counts as alive until a state is seen in which it is not.
    pub(super) fn vanished(&mut self, agent: AgentId) {
        self.live.insert(agent, true);
    }

    /// Looks at the state after an entry.
    pub(super) fn look(&mut self, shard: &Shard, position: Position) {
        let head = self.heads.entry(shard.id()).or_insert(position);
        if *head > position {
            return;
        }
        *head = position;
        for (agent, live) in &mut self.live {
            if shard.whereabouts(agent.domain) == Whereabouts::Here {
                *live = shard.agent(*agent).is_some_and(|agent| agent.lease == Lease::Live);
            }
        }
    }

    /// Those whose sessions live.
    pub(super) fn live(&self) -> impl Iterator<Item = AgentId> {
        self.live.iter().filter(|(_, live)| **live).map(|(agent, _)| *agent)
    }
}
