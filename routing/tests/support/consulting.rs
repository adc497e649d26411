//! Consultations, drawn.

use super::by::by;
use super::draw::Draw;
use crate::model::{Conv, Dom};
use routing::command::{By, Decline, Desk, TransferFallback};
use routing::view::{OfferView, Stage};
use routing::{AgentId, Command, Span};

/// Draws of its own, so that the rest of a run is as without it.
pub struct Consulting {
    draw: Draw,
    /// How many in a thousand commands begin one.
    permille: u64,
    /// How many in a hundred go on with one, where there is one.
    percent: u64,
}

fn advice(c: &Conv) -> Option<&OfferView> {
    let advises = |offer: &&OfferView| matches!(offer.transfer, Some(TransferFallback::Advice { .. }));
    c.offer.as_ref().filter(advises)
}

impl Consulting {
    pub fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed ^ 0xad_71ce);
        let (permille, percent) = (draw.among([2, 100, 400, 400]), draw.among([20, 70]));
        Self { draw, permille, percent }
    }

    /// A command about it, if it is time for one.
    pub fn command(&mut self, dom: &Dom) -> Option<Command> {
        let any = dom.convs.values().any(|c| advice(c).is_some());
        if any && self.draw.number(1, 100) <= self.percent {
            return match self.draw.number(1, 10) {
                1..=5 => self.answer(dom),
                6 => self.owner_goes(dom),
                7..=8 => self.end(dom),
                _ => self.complete(dom),
            };
        }
        if self.draw.number(1, 1_000) > self.permille {
            return None;
        }
        match self.draw.number(1, 20) {
            1 => self.end(dom),
            2 => self.complete(dom),
            _ => self.begin(dom),
        }
    }

    fn one(&mut self, dom: &Dom, wanted: impl Fn(&Conv) -> bool) -> Option<Conv> {
        let all: Vec<_> = dom.convs.values().filter(|c| wanted(c)).collect();
        self.draw.one(&all).cloned()
    }

    fn desk(&self, dom: &Dom, agent: AgentId) -> Option<Desk> {
        Some(Desk { agent, epoch: dom.people.get(&agent)?.epoch })
    }

    /// Mostly this agent.
    fn by(&mut self, dom: &Dom, agent: Option<AgentId>) -> By {
        let desk = agent.and_then(|agent| self.desk(dom, agent));
        match desk {
            Some(desk) if self.draw.chance(80) => By::Agent(desk),
            _ => by(&mut self.draw, dom),
        }
    }

    fn begin(&mut self, dom: &Dom) -> Option<Command> {
        let any = self.draw.chance(5);
        let c = self.one(dom, |c| any || matches!(c.stage, Stage::Assigned(_)))?;
        let room = |id: &AgentId| dom.free(*id) >= u32::from(dom.weight_now(c.channel).0);
        let able =
            |id: &AgentId| any || dom.people[id].takes_offers() && c.stage.owner() != Some(*id) && room(id);
        let people: Vec<_> = dom.people.keys().copied().filter(able).collect();
        let agent = if self.draw.chance(3) { AgentId::new(dom.id, 77) } else { self.draw.one(&people)? };
        let lasts = self.draw.among([
            0,
            1_000_000,
            5_000_000,
            30_000_000,
            600_000_000,
            14_400_000_000,
            14_400_000_001,
        ]);
        let by = self.by(dom, c.stage.owner());
        Some(Command::Consult { conversation: c.id, agent, lasts: Span(lasts), by })
    }

    fn answer(&mut self, dom: &Dom) -> Option<Command> {
        let any = self.draw.chance(15);
        let c = self.one(dom, |c| advice(c).is_some_and(|offer| any || !offer.connecting))?;
        let offer = advice(&c)?.clone();
        let (desk, offer) = (self.desk(dom, offer.agent)?, offer.id);
        Some(match self.draw.number(1, 12) {
            1 => Command::Reject { desk, offer, decline: Decline { reason: "busy".to_owned() } },
            2 => Command::Connected { desk, offer },
            3 => Command::ConnectFailed { desk, offer, reason: String::new() },
            _ => Command::Accept { desk, offer },
        })
    }

    /// Who consults somebody is logged out, or loses its lease.
    fn owner_goes(&mut self, dom: &Dom) -> Option<Command> {
        let owner = self.one(dom, |c| advice(c).is_some_and(|offer| offer.connecting))?.stage.owner()?;
        Some(match self.draw.number(1, 3) {
            1 => Command::LoseLease { desk: self.desk(dom, owner)? },
            _ => Command::LogOut { agent: owner, by: By::System },
        })
    }

    fn end(&mut self, dom: &Dom) -> Option<Command> {
        let any = self.draw.chance(5);
        let c = self.one(dom, |c| any || advice(c).is_some())?;
        let asked = advice(&c).map(|offer| offer.agent);
        let who = if self.draw.chance(40) { asked } else { c.stage.owner() };
        Some(Command::EndConsult { conversation: c.id, by: self.by(dom, who) })
    }

    fn complete(&mut self, dom: &Dom) -> Option<Command> {
        let any = self.draw.chance(20);
        let c = self.one(dom, |c| any || advice(c).is_some_and(|offer| offer.connecting))?;
        let asked = advice(&c).map(|offer| offer.agent);
        let who = if self.draw.chance(10) { asked } else { c.stage.owner() };
        Some(Command::CompleteConsult { conversation: c.id, by: self.by(dom, who) })
    }
}
