//! The pace of offers, drawn.

use super::by::by;
use super::draw::Draw;
use crate::model::Dom;
use routing::command::By;
use routing::pace::Pace;
use routing::{Command, Span, level};

/// Draws of its own, so that the rest of a run is as without it.
pub struct Pacing {
    draw: Draw,
    /// Domains have one from the beginning.
    begins: bool,
    /// How many in a thousand commands are about it.
    permille: u64,
}

impl Pacing {
    pub fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed ^ 0x0ace_0ace);
        let (begins, permille) = (draw.chance(30), draw.among([3, 6, 12]));
        Self { draw, begins, permille }
    }

    /// What a domain begins with, where the shard is at this level then.
    pub fn begin(&mut self, at_level: u32) -> Option<Command> {
        let begins = self.begins && at_level >= level::PACE;
        begins.then(|| Command::SetPace { pace: Some(self.sound()), by: By::System })
    }

    /// A command about it, if it is time for one.
    pub fn command(&mut self, dom: &Dom) -> Option<Command> {
        if self.draw.number(1, 1_000) > self.permille {
            return None;
        }
        let pace = match self.draw.number(1, 12) {
            1 => dom.pace,
            2..=5 => None,
            6 => Some(self.unsound()),
            _ => Some(self.sound()),
        };
        Some(Command::SetPace { pace, by: by(&mut self.draw, dom) })
    }

    fn sound(&mut self) -> Pace {
        let offers = self.draw.among([1, 2, 2, 3, 5, 20]);
        Pace { offers, per: Span(self.draw.among([1_000_000, 3_000_000, 3_000_000, 7_500_000, 25_000_000])) }
    }

    fn unsound(&mut self) -> Pace {
        let pace = self.sound();
        match self.draw.number(1, 4) {
            1 => Pace { offers: 0, ..pace },
            2 => Pace { offers: 21, ..pace },
            3 => Pace { per: Span(999_999), ..pace },
            _ => Pace { per: Span(3_600_000_001), ..pace },
        }
    }
}
