//! `ctl schedule` and `ctl schedules`: when queues that keep to a schedule are open.

mod words;

use super::client::{Client, mutation};
use super::json::from_json;
use super::output::{Output, facts, table};
use crate::failure::{Failure, Kind};
use jiff::Timestamp;
use proto::v1;
use proto::v1::admin_client::AdminClient;
use std::collections::BTreeMap;
use std::path::PathBuf;

pub(super) const EXAMPLES: &str = "\
Examples:
  centralita ctl schedule dom_1 office
  centralita ctl schedule dom_1 office --zone Europe/Madrid --week 'mon-fri 09:00-18:00' --week 'sat 10:00-14:00' \\
      --date 2026-12-25 --date '2026-12-24 09:00-13:00'
  centralita ctl schedule dom_1 bar --zone Europe/Lisbon --week 'fri,sat 22:00-04:00'
  centralita ctl --json schedule dom_1 office | jq .schedule > office.json
  centralita ctl schedule dom_2 office --file office.json
  centralita ctl schedule dom_1 bar --none

--week DAYS TIMES: mon, mon-fri, sat,sun; 09:00-18:00, or 09:00-13:00,15:00-18:00. A time that ends before it begins
ends on the next day. Times that overlap or touch are one.
--date DATE [TIMES]: what begins on that date instead of what the week says; without times it is closed.
Times are what local clocks read: what they skip in spring is no time at all, what they repeat in autumn is there twice.
What is given replaces the whole schedule. The zone is looked up for twenty years; where its law changes, set it again.
A queue keeps to a schedule by ctl hours.";

/// Shows a schedule, or replaces it.
#[derive(Debug, clap::Args)]
pub(super) struct Schedule {
    /// Whose.
    domain: String,
    /// Its name.
    name: String,
    /// The time zone, as the IANA names it: Europe/Madrid, UTC.
    #[arg(long)]
    zone: Option<String>,
    /// Days of the week and times. Several: given again.
    #[arg(long = "week", value_name = "DAYS TIMES", value_parser = words::week, requires = "zone")]
    week: Vec<words::Openings>,
    /// A date with times of its own, or none. Several: given again.
    #[arg(long = "date", value_name = "DATE [TIMES]", value_parser = words::date, requires = "zone")]
    dates: Vec<v1::ScheduleDate>,
    /// All of it as JSON, as `ctl --json schedule` prints it under "schedule".
    #[arg(long, value_name = "FILE", conflicts_with_all = ["zone", "week", "dates"])]
    file: Option<PathBuf>,
    /// Deletes it.
    #[arg(long, conflicts_with_all = ["zone", "week", "dates", "file"])]
    none: bool,
}

impl Schedule {
    pub(super) async fn run(self, client: &Client, out: Output, supervisor: String) -> Result<(), Failure> {
        let schedule = match self.wanted()? {
            None if !self.none => {
                let known = find(client, &self.domain, &self.name).await?;
                return out.print("KnownSchedule", &known, shown);
            }
            schedule => schedule,
        };
        let (domain, name) = (self.domain, self.name);
        let request = v1::SetScheduleRequest { mutation: mutation(), supervisor, domain, name, schedule };
        let call = || async { AdminClient::new(client.channel.clone()).set_schedule(request.clone()).await };
        out.done(&client.call(call).await?)
    }

    /// The schedule that is given; none: to be shown or deleted.
    fn wanted(&self) -> Result<Option<v1::Schedule>, Failure> {
        if let Some(file) = &self.file {
            let unreadable =
                |error| Failure::new(Kind::Config, format!("{} cannot be read: {error}", file.display()));
            return from_json("Schedule", &std::fs::read_to_string(file).map_err(unreadable)?).map(Some);
        }
        let Some(zone) = self.zone.clone() else { return Ok(None) };
        if self.week.is_empty() && self.dates.is_empty() {
            return Err(Failure::new(Kind::Config, "the schedule would never be open")
                .remedy("say when it is: --week 'mon-fri 09:00-18:00', --date '2026-12-24 09:00-13:00'"));
        }
        let mut dates: BTreeMap<String, v1::ScheduleDate> = BTreeMap::new();
        for one in &self.dates {
            let of = dates.entry(one.date.clone());
            let of = of.or_insert_with(|| v1::ScheduleDate { date: one.date.clone(), openings: Vec::new() });
            of.openings.extend(one.openings.iter().copied());
        }
        let week = self.week.iter().flat_map(|one| one.0.clone()).collect();
        Ok(Some(v1::Schedule { zone, week, dates: dates.into_values().collect() }))
    }
}

/// Lists a domain's schedules.
#[derive(Debug, clap::Args)]
pub(super) struct Schedules {
    /// Whose.
    domain: String,
}

impl Schedules {
    pub(super) async fn run(self, client: &Client, out: Output) -> Result<(), Failure> {
        let all = list(client, &self.domain).await?;
        out.print("ListSchedulesResponse", &all, |all| {
            let mut table = table(["SCHEDULE", "ZONE", "NOW", "UNTIL"]);
            table.add_rows(all.schedules.iter().map(|one| {
                let zone = one.schedule.as_ref().map(|schedule| schedule.zone.clone()).unwrap_or_default();
                let now = if one.open { "open" } else { "closed" };
                [one.name.clone(), zone, now.to_owned(), until(one)]
            }));
            table
        })
    }
}

async fn list(client: &Client, domain: &str) -> Result<v1::ListSchedulesResponse, Failure> {
    let request = v1::ListSchedulesRequest { domain: domain.to_owned() };
    let call = || async { AdminClient::new(client.channel.clone()).list_schedules(request.clone()).await };
    client.call(call).await
}

async fn find(client: &Client, domain: &str, name: &str) -> Result<v1::KnownSchedule, Failure> {
    let all = list(client, domain).await?.schedules;
    let names: Vec<String> = all.iter().map(|one| one.name.clone()).collect();
    all.into_iter().find(|one| one.name == name).ok_or_else(|| {
        let there = if names.is_empty() { "it has none yet".to_owned() } else { names.join(", ") };
        Failure::new(Kind::Config, format!("{domain} has no schedule '{name}'"))
            .remedy(format!("its schedules: {there}; --zone, --week and --date make one"))
    })
}

fn until(known: &v1::KnownSchedule) -> String {
    known.until_ms.map_or_else(|| "for ever".to_owned(), instant)
}

/// An instant in words, in UTC.
pub(super) fn instant(ms: u64) -> String {
    let at = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| ms.to_string(), |at| at.to_string())
}

fn shown(known: &v1::KnownSchedule) -> String {
    let schedule = known.schedule.clone().unwrap_or_default();
    let clocks = known.known_until_ms.map_or_else(
        || "never change".to_owned(),
        |ms| format!("known until {}", instant(ms).split('-').next().unwrap_or_default()),
    );
    let now = format!("{} until {}", if known.open { "open" } else { "closed" }, until(known));
    let week = words::of_week(&schedule.week).join("\n");
    let dates: Vec<String> = schedule.dates.iter().map(words::of_date).collect();
    let dates = if dates.is_empty() { "none".to_owned() } else { dates.join("\n") };
    facts([
        ("schedule", known.name.clone()),
        ("zone", schedule.zone),
        ("clocks", clocks),
        ("now", now),
        ("week", if week.is_empty() { "never".to_owned() } else { week }),
        ("dates", dates),
    ])
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::super::json::to_json;
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        schedule: Schedule,
    }

    fn given(args: &[&str]) -> Result<Schedule, String> {
        let args = ["ctl", "dom_1", "office"].iter().chain(args);
        Only::try_parse_from(args).map(|only| only.schedule).map_err(|error| error.to_string())
    }

    const OFFICE: [&str; 10] = [
        "--zone",
        "Europe/Madrid",
        "--week",
        "mon-fri 09:00-18:00",
        "--week",
        "sat 22:00-02:00",
        "--date",
        "2026-12-25",
        "--date",
        "2026-12-24 09:00-13:00",
    ];

    #[test]
    fn all_of_it_is_shown_and_its_json_can_be_given_back() {
        let schedule = given(&OFFICE).expect("well formed").wanted().expect("well formed").expect("some");
        assert_eq!((schedule.week.len(), schedule.dates.len()), (6, 2));
        assert_eq!(schedule.dates[0].date, "2026-12-24", "in order");
        let known = v1::KnownSchedule {
            name: "office".into(),
            schedule: Some(schedule.clone()),
            open: true,
            until_ms: Some(1_796_058_000_000),
            known_until_ms: Some(2_392_942_800_000),
        };
        let said = shown(&known);
        for part in
            ["mon-fri 09:00-18:00", "sat 22:00-02:00", "2026-12-25 closed", "open until 2026-11-30T17"]
        {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(said.contains("known until 2045"), "{said}");
        let json = to_json("Schedule", &schedule).expect("known");
        assert_eq!(from_json::<v1::Schedule>("Schedule", &json.to_string()), Ok(schedule));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(given(&[]).expect("fine").wanted(), Ok(None));
        assert_eq!(given(&["--none"]).expect("fine").wanted(), Ok(None));
        let never = given(&["--zone", "UTC"]).expect("parsed").wanted().expect_err("never open");
        assert!(never.message.contains("never be open"), "{never:?}");
        assert!(given(&["--week", "mon 09:00-10:00"]).expect_err("no zone").contains("--zone"));
        assert!(given(&["--zone", "UTC", "--date", "25.12.2026"]).expect_err("wrong").contains("2026-12-25"));
    }
}
