//! When queues are open, drawn: schedules that change while the run lasts, some of them not sound.

use super::by::by;
use super::draw::Draw;
use crate::model::Dom;
use routing::command::By;
use routing::hours::{Closing, Hours, OfDate, Offset, Opening as Time, Schedule, Weekday};
use routing::{Command, QueueId, level};

const DAY: i64 = 86_400;
const NAMES: [&str; 3] = ["office", "late", "always"];

/// Draws of its own, so that the rest of a run is as without it.
pub struct Opening {
    draw: Draw,
    /// Domains have schedules, and queues keep to them, from the beginning.
    begins: bool,
    /// How many in a thousand commands are about them.
    permille: u64,
}

impl Opening {
    pub fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed ^ 0x0bc9);
        let (begins, permille) = (draw.chance(50), draw.among([3, 15, 30]));
        Self { draw, begins, permille }
    }

    /// What a domain begins with, where the shard is at this level then.
    pub fn begin(&mut self, at_level: u32, queues: &[QueueId], wall_ms: u64) -> Vec<Command> {
        if !self.begins || at_level < level::HOURS {
            return Vec::new();
        }
        let mut all = Vec::new();
        for name in NAMES {
            let schedule = Some(self.sound(wall_ms));
            all.push(Command::SetSchedule { name: name.to_owned(), schedule, by: By::System });
        }
        for queue in queues.iter().copied() {
            if self.draw.chance(60) {
                let hours = Some(self.hours());
                all.push(Command::SetHours { queue, hours, by: By::System });
            }
        }
        all
    }

    /// A command about them, if it is time for one.
    pub fn command(&mut self, dom: &Dom, wall_ms: u64) -> Option<Command> {
        if self.draw.number(1, 1_000) > self.permille {
            return None;
        }
        let by = by(&mut self.draw, dom);
        if self.draw.chance(50) {
            let name = match self.draw.number(1, 30) {
                1 => String::new(),
                2 => "x".repeat(65),
                3 => "other".to_owned(),
                _ => self.draw.among(NAMES).to_owned(),
            };
            let schedule = match self.draw.number(1, 12) {
                1 => None,
                2 => dom.schedules.get(&name).cloned(),
                3 => Some(self.unsound(wall_ms)),
                _ => Some(self.sound(wall_ms)),
            };
            return Some(Command::SetSchedule { name, schedule, by });
        }
        let queues: Vec<_> = dom.queues.keys().copied().collect();
        let queue = self.draw.one(&queues)?;
        let odd = QueueId::new(dom.id, 9_999);
        let queue = if self.draw.chance(2) { odd } else { queue };
        let hours = match self.draw.number(1, 10) {
            1..=3 => None,
            4 => Some(Hours { schedule: "none".to_owned(), closing: Closing::Hold }),
            _ => Some(self.hours()),
        };
        Some(Command::SetHours { queue, hours, by })
    }

    fn hours(&mut self) -> Hours {
        let closing = if self.draw.chance(50) { Closing::ServeOut } else { Closing::Hold };
        Hours { schedule: self.draw.among(NAMES).to_owned(), closing }
    }

    /// Mostly with changes within the next two minutes.
    fn sound(&mut self, wall_ms: u64) -> Schedule {
        let now = i64::try_from(wall_ms / 1_000).expect("a time");
        let east = self.draw.among([0, 3_600, -18_000, 20_700, 6_400, -80_000]);
        let mut offsets = vec![Offset { from: i64::MIN, east }];
        let mut from = now;
        for _ in 0..self.draw.among([0, 0, 1, 3]) {
            from += i64::from(self.draw.small(1, 100));
            let moved = self.draw.among([30, -30, 3_600, -3_600]);
            offsets.push(Offset { from, east: offsets.last().map_or(0, |last| last.east) + moved });
        }
        let local = now + i64::from(east);
        let (today, second) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let sparse = self.draw.chance(15);
        let mut week = Vec::new();
        for day in today - 1..today + 2 {
            let openings = if sparse { self.times(second) } else { self.breaks(second) };
            week.extend(openings.into_iter().map(|time| (of_week(day), time)));
        }
        if self.draw.chance(20) {
            week = Weekday::ALL.into_iter().map(|day| (day, Time { from: 0, to: 86_400 })).collect();
        } else if self.draw.chance(8) {
            week.clear();
        }
        let mut dates = Vec::new();
        for date in [today - 2, today, today + 1, today + 40] {
            if self.draw.chance(15) {
                let openings = if self.draw.chance(70) { self.breaks(second) } else { self.times(second) };
                let openings = openings.into_iter().take(16).collect();
                dates.push(OfDate { date: i32::try_from(date).expect("a date"), openings });
            }
        }
        Schedule { zone: "Test/Zone".to_owned(), offsets, week, dates }
    }

    fn times(&mut self, second: i64) -> Vec<Time> {
        (0..self.draw.number(0, 5)).map(|_| self.time(second)).collect()
    }

    /// The whole day but for some short breaks from about this second on.
    fn breaks(&mut self, second: i64) -> Vec<Time> {
        let (mut openings, mut from) = (Vec::new(), 0);
        let mut to = second - 20 + i64::from(self.draw.small(0, 60));
        while openings.len() < 15 && (from + 1..DAY - 60).contains(&to) {
            let [begin, end] = [from, to].map(|at| u32::try_from(at).expect("of a day"));
            openings.push(Time { from: begin, to: end });
            from = to + i64::from(self.draw.small(1, 12));
            to = from + i64::from(self.draw.small(1, 60));
        }
        let from = u32::try_from(from.min(DAY - 1)).expect("of a day");
        openings.push(Time { from, to: 86_400 });
        openings
    }

    /// About this second of the day, or of the day after the one it begins on.
    fn time(&mut self, second: i64) -> Time {
        let from = second - 60 + i64::from(self.draw.small(0, 180));
        let from = from.clamp(0, DAY - 1);
        let length = match self.draw.number(1, 12) {
            1 => DAY,
            2 => 3_600,
            _ => i64::from(self.draw.small(1, 50)),
        };
        let [from, to] = [from, from + length].map(|at| u32::try_from(at).expect("within two days"));
        Time { from, to }
    }

    fn unsound(&mut self, wall_ms: u64) -> Schedule {
        let mut schedule = self.sound(wall_ms);
        let date = |date| OfDate { date, openings: Vec::new() };
        let bad = self.draw.among([(86_400, 86_401), (5, 5), (6, 5), (0, 172_801)]);
        let bad = Time { from: bad.0, to: bad.1 };
        match self.draw.number(1, 10) {
            1 => schedule.offsets.clear(),
            2 => schedule.offsets.push(Offset { from: i64::MIN, east: 0 }),
            3 => schedule.offsets[0].east = self.draw.among([93_601, -93_601]),
            4 => schedule.week.push((Weekday::Monday, bad)),
            5 => schedule.week = vec![(Weekday::Friday, Time { from: 0, to: 1 }); 65],
            6 => schedule.dates = vec![date(20), date(20)],
            7 => schedule.dates = vec![date(self.draw.among([-1, 2_932_897]))],
            8 => schedule.dates = vec![OfDate { date: 3, openings: vec![bad] }],
            9 => schedule.dates = (0..367).map(date).collect(),
            _ => schedule.zone = "z".repeat(65),
        }
        schedule
    }
}

fn of_week(day: i64) -> Weekday {
    Weekday::ALL[usize::try_from((day + 3).rem_euclid(7)).expect("below 7")]
}
