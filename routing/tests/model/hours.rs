//! Opening hours: "Opening hours" of the rules. The calendar is looked at instant by instant: every edge that any day
//! could have under any offset is tried.

use super::Did;
use super::state::{Dom, Line, invalid, not_allowed, unknown};
use routing::command::By;
use routing::event::Subject;
use routing::hours::{Closing, Hours, HoursState, HoursView, Opening, Schedule, Weekday};
use routing::outcome::DoneWhat;
use routing::policy::Measure;
use routing::{Command, EventKind, QueueId, Rejected};

const DAY: i64 = 24 * 60 * 60;

/// Whether a command is unknown below the level of opening hours.
pub fn is_of_hours(command: &Command) -> bool {
    match command {
        Command::SetSchedule { .. } | Command::SetHours { .. } => true,
        Command::SetPolicy { policy, .. } => {
            policy.rules.iter().any(|rule| rule.when.iter().any(|when| when.measure == Measure::Open))
        }
        _ => false,
    }
}

/// What begins on a day, counted from 1970-01-01.
fn begins_on(schedule: &Schedule, day: i64) -> Vec<Opening> {
    if let Some(of) = schedule.dates.iter().find(|of| i64::from(of.date) == day) {
        return of.openings.clone();
    }
    // From Thursday on, the day on which time began.
    let names = [
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
    ];
    let name = names[usize::try_from(day.rem_euclid(7)).expect("below 7")];
    schedule.week.iter().filter(|(on, _)| *on == name).map(|(_, opening)| *opening).collect()
}

fn east_at(schedule: &Schedule, second: i64) -> i64 {
    let begun = schedule.offsets.iter().rfind(|offset| offset.from <= second);
    i64::from(begun.unwrap_or(&schedule.offsets[0]).east)
}

fn is_open(schedule: &Schedule, second: i64) -> bool {
    let reading = second + east_at(schedule, second);
    let today = reading.div_euclid(DAY);
    (today - 2..=today).any(|day| {
        let time = reading - day * DAY;
        begins_on(schedule, day).iter().any(|o| i64::from(o.from) <= time && time < i64::from(o.to))
    })
}

/// Every second, not sorted, at which it may open or close: edges of days around, under all offsets, and where
/// offsets change. Around is: two weeks, and as much around each date that has its own.
fn edges(schedule: &Schedule, second: i64) -> Vec<i64> {
    let mut days: Vec<i64> = vec![second.div_euclid(DAY)];
    days.extend(schedule.dates.iter().map(|of| i64::from(of.date)));
    let mut all: Vec<i64> = schedule.offsets.iter().map(|offset| offset.from).collect();
    for day in days.iter().flat_map(|day| day - 4..day + 15) {
        for opening in begins_on(schedule, day) {
            for edge in [opening.from, opening.to] {
                let reading = day * DAY + i64::from(edge);
                all.extend(schedule.offsets.iter().map(|offset| reading - i64::from(offset.east)));
            }
        }
    }
    all
}

/// Whether it is open at a time, and when that changes.
fn says(schedule: &Schedule, wall_ms: u64) -> (bool, Option<u64>) {
    let second = i64::try_from(wall_ms / 1_000).expect("a time");
    let open = is_open(schedule, second);
    let mut edges: Vec<i64> = edges(schedule, second).into_iter().filter(|edge| *edge > second).collect();
    edges.sort_unstable();
    let change = edges.into_iter().find(|edge| is_open(schedule, *edge) != open);
    (open, change.map(|change| u64::try_from(change).expect("after now") * 1_000))
}

fn sound(opening: &Opening) -> bool {
    i64::from(opening.from) < DAY && opening.from < opening.to && i64::from(opening.to) <= 2 * DAY
}

fn check(schedule: &Schedule) -> Result<(), Rejected> {
    let offsets = &schedule.offsets;
    let in_order = offsets.iter().zip(&offsets[1.min(offsets.len())..]).all(|(a, b)| a.from < b.from);
    let near = offsets.iter().all(|offset| (-93_600..=93_600).contains(&offset.east));
    let dates = &schedule.dates;
    let dated = dates.iter().zip(&dates[1.min(dates.len())..]).all(|(a, b)| a.date < b.date)
        && dates.len() <= 366
        && dates.iter().all(|of| (0..=2_932_896).contains(&of.date) && of.openings.len() <= 16)
        && dates.iter().all(|of| of.openings.iter().all(sound));
    let weekly = schedule.week.len() <= 64 && schedule.week.iter().all(|(_, opening)| sound(opening));
    let fits = schedule.zone.len() <= 64 && (1..=128).contains(&offsets.len());
    if fits && in_order && near && weekly && dated { Ok(()) } else { Err(invalid("schedule")) }
}

impl Line {
    fn stands(&self) -> HoursState {
        self.hours.as_ref().map_or(HoursState::Open, |hours| hours.state)
    }

    pub fn is_closed(&self) -> bool {
        self.stands() == HoursState::Closed
    }

    pub fn is_in_hours(&self) -> bool {
        self.stands() == HoursState::Open
    }
}

impl Dom {
    pub fn set_schedule(&mut self, name: String, schedule: Option<Schedule>, by: By) -> Did {
        if let By::Agent(desk) = &by {
            self.check_desk(*desk)?;
        }
        if name.is_empty() || name.len() > 64 {
            return Err(invalid("name"));
        }
        schedule.as_ref().map_or(Ok(()), check)?;
        if !matches!(by, By::Supervisor(_) | By::System) {
            return Err(not_allowed());
        }
        let done = Ok((DoneWhat::Ok, Subject::Domain(self.id)));
        if self.schedules.get(&name) == schedule.as_ref() {
            return done;
        }
        let keeps = |line: &Line| line.hours.as_ref().is_some_and(|kept| kept.hours.schedule == name);
        match &schedule {
            None if self.queues.values().any(keeps) => return Err(Rejected::InUse { why: String::new() }),
            None => drop(self.schedules.remove(&name)),
            Some(_) if !self.schedules.contains_key(&name) && self.schedules.len() == 64 => {
                return Err(Rejected::Full { what: String::new(), limit: 0, remedy: String::new() });
            }
            Some(schedule) => drop(self.schedules.insert(name.clone(), schedule.clone())),
        }
        for line in self.queues.values_mut().filter(|line| keeps(line)) {
            line.look = true;
        }
        self.emit(EventKind::ScheduleChanged { name, schedule, by });
        done
    }

    pub fn set_hours(&mut self, queue: QueueId, hours: Option<Hours>, by: By) -> Did {
        if let By::Agent(desk) = &by {
            self.check_desk(*desk)?;
        }
        let Some(line) = self.queues.get(&queue) else { return Err(unknown("queue", queue)) };
        if let Some(hours) = hours.as_ref().filter(|hours| !self.schedules.contains_key(&hours.schedule)) {
            return Err(unknown("schedule", &hours.schedule));
        }
        if !matches!(by, By::Supervisor(_) | By::System) {
            return Err(not_allowed());
        }
        let kept = line.hours.as_ref().map(|kept| kept.hours.clone());
        if kept != hours {
            let state = line.stands();
            self.emit(EventKind::HoursChanged { queue, hours: hours.clone(), by });
            let line = self.queues.get_mut(&queue).expect("known");
            line.look = false;
            line.hours = hours.map(|hours| HoursView { hours, state, until_ms: None });
            if line.hours.is_some() {
                self.look_at_hours(queue, true);
            } else {
                self.told_ms = self.wall_ms;
                self.emit(EventKind::QueueHours { queue, state: HoursState::Open, until_ms: None });
            }
        }
        Ok((DoneWhat::Ok, Subject::Queue(queue)))
    }

    /// Wall time went back by a minute or more since hours were told.
    pub fn clock_was_wrong(&mut self) {
        if self.wall_ms + 60_000 <= self.told_ms {
            self.told_ms = self.wall_ms;
            for line in self.queues.values_mut().filter(|line| line.hours.is_some()) {
                line.look = true;
            }
        }
    }

    /// What was to change by now is to be looked at.
    pub fn changes_come(&mut self) {
        for line in self.queues.values_mut() {
            let until_ms = line.hours.as_ref().and_then(|hours| hours.until_ms);
            if until_ms.is_some_and(|until_ms| until_ms <= self.wall_ms) {
                line.look = true;
            }
        }
    }

    fn has_customers(&self, queue: QueueId) -> bool {
        let here = |offer: &routing::view::OfferView| offer.queue == Some(queue);
        self.convs.values().any(|c| c.waits_for_an_offer_in(queue) || c.offers().any(here))
    }

    pub fn is_to_be_looked_at(&self, queue: QueueId) -> bool {
        let line = &self.queues[&queue];
        line.look || (line.stands() == HoursState::Closing && !self.has_customers(queue))
    }

    pub fn look_at_hours(&mut self, queue: QueueId, tell: bool) {
        let customers = self.has_customers(queue);
        let line = self.queues.get_mut(&queue).expect("known");
        line.look = false;
        let hours = line.hours.as_mut().expect("it is looked at");
        let (open, until_ms) = says(&self.schedules[&hours.hours.schedule], self.wall_ms);
        let before = (hours.state, hours.until_ms);
        hours.until_ms = until_ms;
        hours.state = match (open, hours.state, hours.hours.closing) {
            (true, ..) => HoursState::Open,
            (_, HoursState::Open | HoursState::Closing, Closing::ServeOut) if customers => {
                HoursState::Closing
            }
            _ => HoursState::Closed,
        };
        let state = hours.state;
        if tell || before != (state, until_ms) {
            self.told_ms = self.wall_ms;
            self.emit(EventKind::QueueHours { queue, state, until_ms });
        }
    }
}
