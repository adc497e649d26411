//! Why nobody of a queue gets work: its agents by the first gate that fails.

use crate::LogTime;
use crate::command::Intent;
use crate::domain::{Agent, ConvNo, Domain, LineSet, QueueNo};
use crate::view::{Gate, Gated, Lease, QueueExplanation};
use std::collections::BTreeMap;

impl Domain {
    pub(crate) fn explain_queue(&self, no: QueueNo, now: LogTime) -> Option<QueueExplanation> {
        let queue = self.queues.get(no.0)?;
        let index = &queue.index.0;
        let lines = || index.lines.iter().flat_map(LineSet::iter);
        let head = lines().filter_map(|line| line.first()).min().map(|key| key.conversation);
        let mut gates: BTreeMap<u8, Gated> = BTreeMap::new();
        for agent in index.members.iter().take(QueueExplanation::AGENTS_MAX) {
            let Some(agent) = self.agents.get(agent.0) else { continue };
            let gate = match head {
                Some(head) => self.gate_in(agent, head, no),
                None => gate_alone(agent),
            };
            let group = gates.entry(place(&gate)).or_insert(Gated { agents: 0, examples: Vec::new() });
            group.agents += 1;
            if group.examples.len() < QueueExplanation::EXAMPLES_MAX {
                group.examples.push((agent.no.id(self.id), gate));
            }
        }
        Some(QueueExplanation {
            queue: no.id(self.id),
            now,
            paused: queue.paused,
            waiting: lines().map(|line| line.len() as u64).sum(),
            inbox: index.inbox.len() as u64,
            offers: index.offers.len() as u64,
            head: head.map(|head| (head.id(self.id), self.conv(head).arrived_at)),
            gates: gates.into_values().collect(),
            agents_left_out: index.members.len().saturating_sub(QueueExplanation::AGENTS_MAX) as u64,
        })
    }

    /// The first gate for what waits in this queue. That another queue of both is open is no help here.
    fn gate_in(&self, agent: &Agent, no: ConvNo, queue: QueueNo) -> Gate {
        match self.first_gate(agent, no) {
            gate @ (Gate::OthersNamed { .. } | Gate::Lease | Gate::Intent(_) | Gate::Paced { .. }) => gate,
            gate if self.conv(no).named().is_empty() => self.shut_gate(queue).unwrap_or(gate),
            gate => gate,
        }
    }
}

/// The first gate for whatever may come.
fn gate_alone(agent: &Agent) -> Gate {
    if agent.lease != Lease::Live {
        Gate::Lease
    } else if agent.intent != Intent::Available {
        Gate::Intent(agent.intent.clone())
    } else if let Some(until) = agent.paced_until() {
        Gate::Paced { until }
    } else if agent.free() == 0 {
        Gate::Capacity { free: 0, needed: 1 }
    } else {
        Gate::None
    }
}

/// A gate's place in the order in which they are looked at.
fn place(gate: &Gate) -> u8 {
    match gate {
        Gate::Rests { .. } => 0,
        Gate::OthersNamed { .. } => 1,
        Gate::Lease => 2,
        Gate::Intent(_) => 3,
        Gate::Paced { .. } => 4,
        Gate::QueuePaused(_) => 5,
        Gate::QueueClosed { .. } => 6,
        Gate::Channel => 7,
        Gate::ChannelCap { .. } => 8,
        Gate::Blocked { .. } => 9,
        Gate::Capacity { .. } => 10,
        Gate::Skill { .. } => 11,
        Gate::ExcludedUntil(_) => 12,
        Gate::HeldFor(_) => 13,
        Gate::None => 14,
    }
}

#[cfg(test)]
mod tests {
    use crate::command::{Decline, Intent};
    use crate::scene::Scene;
    use crate::testing::supervisor;
    use crate::view::Gate;
    use crate::{AgentId, Channel, Command};

    /// Counts and first examples by gate.
    fn gates(s: &Scene) -> Vec<(u64, AgentId, Gate)> {
        let seen = s.world.shard.explain_queue(s.queue).expect("made");
        let first = |group: crate::view::Gated| {
            let (agent, gate) = group.examples[0].clone();
            (group.agents, agent, gate)
        };
        seen.gates.into_iter().map(first).collect()
    }

    #[test]
    fn nothing_waits_and_agents_are_as_they_are() {
        let mut s = Scene::new();
        let away = Gate::Intent(s.world.shard.agent(s.a.agent).expect("made").intent);
        assert_eq!(gates(&s), [(2, s.a.agent, away.clone())]);
        s.ready(s.b);
        let signed_off = s.world.agent(&[s.queue]);
        assert_eq!(
            gates(&s),
            [(1, signed_off, Gate::Lease), (1, s.a.agent, away), (1, s.b.agent, Gate::None)]
        );
        let seen = s.world.shard.explain_queue(s.queue).expect("made");
        assert_eq!((seen.waiting, seen.head, seen.offers), (0, None, 0));
    }

    #[test]
    fn the_best_ranked_one_waits_and_each_gate_is_counted() {
        let mut s = Scene::new();
        s.ready(s.a);
        s.waiting();
        s.world.accept(s.id);
        let signed_off = s.world.agent(&[s.queue]);
        let more: Vec<_> = (0..5).map(|_| s.world.agent(&[s.queue])).collect();
        for agent in &more {
            s.world.desk(*agent);
        }
        s.pass(4);
        let call = s.world.start(s.voice);
        s.pass(1);
        s.world.start(s.voice);
        let seen = s.world.shard.explain_queue(s.queue).expect("made");
        let arrived_at = s.world.shard.conversation(call).expect("known").arrived_at;
        assert_eq!((seen.waiting, seen.head, seen.inbox), (2, Some((call, arrived_at)), 0));
        let counts: Vec<_> = seen.gates.iter().map(|group| (group.agents, group.examples.len())).collect();
        assert_eq!(counts, [(1, 1), (6, 3), (1, 1)]);
        assert_eq!(seen.gates[0].examples, [(signed_off, Gate::Lease)]);
        assert!(
            matches!(seen.gates[1].examples[0], (first, Gate::Intent(Intent::Unavailable { .. })) if first == s.b.agent)
        );
        assert_eq!(seen.gates[2].examples, [(s.a.agent, Gate::Capacity { free: 49, needed: 51 })]);
    }

    #[test]
    fn a_pause_and_a_refusal_are_said() {
        let mut s = Scene::new();
        s.offered();
        let offer = s.offer;
        s.world.ok(Command::Reject { desk: s.a, offer, decline: Decline { reason: "busy".to_owned() } });
        assert!(
            gates(&s)
                .iter()
                .any(|(_, agent, gate)| *agent == s.a.agent && matches!(gate, Gate::ExcludedUntil(_)))
        );
        s.ready(s.b);
        assert_eq!(s.world.shard.explain_queue(s.queue).expect("made").offers, 1);
        s.world.ok(Command::PauseQueue { queue: s.queue, paused: true, by: supervisor() });
        let seen = s.world.shard.explain_queue(s.queue).expect("made");
        assert_eq!((seen.paused, seen.waiting, seen.offers), (true, 1, 0));
        assert_eq!(gates(&s), [(2, s.a.agent, Gate::QueuePaused(s.queue))]);
    }

    /// It waits in another queue too: that it is open is no help in this one.
    #[test]
    fn a_paused_queue_is_paused_whatever_else_is_open() {
        let mut s = Scene::new();
        let (queue, plain) = (s.queue, s.plain);
        let both = s.world.touchpoint(Channel::Voice, &[queue, plain]);
        s.world.start(both);
        s.world.ok(Command::PauseQueue { queue, paused: true, by: supervisor() });
        s.change(s.b.agent, |settings| settings.queues = vec![queue]);
        s.ready(s.b);
        assert!(gates(&s).contains(&(1, s.b.agent, Gate::QueuePaused(queue))));
    }
}
