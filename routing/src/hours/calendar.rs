//! What a schedule says of an instant: integer arithmetic on local clock readings.
//!
//! An instant is open exactly if what local clocks read then lies in an opening. So what local time skips in
//! spring is no time at all, and what it repeats in autumn is open twice. A change is looked for edge by edge:
//! while an offset counts, local time goes as time does, so the next edge of local time is the next change or
//! comes after the next offset. The work of one look is bounded by the bounds of a schedule.

use super::{OfDate, Opening, Said, Schedule, Weekday};

const DAY: i64 = 86_400;
/// Days of the week after which a week that was covered throughout is covered for ever.
const COVERED: u32 = 9;

impl Schedule {
    /// What it says of an instant, given in Unix milliseconds. It changes at whole seconds.
    #[must_use]
    pub fn at(&self, wall_ms: u64) -> Said {
        let mut instant = i64::try_from(wall_ms / 1_000).unwrap_or(i64::MAX / 4);
        let (open, mut segment) = (self.is_open(instant), self.segment(instant));
        loop {
            let east = i64::from(self.offsets.get(segment).map_or(0, |offset| offset.east));
            let local = instant + east;
            let edge = if open { self.run_end(local) } else { self.next_start(local) };
            let change = edge.map(|edge| edge - east);
            let next = self.offsets.get(segment + 1).map(|offset| offset.from);
            match (change, next) {
                (Some(change), next) if next.is_none_or(|next| change < next) => {
                    return Said { open, until_ms: Some(to_ms(change)) };
                }
                (_, None) => return Said { open, until_ms: None },
                (_, Some(next)) => {
                    if self.is_open(next) != open {
                        return Said { open, until_ms: Some(to_ms(next)) };
                    }
                    (instant, segment) = (next, segment + 1);
                }
            }
        }
    }

    /// Which offset counts at an instant.
    fn segment(&self, instant: i64) -> usize {
        self.offsets.partition_point(|offset| offset.from <= instant).saturating_sub(1)
    }

    fn is_open(&self, instant: i64) -> bool {
        let east = self.offsets.get(self.segment(instant)).map_or(0, |offset| offset.east);
        let local = instant + i64::from(east);
        let day = local.div_euclid(DAY);
        [day - 1, day].into_iter().any(|day| {
            let since = local - day * DAY;
            self.openings(day).iter().any(|one| (i64::from(one.from)..i64::from(one.to)).contains(&since))
        })
    }

    /// The dates from a day on.
    fn dates_from(&self, day: i64) -> &[OfDate] {
        &self.dates[self.dates.partition_point(|of| i64::from(of.date) < day)..]
    }

    /// What begins on a day, in the order of beginnings.
    fn openings(&self, day: i64) -> Vec<Opening> {
        let own = self.dates_from(day).first().filter(|of| i64::from(of.date) == day);
        let mut openings: Vec<Opening> = match own {
            Some(of) => of.openings.clone(),
            None => {
                let today = weekday(day);
                self.week.iter().filter(|(on, _)| *on == today).map(|(_, opening)| *opening).collect()
            }
        };
        openings.sort_unstable();
        openings
    }

    /// Where the openings that cover this local time end, with those that touch them; none: they never do.
    fn run_end(&self, local: i64) -> Option<i64> {
        let mut end = local;
        let mut day = local.div_euclid(DAY) - 1;
        let mut covered = 0;
        loop {
            let own = self.dates_from(day).first().is_some_and(|of| i64::from(of.date) == day);
            for opening in self.openings(day) {
                let (from, to) = (day * DAY + i64::from(opening.from), day * DAY + i64::from(opening.to));
                if from > end {
                    return Some(end);
                }
                end = end.max(to);
            }
            day += 1;
            if end < day * DAY {
                return Some(end);
            }
            covered = if own { 0 } else { covered + 1 };
            if covered >= COVERED {
                // Every week is like this one, up to the next date that is not.
                let date = i64::from(self.dates_from(day).first()?.date);
                if date > day {
                    (day, end) = (date - 1, end.max((date - 1) * DAY));
                    covered = 0;
                }
            }
        }
    }

    /// The next beginning after a local time at which it is closed; none: there is none.
    fn next_start(&self, local: i64) -> Option<i64> {
        let mut day = local.div_euclid(DAY);
        loop {
            if self.week.is_empty() {
                day = i64::from(self.dates_from(day).first()?.date);
            }
            let starts = self.openings(day).into_iter().map(|opening| day * DAY + i64::from(opening.from));
            if let Some(start) = starts.into_iter().find(|start| *start > local) {
                return Some(start);
            }
            day += 1;
        }
    }
}

fn weekday(day: i64) -> Weekday {
    // 1970-01-01 was a Thursday.
    let since_monday = (day + 3).rem_euclid(7);
    usize::try_from(since_monday).ok().and_then(|at| Weekday::ALL.get(at)).copied().unwrap_or(Weekday::Monday)
}

fn to_ms(instant: i64) -> u64 {
    u64::try_from(instant).unwrap_or_default().saturating_mul(1_000)
}
