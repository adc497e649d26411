//! The pace of offers, as told.

use super::Replay;
use crate::checker::model::Event;
use crate::checker::violation::Promise;
use routing::{AgentId, ConversationId, OfferId};
use std::collections::BTreeMap;

/// The pace, and the offers of agents since it is so.
#[derive(Debug, Clone, Default)]
pub(super) struct Paces {
    /// Offers, and within how many microseconds.
    pace: Option<(u32, u64)>,
    /// When it changed last.
    since_us: u64,
    offers: BTreeMap<AgentId, Vec<u64>>,
}

impl Paces {
    /// Another pace.
    pub(super) fn tell(&mut self, pace: Option<(u32, u64)>, at_us: u64) {
        *self = Self { pace, since_us: at_us, offers: BTreeMap::new() };
    }

    /// Notes an offer; how many the agent had within the pace's time, with it, and how many it may have.
    fn note(&mut self, agent: AgentId, at_us: u64) -> Option<(u32, u32)> {
        let (most, per_us) = self.pace?;
        let known = self.offers.entry(agent).or_default();
        known.retain(|offered| offered + per_us > at_us);
        known.push(at_us);
        Some((u32::try_from(known.len()).unwrap_or(u32::MAX), most))
    }

    /// Whether an agent may be held back now. Soon after a change it may be for what was before, which the core knows.
    pub(super) fn may_hold_back(&self, agent: AgentId, now_us: u64) -> bool {
        let Some((most, per_us)) = self.pace else { return false };
        let known = self.offers.get(&agent).map_or(&[][..], Vec::as_slice);
        let within = known.iter().filter(|offered| **offered + per_us > now_us).count();
        within as u64 >= u64::from(most) || now_us < self.since_us + per_us
    }
}

impl Replay<'_> {
    /// no agent is routed more than the pace allows.
    pub(super) fn paced(
        &mut self,
        event: &Event,
        id: ConversationId,
        offer: OfferId,
        agent: AgentId,
        transfer: bool,
    ) {
        let Some((had, most)) = self.paces.note(agent, event.at_us) else { return };
        if had > most && !transfer {
            let who = [id.to_string(), agent.to_string(), offer.to_string()];
            let what = format!("the agent's offer number {had} within the time for which {most} are allowed");
            self.broken(Promise::R4, &who, what);
        }
    }
}
