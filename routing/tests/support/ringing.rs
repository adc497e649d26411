//! Offers to several agents at once, drawn.

use super::by::by;
use super::draw::Draw;
use crate::model::Dom;
use routing::command::By;
use routing::{Command, QueueId, level};

/// Draws of its own, so that the rest of a run is as without it.
pub struct Ringing {
    draw: Draw,
    /// How many queues in a hundred do it from the beginning.
    begins: u64,
    /// How many in a thousand commands are about it.
    permille: u64,
}

impl Ringing {
    pub fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed ^ 0x417_9417);
        let (begins, permille) = (draw.among([0, 40, 100, 100]), draw.among([1, 3, 6]));
        Self { draw, begins, permille }
    }

    /// What queues begin with, where the shard is at this level then.
    pub fn begin(&mut self, at_level: u32, queues: &[QueueId]) -> Vec<Command> {
        if at_level < level::RING {
            return Vec::new();
        }
        let begin = |queue: &QueueId| {
            let begins = self.draw.chance(self.begins);
            begins.then(|| Command::SetRing { queue: *queue, agents: self.draw.small(2, 5), by: By::System })
        };
        queues.iter().filter_map(begin).collect()
    }

    /// A command about it, if it is time for one.
    pub fn command(&mut self, dom: &Dom) -> Option<Command> {
        if self.draw.number(1, 1_000) > self.permille {
            return None;
        }
        let known: Vec<QueueId> = dom.queues.keys().copied().collect();
        let unknown = QueueId::new(dom.id, 77);
        let queue = if self.draw.chance(4) { unknown } else { self.draw.one(&known).unwrap_or(unknown) };
        let agents = match self.draw.number(1, 12) {
            1 => 0,
            2 => 11,
            3..=5 => 1,
            6 => 10,
            _ => self.draw.small(2, 4),
        };
        Some(Command::SetRing { queue, agents, by: by(&mut self.draw, dom) })
    }
}
