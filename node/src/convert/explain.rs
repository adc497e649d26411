//! Why a conversation waits, for people.

use super::conversation::write_stage;
use super::hours;
use proto::v1;
use proto::v1::explain_wait_response::Agent;
use routing::LogTime;
use routing::command::Intent;
use routing::criteria::Skill;
use routing::view::{Gate, WaitExplanation};

/// Writes an explanation.
#[must_use]
pub fn write(explanation: &WaitExplanation) -> v1::ExplainWaitResponse {
    let agent = |(agent, gate): &(routing::AgentId, Gate)| {
        let (name, detail) = write_gate(gate, explanation.now);
        Agent { agent: agent.to_string(), gate: name.to_owned(), detail }
    };
    v1::ExplainWaitResponse {
        conversation: explanation.conversation.to_string(),
        stage: write_stage(&explanation.stage).into(),
        waited_us: explanation.now.since(explanation.arrived_at).0,
        position: explanation.position,
        agents: explanation.agents.iter().map(agent).collect(),
        agents_left_out: explanation.agents_left_out,
    }
}

pub(super) fn write_gate(gate: &Gate, now: LogTime) -> (&'static str, String) {
    match gate {
        Gate::Lease => ("lease", "no live session: the desk is not connected".to_owned()),
        Gate::Intent(Intent::Available) => ("intent", "available".to_owned()),
        Gate::Intent(Intent::Unavailable { reason }) => ("intent", format!("unavailable: {reason}")),
        Gate::Intent(Intent::Draining { next }) => ("intent", format!("draining, then unavailable: {next}")),
        Gate::QueuePaused(queue) => ("queue_paused", format!("{queue} is paused")),
        Gate::QueueClosed { queue, opens_ms } => {
            ("queue_closed", format!("{queue} is closed ({})", hours::opens(*opens_ms)))
        }
        Gate::Channel => ("channel", "does not handle the channel".to_owned()),
        Gate::ChannelCap { cap } => {
            ("channel_cap", format!("has {cap} of {cap} conversations of the channel"))
        }
        Gate::Capacity { free, needed } => ("capacity", format!("{free} points free, {needed} needed")),
        Gate::ExcludedUntil(until) => {
            let left = until.since(now).as_seconds_f64();
            ("excluded", format!("declined or missed it; asked again in {left:.0} s"))
        }
        Gate::HeldFor(conversation) => ("held_for", format!("free points are held for {conversation}")),
        Gate::OthersNamed { until } => {
            let left = until.map(|until| format!(" for {:.0} s more", until.since(now).as_seconds_f64()));
            ("others_named", format!("only the agents it names may have it{}", left.unwrap_or_default()))
        }
        Gate::Skill { required: Skill { name, level }, has: 0 } => {
            ("skill", format!("has no {name}, {level} required"))
        }
        Gate::Skill { required: Skill { name, level }, has } => {
            ("skill", format!("{name} at {has}, {level} required"))
        }
        Gate::Paced { until } => {
            let left = until.since(now).as_seconds_f64();
            ("paced", format!("had as many offers as the domain's pace allows; the next in {left:.0} s"))
        }
        Gate::Rests { until } => {
            let left = until.since(now).as_seconds_f64();
            ("rests", format!("the customer is not to be called back before {left:.0} s from now"))
        }
        Gate::Blocked { by } => ("blocked", format!("works on {by}, which blocks the channel")),
        Gate::None => ("none", "passes every gate: gets it with the next entry".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_said_with_what_is_there() {
        let said = |gate: &Gate| write_gate(gate, LogTime(3_000_000));
        let required = Skill { name: "es".into(), level: 80 };
        let skill = |has| Gate::Skill { required: required.clone(), has };
        assert_eq!(said(&skill(40)), ("skill", "es at 40, 80 required".to_owned()));
        assert_eq!(said(&skill(0)), ("skill", "has no es, 80 required".to_owned()));
        let (gate, detail) = said(&Gate::OthersNamed { until: Some(LogTime(15_000_000)) });
        assert_eq!(
            (gate, detail.as_str()),
            ("others_named", "only the agents it names may have it for 12 s more")
        );
        let (gate, detail) = said(&Gate::Blocked { by: routing::Channel::Voice });
        assert_eq!((gate, detail.as_str()), ("blocked", "works on voice, which blocks the channel"));
        let (gate, detail) = said(&Gate::Paced { until: LogTime(15_000_000) });
        assert_eq!(gate, "paced");
        assert!(detail.ends_with("the next in 12 s"), "{detail}");
        let (gate, detail) = said(&Gate::Rests { until: LogTime(15_000_000) });
        assert_eq!((gate, detail.ends_with("before 12 s from now")), ("rests", true), "{detail}");
        let (_, detail) = said(&Gate::OthersNamed { until: None });
        assert_eq!(detail, "only the agents it names may have it");
    }
}
