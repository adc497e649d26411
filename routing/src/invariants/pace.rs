//! What was told of the pace and of offers, and what follows from it: parts of.

use super::{Ghost, Step};
use crate::event::{Event, EventKind};
use crate::pace::Pace;
use crate::{AgentId, LogTime};
use std::collections::BTreeMap;

/// The pace, and the offers of agents since it is so.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pace: Option<Pace>,
    since: LogTime,
    offers: BTreeMap<AgentId, Vec<LogTime>>,
}

impl Told {
    /// Takes an event in; an offer that somebody was routed to beyond the pace is said.
    pub(super) fn take(&mut self, event: &Event) -> Option<String> {
        match &event.kind {
            EventKind::PaceChanged { pace, .. } => {
                *self = Self { pace: *pace, since: event.at, offers: BTreeMap::new() };
                None
            }
            EventKind::AgentDeleted(agent) => {
                self.offers.remove(agent);
                None
            }
            EventKind::OfferedBecause(offered, picked) => {
                let Pace { offers, per } = self.pace?;
                let known = self.offers.entry(offered.agent).or_default();
                known.retain(|at| *at + per > event.at);
                known.push(event.at);
                (known.len() > usize::from(offers) && !picked.way.is_by_hand()).then(|| {
                    let (offer, agent) = (offered.offer, offered.agent);
                    format!("{offer} was made to {agent}, who had {offers} within {per:?} already: {known:?}")
                })
            }
            _ => None,
        }
    }
}

/// Offers of this entry beyond the pace.
pub(super) fn too_many(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let changes = |event: &Event| matches!(event.kind, EventKind::PaceChanged { .. });
    if ghost.paced.pace.is_none() && !step.events.iter().any(changes) {
        return Vec::new();
    }
    let mut told = ghost.paced.clone();
    step.events.iter().filter_map(|event| told.take(event)).collect()
}

/// Agents that are held back though they had less than the pace allows, or too late; or are not though they had as
/// much. Where a domain is at rest.
pub(super) fn unduly(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let view = step.after;
    let mut told = ghost.paced.clone();
    for event in step.events {
        told.take(event);
    }
    let mut broken = Vec::new();
    for agent in step.agents() {
        let known = told.offers.get(&agent.id).map_or(&[][..], Vec::as_slice);
        let id = agent.id;
        match (told.pace, agent.paced_until) {
            (_, Some(until)) if until <= view.now => {
                broken.push(format!("{id} is paced until {until:?}, it is {:?}", view.now));
            }
            (None, Some(until)) => broken.push(format!("{id} is paced until {until:?} without a pace")),
            (Some(Pace { offers, per }), Some(until)) => {
                let first = until - per;
                let counted = known.iter().filter(|at| **at >= first).count();
                // Of the time before the pace changed it may know more than was told since.
                if first > told.since && counted < usize::from(offers) {
                    broken.push(format!("{id} is paced until {until:?} for {counted} offers of {offers}"));
                }
            }
            (Some(Pace { offers, per }), None) => {
                let counted = known.iter().filter(|at| **at + per > view.now).count();
                if counted >= usize::from(offers) {
                    broken.push(format!("{id} had {counted} offers of {offers} and is not paced: {known:?}"));
                }
            }
            (None, None) => {}
        }
    }
    broken
}
