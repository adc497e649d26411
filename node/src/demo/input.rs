//! What runs through the demonstration.

use anyhow::ensure;
use routing::Span;
use simulator::commands::day::read_profile;
use simulator::commands::load::{bank_credits, trace_day};
use simulator::trace::Date;
use simulator::workload::{Shift, Workload};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Domains of a profile's day, so that every node leads work.
const PROFILE_DOMAINS: u64 = 3;
/// Domains beside the one of a trace's day.
const QUIET_DOMAINS: u32 = 5;

/// A part of the day, in hours since its start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hours {
    /// From.
    pub from: f64,
    /// To.
    pub to: f64,
}

/// How hours are written, for the one who wrote them otherwise.
#[must_use]
pub fn bad_hours(text: &str) -> String {
    format!("'{text}' is no part of a day: it looks like 9-11 or 9.5-10, in hours since its start")
}

impl FromStr for Hours {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once('-').ok_or_else(|| bad_hours(text))?;
        let hour = |text: &str| text.parse::<f64>().ok().filter(|hour| (0.0..=720.0).contains(hour));
        match (hour(from), hour(to)) {
            (Some(from), Some(to)) if from < to => Ok(Self { from, to }),
            _ => Err(bad_hours(text)),
        }
    }
}

/// Where the calls come from.
#[derive(Debug, Clone)]
pub struct Input {
    /// A day of a trace, or else the shipped profile.
    pub trace: Option<(PathBuf, Date)>,
    /// A part of the day only.
    pub hours: Option<Hours>,
    /// Everything random comes from it.
    pub seed: u64,
}

impl Input {
    /// The workloads, one for a domain each, and how many domains to make beside them.
    ///
    /// # Errors
    /// The trace cannot be read, or nothing is left of the day.
    pub fn workloads(&self) -> anyhow::Result<(Vec<Workload>, u32)> {
        let (workloads, quiet) = match &self.trace {
            Some((path, date)) => (vec![trace_day(path, *date, bank_credits(), self.seed)?], QUIET_DOMAINS),
            None => {
                let profile = read_profile(Path::new("bank-day"))?;
                let day = |domain| profile.day(self.seed.wrapping_add(domain));
                ((0..PROFILE_DOMAINS).map(day).collect(), 0)
            }
        };
        let workloads: Vec<Workload> = workloads.into_iter().map(|whole| self.part(whole)).collect();
        ensure!(
            workloads.iter().any(|workload| !workload.calls.is_empty()),
            "no calls in that part of the day: choose other hours"
        );
        Ok((workloads, quiet))
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 720 hours")]
    fn part(&self, mut workload: Workload) -> Workload {
        let Some(hours) = self.hours else { return workload };
        let span = |hour: f64| Span((hour * 3_600e6) as u64);
        let (from, to) = (span(hours.from), span(hours.to).min(workload.length));
        workload.calls.retain(|call| call.at >= from && call.at < to);
        for agent in &mut workload.agents {
            let within = |shift: &Shift| Shift { from: shift.from.max(from), to: shift.to.min(to) };
            agent.shifts = agent.shifts.iter().map(within).filter(|shift| shift.from < shift.to).collect();
        }
        workload.length = to;
        workload.name = format!("{}, hours {} to {}", workload.name, hours.from, hours.to);
        workload.notes.push("Only a part of the day: it begins with nobody waiting.".to_owned());
        workload
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_or_refused_with_an_example() {
        assert_eq!("9-11".parse(), Ok(Hours { from: 9.0, to: 11.0 }));
        assert_eq!("9.5-10".parse(), Ok(Hours { from: 9.5, to: 10.0 }));
        for bad in ["", "9", "11-9", "9-", "a-b", "-1-2", "0-721"] {
            assert!(bad.parse::<Hours>().unwrap_err().contains("9-11"), "{bad}");
        }
    }

    #[test]
    fn a_part_of_the_day_keeps_what_lies_in_it() {
        let hours = Some(Hours { from: 9.0, to: 10.0 });
        let (workloads, quiet) = Input { trace: None, hours, seed: 1 }.workloads().unwrap();
        assert_eq!((workloads.len(), quiet), (3, 0));
        for workload in workloads {
            let inside = |at: Span| (Span::seconds(9 * 3_600)..=Span::seconds(10 * 3_600)).contains(&at);
            assert!(!workload.calls.is_empty() && workload.calls.iter().all(|call| inside(call.at)));
            let shifts: Vec<Shift> = workload.agents.iter().flat_map(|agent| agent.shifts.clone()).collect();
            assert!(!shifts.is_empty() && shifts.iter().all(|shift| inside(shift.from) && inside(shift.to)));
            assert_eq!(workload.length, Span::seconds(10 * 3_600));
        }
    }
}
