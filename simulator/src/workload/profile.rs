//! A workload from a profile: a day drawn from curves and shares, in TOML.

use super::{Agent, Call, Pick, Queue, Shift, Skills, Workload, span_of};
use crate::stats::Lognormal;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};
use routing::criteria::limits::{PER_STEP_MAX, SKILLS_PER_AGENT_MAX};
use routing::{Priority, Span};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The profile that is shipped.
const BANK_DAY: &str = include_str!("../../profiles/bank-day.toml");
/// Arrivals one profile may ask for on average.
const CALLS_MAX: f64 = 10_000_000.0;
/// Agents one profile may ask for.
const AGENTS_MAX: u64 = 200_000;
/// Longest contact that is drawn.
const SERVICE_MAX: Span = Span::seconds(4 * 3_600);

/// A profile as written. Unknown keys are refused.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name for people.
    pub name: String,
    /// Where it comes from.
    #[serde(default)]
    pub about: String,
    /// Length of the day in hours, above 0.
    pub length_h: f64,
    /// Mean arrivals per hour, one value for each begun hour of the length.
    pub arrivals_per_h: Vec<f64>,
    /// Seconds an agent needs after each contact.
    #[serde(default)]
    pub wrap_up_s: f64,
    /// Waiting credit by priority; first come, first served without any.
    #[serde(default)]
    pub credits: Vec<Credit>,
    /// How long callers wait.
    pub patience: Patience,
    /// Call types, which are queues.
    pub types: Vec<CallType>,
    /// Agents.
    pub staff: Vec<Staff>,
}

/// Waiting credit of a priority.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credit {
    /// The priority.
    pub priority: u8,
    /// Its worth in seconds of waiting.
    pub seconds: f64,
}

/// How long callers wait.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patience {
    /// Share that leaves unless answered in the instant of arrival.
    pub leave_at_once: f64,
    /// Survival of the others; empty means that they never leave. Between the points, and after
    /// the last one with the slope of the last stretch, patience is exponential.
    #[serde(default)]
    pub survival: Vec<Survival>,
}

/// A point of the survival curve.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survival {
    /// Seconds waited, ascending, above 0.
    pub s: f64,
    /// Share that waits longer, descending, below 1 and above 0.
    pub left: f64,
}

/// A call type.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallType {
    /// Its name, each once.
    pub name: String,
    /// Weight among the types.
    pub share: f64,
    /// Mean contact time, seconds.
    pub service_mean_s: f64,
    /// Median contact time, seconds; not above the mean: contact times are lognormal. Without it they are
    /// exponential, as in textbooks.
    #[serde(default)]
    pub service_median_s: Option<f64>,
    /// Priorities of its callers; 0 without any.
    #[serde(default)]
    pub priorities: Vec<PriorityShare>,
    /// What its callers ask of agents, as long as they wait.
    #[serde(default)]
    pub required: Skills,
    /// How its agents are picked.
    #[serde(default)]
    pub pick: Pick,
}

/// Weight of a priority.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriorityShare {
    /// The priority.
    pub priority: u8,
    /// Its weight.
    pub share: f64,
}

/// Agents of one kind.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Staff {
    /// How many.
    pub count: u64,
    /// The types they take.
    pub types: Vec<String>,
    /// When, ascending and apart.
    pub shifts: Vec<Hours>,
    /// What they can.
    #[serde(default)]
    pub skills: Skills,
}

/// A stretch of hours.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// From this hour of the day on.
    pub from_h: f64,
    /// Until this hour.
    pub to_h: f64,
}

/// Why a profile cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadProfile {
    /// It is not TOML of the right shape.
    #[error("{0}")]
    Shape(String),
    /// A value makes no sense.
    #[error("{field}: {problem}")]
    Value {
        /// Which.
        field: String,
        /// What is wrong and what would be right.
        problem: String,
    },
}

impl Profile {
    /// The profile shipped under a name, if there is one.
    #[must_use]
    pub fn shipped(name: &str) -> Option<&'static str> {
        (name == "bank-day").then_some(BANK_DAY)
    }

    /// Reads and checks a profile.
    ///
    /// # Errors
    /// [`BadProfile`].
    pub fn parse(text: &str) -> Result<Self, BadProfile> {
        let profile: Self = toml::from_str(text).map_err(|error| BadProfile::Shape(error.to_string()))?;
        profile.check()?;
        Ok(profile)
    }

    fn check(&self) -> Result<(), BadProfile> {
        let must = |good: bool, field: &str, problem: &str| {
            if good {
                return Ok(());
            }
            Err(BadProfile::Value { field: field.to_owned(), problem: problem.to_owned() })
        };
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let seconds = |value: f64| (0.0..=86_400.0).contains(&value);
        must(
            self.length_h > 0.0 && self.length_h <= 720.0,
            "length_h",
            "must be more than 0 and at most 720",
        )?;
        let hours = self.arrivals_per_h.len();
        must(
            (hours as f64 - self.length_h.ceil()).abs() < 0.5,
            "arrivals_per_h",
            &format!("has {hours} values: length_h {} needs {}", self.length_h, self.length_h.ceil()),
        )?;
        let rates_fit = self.arrivals_per_h.iter().all(|rate| (0.0..=CALLS_MAX).contains(rate));
        let sum: f64 = self.arrivals_per_h.iter().sum();
        must(
            rates_fit && sum > 0.0 && sum <= CALLS_MAX,
            "arrivals_per_h",
            "must be from 0 up, 1 to 10,000,000 in all",
        )?;
        must(seconds(self.wrap_up_s), "wrap_up_s", "must be 0 to 86400")?;
        must(
            self.credits.iter().all(|credit| seconds(credit.seconds)),
            "credits",
            "seconds must be 0 to 86400",
        )?;
        must(share(self.patience.leave_at_once), "patience.leave_at_once", "must be 0 to 1")?;
        let mut before = Survival { s: 0.0, left: 1.0 };
        for point in &self.patience.survival {
            let falls =
                point.s > before.s && point.left < before.left && point.left > 0.0 && seconds(point.s);
            must(
                falls,
                "patience.survival",
                "s must ascend from above 0, left descend from below 1 to above 0",
            )?;
            before = *point;
        }
        must(!self.types.is_empty(), "types", "at least one is needed")?;
        for kind in &self.types {
            let field = |name: &str| format!("types.{}.{name}", kind.name);
            let twice = self.types.iter().filter(|other| other.name == kind.name).count() > 1;
            must(!kind.name.is_empty() && !twice, "types.name", "must be there, each name once")?;
            must(kind.share > 0.0 && kind.share.is_finite(), &field("share"), "must be more than 0")?;
            let mean = kind.service_mean_s;
            must(
                mean > 0.0 && seconds(mean),
                &field("service_mean_s"),
                "must be more than 0, 86400 at most",
            )?;
            must(
                kind.service_median_s.is_none_or(|median| median > 0.0 && median <= mean),
                &field("service_median_s"),
                "must be more than 0 and at most the mean",
            )?;
            if let Some(problem) = kind.required.problem(PER_STEP_MAX) {
                must(false, &field("required"), &problem)?;
            }
            for skill in kind.required.names() {
                let known = self.staff.iter().any(|staff| staff.skills.names().any(|name| name == skill));
                must(known, &field("required"), &format!("nobody of the staff has '{skill}'"))?;
            }
            let weights =
                kind.priorities.iter().all(|priority| priority.share > 0.0 && priority.share.is_finite());
            must(weights, &field("priorities"), "shares must be more than 0")?;
        }
        let agents: u64 = self.staff.iter().map(|staff| staff.count.min(AGENTS_MAX)).sum();
        must((1..=AGENTS_MAX).contains(&agents), "staff", "must have 1 to 200,000 agents in all")?;
        for staff in &self.staff {
            for name in &staff.types {
                let known = self.types.iter().any(|kind| kind.name == *name);
                must(known, "staff.types", &format!("'{name}' is no type of this profile"))?;
            }
            if let Some(problem) = staff.skills.problem(SKILLS_PER_AGENT_MAX) {
                must(false, "staff.skills", &problem)?;
            }
            let mut reached = 0.0;
            for shift in &staff.shifts {
                let apart = shift.from_h >= reached && shift.to_h > shift.from_h && shift.to_h <= 720.0;
                must(apart, "staff.shifts", "must ascend, not overlap, and each end after it begins")?;
                reached = shift.to_h;
            }
        }
        Ok(())
    }

    /// A day of the profile. The same seed makes the same day.
    #[must_use]
    pub fn day(&self, seed: u64) -> Workload {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let length = span_of(self.length_h * 3_600.0);
        let mut calls = Vec::new();
        for (rate, hour) in self.arrivals_per_h.iter().zip(0_u32..) {
            // Poisson arrivals have no memory, so each hour begins anew.
            let end = f64::from(hour + 1) * 3_600.0;
            let mut at = f64::from(hour) * 3_600.0;
            loop {
                let unit: f64 = Exp1.sample(&mut rng);
                at += unit * 3_600.0 / rate;
                if at >= end || span_of(at) >= length {
                    break;
                }
                calls.push(self.call(span_of(at), &mut rng));
            }
        }
        Workload {
            name: self.name.clone(),
            queues: self.types.iter().map(|kind| self.queue(kind)).collect(),
            credits: self.credits.iter().map(|c| (Priority(c.priority), span_of(c.seconds))).collect(),
            calls,
            agents: self.agents(),
            length,
            notes: vec![
                format!("Profile {}: {}.", self.name, self.about),
                "Drawn from the seed: Poisson arrivals by the hour, types, priorities, contact times (lognormal, or \
                 exponential where no median is given), patience by its survival curve; a patience of 0 leaves if not answered in the instant of arrival."
                    .to_owned(),
            ],
        }
    }

    fn queue(&self, kind: &CallType) -> Queue {
        Queue {
            name: kind.name.clone(),
            wrap_up: span_of(self.wrap_up_s),
            pick: kind.pick.into(),
            required: kind.required.list(),
        }
    }

    fn agents(&self) -> Vec<Agent> {
        let index: BTreeMap<&str, u32> = self.types.iter().map(|kind| &kind.name[..]).zip(0..).collect();
        let mut agents = Vec::new();
        for staff in &self.staff {
            let mut queues: Vec<u32> = staff.types.iter().map(|name| index[&name[..]]).collect();
            queues.sort_unstable();
            queues.dedup();
            let shift = |hours: &Hours| Shift {
                from: span_of(hours.from_h * 3_600.0),
                to: span_of(hours.to_h * 3_600.0),
            };
            let shifts: Vec<Shift> = staff.shifts.iter().map(shift).collect();
            for _ in 0..staff.count {
                let name = format!("agent {}", agents.len() + 1);
                let (queues, shifts) = (queues.clone(), shifts.clone());
                agents.push(Agent { name, queues, shifts, skills: staff.skills.list() });
            }
        }
        agents
    }

    fn call(&self, at: Span, rng: &mut impl Rng) -> Call {
        let queue = pick(self.types.iter().map(|kind| kind.share), rng);
        let kind = &self.types[queue];
        let priority = match kind.priorities.len() {
            0 => 0,
            _ => kind.priorities[pick(kind.priorities.iter().map(|priority| priority.share), rng)].priority,
        };
        let mean = kind.service_mean_s;
        let service = |rng: &mut _| match kind.service_median_s {
            Some(median) => Lognormal::from_mean_and_median(mean, median).draw(rng),
            None => mean * Distribution::<f64>::sample(&Exp1, rng),
        };
        Call {
            at,
            queue: u32::try_from(queue).unwrap_or(u32::MAX),
            priority: Priority(priority),
            patience: self.patience.draw(rng),
            service: span_of(service(rng)).min(SERVICE_MAX),
            answer: None,
        }
    }
}

impl Patience {
    fn draw(&self, rng: &mut impl Rng) -> Option<Span> {
        if rng.random::<f64>() < self.leave_at_once {
            return Some(Span::ZERO);
        }
        let level = 1.0 - rng.random::<f64>();
        let mut before = Survival { s: 0.0, left: 1.0 };
        let mut hazard = None;
        for point in &self.survival {
            let slope = (before.left / point.left).ln() / (point.s - before.s);
            if level > point.left {
                return Some(span_of(before.s + (before.left / level).ln() / slope));
            }
            hazard = Some(slope);
            before = *point;
        }
        hazard.map(|slope| span_of(before.s + (before.left / level).ln() / slope))
    }
}

/// An index by weight.
fn pick(weights: impl Iterator<Item = f64> + Clone, rng: &mut impl Rng) -> usize {
    let mut left = rng.random::<f64>() * weights.clone().sum::<f64>();
    let mut last = 0;
    for (weight, index) in weights.zip(0..) {
        last = index;
        left -= weight;
        if left < 0.0 {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bank() -> Profile {
        Profile::parse(BANK_DAY).unwrap()
    }

    #[test]
    fn the_shipped_profile_draws_what_it_says() {
        let profile = bank();
        let days: Vec<Workload> = (0..20).map(|seed| profile.day(seed)).collect();
        assert_eq!(days[3], profile.day(3));
        let calls: Vec<&Call> = days.iter().flat_map(|day| &day.calls).collect();
        let count = calls.len() as f64;
        let wanted: f64 = profile.arrivals_per_h.iter().sum::<f64>() * 20.0;
        assert!((count / wanted - 1.0).abs() < 0.03, "{count} calls, {wanted} wanted");
        let share = |f: &dyn Fn(&Call) -> bool| calls.iter().filter(|call| f(call)).count() as f64 / count;
        assert!((share(&|call| call.queue == 0) - 0.6446).abs() < 0.01);
        assert!((share(&|call| call.patience == Some(Span::ZERO)) - 0.06).abs() < 0.005);
        let beyond = share(&|call| call.patience.is_some_and(|patience| patience > Span::seconds(240)));
        assert!((beyond - 0.94 * 0.525).abs() < 0.01, "{beyond}");
        let service: f64 = calls.iter().map(|call| call.service.as_seconds_f64()).sum::<f64>() / count;
        assert!((service - 166.0).abs() < 6.0, "mean contact {service} s");
        assert!(days[0].calls.is_sorted_by_key(|call| call.at));
    }

    #[test]
    fn a_bad_profile_is_refused_with_the_field() {
        for (from, to, message) in [
            ("length_h = 24.0", "length_h = 23.0", "arrivals_per_h: has 24 values: length_h 23 needs 23"),
            ("leave_at_once = 0.06", "leave_at_once = 1.5", "patience.leave_at_once: must be 0 to 1"),
            ("left = 0.893", "left = 0.99", "patience.survival: s must ascend"),
            ("share = 0.6446", "share = 0.0", "types.PS.share: must be more than 0"),
            ("service_median_s = 112.0", "service_median_s = 212.0", "types.PS.service_median_s: must be"),
            (
                "service_mean_s = 181.0",
                "service_mean_s = 0.0",
                "types.PS.service_mean_s: must be more than 0",
            ),
            (
                "share = 0.2419",
                "share = 0.2419\nrequired = { es = 101 }",
                "types.NW.required: levels must be",
            ),
            (
                "share = 0.2419",
                "share = 0.2419\nrequired = { es = 1 }",
                "types.NW.required: nobody of the staff has 'es'",
            ),
            ("count = 1", "skills = { '' = 1 }\ncount = 1", "staff.skills: names must be 1 to 64 bytes"),
            ("[\"PS\", \"NW\", \"TT\"]", "[\"XX\"]", "staff.types: 'XX' is no type"),
            ("to_h = 15.0", "to_h = 5.0", "staff.shifts: must ascend"),
            ("name = \"NW\"", "name = \"PS\"", "types.name: must be there, each name once"),
        ] {
            let text = BANK_DAY.replacen(from, to, 1);
            assert_ne!(text, BANK_DAY, "{from}");
            let error = Profile::parse(&text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
        let error = Profile::parse(&format!("speed = 1\n{BANK_DAY}")).unwrap_err().to_string();
        assert!(error.contains("unknown field `speed`"), "{error}");
    }
}
