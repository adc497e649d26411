//! `centralita demo`: a whole cluster with a day of calls, by one command.

use crate::demo::{Children, Hours, Input, Launch, show, wait_until_led};
use crate::failure::{Failure, Kind};
use anyhow::Context;
use simulator::commands::load::{latencies, write, write_calls};
use simulator::load::{Load, Manners, Options, Outcome};
use simulator::report::table;
use simulator::trace::Date;
use std::path::PathBuf;

/// Share of offers that desks treat badly when a fault is planted that shows only then.
const BAD_MANNERS: f64 = 0.05;
/// Broken promises shown in full.
const SHOWN_MAX: usize = 10;

/// What to show.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A trace of calls (docs/trace-format.md) instead of the shipped profile of a day.
    #[arg(long, value_name = "FILE", requires = "date")]
    trace: Option<PathBuf>,
    /// The day of the trace, as 1999-02-10.
    #[arg(long, requires = "trace")]
    date: Option<Date>,
    /// Only these hours of the day, as 9-11.
    #[arg(long, value_name = "FROM-TO")]
    hours: Option<Hours>,
    /// Log time runs this many times as fast as real time; a whole day at 600 takes 144 s.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    speed: u32,
    /// Everything random comes from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Nodes.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=7))]
    nodes: u32,
    /// Shards.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=64))]
    shards: u32,
    /// Write the figures as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report there instead of the folder for temporary files.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write what became of each call as CSV, one line per call.
    #[arg(long, value_name = "FILE")]
    calls: Option<PathBuf>,
    /// Plants a fault in every node, to show that the checker sees it.
    #[arg(long, value_name = "BUG", hide = true)]
    plant: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// Unreadable input, a node that fails, a signal, or broken promises.
pub async fn run(args: Args) -> Result<(), Failure> {
    let input = Input { trace: args.trace.clone().zip(args.date), hours: args.hours, seed: args.seed };
    // Before anything is started: what is wrong with the input is wrong with the command line.
    let (workloads, quiet) =
        input.workloads().map_err(|error| Failure::new(Kind::Config, format!("{error:#}")))?;
    let run = async {
        let launch = Launch {
            nodes: args.nodes as usize,
            shards: args.shards,
            speed: args.speed,
            plant: args.plant.clone(),
        };
        let mut children = Children::start(&launch)?;
        eprintln!("{} nodes at {}", args.nodes, children.addresses().join(", "));
        let led = wait_until_led(&mut children).await?;
        for (node, shards) in &led {
            let shards: Vec<String> = shards.iter().map(ToString::to_string).collect();
            eprintln!("node {node} leads shards {}", shards.join(", "));
        }
        let options = Options {
            source: "demo".to_owned(),
            addresses: children.addresses().to_vec(),
            speed: Some(f64::from(args.speed)),
            seed: args.seed,
            manners: manners(args.plant.as_deref()),
            quiet_domains: quiet,
            ..Options::default()
        };
        let load = Load::prepare(options, workloads).await?;
        let screen = tokio::spawn(show(load.watcher()));
        let outcome = load.run().await;
        screen.abort();
        let outcome = outcome;
        children.check()?;
        outcome
    };
    let outcome = tokio::select! {
        outcome = run => outcome.map_err(|error| Failure::new(Kind::Other, format!("{error:#}")))?,
        signal = stopped() => return Err(Failure::new(Kind::Other, format!("stopped by {signal}"))),
    };
    finish(&args, outcome).map_err(|error| Failure::new(Kind::Other, format!("{error:#}")))
}

/// What desks must do for a planted fault to show.
fn manners(plant: Option<&str>) -> Manners {
    match plant {
        Some("offer-twice") => Manners { fickle: BAD_MANNERS, ..Manners::default() },
        Some("late-accept") => Manners { late: BAD_MANNERS, ..Manners::default() },
        _ => Manners::default(),
    }
}

/// The name of the signal that asks this process to stop, when it comes.
async fn stopped() -> &'static str {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut terminate), Ok(mut hang_up)) =
            (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
        {
            return tokio::select! {
                _ = tokio::signal::ctrl_c() => "Ctrl-C",
                _ = terminate.recv() => "SIGTERM",
                _ = hang_up.recv() => "SIGHUP",
            };
        }
    }
    let _ = tokio::signal::ctrl_c().await;
    "Ctrl-C"
}

/// What the speed makes of the cluster's latencies, in the day's own time.
fn speed_note(speed: u32, outcome: &Outcome) -> String {
    let in_log_s = |ms: f64| ms * f64::from(speed) / 1e3;
    let accept = outcome.report.accept_latency_ms.map_or(0.0, |of| of.p50);
    let offer = outcome.report.offer_latency_ms.map_or(0.0, |of| of.p50);
    format!(
        "Log time ran at speed {speed}: one millisecond of real time is {:.2} s of the day. So the median way from \
         arrival to offer ({offer:.2} ms) counts as {:.2} s, and that of an accept ({accept:.2} ms) as {:.2} s; `day` has \
         neither. A wait is longer by the accept's way, and the contact after it as much shorter. Lower the speed and they shrink in proportion.",
        in_log_s(1.0),
        in_log_s(offer),
        in_log_s(accept)
    )
}

fn finish(args: &Args, mut outcome: Outcome) -> anyhow::Result<()> {
    outcome.report.notes.push(speed_note(args.speed, &outcome));
    let kept = || std::env::temp_dir().join(format!("centralita-demo-{}.html", std::process::id()));
    let report = args.report.clone().unwrap_or_else(kept);
    write(&outcome, args.json.as_deref(), Some(&report)).context("the report cannot be written")?;
    if let Some(path) = &args.calls {
        write_calls(&outcome, path)?;
    }
    print!("{}", table(&outcome.report));
    print!("{}", latencies(&outcome));
    println!("report: {}", report.display());
    let broken = outcome.verdict.broken;
    for violation in outcome.verdict.violations.iter().take(SHOWN_MAX) {
        println!("{violation}");
    }
    println!(
        "{broken} broken promises in {} events and {} calls",
        outcome.verdict.events, outcome.verdict.calls
    );
    // A planted fault is meant to be seen.
    anyhow::ensure!(broken == 0 || args.plant.is_some(), "promises were broken: please report this");
    Ok(())
}
