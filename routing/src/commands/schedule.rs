//! `SetSchedule`: when something of the domain is open.

use super::checks::{Answered, done, invalid, supervisors_only, text};
use crate::Rejected;
use crate::command::By;
use crate::domain::{Cx, Domain};
use crate::event::{EventKind, Subject};
use crate::hours::limits::{
    DATE_MAX, DATES_MAX, DAY_MAX, NAME_BYTES_MAX, OFFSET_MAX_S, OFFSETS_MAX, SCHEDULES_MAX, TO_MAX_S,
    WEEK_MAX, ZONE_BYTES_MAX,
};
use crate::hours::{OfDate, Offset, Opening, Schedule};
use crate::outcome::DoneWhat;
use std::sync::Arc;

pub(super) fn set(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    name: &str,
    schedule: Option<&Schedule>,
    by: &By,
) -> Answered {
    domain.caller(by)?;
    if name.is_empty() {
        return invalid("name", "empty: give the schedule a name");
    }
    text("name", name, NAME_BYTES_MAX)?;
    schedule.map_or(Ok(()), check)?;
    supervisors_only(by)?;
    let known = domain.schedules.get(name);
    if known == schedule {
        return done(DoneWhat::Ok, Subject::Domain(domain.id));
    }
    match schedule {
        Some(schedule) => {
            if known.is_none() && domain.schedules.len() >= SCHEDULES_MAX {
                return Err(Rejected::Full {
                    what: "schedules of the domain".to_owned(),
                    limit: SCHEDULES_MAX as u64,
                    remedy: "delete one that no queue keeps to".to_owned(),
                });
            }
            Arc::make_mut(&mut domain.schedules).insert(name.to_owned(), schedule.clone());
        }
        None => {
            let keeps = |kept: &str| kept == name;
            let user = domain
                .queues
                .iter()
                .find(|queue| queue.hours.as_ref().is_some_and(|kept| keeps(&kept.hours.schedule)));
            if let Some(queue) = user {
                let why =
                    format!("{} keeps to it: give that queue other hours first", queue.no.id(domain.id));
                return Err(Rejected::InUse { why });
            }
            Arc::make_mut(&mut domain.schedules).remove(name);
        }
    }
    let event =
        EventKind::ScheduleChanged { name: name.to_owned(), schedule: schedule.cloned(), by: by.clone() };
    domain.emit(cx, event);
    // After this command, within this entry's bound of expiries, the rest by later entries.
    domain.look_again(|hours| hours.schedule == name);
    done(DoneWhat::Ok, Subject::Domain(domain.id))
}

fn check(schedule: &Schedule) -> Result<(), Rejected> {
    text("schedule.zone", &schedule.zone, ZONE_BYTES_MAX)?;
    check_offsets(&schedule.offsets)?;
    if schedule.week.len() > WEEK_MAX {
        let found = schedule.week.len();
        return invalid("schedule.week", format!("{found} openings, at most {WEEK_MAX} are kept"));
    }
    for (place, (_, opening)) in schedule.week.iter().enumerate() {
        check_opening(&format!("schedule.week[{place}]"), *opening)?;
    }
    check_dates(&schedule.dates)
}

fn check_offsets(offsets: &[Offset]) -> Result<(), Rejected> {
    let field = "schedule.offsets";
    if offsets.is_empty() || offsets.len() > OFFSETS_MAX {
        let found = offsets.len();
        return invalid(field, format!("{found} offsets, use 1 to {OFFSETS_MAX}"));
    }
    if offsets.iter().any(|offset| offset.east.abs() > OFFSET_MAX_S) {
        return invalid(field, "further than 26 h from UTC: give seconds east of UTC");
    }
    if offsets.windows(2).any(|two| two[0].from >= two[1].from) {
        return invalid(field, "not in the order of time, each later than the one before it: sort them");
    }
    Ok(())
}

fn check_dates(dates: &[OfDate]) -> Result<(), Rejected> {
    let field = "schedule.dates";
    if dates.len() > DATES_MAX {
        let found = dates.len();
        return invalid(
            field,
            format!("{found} dates, at most {DATES_MAX} are kept: leave out those that are past"),
        );
    }
    for (place, of) in dates.iter().enumerate() {
        if !(0..=DATE_MAX).contains(&of.date) {
            return invalid(&format!("{field}[{place}].date"), "use 1970-01-01 to 9999-12-31");
        }
        if of.openings.len() > DAY_MAX {
            let found = of.openings.len();
            let problem = format!("{found} openings, at most {DAY_MAX} are kept");
            return invalid(&format!("{field}[{place}].openings"), problem);
        }
        for opening in &of.openings {
            check_opening(&format!("{field}[{place}].openings"), *opening)?;
        }
    }
    if dates.windows(2).any(|two| two[0].date >= two[1].date) {
        return invalid(
            field,
            "not in order, or one of them twice: sort them, and give each date all its openings",
        );
    }
    Ok(())
}

fn check_opening(field: &str, opening: Opening) -> Result<(), Rejected> {
    let Opening { from, to } = opening;
    if from >= 24 * 3_600 {
        return invalid(field, "it begins on another day: put it on that day");
    }
    if to <= from || to > TO_MAX_S {
        return invalid(
            field,
            "it must end after it begins, and within the next day: 24:00 is midnight, 26:00 two at night",
        );
    }
    Ok(())
}
