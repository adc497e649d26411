//! Why a conversation waits: the first gate that fails, for each agent of its queues.

use crate::LogTime;
use crate::command::Intent;
use crate::domain::{Agent, AgentNo, ConvNo, Domain, LineSet, PlaceKind, QueueNo, State};
use crate::view::{Gate, Lease, WaitExplanation};
use std::collections::BTreeSet;

impl Domain {
    pub(crate) fn explain(&self, no: ConvNo, now: LogTime) -> Option<WaitExplanation> {
        let conversation = self.conversations.get(&no)?;
        let key = self.rank_key(no);
        let queues: Vec<QueueNo> = self.present_queues(&conversation.queues);
        let waits = conversation.state == State::Waiting;
        let (candidates, better): (BTreeSet<AgentNo>, u64) = match conversation.place {
            // No agent here can have it.
            _ if conversation.state == State::Transferring => (BTreeSet::new(), 0),
            PlaceKind::Dedicated(agent) => {
                let dedicated = self.agents.get(agent.0);
                let lines = dedicated.into_iter().flat_map(|agent| agent.index.0.dedicated.values());
                let better: usize = lines.map(|line| line.rank(&key).0).sum();
                (dedicated.map(|agent| agent.no).into_iter().collect(), better as u64)
            }
            PlaceKind::Queues | PlaceKind::Inbox => {
                let inbox = conversation.place == PlaceKind::Inbox;
                let members =
                    queues.iter().flat_map(|queue| self.queue(*queue).index.0.members.iter().copied());
                let named = conversation.named().iter().copied();
                (members.chain(named).collect(), self.better_than(&key, &queues, inbox))
            }
        };
        let agents: Vec<_> = candidates
            .iter()
            .take(WaitExplanation::AGENTS_MAX)
            .filter_map(|agent| self.agents.get(agent.0))
            .map(|agent| (agent.no.id(self.id), self.first_gate(agent, no)))
            .collect();
        Some(WaitExplanation {
            conversation: no.id(self.id),
            stage: self.stage(no),
            now,
            arrived_at: conversation.arrived_at,
            position: if waits { better + 1 } else { 0 },
            agents_left_out: (candidates.len() - agents.len()) as u64,
            agents,
        })
    }

    /// Better-ranked waiting conversations that share one of these queues, each counted once.
    pub(crate) fn better_than(
        &self,
        key: &crate::domain::keys::RankKey,
        queues: &[QueueNo],
        inbox: bool,
    ) -> u64 {
        let lines = |queue: &QueueNo| {
            let index = &self.queue(*queue).index.0;
            if inbox { vec![&index.inbox] } else { index.lines.iter().flat_map(LineSet::iter).collect() }
        };
        if let [queue] = queues {
            return lines(queue).iter().map(|line| line.rank(key).0 as u64).sum();
        }
        let mut better = BTreeSet::new();
        for queue in queues {
            for line in lines(queue) {
                better.extend(line.keys().into_iter().take_while(|other| other < key));
            }
        }
        better.len() as u64
    }

    pub(crate) fn first_gate(&self, agent: &Agent, no: ConvNo) -> Gate {
        let conversation = self.conv(no);
        if let Some(until) = conversation.rests_until() {
            return Gate::Rests { until };
        }
        let named = conversation.named();
        if !named.is_empty() && !named.contains(&agent.no) {
            let until = conversation.seeking.as_deref().and_then(|seeking| seeking.until);
            return Gate::OthersNamed { until };
        }
        if agent.lease != Lease::Live {
            return Gate::Lease;
        }
        if agent.intent != Intent::Available {
            return Gate::Intent(agent.intent.clone());
        }
        if let Some(until) = agent.paced_until() {
            return Gate::Paced { until };
        }
        if let Some(gate) = self.only_shut(agent, no) {
            return gate;
        }
        if !agent.settings.channels.contains(conversation.channel) {
            return Gate::Channel;
        }
        if agent.cap_reached(conversation.channel) {
            let cap = agent.settings.caps[conversation.channel.index()].unwrap_or_default();
            return Gate::ChannelCap { cap };
        }
        if let Some(by) = self.blocks().by(conversation.channel, agent.works_on()) {
            return Gate::Blocked { by };
        }
        let needed = self.weight(conversation.channel);
        if agent.free() < needed.0 {
            return Gate::Capacity { free: u32::from(agent.free()), needed: u32::from(needed.0) };
        }
        let lacking = conversation.required().iter().filter(|level| !agent.meets(&[**level]));
        if let Some(required) = lacking.min_by_key(|level| self.skill_view(**level).name) {
            let has = agent.skills.iter().find(|(skill, _)| *skill == required.0);
            return Gate::Skill {
                required: self.skill_view(*required),
                has: has.map_or(0, |(_, level)| *level),
            };
        }
        if let Some((_, until)) = conversation.excluded.iter().find(|(excluded, _)| *excluded == agent.no) {
            return Gate::ExcludedUntil(*until);
        }
        match agent.hold {
            Some((held, _)) if self.rank_key(held) < self.rank_key(no) => Gate::HeldFor(held.id(self.id)),
            _ => Gate::None,
        }
    }

    /// What is said of the first queue that an agent shares with a conversation, if none that it shares makes offers.
    fn only_shut(&self, agent: &Agent, no: ConvNo) -> Option<Gate> {
        let conversation = self.conv(no);
        if matches!(conversation.place, PlaceKind::Dedicated(_)) || !conversation.named().is_empty() {
            return None;
        }
        let mut shared = conversation.queues.iter().filter(|queue| agent.index.0.queues.contains(queue));
        let first = *shared.clone().next()?;
        if shared.any(|queue| self.serves(self.queue(*queue))) { None } else { self.shut_gate(first) }
    }

    /// Why a queue makes no offers, if it makes none.
    pub(crate) fn shut_gate(&self, no: QueueNo) -> Option<Gate> {
        let (queue, id) = (self.queue(no), no.id(self.id));
        match queue.closed_until() {
            _ if queue.paused => Some(Gate::QueuePaused(id)),
            Some(opens_ms) => Some(Gate::QueueClosed { queue: id, opens_ms }),
            None => None,
        }
    }
}
