//! `centralita-sim load`: drives a running cluster through gRPC.

use super::day::read_profile;
use crate::load::{Load, Manners, Options, Outcome, Synthetic, Watcher};
use crate::report::{CallEnd, LatencyMs, Page, page, table};
use crate::trace::{self, Date};
use crate::workload::{Imputer, Workload, span_of};
use anyhow::{Context, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use routing::{Priority, Span};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What to drive, and with what.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Nodes of the cluster as host:port, separated by commas.
    #[arg(long, value_name = "ADDR[,ADDR…]", value_delimiter = ',', required = true)]
    target: Vec<String>,

    /// A trace of calls (docs/trace-format.md).
    #[arg(long, value_name = "FILE", requires = "date", conflicts_with_all = ["profile", "agents"])]
    trace: Option<PathBuf>,
    /// The day of the trace, as 1999-02-10.
    #[arg(long, requires = "trace")]
    date: Option<Date>,
    /// A profile: a TOML file, or `bank-day`, which is shipped.
    #[arg(long, value_name = "FILE|bank-day", conflicts_with = "agents")]
    profile: Option<PathBuf>,

    /// So many agents, each a session, for calls at --rate.
    #[arg(long, value_name = "N", requires = "rate", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    agents: Option<u32>,
    /// Calls per second of log time.
    #[arg(long, value_name = "PER_S", requires = "agents")]
    rate: Option<f64>,
    /// For how long calls arrive, log time: 60s, 5m, 2h.
    #[arg(long, default_value = "60s", value_parser = duration)]
    duration: Span,
    /// Queues of the synthetic load; each agent belongs to two.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    queues: u32,
    /// Share of the agents' time that the calls take.
    #[arg(long, default_value_t = 0.8)]
    occupancy: f64,
    /// Domains that the load is given to, each with the whole of it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    domains: u32,

    /// Speed of the cluster's log time; refused when the cluster runs at another.
    #[arg(long)]
    speed: Option<f64>,
    /// Everything random comes from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threshold of the service level, seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0)]
    threshold_s: f64,
    /// Time for one request to be answered, retries included, real seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    deadline_s: u64,
    /// Share of offers that desks decline.
    #[arg(long, default_value_t = 0.0)]
    reject_share: f64,
    /// Write the figures as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report as one HTML page.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write what became of each call as CSV, one line per call.
    #[arg(long, value_name = "FILE")]
    calls: Option<PathBuf>,
}

/// One day of a trace.
///
/// # Errors
/// The file cannot be read, or knows nothing of that day.
pub fn trace_day(
    path: &Path,
    date: Date,
    credits: Vec<(Priority, Span)>,
    seed: u64,
) -> anyhow::Result<Workload> {
    let trace = trace::read(path)?;
    let known = trace.dates();
    let range = known.first().zip(known.last()).map(|(from, to)| format!("{from} to {to}"));
    ensure!(
        known.contains(&date),
        "{}: no calls on {date}; it has {}",
        path.display(),
        range.unwrap_or_default()
    );
    Ok(Imputer::new(&trace, credits).day(date, seed))
}

/// The bank's rule: a caller of priority 2 starts with 90 s of waiting.
#[must_use]
pub fn bank_credits() -> Vec<(Priority, Span)> {
    vec![(Priority(2), Span::seconds(90))]
}

/// Runs the command.
///
/// # Errors
/// Unreadable input, a cluster that does not answer, or broken promises.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(drive(args))
}

fn workloads(args: &Args) -> anyhow::Result<Vec<Workload>> {
    let one = |seed: u64| match (&args.trace, args.date, &args.profile, args.agents, args.rate) {
        (Some(path), Some(date), ..) => trace_day(path, date, bank_credits(), seed),
        (_, _, Some(path), ..) => {
            let workload = read_profile(path)?.day(seed);
            ensure!(
                !workload.is_for_day_alone(),
                "{}: skills and ways to pick are for `centralita-sim day`; `load` would leave them out",
                path.display()
            );
            Ok(workload)
        }
        (.., Some(agents), Some(rate_per_s)) => {
            ensure!(rate_per_s > 0.0 && rate_per_s.is_finite(), "--rate must be more than 0");
            ensure!(args.occupancy > 0.0 && args.occupancy < 2.0, "--occupancy must be between 0 and 2");
            let (queues, duration, occupancy) = (args.queues, args.duration, args.occupancy);
            let patience = Span::seconds(60);
            Ok(Synthetic { agents, queues, rate_per_s, duration, occupancy, patience }.workload(seed))
        }
        _ => bail!("nothing to run: give --trace and --date, --profile, or --agents and --rate"),
    };
    (0..args.domains).map(|number| one(args.seed.wrapping_add(u64::from(number)))).collect()
}

async fn drive(args: &Args) -> anyhow::Result<()> {
    let options = Options {
        addresses: args.target.clone(),
        speed: args.speed,
        seed: args.seed,
        threshold: span_of(args.threshold_s),
        patience: Duration::from_secs(args.deadline_s),
        manners: Manners { reject: args.reject_share, ..Manners::default() },
        ..Options::default()
    };
    let workloads = workloads(args)?;
    let load = Load::prepare(options, workloads).await?;
    let bar = tokio::spawn(progress(load.watcher()));
    let outcome = load.run().await;
    bar.abort();
    let outcome = outcome?;
    print!("{}", table(&outcome.report));
    print!("{}", latencies(&outcome));
    write(&outcome, args.json.as_deref(), args.html.as_deref())?;
    if let Some(path) = &args.calls {
        write_calls(&outcome, path)?;
    }
    for violation in outcome.verdict.violations.iter().take(20) {
        eprintln!("{violation}");
    }
    let broken = outcome.verdict.broken;
    ensure!(broken == 0, "{broken} broken promises in {} events", outcome.verdict.events);
    Ok(())
}

/// Latencies that the report has no key for.
#[must_use]
pub fn latencies(outcome: &Outcome) -> String {
    let line = |name: &str, figures: Option<LatencyMs>| {
        figures.map_or(String::new(), |of| {
            format!("{name}: p50 {:.2} ms, p99 {:.2} ms, p999 {:.2} ms\n", of.p50, of.p99, of.p999)
        })
    };
    line("answer to a start", outcome.start_latency_ms)
        + &line("answer to an accept", outcome.report.accept_latency_ms)
}

/// Writes the files asked for.
///
/// # Errors
/// A file cannot be written, or a picture not be drawn.
pub fn write(outcome: &Outcome, json: Option<&Path>, html: Option<&Path>) -> anyhow::Result<()> {
    if let Some(path) = json {
        let text = serde_json::to_string_pretty(&outcome.report)?;
        std::fs::write(path, text + "\n").with_context(|| path.display().to_string())?;
    }
    if let Some(path) = html {
        let text = page(&Page {
            report: &outcome.report,
            workload: &outcome.workload,
            records: &outcome.records,
            latencies: &outcome.latencies,
        })?;
        std::fs::write(path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Writes what became of each call, as CSV: one line per call, in the order meant, domain by domain.
/// Times in seconds of log time; a cell is empty where the call never came that far.
///
/// # Errors
/// The file cannot be written.
pub fn write_calls(outcome: &Outcome, path: &Path) -> anyhow::Result<()> {
    let mut file = csv::Writer::from_path(path).with_context(|| path.display().to_string())?;
    file.write_record([
        "domain",
        "call",
        "queue",
        "meant_s",
        "late_s",
        "end",
        "wait_s",
        "answer_s",
        "service_s",
        "agent",
    ])?;
    let seconds = |span: Span| format!("{:.6}", span.as_seconds_f64());
    let name = |names: &[String], index: u32| names.get(index as usize).cloned().unwrap_or_default();
    for (domain, site) in (1..).zip(&outcome.sites) {
        for (number, call) in (1..).zip(&site.calls) {
            let none = || (String::new(), String::new(), String::new());
            let (end, (answer, service, agent)) = match call.end {
                CallEnd::Served { service, agent, answer } => {
                    ("served", (seconds(answer), seconds(service), name(&site.agents, agent)))
                }
                CallEnd::Abandoned => ("abandoned", none()),
                CallEnd::Unserved => ("unserved", none()),
            };
            let (domain, number): (u32, u32) = (domain, number);
            file.write_record([
                domain.to_string(),
                number.to_string(),
                name(&site.queues, call.queue),
                seconds(call.at),
                seconds(call.late),
                end.to_owned(),
                seconds(call.wait),
                answer,
                service,
                agent,
            ])?;
        }
    }
    file.flush().with_context(|| path.display().to_string())
}

async fn progress(watcher: Watcher) {
    let bar = ProgressBar::new(1_000);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent} %  {msg}") {
        bar.set_style(style);
    }
    loop {
        let now = watcher.progress();
        let (done, all) = (now.now.0 - now.from.0, (now.length.0 - now.from.0).max(1));
        bar.set_position(done.saturating_mul(1_000) / all);
        let sum = |of: fn(&crate::load::QueueFigures) -> u64| -> u64 {
            now.sites.iter().flat_map(|(_, figures)| &figures.queues).map(of).sum()
        };
        bar.set_message(format!(
            "{} arrived, {} waiting, {} served, {} left",
            sum(|queue| queue.arrivals),
            sum(|queue| queue.waiting),
            sum(|queue| queue.served),
            sum(|queue| queue.abandoned)
        ));
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

fn duration(text: &str) -> Result<Span, String> {
    let wrong = || format!("'{text}' is no duration: it looks like 60s, 5m or 2h");
    let (number, unit_s) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1.0),
        Some((at, 'm')) => (&text[..at], 60.0),
        Some((at, 'h')) => (&text[..at], 3_600.0),
        _ => (text, 1.0),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    if number > 0.0 && number.is_finite() { Ok(span_of(number * unit_s)) } else { Err(wrong()) }
}
