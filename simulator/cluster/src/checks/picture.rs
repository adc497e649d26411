//! A domain's state as its events alone tell it.

use super::read::{ConversationSeen, Stage};
use super::sight::AgentSeen;
use routing::{AgentId, ConversationId, OfferId};
use simulator::checker::model::{Event, Kind, Place};
use std::collections::{BTreeMap, BTreeSet};

/// A conversation.
#[derive(Debug, Clone, Default)]
pub(super) struct Conversation {
    pub(super) version: u64,
    pub(super) arrived_at_us: u64,
    pub(super) owner: Option<AgentId>,
    wrapping: bool,
    inbox: bool,
    transferring: bool,
    offers: BTreeMap<OfferId, AgentId>,
    ended: Option<bool>,
}

impl Conversation {
    /// Where it is.
    pub(super) fn stage(&self) -> Stage {
        match (self.ended, self.owner, self.offers.is_empty()) {
            (Some(abandoned), ..) => Stage::Ended { abandoned },
            (_, Some(_), _) if self.wrapping => Stage::Wrapping,
            (_, Some(_), _) => Stage::Assigned,
            (_, _, false) => Stage::Offered,
            _ if self.transferring => Stage::Transferring,
            _ if self.inbox => Stage::Inbox,
            _ => Stage::Waiting,
        }
    }
}

/// An agent.
#[derive(Debug, Clone, Default)]
pub(super) struct Agent {
    pub(super) version: u64,
    pub(super) epoch: u64,
    live: bool,
    available: bool,
    offers: BTreeSet<OfferId>,
    holdings: BTreeMap<ConversationId, bool>,
}

/// Everybody.
#[derive(Debug, Default)]
pub(super) struct Picture {
    pub(super) conversations: BTreeMap<ConversationId, Conversation>,
    pub(super) agents: BTreeMap<AgentId, Agent>,
}

impl Picture {
    /// Takes the next event in.
    pub(super) fn apply(&mut self, event: &Event) {
        if let Some(id) = event.kind.conversation() {
            let known = self.conversations.entry(id).or_default();
            known.version = event.version;
            self.about_conversation(id, event);
            return;
        }
        let agent = event.kind.agent().or_else(|| event.subject.parse().ok());
        let Some(id) = agent else { return };
        if let Kind::AgentDeleted(_) = event.kind {
            self.agents.remove(&id);
            return;
        }
        let known = self.agents.entry(id).or_default();
        known.version = event.version;
        match &event.kind {
            Kind::SessionOpened { epoch, .. } => {
                known.live = true;
                known.epoch = *epoch;
            }
            Kind::LeaseLost { .. } => known.live = false,
            Kind::Presence { available, .. } => known.available = *available,
            _ => {}
        }
    }

    fn about_conversation(&mut self, id: ConversationId, event: &Event) {
        match &event.kind {
            Kind::Arrived { from, .. } => {
                if let Some(known) = self.conversations.get_mut(&id) {
                    let age_us = from.map_or(0, |(_, age_us)| age_us);
                    known.arrived_at_us = event.at_us.saturating_sub(age_us);
                }
            }
            Kind::Resumed { arrived_at_us, .. } => {
                if let Some(known) = self.conversations.get_mut(&id) {
                    known.arrived_at_us = *arrived_at_us;
                }
            }
            Kind::Waiting { place, .. } => {
                self.let_go(id);
                if let Some(known) = self.conversations.get_mut(&id) {
                    known.inbox = matches!(place, Place::Inbox(_));
                    known.transferring = false;
                }
            }
            Kind::Departed { .. } => {
                if let Some(known) = self.conversations.get_mut(&id) {
                    known.transferring = true;
                }
            }
            Kind::Offered { offer, agent, .. } => {
                self.agents.entry(*agent).or_default().offers.insert(*offer);
                if let Some(known) = self.conversations.get_mut(&id) {
                    known.offers.insert(*offer, *agent);
                }
            }
            Kind::OfferEnded { offer, .. } => self.end_offer(id, *offer),
            Kind::Assigned { agent, .. } => {
                self.let_go(id);
                self.agents.entry(*agent).or_default().holdings.insert(id, false);
                if let Some(known) = self.conversations.get_mut(&id) {
                    known.owner = Some(*agent);
                }
            }
            Kind::Wrapping { .. } => {
                let Some(known) = self.conversations.get_mut(&id) else { return };
                known.wrapping = true;
                if let Some(owner) = known.owner
                    && let Some(wrapping) =
                        self.agents.get_mut(&owner).and_then(|agent| agent.holdings.get_mut(&id))
                {
                    *wrapping = true;
                }
            }
            Kind::Released { .. } => self.let_go(id),
            Kind::Ended { abandoned, .. } => {
                self.let_go(id);
                let offers =
                    self.conversations.get(&id).map(|known| known.offers.clone()).unwrap_or_default();
                offers.keys().for_each(|offer| self.end_offer(id, *offer));
                if let Some(known) = self.conversations.get_mut(&id) {
                    known.ended = Some(*abandoned);
                }
            }
            _ => {}
        }
    }

    fn let_go(&mut self, id: ConversationId) {
        let Some(known) = self.conversations.get_mut(&id) else { return };
        known.wrapping = false;
        if let Some(agent) = known.owner.take().and_then(|owner| self.agents.get_mut(&owner)) {
            agent.holdings.remove(&id);
        }
    }

    fn end_offer(&mut self, id: ConversationId, offer: OfferId) {
        let over = self.conversations.get_mut(&id).and_then(|known| known.offers.remove(&offer));
        if let Some(agent) = over.and_then(|agent| self.agents.get_mut(&agent)) {
            agent.offers.remove(&offer);
        }
    }

    /// How an agent as seen differs from the record, if it does.
    pub(super) fn differs_agent(&self, seen: &AgentSeen) -> Option<String> {
        let Some(known) = self.agents.get(&seen.agent) else {
            return Some(format!("{} is shown, the record has no such agent", seen.agent));
        };
        let offers: Vec<OfferId> = known.offers.iter().copied().collect();
        let holdings: Vec<(ConversationId, bool)> =
            known.holdings.iter().map(|(id, wrapping)| (*id, *wrapping)).collect();
        // A log-out makes the epoch one more and has no event of its own.
        let epoch = if known.live { known.epoch == seen.epoch } else { known.epoch <= seen.epoch };
        let what = if offers != seen.offers {
            format!("live offers {}, by the record {}", ids(&seen.offers), ids(&offers))
        } else if holdings != seen.holdings {
            let text = |all: &[(ConversationId, bool)]| {
                all.iter()
                    .map(|(id, wrapping)| format!("{id}{}", if *wrapping { "w" } else { "" }))
                    .collect::<Vec<_>>()
                    .join(" ")
            };
            format!("holds [{}], by the record [{}]", text(&seen.holdings), text(&holdings))
        } else if (known.live, known.available) != (seen.live, seen.available) {
            format!(
                "lease live {} and available {}, by the record {} and {}",
                seen.live, seen.available, known.live, known.available
            )
        } else if !epoch {
            format!("epoch {}, by the record {}", seen.epoch, known.epoch)
        } else if known.version != seen.version {
            format!("version {}, by the record {}", seen.version, known.version)
        } else {
            return None;
        };
        Some(format!("{}: {what}", seen.agent))
    }

    /// How a conversation as seen differs from the record, if it does.
    pub(super) fn differs_conversation(&self, seen: &ConversationSeen) -> Option<String> {
        let Some(known) = self.conversations.get(&seen.id) else {
            return Some(format!("{} is shown, the record has no such conversation", seen.id));
        };
        let stage = known.stage();
        let what = if stage != seen.stage {
            format!("{:?}, by the record {stage:?}", seen.stage)
        } else if known.ended.is_none() && known.owner != seen.owner {
            let name = |owner: Option<AgentId>| owner.map_or("nobody".to_owned(), |owner| owner.to_string());
            format!("of {}, by the record of {}", name(seen.owner), name(known.owner))
        } else if known.version != seen.version {
            format!("version {}, by the record {}", seen.version, known.version)
        } else {
            return None;
        };
        Some(format!("{}: {what}", seen.id))
    }
}

fn ids(all: &[OfferId]) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    format!("[{}]", all.join(" "))
}
