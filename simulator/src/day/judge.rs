//! The history checker over a run: what the domain's record shows, judged apart from the core.

use super::core::{DOMAIN, Names};
use crate::checker::model::{AgentFacts, Event, Facts, History, Rank};
use crate::checker::{Verdict, check};
use crate::workload::Workload;
use routing::settings::DomainSettings;
use routing::{Channel, Points};
use std::collections::{BTreeMap, BTreeSet};

/// Judges a whole record.
pub(super) fn judge(workload: &Workload, names: &Names, events: Vec<Event>) -> Verdict {
    let settings = DomainSettings::default();
    let weight = |channel: Channel| (channel, u32::from(settings.weights[channel.index()].0));
    let rank = if workload.credits.is_empty() {
        Rank::Priority
    } else {
        Rank::Aging(workload.credits.iter().map(|(priority, credit)| (priority.0, credit.0)).collect())
    };
    let agent = |agent: &crate::workload::Agent| AgentFacts {
        capacity: u32::from(Points::AGENT_MAX.0),
        queues: agent.queues.iter().map(|queue| names.queues[*queue as usize]).collect(),
        channels: BTreeSet::from([Channel::Voice]),
        caps: BTreeMap::new(),
    };
    let agents = names.desks.iter().map(|desk| desk.agent).zip(workload.agents.iter().map(agent)).collect();
    let weights = Channel::ALL.into_iter().map(weight).collect();
    let facts = Facts { domain: DOMAIN, rank, weights, wrap_up_hold: None, agents };
    check(&History { facts, events, first_sequence: 1, calls: Vec::new(), notices: Vec::new(), live: None })
}
