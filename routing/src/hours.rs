//! When queues are open: schedules, and how queues keep to them (docs/adr/0032). From feature level
//! [`HOURS`](crate::level::HOURS) on.
//!
//! The core knows no time zones: a schedule carries the offsets of its zone. It knows no clock either: an entry's
//! wall time is what it goes by, since log time stands still while a cluster is down.

mod calendar;
#[cfg(test)]
mod calendar_test;

use serde::{Deserialize, Serialize};

/// Bounds of schedules.
pub mod limits {
    /// Schedules of a domain.
    pub const SCHEDULES_MAX: usize = 64;
    /// Length of a schedule's name in bytes.
    pub const NAME_BYTES_MAX: usize = 64;
    /// Length of a time zone's name in bytes.
    pub const ZONE_BYTES_MAX: usize = 64;
    /// Offsets of a schedule: two a year for sixty years, and some more.
    pub const OFFSETS_MAX: usize = 128;
    /// Furthest from UTC, in seconds.
    pub const OFFSET_MAX_S: i32 = 26 * 3_600;
    /// Openings of a week.
    pub const WEEK_MAX: usize = 64;
    /// Dates with openings of their own.
    pub const DATES_MAX: usize = 366;
    /// Openings of such a date.
    pub const DAY_MAX: usize = 16;
    /// Latest end of an opening, in seconds from the midnight that its day begins with.
    pub const TO_MAX_S: u32 = 48 * 3_600;
    /// The last date that is known, 9999-12-31.
    pub const DATE_MAX: i32 = 2_932_896;
    /// By how much wall time must be behind what it was when hours were told last, in milliseconds, for all to be
    /// looked at anew: a clock was wrong then, or is now.
    pub const BEHIND_MS: u64 = 60_000;
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl Weekday {
    /// All of them, Monday first.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];
}

/// A time of a day, or of a day and the next one, as local clocks read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Opening {
    /// Seconds from midnight of its day, up to 86,399.
    pub from: u32,
    /// Seconds from the same midnight, more than `from`, up to 172,800; not part of it.
    pub to: u32,
}

/// A date with openings of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfDate {
    /// Days since 1970-01-01.
    pub date: i32,
    /// What begins on it, instead of what the week says; nothing: it is closed.
    pub openings: Vec<Opening>,
}

/// How far local clocks are from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Offset {
    /// From when on, in seconds since 1970-01-01 UTC. The first one counts for all time before it too.
    pub from: i64,
    /// Seconds east of UTC.
    pub east: i32,
}

/// When something is open: what local clocks read then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The time zone's name, for people alone.
    pub zone: String,
    /// What its clocks read, in the order of time; at least one.
    pub offsets: Vec<Offset>,
    /// What begins on which day of the week, in any order. Those that overlap or touch are one.
    pub week: Vec<(Weekday, Opening)>,
    /// Dates that have openings of their own, in order, each once.
    pub dates: Vec<OfDate>,
}

/// What a schedule says of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// Whether it is open.
    pub open: bool,
    /// When that changes, in Unix milliseconds; `None`: it never does.
    pub until_ms: Option<u64>,
}

/// What becomes of those who wait when the hours of their queue end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Closing {
    /// They wait on, at their age, for the queue to open.
    #[default]
    Hold,
    /// The queue goes on making offers until nobody waits for one and none rings.
    ServeOut,
}

/// How a queue keeps to a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// The schedule's name.
    pub schedule: String,
    /// What becomes of those who wait when they end.
    pub closing: Closing,
}

/// How a queue with hours stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HoursState {
    /// It makes offers.
    Open,
    /// Its hours are over, and it makes offers to those who wait.
    Closing,
    /// It makes no offers; what rings goes on ringing.
    Closed,
}

/// A queue's hours as they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoursView {
    /// What it keeps to.
    pub hours: Hours,
    /// Whether it is open.
    pub state: HoursState,
    /// When its schedule changes next, in Unix milliseconds: it opens then, or its hours end; `None`: never.
    pub until_ms: Option<u64>,
}
