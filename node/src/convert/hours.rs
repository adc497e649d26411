//! Opening hours: schedules both ways, with their time zones resolved, and how queues keep to them.

use super::Read;
use super::scalar::required;
use crate::problem::Problem;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use proto::v1;
use proto::v1::hours::Closing as WireClosing;
use proto::v1::queue_hours::State as WireState;
use routing::hours::limits::OFFSETS_MAX;
use routing::hours::{Closing, Hours, HoursState, HoursView, OfDate, Offset, Opening, Schedule, Weekday};
use serde_json::{Value, json};

/// For how many years from the one of a request a zone's clocks are looked up.
const YEARS: i16 = 20;
/// Names of zones that a refusal gives.
const NEAREST: usize = 3;
/// The last year in which requests are taken to be made, so that all dates are known.
const YEAR_MAX: i16 = 9_000;

/// Reads a schedule. Its zone is resolved from the year on in which the request was made, Unix milliseconds.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field; of an unknown zone, with those of the nearest names.
pub fn read_schedule(wire: v1::Schedule, made_ms: u64) -> Read<Schedule> {
    let offsets = offsets(&wire.zone, made_ms)?;
    let mut week = Vec::new();
    for (place, one) in wire.week.iter().enumerate() {
        let day = read_day(&format!("schedule.week[{place}].day"), one.day)?;
        week.push((day, Opening { from: one.from_s, to: one.to_s }));
    }
    let mut dates: Vec<OfDate> = Vec::new();
    for (place, one) in wire.dates.iter().enumerate() {
        let date = read_date(&format!("schedule.dates[{place}].date"), &one.date)?;
        let openings = one.openings.iter().map(|one| Opening { from: one.from_s, to: one.to_s }).collect();
        dates.push(OfDate { date, openings });
    }
    dates.sort_by_key(|of| of.date);
    Ok(Schedule { zone: wire.zone, offsets, week, dates })
}

fn read_day(field: &str, code: i32) -> Read<Weekday> {
    let day = usize::try_from(code).ok().and_then(|code| Weekday::ALL.get(code.checked_sub(1)?));
    day.copied().ok_or_else(|| {
        Problem::field(field, format!("{code} is not a day: use WEEKDAY_MONDAY (1) to WEEKDAY_SUNDAY (7)"))
    })
}

fn write_day(day: Weekday) -> v1::Weekday {
    match day {
        Weekday::Monday => v1::Weekday::Monday,
        Weekday::Tuesday => v1::Weekday::Tuesday,
        Weekday::Wednesday => v1::Weekday::Wednesday,
        Weekday::Thursday => v1::Weekday::Thursday,
        Weekday::Friday => v1::Weekday::Friday,
        Weekday::Saturday => v1::Weekday::Saturday,
        Weekday::Sunday => v1::Weekday::Sunday,
    }
}

const EPOCH: Date = Date::constant(1970, 1, 1);

fn read_date(field: &str, text: &str) -> Read<i32> {
    let bad = || Problem::field(field, format!("'{text}' is not a date: it looks like 2026-12-25"));
    let date: Date = text.parse().map_err(|_| bad())?;
    Ok(EPOCH.until(date).map_err(|_| bad())?.get_days())
}

fn write_date(date: i32) -> String {
    EPOCH.checked_add(Span::new().days(date)).map_or_else(|_| date.to_string(), |date| date.to_string())
}

/// What a zone's clocks read from the beginning of a request's year on.
fn offsets(zone: &str, made_ms: u64) -> Read<Vec<Offset>> {
    let Ok(known) = TimeZone::get(zone) else { return Err(unknown(zone)) };
    let made = i64::try_from(made_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let year = made.map_or(YEAR_MAX, |made| made.to_zoned(TimeZone::UTC).year().min(YEAR_MAX));
    let begin = |year: i16| {
        let date = Date::new(year, 1, 1).ok()?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let (Some(from), Some(to)) = (begin(year), begin(year + YEARS)) else {
        return Err(Problem::field("schedule.zone", "has no clocks in these years"));
    };
    let first = Offset { from: from.as_second(), east: known.to_offset(from).seconds() };
    let mut offsets = vec![first];
    for change in known.following(from).take_while(|change| change.timestamp() < to) {
        let offset = Offset { from: change.timestamp().as_second(), east: change.offset().seconds() };
        // Some changes are of the name alone.
        if offsets.last().is_none_or(|last| last.east != offset.east) && offsets.len() < OFFSETS_MAX {
            offsets.push(offset);
        }
    }
    Ok(offsets)
}

fn unknown(zone: &str) -> Problem {
    let mut names: Vec<(usize, String)> = jiff::tz::db()
        .available()
        .map(|name| (distance(&zone.to_lowercase(), &name.as_str().to_lowercase()), name.to_string()))
        .collect();
    names.sort();
    let nearest: Vec<String> = names.into_iter().take(NEAREST).map(|(_, name)| name).collect();
    let what = format!("'{zone}' is not a time zone: did you mean {}?", nearest.join(", "));
    Problem::field("schedule.zone", what)
}

/// How many letters have to be changed, added or left out to make one of the other; what is only added costs least, so
/// that a city is found without its continent.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (place, letter) in one.chars().enumerate() {
        let mut before = row[0];
        row[0] = 4 * (place + 1);
        for (at, to) in other.iter().enumerate() {
            let change = before + if letter == *to { 0 } else { 4 };
            before = row[at + 1];
            row[at + 1] = change.min(before + 4).min(row[at] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Writes a schedule as it was set: its zone by name.
#[must_use]
pub fn write_schedule(schedule: &Schedule) -> v1::Schedule {
    let week = schedule.week.iter().map(|(day, opening)| v1::WeekOpening {
        day: write_day(*day).into(),
        from_s: opening.from,
        to_s: opening.to,
    });
    let opening = |one: &Opening| v1::schedule_date::Opening { from_s: one.from, to_s: one.to };
    let dates = schedule.dates.iter().map(|of| v1::ScheduleDate {
        date: write_date(of.date),
        openings: of.openings.iter().map(opening).collect(),
    });
    v1::Schedule { zone: schedule.zone.clone(), week: week.collect(), dates: dates.collect() }
}

/// Writes a schedule with what it says at a wall time, Unix milliseconds.
#[must_use]
pub fn write_known(name: &str, schedule: &Schedule, wall_ms: u64) -> v1::KnownSchedule {
    let said = schedule.at(wall_ms);
    let last = schedule.offsets.last().filter(|_| schedule.offsets.len() > 1);
    v1::KnownSchedule {
        name: name.to_owned(),
        schedule: Some(write_schedule(schedule)),
        open: said.open,
        until_ms: said.until_ms,
        known_until_ms: last.map(|last| u64::try_from(last.from).unwrap_or_default() * 1_000),
    }
}

/// Reads how a queue keeps to a schedule.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field.
pub fn read(wire: v1::Hours) -> Read<Hours> {
    let schedule = required("hours.schedule", Some(wire.schedule).filter(|name| !name.is_empty()))?;
    let closing = match WireClosing::try_from(wire.closing) {
        Ok(WireClosing::Unspecified | WireClosing::Hold) => Closing::Hold,
        Ok(WireClosing::ServeOut) => Closing::ServeOut,
        Err(_) => {
            let what = format!(
                "{} is no way of closing: use CLOSING_HOLD (1) or CLOSING_SERVE_OUT (2)",
                wire.closing
            );
            return Err(Problem::field("hours.closing", what));
        }
    };
    Ok(Hours { schedule, closing })
}

pub(super) fn closing(closing: Closing) -> WireClosing {
    match closing {
        Closing::Hold => WireClosing::Hold,
        Closing::ServeOut => WireClosing::ServeOut,
    }
}

pub(super) fn state(state: HoursState) -> WireState {
    match state {
        HoursState::Open => WireState::Open,
        HoursState::Closing => WireState::Closing,
        HoursState::Closed => WireState::Closed,
    }
}

/// Writes a queue's hours as they stand.
#[must_use]
pub fn write_view(view: &HoursView) -> v1::QueueHours {
    let Hours { schedule, closing: how } = view.hours.clone();
    v1::QueueHours {
        hours: Some(v1::Hours { schedule, closing: closing(how).into() }),
        state: state(view.state).into(),
        until_ms: view.until_ms,
    }
}

/// When something opens, in words, in UTC.
pub(super) fn opens(opens_ms: Option<u64>) -> String {
    let at = opens_ms.and_then(|ms| Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok());
    at.map_or_else(|| "its schedule never opens it".to_owned(), |at| format!("opens at {at}"))
}

/// A schedule in events, as the message of that name in the API.
pub(super) fn fields(schedule: &Schedule) -> Value {
    let wire = write_schedule(schedule);
    let day = |code| v1::Weekday::try_from(code).unwrap_or_default().as_str_name();
    let week =
        wire.week.iter().map(|one| json!({ "day": day(one.day), "from_s": one.from_s, "to_s": one.to_s }));
    let opening = |one: &v1::schedule_date::Opening| json!({ "from_s": one.from_s, "to_s": one.to_s });
    let dates = wire
        .dates
        .iter()
        .map(|of| json!({ "date": of.date, "openings": of.openings.iter().map(opening).collect::<Value>() }));
    json!({ "zone": wire.zone, "week": week.collect::<Value>(), "dates": dates.collect::<Value>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-30, noon UTC.
    const MADE_MS: u64 = 1_796_040_000_000;

    fn office() -> v1::Schedule {
        let week = vec![v1::WeekOpening { day: 1, from_s: 32_400, to_s: 64_800 }];
        let openings = vec![v1::schedule_date::Opening { from_s: 32_400, to_s: 46_800 }];
        let dates = vec![
            v1::ScheduleDate { date: "2026-12-24".into(), openings },
            v1::ScheduleDate { date: "2026-12-25".into(), openings: Vec::new() },
        ];
        v1::Schedule { zone: "Europe/Madrid".into(), week, dates }
    }

    #[test]
    fn a_zone_is_resolved_for_twenty_years_and_what_was_set_is_written() {
        let read = read_schedule(office(), MADE_MS).expect("sound");
        // From winter on, and two changes a year until 2045.
        assert_eq!((read.offsets.len(), read.offsets[0].east), (41, 3_600));
        // 2027-03-28 and 2027-10-31, 01:00 UTC, are the third and the fourth.
        assert_eq!(read.offsets[3], Offset { from: 1_806_195_600, east: 7_200 });
        assert_eq!(read.offsets[4], Offset { from: 1_824_944_400, east: 3_600 });
        assert_eq!((read.dates[0].date, read.dates[1].openings.len()), (20_811, 0));
        assert_eq!(write_schedule(&read), office());
        let known = write_known("office", &read, MADE_MS);
        assert_eq!((known.open, known.until_ms), (true, Some(1_796_058_000_000)));
        assert!(known.known_until_ms > Some(2_384_000_000_000), "{known:?}");
        let shown = fields(&read);
        assert_eq!(shown["week"][0]["day"], "WEEKDAY_MONDAY");
        assert_eq!(shown["dates"][1], json!({ "date": "2026-12-25", "openings": [] }));
        // Asked again later in the year, it is the same.
        assert_eq!(read_schedule(office(), MADE_MS + 86_400_000), Ok(read));
        let plain = read_schedule(v1::Schedule { zone: "UTC".into(), ..office() }, MADE_MS).expect("sound");
        assert_eq!(plain.offsets.len(), 1);
        assert_eq!(write_known("utc", &plain, MADE_MS).known_until_ms, None);
    }

    #[test]
    fn what_is_wrong_names_its_field() {
        let wrong = |change: fn(&mut v1::Schedule)| {
            let mut schedule = office();
            change(&mut schedule);
            let problem = read_schedule(schedule, MADE_MS).expect_err("wrong");
            (problem.field.clone().expect("named"), problem.message.clone())
        };
        let (field, said) = wrong(|schedule| schedule.zone = "Europe/Madird".into());
        assert_eq!(field, "schedule.zone");
        assert!(said.contains("did you mean Europe/Madrid"), "{said}");
        let (_, said) = wrong(|schedule| schedule.zone = "madrid".into());
        assert!(said.contains("Europe/Madrid"), "{said}");
        assert_eq!(wrong(|schedule| schedule.zone.clear()).0, "schedule.zone");
        assert_eq!(wrong(|schedule| schedule.week[0].day = 0).0, "schedule.week[0].day");
        assert_eq!(wrong(|schedule| schedule.week[0].day = 8).0, "schedule.week[0].day");
        let (field, said) = wrong(|schedule| schedule.dates[1].date = "25.12.2026".into());
        assert_eq!(field, "schedule.dates[1].date");
        assert!(said.contains("2026-12-25"), "{said}");
        let hours = |schedule: &str, closing| read(v1::Hours { schedule: schedule.into(), closing });
        assert_eq!(hours("office", 2).expect("sound").closing, Closing::ServeOut);
        assert_eq!(hours("office", 0).expect("sound").closing, Closing::Hold);
        assert_eq!(hours("", 0).expect_err("wrong").field.as_deref(), Some("hours.schedule"));
        assert_eq!(hours("office", 3).expect_err("wrong").field.as_deref(), Some("hours.closing"));
    }

    #[test]
    fn a_queue_shows_what_it_keeps_to() {
        let hours = Hours { schedule: "office".into(), closing: Closing::ServeOut };
        let view = HoursView { hours, state: HoursState::Closed, until_ms: Some(1_796_058_000_000) };
        let shown = write_view(&view);
        assert_eq!((shown.state, shown.until_ms), (3, Some(1_796_058_000_000)));
        assert_eq!(opens(view.until_ms), "opens at 2026-11-30T17:00:00Z");
        assert_eq!(opens(None), "its schedule never opens it");
    }
}
