//! `centralita-sim day`: a day through the routing core alone.

use crate::day::{self, Day, Options, Settings, Simulated};
use crate::report::{Page, page, table};
use crate::trace::{self, Date};
use crate::workload::{Imputer, Profile, Textbook, span_of};
use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use routing::settings::limits;
use routing::{PlantedBug, Priority, Span};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What is drawn as progress, and not before this long.
const SILENT: Duration = Duration::from_secs(2);

/// What to run: a trace, a profile, or one textbook queue.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A trace of calls (docs/trace-format.md).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["profile", "arrivals_per_s"])]
    trace: Option<PathBuf>,
    /// A day of the trace, as 1999-02-10; may be repeated. All days by default.
    #[arg(long, requires = "trace")]
    date: Vec<Date>,
    /// A profile (docs/profiles.md): a TOML file, or `bank-day`, which is shipped.
    #[arg(long, value_name = "FILE|bank-day", conflicts_with = "arrivals_per_s")]
    profile: Option<PathBuf>,
    /// Waiting credit of a priority in seconds, as 2=90; may be repeated. Longest wait less credit
    /// goes first. The bank's rule by default.
    #[arg(long, value_name = "PRIORITY=SECONDS", value_parser = credit, default_value = "2=90", requires = "trace")]
    credit: Vec<(Priority, Span)>,

    /// Poisson arrivals of a textbook queue, per second.
    #[arg(long, value_name = "RATE", requires_all = ["service_s", "agents", "hours"], value_parser = positive)]
    arrivals_per_s: Option<f64>,
    /// Mean of the exponential contact times, seconds.
    #[arg(long, value_name = "SECONDS", requires = "arrivals_per_s", value_parser = positive)]
    service_s: Option<f64>,
    /// Agents.
    #[arg(long, value_name = "N", requires = "arrivals_per_s", value_parser = clap::value_parser!(u32).range(1..=200_000))]
    agents: Option<u32>,
    /// Mean of the exponential patience, seconds; without it nobody hangs up.
    #[arg(long, value_name = "SECONDS", requires = "arrivals_per_s", value_parser = positive)]
    patience_s: Option<f64>,
    /// Hours to run, the warm-up included.
    #[arg(long, value_name = "HOURS", requires = "arrivals_per_s", value_parser = positive)]
    hours: Option<f64>,
    /// Hours that do not count; a twentieth of the hours by default.
    #[arg(long, value_name = "HOURS", requires = "arrivals_per_s", value_parser = not_negative)]
    warmup_hours: Option<f64>,

    /// Threshold of the service level, seconds.
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = not_negative)]
    threshold_s: f64,
    /// How long agents take to answer an offer, seconds; at once by default.
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = answer)]
    answer_s: f64,
    /// Everything random comes from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Runs with different randomness, added up.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    replications: u64,
    /// Confidence of the intervals.
    #[arg(long, default_value = "0.99", value_parser = confidence)]
    confidence: f64,
    /// Check every promise of the contract after every entry; slow.
    #[arg(long)]
    check: bool,
    /// A fault for the core, to show that the checks see it.
    #[arg(long, hide = true)]
    plant: Option<PlantedBug>,
    /// Write the figures as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a page with pictures.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// Unreadable input, a fault of the core, or broken promises (files are written all the same).
pub fn run(args: &Args) -> anyhow::Result<()> {
    let simulated = simulate(args)?;
    print!("{}", table(&simulated.report));
    for broken in &simulated.broken {
        eprintln!("broken: {broken}");
    }
    if let Some(path) = &args.json {
        let json = serde_json::to_string_pretty(&simulated.report)?;
        std::fs::write(path, json + "\n").with_context(|| path.display().to_string())?;
    }
    if let Some(path) = &args.html {
        let Simulated { report, workload, records, .. } = &simulated;
        let html = page(&Page { report, workload, records, latencies: &[] })?;
        std::fs::write(path, html).with_context(|| path.display().to_string())?;
    }
    let broken = simulated.report.broken_promises;
    ensure!(broken == 0, "{broken} broken promises");
    Ok(())
}

fn simulate(args: &Args) -> anyhow::Result<Simulated> {
    let settings = Settings {
        threshold: span_of(args.threshold_s),
        confidence: args.confidence,
        options: Options {
            check: args.check,
            plant: args.plant,
            answer: span_of(args.answer_s),
            estimates_from: Some(Span::ZERO),
            ..Options::default()
        },
    };
    if let Some(path) = &args.trace {
        return from_trace(args, path, settings);
    }
    if let Some(path) = &args.profile {
        let profile = read_profile(path)?;
        let day = Day { make: Box::new(|seed| profile.day(seed)), logged: None };
        return run_days(args, &[day], settings);
    }
    textbook(args, settings)
}

/// A profile by name or path.
///
/// # Errors
/// It cannot be read, or a field of it is wrong.
pub fn read_profile(path: &Path) -> anyhow::Result<Profile> {
    let text = match path.to_str().and_then(Profile::shipped) {
        Some(text) => text.to_owned(),
        None => std::fs::read_to_string(path).with_context(|| path.display().to_string())?,
    };
    Profile::parse(&text).with_context(|| path.display().to_string())
}

fn from_trace(args: &Args, path: &Path, settings: Settings) -> anyhow::Result<Simulated> {
    let trace = trace::read(path)?;
    let known = trace.dates();
    for date in &args.date {
        let range = known.first().zip(known.last()).map(|(from, to)| format!("{from} to {to}"));
        ensure!(
            known.contains(date),
            "{}: no calls on {date}; it has {}",
            path.display(),
            range.unwrap_or_default()
        );
    }
    let mut dates = if args.date.is_empty() { known } else { args.date.clone() };
    dates.sort_unstable();
    dates.dedup();
    let imputer = Imputer::new(&trace, args.credit.clone());
    let days: Vec<Day<'_>> = dates
        .iter()
        .map(|date| Day {
            make: Box::new(|seed| imputer.day(*date, seed)),
            logged: Some(day::logged(trace.day(*date))),
        })
        .collect();
    run_days(args, &days, settings)
}

fn run_days(args: &Args, days: &[Day<'_>], settings: Settings) -> anyhow::Result<Simulated> {
    let total = args.replications * days.len() as u64;
    let mut progress = Progress::new(total);
    let per_replication = days.len() as u64;
    let simulated = day::days(days, args.seed, args.replications, settings, &mut |replication, day, _| {
        progress.at(replication * per_replication + day as u64);
    })?;
    progress.finish();
    Ok(simulated)
}

fn textbook(args: &Args, settings: Settings) -> anyhow::Result<Simulated> {
    let (Some(arrivals_per_s), Some(service_s), Some(agents), Some(hours)) =
        (args.arrivals_per_s, args.service_s, args.agents, args.hours)
    else {
        anyhow::bail!(
            "nothing to run: give --trace, --profile, or --arrivals-per-s with --service-s, --agents, --hours"
        );
    };
    let queue = Textbook { arrivals_per_s, service_s, agents, patience_s: args.patience_s, hours };
    let load = arrivals_per_s * service_s / f64::from(agents);
    ensure!(
        args.patience_s.is_some() || load < 1.0,
        "{agents} agents cannot serve {:.3} callers at once on average and nobody hangs up: the queue would grow \
         for ever; add agents or --patience-s",
        arrivals_per_s * service_s
    );
    let warmup_hours = args.warmup_hours.unwrap_or(hours / 20.0);
    ensure!(warmup_hours < hours, "--warmup-hours {warmup_hours} leaves nothing of --hours {hours}");
    let whole_s = hours * 3_600.0;
    let mut progress = Progress::new(args.replications * 1_000);
    let simulated = day::textbook(
        queue,
        span_of(warmup_hours * 3_600.0),
        args.seed,
        args.replications,
        settings,
        &mut |replication, now| {
            let part = now.as_seconds_f64() / whole_s * 1_000.0;
            progress.at(replication * 1_000 + span_of(part).0 / 1_000_000);
        },
    )?;
    progress.finish();
    Ok(simulated)
}

/// A bar that shows only when there is time to look at it.
struct Progress {
    bar: ProgressBar,
    since: Instant,
    shown: bool,
}

impl Progress {
    fn new(total: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent} %  {elapsed} of about {duration}")
        {
            bar.set_style(style);
        }
        Self { bar, since: Instant::now(), shown: false }
    }

    fn at(&mut self, position: u64) {
        if !self.shown && self.since.elapsed() > SILENT {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.shown = true;
        }
        self.bar.set_position(position);
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn positive(text: &str) -> Result<f64, String> {
    number(text).and_then(|value| if value > 0.0 { Ok(value) } else { Err("must be more than 0".to_owned()) })
}

/// An answer after the longest ring time never comes.
fn answer(text: &str) -> Result<f64, String> {
    let seconds = not_negative(text)?;
    let longest = limits::RING_MAX.as_seconds_f64();
    if seconds < longest { Ok(seconds) } else { Err(format!("below {longest}, the longest ring time")) }
}

fn not_negative(text: &str) -> Result<f64, String> {
    number(text)
        .and_then(|value| if value >= 0.0 { Ok(value) } else { Err("must not be below 0".to_owned()) })
}

fn confidence(text: &str) -> Result<f64, String> {
    let inside = |value: f64| value > 0.0 && value < 1.0;
    number(text)
        .and_then(|value| if inside(value) { Ok(value) } else { Err("must be between 0 and 1".to_owned()) })
}

fn number(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err("not a number".to_owned()),
    }
}

fn credit(text: &str) -> Result<(Priority, Span), String> {
    let (priority, seconds) = text.split_once('=').ok_or("must look like 2=90")?;
    let priority =
        priority.parse().map_err(|_| "the priority must be a whole number from 0 to 255".to_owned())?;
    Ok((Priority(priority), span_of(not_negative(seconds)?)))
}
