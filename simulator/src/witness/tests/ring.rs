//! Offers to several agents at once, drawn apart from the rest of a log.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use routing::command::By;
use routing::{Command, QueueId};

pub struct Rings {
    rng: ChaCha8Rng,
}

impl Rings {
    pub fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed ^ 0x0417_9417) }
    }

    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_ratio(percent, 100)
    }

    /// A queue offers to another number of agents.
    pub fn command(&mut self, queue: QueueId, by: By) -> Command {
        Command::SetRing { queue, agents: self.rng.random_range(1..5), by }
    }

    /// One of these.
    pub fn one(&mut self, queues: &[QueueId]) -> Option<QueueId> {
        if queues.is_empty() { None } else { Some(queues[self.rng.random_range(0..queues.len())]) }
    }
}
