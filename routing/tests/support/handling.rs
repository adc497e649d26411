//! How contacts are handled, drawn: the ways, mostly sound, and what they allow.

use super::by::by;
use super::draw::Draw;
use crate::model::{Conv, Dom};
use routing::command::{By, Desk};
use routing::handling::Handling;
use routing::view::Stage;
use routing::{AgentId, Channel, Command, Epoch, OfferId, Points, Span, level};

/// Draws of its own, so that the rest of a run is as without it.
pub struct Ways {
    draw: Draw,
    /// Domains have ways from the beginning.
    begins: bool,
    /// How many in a thousand commands are about them.
    permille: u64,
    /// How many in a hundred commands go on with what they allow, where there is something.
    percent: u64,
}

impl Ways {
    pub fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed ^ 0x4a2d_1e55);
        let (begins, permille) = (draw.chance(75), draw.among([5, 20, 40]));
        let percent = draw.among([10, 25, 40]);
        Self { draw, begins, permille, percent }
    }

    /// What a domain begins with, where the shard is at this level then.
    pub fn begin(&mut self, at_level: u32) -> Option<Command> {
        let begins = self.begins && at_level >= level::HANDLING;
        begins.then(|| Command::SetHandling { handling: self.sound(), by: By::System })
    }

    /// A command about them, if it is time for one.
    pub fn command(&mut self, dom: &Dom) -> Option<Command> {
        if self.draw.number(1, 1_000) <= self.permille {
            let handling = match self.draw.number(1, 12) {
                1 => dom.handling.clone(),
                2 => Handling::default(),
                3..=4 => self.unsound(),
                _ => self.sound(),
            };
            return Some(Command::SetHandling { handling, by: by(&mut self.draw, dom) });
        }
        if self.draw.number(1, 100) > self.percent {
            return None;
        }
        match self.draw.number(1, 10) {
            1..=5 => self.second_step(dom).or_else(|| self.extend(dom)).or_else(|| self.rest(dom)),
            6..=7 => self.rest(dom),
            _ => self.extend(dom).or_else(|| self.second_step(dom)),
        }
    }

    fn one(&mut self, dom: &Dom, wanted: impl Fn(&Conv) -> bool) -> Option<Conv> {
        let all: Vec<_> = dom.convs.values().filter(|c| wanted(c)).collect();
        self.draw.one(&all).cloned()
    }

    fn desk(&mut self, dom: &Dom, agent: AgentId) -> Option<Desk> {
        let epoch = dom.people.get(&agent)?.epoch;
        let epoch = if self.draw.chance(4) { Epoch(epoch.0.saturating_sub(1)) } else { epoch };
        Some(Desk { agent, epoch })
    }

    /// Mostly of what was accepted.
    fn second_step(&mut self, dom: &Dom) -> Option<Command> {
        let any = self.draw.chance(8);
        let conv = self.one(dom, |c| c.is_connecting() || (any && c.offer.is_some()))?;
        // The last of those that ring: whoever is refused must not change which one is the first.
        let offer = conv.offers().last()?.clone();
        let people: Vec<_> = dom.people.keys().copied().collect();
        let other = self.draw.one(&people).filter(|_| self.draw.chance(4));
        let desk = self.desk(dom, other.unwrap_or(offer.agent))?;
        let old = OfferId::new(dom.id, offer.id.number.saturating_sub(1));
        let offer = if self.draw.chance(3) { old } else { offer.id };
        Some(match self.draw.number(1, 20) {
            1 => Command::Accept { desk, offer },
            2..=5 => {
                let reason = self.draw.among(["", "busy", &"x".repeat(257)]).to_owned();
                Command::ConnectFailed { desk, offer, reason }
            }
            _ => Command::Connected { desk, offer },
        })
    }

    fn somebody(&mut self, dom: &Dom, c: &Conv) -> By {
        match (self.draw.number(1, 10), c.stage.owner()) {
            (1..=7, Some(owner)) => self.desk(dom, owner).map_or(By::System, By::Agent),
            (8, _) => By::Customer,
            _ => by(&mut self.draw, dom),
        }
    }

    fn rest(&mut self, dom: &Dom) -> Option<Command> {
        let any = self.draw.chance(4);
        let c = self.one(dom, |c| any || matches!(c.stage, Stage::Assigned(_)))?;
        let idle = if self.draw.chance(10) { c.full.is_some() } else { c.full.is_none() };
        Some(Command::SetIdle { conversation: c.id, idle, by: self.somebody(dom, &c) })
    }

    fn extend(&mut self, dom: &Dom) -> Option<Command> {
        let any = self.draw.chance(4);
        let c = self.one(dom, |c| any || matches!(c.stage, Stage::Wrapping(_)))?;
        let longer = Span(self.draw.among([999_999, 1_000_000, 1_500_000, 5_000_000, 9_000_000, 60_000_000]));
        Some(Command::ExtendWrapUp { conversation: c.id, longer, by: self.somebody(dom, &c) })
    }

    fn sound(&mut self) -> Handling {
        let mut handling = Handling::default();
        for channel in Channel::ALL {
            if self.draw.chance(if channel == Channel::Voice { 80 } else { 25 }) {
                let within = self.draw.among([1_000_000, 3_000_000, 10_000_000, 40_000_000]);
                handling.connect[channel.index()] = Some(Span(within));
            }
            if self.draw.chance(50) {
                handling.idle[channel.index()] = Some(Points(self.draw.among([0, 0, 1, 5, 20, 60, 100])));
            }
        }
        handling.extend_max = Span(self.draw.among([0, 10_000_000, 20_000_000, 60_000_000]));
        handling
    }

    fn unsound(&mut self) -> Handling {
        let mut handling = self.sound();
        match self.draw.number(1, 4) {
            1 => handling.connect[3] = Some(Span(999_999)),
            2 => handling.connect[5] = Some(Span(300_000_001)),
            3 => handling.idle[2] = Some(Points(101)),
            _ => handling.extend_max = Span(4 * 3_600_000_000 + 1),
        }
        handling
    }
}
