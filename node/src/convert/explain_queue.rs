//! Why nobody of a queue gets work, for people.

use super::explain::write_gate;
use proto::v1;
use proto::v1::explain_queue_response::{Gate as Group, gate::Agent};
use routing::view::{Gate, Gated, QueueExplanation};

/// Writes an explanation.
#[must_use]
pub fn write(seen: &QueueExplanation) -> v1::ExplainQueueResponse {
    let group = |gated: &Gated| {
        let agent = |(agent, gate): &(routing::AgentId, Gate)| Agent {
            agent: agent.to_string(),
            detail: detail(seen, gate),
        };
        Group {
            gate: name(gated, seen).to_owned(),
            agents: gated.agents,
            examples: gated.examples.iter().map(agent).collect(),
        }
    };
    let (conversation, waited_us) = match &seen.head {
        Some((head, arrived_at)) => (head.to_string(), seen.now.since(*arrived_at).0),
        None => (String::new(), 0),
    };
    v1::ExplainQueueResponse {
        queue: seen.queue.to_string(),
        paused: seen.paused,
        waiting: seen.waiting,
        inbox: seen.inbox,
        offers: seen.offers,
        conversation,
        waited_us,
        gates: seen.gates.iter().map(group).collect(),
        agents_left_out: seen.agents_left_out,
        summary: summary(seen),
    }
}

fn name(gated: &Gated, seen: &QueueExplanation) -> &'static str {
    gated.examples.first().map_or("none", |(_, gate)| write_gate(gate, seen.now).0)
}

fn detail(seen: &QueueExplanation, gate: &Gate) -> String {
    match (gate, &seen.head) {
        (Gate::None, None) => "takes whatever comes and fits".to_owned(),
        (Gate::Capacity { .. }, None) => "all points are taken".to_owned(),
        _ => write_gate(gate, seen.now).1,
    }
}

/// The answer in one sentence: what a supervisor would do something about.
fn summary(seen: &QueueExplanation) -> String {
    let all: u64 = seen.gates.iter().map(|gated| gated.agents).sum();
    let Some((head, arrived_at)) = &seen.head else {
        let free = count(seen, "none");
        return match (seen.inbox, all) {
            (0, _) => format!("nobody waits for an offer; {free} of {all} agents would take one"),
            (inbox, _) => format!(
                "nobody waits for an offer; {inbox} in the inbox are offered to nobody, agents pull them"
            ),
        };
    };
    if seen.paused {
        return format!("{} wait, and the queue is paused", seen.waiting);
    }
    if all == 0 {
        return format!("{} wait, and the queue has no agents", seen.waiting);
    }
    let waited = seen.now.since(*arrived_at).as_seconds_f64();
    let most = seen.gates.iter().max_by_key(|gated| gated.agents);
    let most = most.map_or(String::new(), |gated| {
        format!("; most often ({} of {all} agents) it is {}", gated.agents, name(gated, seen))
    });
    let wait = if seen.waiting == 1 { "1 waits".to_owned() } else { format!("{} wait", seen.waiting) };
    format!("{wait}; {head}, the first in line, arrived {waited:.0} s ago{most}")
}

fn count(seen: &QueueExplanation, gate: &str) -> u64 {
    seen.gates.iter().filter(|gated| name(gated, seen) == gate).map(|gated| gated.agents).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::{AgentId, ConversationId, DomainId, LogTime, QueueId};

    fn seen() -> QueueExplanation {
        let domain = DomainId(1);
        let agent = |number| AgentId::new(domain, number);
        QueueExplanation {
            queue: QueueId::new(domain, 2),
            now: LogTime(90_000_000),
            paused: false,
            waiting: 3,
            inbox: 0,
            offers: 1,
            head: Some((ConversationId::new(domain, 5), LogTime(30_000_000))),
            gates: vec![
                Gated { agents: 1, examples: vec![(agent(1), Gate::Lease)] },
                Gated { agents: 4, examples: vec![(agent(2), Gate::Capacity { free: 49, needed: 51 })] },
            ],
            agents_left_out: 0,
        }
    }

    #[test]
    fn the_first_in_line_and_what_stands_in_its_way() {
        let said = write(&seen());
        assert_eq!((said.conversation.as_str(), said.waited_us), ("conv_1_5", 60_000_000));
        let gates: Vec<_> = said.gates.iter().map(|one| (one.gate.as_str(), one.agents)).collect();
        assert_eq!(gates, [("lease", 1), ("capacity", 4)]);
        assert_eq!(said.gates[1].examples[0].detail, "49 points free, 51 needed");
        assert_eq!(
            said.summary,
            "3 wait; conv_1_5, the first in line, arrived 60 s ago; most often (4 of 5 agents) it is capacity"
        );
    }

    #[test]
    fn what_is_paused_empty_or_idle_is_said_first() {
        let paused = QueueExplanation { paused: true, ..seen() };
        assert_eq!(write(&paused).summary, "3 wait, and the queue is paused");
        let empty = QueueExplanation { gates: Vec::new(), ..seen() };
        assert_eq!(write(&empty).summary, "3 wait, and the queue has no agents");
        let free = vec![Gated { agents: 2, examples: vec![(AgentId::new(DomainId(1), 1), Gate::None)] }];
        let idle = QueueExplanation { head: None, waiting: 0, gates: free, ..seen() };
        let said = write(&idle);
        assert_eq!(said.summary, "nobody waits for an offer; 2 of 2 agents would take one");
        assert_eq!(said.gates[0].examples[0].detail, "takes whatever comes and fits");
        let inbox = QueueExplanation { inbox: 6, ..idle };
        assert!(write(&inbox).summary.contains("6 in the inbox"));
    }
}
