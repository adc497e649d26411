//! Agents that have been offered as many conversations as the domain's pace allows, and what is stored of that
//! beside a domain, from level 10 on.

use super::{Agent, AgentNo, Cx, Domain};
use crate::LogTime;
use crate::deadlines::Due;
use crate::pace::Pace;
use crate::shard::PlantedBug;
use serde::{Deserialize, Serialize, Serializer};
use std::iter::once;

/// A move sends so many at once.
const PART: usize = 500;

/// An agent's last offers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Paced {
    /// When they were made, the oldest first: as many as the pace allows, at most.
    offers: Vec<LogTime>,
    /// It is offered nothing more until then.
    until: Option<LogTime>,
}

/// What is stored of a pace beside a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PaceBeside {
    /// Of a move only the first part has it.
    pace: Option<Pace>,
    agents: Vec<(AgentNo, Paced)>,
}

impl PaceBeside {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Some of what [`PaceBeside`] is stored as: its fields, in order.
#[derive(Debug)]
pub(crate) enum PacePiece<'a> {
    Pace(Option<Pace>),
    Count(usize),
    Agent(AgentNo, &'a Paced),
}

impl Serialize for PacePiece<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Pace(pace) => pace.serialize(serializer),
            Self::Count(count) => (*count as u64).serialize(serializer),
            Self::Agent(no, paced) => (no, paced).serialize(serializer),
        }
    }
}

impl Agent {
    /// Until when it is offered nothing, for it had as much as the pace allows.
    pub(crate) fn paced_until(&self) -> Option<LogTime> {
        self.paced.as_ref()?.until
    }
}

impl Domain {
    fn with_offers(&self) -> impl Iterator<Item = (AgentNo, &Paced)> {
        self.agents.iter().filter_map(|agent| Some((agent.no, agent.paced.as_deref()?)))
    }

    /// Whether there is anything of a pace beside the domain.
    pub(crate) fn has_pace(&self) -> bool {
        // Without one nothing is kept of agents.
        self.pace.is_some()
    }

    /// All that is stored of a pace beside the domain.
    pub(crate) fn pace_beside(&self) -> PaceBeside {
        let agents = self.with_offers().map(|(no, paced)| (no, paced.clone())).collect();
        PaceBeside { pace: self.pace, agents }
    }

    /// The same in small pieces, to be written one after the other.
    pub(crate) fn pace_pieces(&self) -> impl Iterator<Item = PacePiece<'_>> {
        once(PacePiece::Pace(self.pace))
            .chain(once(PacePiece::Count(self.with_offers().count())))
            .chain(self.with_offers().map(|(no, paced)| PacePiece::Agent(no, paced)))
    }

    /// The same in parts, for a move.
    pub(crate) fn pace_parts(&self) -> Vec<PaceBeside> {
        let PaceBeside { pace, agents } = self.pace_beside();
        let first = pace.map(|pace| PaceBeside { pace: Some(pace), agents: Vec::new() });
        let rest = agents.chunks(PART).map(|some| PaceBeside { pace: None, agents: some.to_vec() });
        first.into_iter().chain(rest).collect()
    }

    /// Puts it in its place; the domain is indexed after it.
    pub(crate) fn put_pace(&mut self, beside: PaceBeside) {
        self.pace = beside.pace.or(self.pace);
        for (no, paced) in beside.agents {
            if let Some(agent) = self.agents.get_mut(no.0) {
                agent.paced = Some(Box::new(paced));
            }
        }
    }

    /// An agent was offered something.
    pub(crate) fn note_offer(&mut self, cx: &Cx<'_>, no: AgentNo) {
        if self.pace.is_none() || cx.planted(PlantedBug::PaceForgotten) {
            return;
        }
        self.agent_mut(no).paced.get_or_insert_default().offers.push(cx.now);
        self.follow_pace(no, cx.now);
    }

    /// Brings an agent up to date with the pace, and what follows from whether it is paced.
    fn follow_pace(&mut self, no: AgentNo, now: LogTime) {
        let pace = self.pace;
        let agent = self.agent_mut(no);
        let Some(paced) = &mut agent.paced else { return };
        let before = paced.until;
        if let Some(Pace { offers, per }) = pace {
            let most = usize::from(offers);
            let known = paced.offers.len();
            paced.offers.drain(..known.saturating_sub(most));
            let oldest = paced.offers.first().filter(|_| known >= most);
            paced.until = oldest.map(|oldest| *oldest + per).filter(|until| *until > now);
        } else {
            agent.paced = None;
        }
        let after = agent.paced_until();
        if before == after {
            return;
        }
        let deadlines = &mut self.index.0.deadlines;
        if let Some(until) = before {
            deadlines.remove(until, Due::Pace(no));
        }
        if let Some(until) = after {
            deadlines.add(until, Due::Pace(no));
            self.end_hold(no);
        }
        self.refresh(no);
        if after.is_none() {
            self.dirty.agent(no);
        }
    }

    /// An agent may be offered something again.
    pub(crate) fn pace_over(&mut self, cx: &Cx<'_>, no: AgentNo) {
        if cx.planted(PlantedBug::PacedForEver) {
            return;
        }
        if let Some(paced) = &mut self.agent_mut(no).paced {
            paced.until = None;
        }
        self.refresh(no);
        self.dirty.agent(no);
    }

    /// Another pace: it counts at once, from the last offers that are known.
    pub(crate) fn set_pace(&mut self, now: LogTime, pace: Option<Pace>) {
        self.pace = pace;
        let known: Vec<AgentNo> = self.with_offers().map(|(no, _)| no).collect();
        for no in known {
            self.follow_pace(no, now);
        }
    }

    /// An agent that goes takes its deadline along.
    pub(crate) fn drop_pace(&mut self, no: AgentNo) {
        if let Some(until) = self.agent_mut(no).paced.take().and_then(|paced| paced.until) {
            self.index.0.deadlines.remove(until, Due::Pace(no));
        }
    }
}
