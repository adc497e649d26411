//! Rules between channels, drawn: mostly sound, some of them not.

use super::by::by;
use super::draw::Draw;
use crate::model::Dom;
use routing::blocks::{ChannelRule, Effect};
use routing::command::By;
use routing::{Channel, ChannelSet, Command, level};

/// Draws of its own, so that the rest of a run is as without it.
pub struct Blocking {
    draw: Draw,
    /// Domains have rules from the beginning.
    begins: bool,
    /// How many in a thousand commands are about them.
    permille: u64,
}

impl Blocking {
    pub fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed ^ 0x0b10_c4ed);
        let (begins, permille) = (draw.chance(75), draw.among([5, 20, 50]));
        Self { draw, begins, permille }
    }

    /// What a domain begins with, where the shard is at this level then.
    pub fn begin(&mut self, at_level: u32) -> Option<Command> {
        let begins = self.begins && at_level >= level::BLOCKS;
        begins.then(|| Command::SetChannelRules { rules: self.sound(4), by: By::System })
    }

    /// A command about them, if it is time for one.
    pub fn command(&mut self, dom: &Dom) -> Option<Command> {
        if self.draw.number(1, 1_000) > self.permille {
            return None;
        }
        let rules = match self.draw.number(1, 20) {
            1 => dom.channel_rules.clone(),
            2..=4 => Vec::new(),
            5 => self.sound(32),
            6..=7 => self.unsound(),
            _ => self.sound(4),
        };
        Some(Command::SetChannelRules { rules, by: by(&mut self.draw, dom) })
    }

    fn sound(&mut self, most: u64) -> Vec<ChannelRule> {
        let count = self.draw.number(1, most);
        (0..count).map(|_| self.rule()).collect()
    }

    fn rule(&mut self) -> ChannelRule {
        let effect = if self.draw.chance(75) { Effect::Block } else { Effect::Allow };
        ChannelRule { effect, channels: self.channels(), during: self.channels() }
    }

    fn channels(&mut self) -> ChannelSet {
        self.draw.some(&Channel::ALL, 6).into_iter().collect()
    }

    fn unsound(&mut self) -> Vec<ChannelRule> {
        let mut rules = self.sound(3);
        let odd = ChannelSet(self.draw.among([0, 0x80, 0xff]));
        let rule = self.rule();
        match self.draw.number(1, 3) {
            1 => rules.push(ChannelRule { channels: odd, ..rule }),
            2 => rules.push(ChannelRule { during: odd, ..rule }),
            _ => rules = vec![rule; 33],
        }
        rules
    }
}
