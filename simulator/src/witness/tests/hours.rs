//! Opening hours, drawn apart from the rest of a log.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use routing::command::By;
use routing::hours::{Closing, Hours, OfDate, Offset, Opening, Schedule, Weekday};
use routing::{Command, QueueId};

const NAMES: [&str; 2] = ["office", "late"];

pub struct Opens {
    rng: ChaCha8Rng,
}

impl Opens {
    pub fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed ^ 0x0be5_0001) }
    }

    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_ratio(percent, 100)
    }

    /// What a domain begins with: the schedules, and queues that keep to them.
    pub fn begin(&mut self, queues: &[QueueId], wall_ms: u64) -> Vec<Command> {
        let mut all: Vec<_> = NAMES.into_iter().map(|name| self.set(name, wall_ms)).collect();
        let some: Vec<_> = queues.iter().copied().filter(|_| self.chance(50)).collect();
        all.extend(some.into_iter().map(|queue| self.keep(queue)));
        all
    }

    /// Another schedule, or other hours of one of these queues.
    pub fn command(&mut self, queues: &[QueueId], wall_ms: u64) -> Option<Command> {
        if queues.is_empty() || self.chance(60) {
            let name = NAMES[self.rng.random_range(0..NAMES.len())];
            return Some(self.set(name, wall_ms));
        }
        let queue = queues[self.rng.random_range(0..queues.len())];
        if self.chance(30) {
            return Some(Command::SetHours { queue, hours: None, by: by() });
        }
        Some(self.keep(queue))
    }

    fn keep(&mut self, queue: QueueId) -> Command {
        let closing = if self.chance(50) { Closing::ServeOut } else { Closing::Hold };
        let schedule = NAMES[self.rng.random_range(0..NAMES.len())].to_owned();
        Command::SetHours { queue, hours: Some(Hours { schedule, closing }), by: by() }
    }

    /// Open but for breaks of some seconds from now on.
    fn set(&mut self, name: &str, wall_ms: u64) -> Command {
        let now = wall_ms / 1_000;
        let small = |second: u64| u32::try_from(second).expect("of a day");
        let (date, mut from) = (now / 86_400, 0);
        let mut to = now % 86_400 + self.rng.random_range(1..10);
        let mut openings = Vec::new();
        while openings.len() < 15 && to < 86_000 {
            openings.push(Opening { from: small(from), to: small(to) });
            from = to + self.rng.random_range(1..5);
            to = from + self.rng.random_range(2..12);
        }
        openings.push(Opening { from: small(from), to: 86_400 });
        let dates = vec![OfDate { date: i32::try_from(date).expect("a date"), openings }];
        let week = Weekday::ALL.into_iter().map(|day| (day, Opening { from: 0, to: 86_400 })).collect();
        let offsets = vec![Offset { from: 0, east: 0 }];
        let schedule = Some(Schedule { zone: "UTC".to_owned(), offsets, week, dates });
        Command::SetSchedule { name: name.to_owned(), schedule, by: by() }
    }
}

fn by() -> By {
    By::Supervisor("planner".to_owned())
}
