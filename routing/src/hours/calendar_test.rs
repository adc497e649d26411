//! What schedules say, against instants that were worked out elsewhere.

use super::limits::DATES_MAX;
use super::{OfDate, Offset, Opening, Said, Schedule, Weekday};
use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};

const WORKDAYS: [Weekday; 5] = [Monday, Tuesday, Wednesday, Thursday, Friday];
const HOUR: u32 = 3_600;
/// 2027-03-28 and 2027-10-31, both 01:00 UTC: clocks of Madrid go from 02:00 to 03:00, and from 03:00 to 02:00.
const SPRING: i64 = 1_806_195_600;
const AUTUMN: i64 = 1_824_944_400;

fn time(from: u32, to: u32) -> Opening {
    Opening { from, to }
}

/// At these hours of these days, by clocks of UTC.
fn utc(days: &[Weekday], from: u32, to: u32) -> Schedule {
    let week = days.iter().map(|day| (*day, time(from * HOUR, to * HOUR))).collect();
    let offsets = vec![Offset { from: 0, east: 0 }];
    Schedule { zone: "UTC".to_owned(), offsets, week, dates: Vec::new() }
}

/// In minutes of these days, by clocks of Madrid, from autumn 2026 to spring 2028.
fn madrid(days: &[Weekday], from: u32, to: u32) -> Schedule {
    let week = days.iter().map(|day| (*day, time(from * 60, to * 60))).collect();
    let changes = [(1_792_890_000, 1), (SPRING, 2), (AUTUMN, 1), (1_837_645_200, 2)];
    let offsets = changes.map(|(from, hours)| Offset { from, east: hours * 3_600 }).to_vec();
    Schedule { zone: "Europe/Madrid".to_owned(), offsets, week, dates: Vec::new() }
}

fn on(schedule: Schedule, date: i32, openings: &[Opening]) -> Schedule {
    let mut schedule = schedule;
    schedule.dates.push(OfDate { date, openings: openings.to_vec() });
    schedule
}

/// Asks at each of these instants, in seconds, for what it says and until when.
fn say(schedule: &Schedule, expected: &[(i64, bool, Option<i64>)]) {
    for (instant, open, until) in expected {
        let said = schedule.at(u64::try_from(*instant).expect("after 1970") * 1_000);
        let until_ms = until.map(|until| u64::try_from(until).expect("after 1970") * 1_000);
        assert_eq!(said, Said { open: *open, until_ms }, "at {instant} by {schedule:?}");
    }
}

#[test]
fn office_hours_begin_and_end_to_the_second() {
    // Monday 2027-01-04, 09:00 to 18:00 in Madrid is 08:00 to 17:00 UTC.
    let office = madrid(&WORKDAYS, 9 * 60, 18 * 60);
    let (begin, end) = (1_799_049_600, 1_799_082_000);
    say(
        &office,
        &[
            (begin - 1, false, Some(begin)),
            (begin, true, Some(end)),
            (end - 1, true, Some(end)),
            (end, false, Some(begin + 86_400)),
            // Friday 2027-01-08, 18:00, to the Monday after it.
            (1_799_427_600, false, Some(1_799_654_400)),
        ],
    );
    let said = office.at(1_799_049_599_999);
    assert_eq!(said, Said { open: false, until_ms: Some(1_799_049_600_000) }, "a millisecond before");
}

#[test]
fn what_spring_skips_is_no_time_at_all() {
    // 02:30 to 03:30: only what is after 03:00 is there, and it comes at once after 02:00.
    let half = madrid(&[Sunday], 150, 210);
    say(&half, &[(SPRING - 1_800, false, Some(SPRING)), (SPRING, true, Some(SPRING + 1_800))]);
    // 02:15 to 02:45 is not there at all: open again a week later, 02:15 by summer clocks.
    let skipped = madrid(&[Sunday], 135, 165);
    say(&skipped, &[(SPRING - 1_800, false, Some(1_806_797_700)), (SPRING, false, Some(1_806_797_700))]);
    // 01:00 to 04:00 lasts for two hours.
    let across = madrid(&[Sunday], 60, 240);
    say(&across, &[(SPRING - 3_600, true, Some(SPRING + 3_600)), (SPRING, true, Some(SPRING + 3_600))]);
    // The Monday after it, 09:00 is 07:00 UTC.
    say(&madrid(&WORKDAYS, 540, 1_080), &[(SPRING, false, Some(1_806_303_600))]);
}

#[test]
fn what_autumn_repeats_is_open_twice() {
    let twice = madrid(&[Sunday], 135, 165);
    let (first, second) = (1_824_941_700, 1_824_945_300);
    say(
        &twice,
        &[
            (first, true, Some(first + 1_800)),
            (first + 1_800, false, Some(second)),
            (second, true, Some(second + 1_800)),
        ],
    );
    // 01:00 to 02:30: closed at the first 02:30, open again when clocks read 02:00 for the second time.
    let until_half = madrid(&[Sunday], 60, 150);
    say(
        &until_half,
        &[
            (1_824_942_599, true, Some(1_824_942_600)),
            (1_824_942_600, false, Some(AUTUMN)),
            (AUTUMN, true, Some(1_824_946_200)),
        ],
    );
    // A day of 25 hours.
    say(&madrid(&[Sunday], 0, 1_440), &[(1_824_933_600, true, Some(1_825_023_600))]);
}

#[test]
fn an_evening_passes_midnight_into_a_holiday() {
    // Friday 22:00 to 02:00; the Saturday after it, 2027-01-09, nothing begins.
    let late = on(madrid(&[Friday, Saturday], 22 * 60, 26 * 60), 20_827, &[]);
    let (begin, end) = (1_799_442_000, 1_799_456_400);
    say(
        &late,
        &[
            (1_799_427_600, false, Some(begin)),
            (begin, true, Some(end)),
            (end - 1_800, true, Some(end)),
            // Not that Saturday, but the next Friday.
            (end, false, Some(begin + 7 * 86_400)),
        ],
    );
}

#[test]
fn a_half_day_and_a_holiday() {
    let office = on(madrid(&WORKDAYS, 540, 1_080), 20_811, &[time(9 * HOUR, 13 * HOUR)]);
    let office = on(office, 20_812, &[]);
    say(
        &office,
        &[
            (1_798_099_200, true, Some(1_798_113_600)),
            // Christmas Eve at 13:00, until the Monday after Christmas.
            (1_798_113_600, false, Some(1_798_444_800)),
            (1_798_200_000, false, Some(1_798_444_800)),
        ],
    );
}

#[test]
fn openings_that_overlap_or_touch_are_one() {
    let mut office = madrid(&[Monday], 14 * 60, 18 * 60);
    office.week.push((Monday, time(9 * HOUR, 12 * HOUR)));
    office.week.push((Monday, time(11 * HOUR, 14 * HOUR)));
    office.week.push((Monday, time(10 * HOUR, 11 * HOUR)));
    say(&office, &[(1_799_049_600, true, Some(1_799_082_000)), (1_799_049_599, false, Some(1_799_049_600))]);
    // Two days that touch at midnight: Monday 2027-01-04 and the Tuesday.
    say(&utc(&[Monday, Tuesday], 0, 24), &[(1_799_049_600, true, Some(1_799_193_600))]);
}

#[test]
fn never_open_and_always_open() {
    say(&utc(&[], 0, 24), &[(0, false, None), (SPRING, false, None)]);
    say(&utc(&Weekday::ALL, 0, 24), &[(0, true, None), (AUTUMN, true, None)]);
    say(&madrid(&Weekday::ALL, 0, 1_440), &[(1_799_049_600, true, None), (AUTUMN - 1, true, None)]);
    // Open throughout but for the last hour of Sunday, 2027-01-10.
    let mut nearly = utc(&WORKDAYS, 0, 24);
    nearly.week.extend([(Saturday, time(0, 24 * HOUR)), (Sunday, time(0, 23 * HOUR))]);
    say(&nearly, &[(1_799_049_600, true, Some(1_799_622_000)), (1_799_622_000, false, Some(1_799_625_600))]);
}

#[test]
fn far_future() {
    // 2050-06-01.
    let (date, midnight) = (29_371, 2_537_654_400);
    let once = on(utc(&[], 0, 0), date, &[time(9 * HOUR, 10 * HOUR)]);
    say(&once, &[(0, false, Some(midnight + 32_400)), (midnight + 32_400, true, Some(midnight + 36_000))]);
    say(&once, &[(midnight + 36_000, false, None)]);
    let but_once = on(utc(&Weekday::ALL, 0, 24), date, &[]);
    say(&but_once, &[(0, true, Some(midnight)), (midnight, false, Some(midnight + 86_400))]);
    say(&but_once, &[(midnight + 86_400, true, None)]);
    // The last offset counts for all time after it: Monday 2050-06-06, 09:00 by summer clocks.
    say(&madrid(&[Monday], 540, 1_080), &[(midnight, false, Some(midnight + 5 * 86_400 + 7 * 3_600))]);
    // Nobody lives to see it, and nothing breaks.
    assert!(once.at(u64::MAX).until_ms.is_none());
    assert!(utc(&Weekday::ALL, 9, 18).at(u64::MAX).until_ms.is_some());
}

#[test]
fn before_its_first_offset_that_one_counts() {
    let mut late = madrid(&[Thursday], 540, 1_080);
    // 1970-01-01 was a Thursday.
    say(&late, &[(0, false, Some(8 * 3_600))]);
    late.offsets.clear();
    say(&late, &[(0, false, Some(9 * 3_600))]);
}

#[test]
fn a_year_of_holidays_is_looked_through() {
    let mut shut = utc(&Weekday::ALL, 9, 18);
    let first = 20_822;
    shut.dates = (first..).take(DATES_MAX).map(|date| OfDate { date, openings: Vec::new() }).collect();
    let begin = i64::from(first) * 86_400;
    say(&shut, &[(begin, false, Some(begin + 366 * 86_400 + 32_400))]);
    let mut open = utc(&Weekday::ALL, 0, 24);
    let whole = vec![time(0, 24 * HOUR)];
    open.dates = (first..).take(DATES_MAX).map(|date| OfDate { date, openings: whole.clone() }).collect();
    say(&open, &[(begin, true, None)]);
    open.dates[365].openings.clear();
    say(&open, &[(begin, true, Some(begin + 365 * 86_400))]);
}
