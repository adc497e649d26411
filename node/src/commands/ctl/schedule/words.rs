//! Days and times of schedules as people write them, both ways.

use proto::v1;
use std::fmt::Write;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_S: u32 = 86_400;
const WEEK: &str = "it looks like 'mon-fri 09:00-18:00' or 'sat,sun 10:00-14:00,16:00-20:00'";
const TIMES: &str = "times look like 09:00-18:00, with commas between several";

/// What one `--week` says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Openings(pub(super) Vec<v1::WeekOpening>);

/// Reads days of the week and times.
pub(super) fn week(text: &str) -> Result<Openings, String> {
    let (days_text, times_text) =
        text.trim().split_once(' ').ok_or_else(|| format!("'{text}' has no times: {WEEK}"))?;
    let (days, times) = (days(days_text)?, times(times_text)?);
    let openings = days.iter().flat_map(|day| {
        times.iter().map(move |(from_s, to_s)| v1::WeekOpening { day: *day, from_s: *from_s, to_s: *to_s })
    });
    Ok(Openings(openings.collect()))
}

/// Reads a date, with times or without.
pub(super) fn date(text: &str) -> Result<v1::ScheduleDate, String> {
    let (date, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let bad = || format!("'{date}' is not a date: it looks like 2026-12-25");
    let read: jiff::civil::Date = date.parse().map_err(|_| bad())?;
    let times = if rest.trim().is_empty() { Vec::new() } else { times(rest)? };
    let openings =
        times.into_iter().map(|(from_s, to_s)| v1::schedule_date::Opening { from_s, to_s }).collect();
    Ok(v1::ScheduleDate { date: read.to_string(), openings })
}

/// Codes of days, from 1.
fn days(text: &str) -> Result<Vec<i32>, String> {
    let day = |name: &str| {
        let at = DAYS.iter().position(|day| *day == name.to_lowercase());
        at.ok_or_else(|| format!("'{name}' is not a day: use mon, tue, wed, thu, fri, sat or sun"))
    };
    let mut all = Vec::new();
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (day(from)?, day(to)?);
        // Round the week where it ends before it begins: sat-mon.
        let count = (to + 7 - from) % 7;
        all.extend((from..=from + count).map(|at| at % 7));
    }
    all.sort_unstable();
    all.dedup();
    all.into_iter().map(|at| i32::try_from(at + 1).map_err(|error| error.to_string())).collect()
}

/// Beginnings and ends, in seconds from midnight.
fn times(text: &str) -> Result<Vec<(u32, u32)>, String> {
    let one = |part: &str| {
        let (from, to) =
            part.trim().split_once('-').ok_or_else(|| format!("'{}' is not a time: {TIMES}", part.trim()))?;
        let (from, to) = (clock(from)?, clock(to)?);
        if from >= DAY_S {
            return Err(format!("'{}' begins after midnight: put it on the next day", part.trim()));
        }
        Ok((from, if to > from { to } else { to + DAY_S }))
    };
    text.split(',').map(one).collect()
}

/// Seconds from midnight of 09:00 or 09:00:30, up to 48:00.
fn clock(text: &str) -> Result<u32, String> {
    let bad = || format!("'{text}' is not a time of day: it looks like 09:00, or 09:00:30");
    let parts: Vec<&str> = text.trim().split(':').collect();
    let number = |part: &str, below: u32| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u32>().ok().filter(|number| digits && *number < below).ok_or_else(bad)
    };
    let [hour, minute, rest @ ..] = &parts[..] else { return Err(bad()) };
    let second = match rest {
        [] => 0,
        [second] => number(second, 60)?,
        _ => return Err(bad()),
    };
    let all = number(hour, 49)? * 3_600 + number(minute, 60)? * 60 + second;
    if all > 2 * DAY_S { Err(bad()) } else { Ok(all) }
}

fn of_clock(second: u32) -> String {
    let second = if second > DAY_S { second - DAY_S } else { second };
    let mut text = format!("{:02}:{:02}", second / 3_600, second / 60 % 60);
    if !second.is_multiple_of(60) {
        let _ = write!(text, ":{:02}", second % 60);
    }
    text
}

fn of_times(times: impl Iterator<Item = (u32, u32)>) -> String {
    // An end more than a day after its beginning is not on the next clock.
    let end = |from: u32, to: u32| {
        if to > from + DAY_S { format!("{:02}:{:02}", to / 3_600, to / 60 % 60) } else { of_clock(to) }
    };
    times.map(|(from, to)| format!("{}-{}", of_clock(from), end(from, to))).collect::<Vec<_>>().join(",")
}

/// A week in lines, days of the same times together.
pub(super) fn of_week(week: &[v1::WeekOpening]) -> Vec<String> {
    let times = |day: i32| {
        let mut times: Vec<_> =
            week.iter().filter(|one| one.day == day).map(|one| (one.from_s, one.to_s)).collect();
        times.sort_unstable();
        of_times(times.into_iter())
    };
    let mut lines: Vec<(usize, usize, String)> = Vec::new();
    for (at, code) in (1..=7).enumerate() {
        let times = times(code);
        match lines.last_mut() {
            Some((_, last, same)) if *same == times && *last + 1 == at => *last = at,
            _ => lines.push((at, at, times)),
        }
    }
    let lines = lines.into_iter().filter(|(.., times)| !times.is_empty());
    lines
        .map(|(first, last, times)| {
            let days = if first == last {
                DAYS[first].to_owned()
            } else {
                format!("{}-{}", DAYS[first], DAYS[last])
            };
            format!("{days} {times}")
        })
        .collect()
}

/// A date in a line.
pub(super) fn of_date(of: &v1::ScheduleDate) -> String {
    let times = of_times(of.openings.iter().map(|one| (one.from_s, one.to_s)));
    format!("{} {}", of.date, if times.is_empty() { "closed" } else { &times })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in [
            "mon-fri 09:00-18:00",
            "sat 10:00-14:00,16:00-20:30",
            "sun 22:00-02:00",
            "mon-sun 00:00-24:00",
            "wed 09:00:05-09:00:10",
        ] {
            let Openings(week) = week(text).expect(text);
            assert_eq!(of_week(&week), [text]);
        }
        let Openings(round) = week("sat-mon 09:00-10:00").expect("round the week");
        assert_eq!(of_week(&round), ["mon 09:00-10:00", "sat-sun 09:00-10:00"]);
        let Openings(night) = week("fri 22:00-26:00").expect("past midnight");
        assert_eq!((night[0].from_s, night[0].to_s), (79_200, 93_600));
        for text in ["2026-12-24 09:00-13:00", "2026-12-25 closed"] {
            let read = date(text.trim_end_matches(" closed")).expect(text);
            assert_eq!(of_date(&read), text);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, said) in [
            ("mon-fri", "has no times"),
            ("moon 09:00-10:00", "'moon' is not a day"),
            ("mon 9-10", "'9' is not a time of day"),
            ("mon 09:00", "is not a time"),
            ("mon 09:60-10:00", "'09:60'"),
            ("mon 25:00-26:00", "put it on the next day"),
            ("mon 09:00-49:00", "'49:00'"),
        ] {
            let error = week(text).expect_err(text);
            assert!(error.contains(said), "{error}");
        }
        assert!(date("tomorrow").expect_err("wrong").contains("looks like 2026-12-25"));
    }
}
