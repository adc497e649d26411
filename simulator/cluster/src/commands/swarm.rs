//! `cargo sim swarm`: many seeds, each in a process of its own.

use super::{INTERRUPTED, Overrides, block_on};
use crate::determinism::real_time;
use crate::swarm::{
    Child, Coverage, End, Pool, Progress, SEEDS_NEEDED_TOGETHER, Seeds, Stacks, Summary, Totals,
    parse_duration,
};
use anyhow::Context;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Failures that are shown in full; the others with one line each.
const PAGES_MAX: usize = 3;

/// Runs many seeds, on all cores, and says what broke and what was exercised.
///
/// The exit code is 1 when a promise broke, a run hung or died, or something that enough seeds must
/// exercise never happened.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo sim swarm --seeds 0..2000
  cargo sim swarm --seeds 0..100000 --budget 3m --json swarm.json
  cargo sim swarm --seeds 0..200 --stack fast --faults crash,disk-step --fail-fast")]
pub struct Options {
    /// The seeds: A..B without B, A..=B with it.
    #[arg(long, default_value = "0..200")]
    seeds: Seeds,
    /// The stacks; of both, even seeds go to full and odd ones to fast.
    #[arg(long, default_value = "both")]
    stack: Stacks,
    /// Runs at a time; as many as there are cores without it.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Real time after which no run is started: 90s, 3m, 1.5h.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    budget: Option<Duration>,
    /// Time for which one run may compute; then it is killed and counts as hung. One that waits without
    /// computing is given ten times as long.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "5m")]
    limit: Duration,
    /// Writes the result as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Stops at the first failure.
    #[arg(long)]
    fail_fast: bool,
    #[command(flatten)]
    overrides: Overrides,
}

/// Carries the command out.
///
/// # Errors
/// A process cannot be started, or the result cannot be written.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let jobs = options.jobs.unwrap_or_else(super::cores).max(1);
    let pool = Pool { child: Child::of_this_binary(options.limit)?, jobs, budget: options.budget };
    let mut totals = Totals::default();
    let mut progress = Progress::new(options.seeds.count());
    let began = real_time();
    let see = |run| {
        let failed = totals.add(&run).map(|failure| format!("FAILED  {}", failure.line()));
        progress.step(&totals);
        if let Some(line) = &failed {
            progress.say(line);
        }
        if failed.is_some() && options.fail_fast { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let cases = options.stack.cases(options.seeds, options.overrides.clone());
    let end = block_on(pool.run(cases, see))??;
    progress.finish();
    let wall = real_time().saturating_sub(began);

    let coverage = Coverage::of(&totals);
    let drawn = options.overrides.faults.is_none() && options.overrides.bug.is_none();
    let never = if drawn && coverage.is_enough() { coverage.missing() } else { Vec::new() };
    let summary = Summary::of(&totals, options.seeds, jobs, wall, never);
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_vec_pretty(&summary)?)
            .with_context(|| path.display().to_string())?;
    }
    println!("{}\n", coverage.table());
    println!("simulated seconds per second of a core, 3 nodes\n{}\n", totals.speeds.table());
    if !drawn {
        println!("Coverage is not judged: faults were chosen, not drawn.");
    } else if !coverage.is_enough() {
        println!("Coverage is not judged: fewer than {SEEDS_NEEDED_TOGETHER} runs.");
    }
    print_failures(&totals);
    for name in &summary.never {
        println!("NEVER HAPPENED  {name}");
    }
    print_end(end, &summary, options);
    Ok(match end {
        End::Interrupted => ExitCode::from(INTERRUPTED),
        _ if summary.broken.is_empty() && summary.never.is_empty() && summary.seeds > 0 => ExitCode::SUCCESS,
        _ => ExitCode::from(1),
    })
}

fn print_failures(totals: &Totals) {
    let mut failures: Vec<_> = totals.failures.iter().collect();
    failures.sort_by_key(|failure| failure.seed);
    for failure in failures.iter().take(PAGES_MAX) {
        println!("\n{}", failure.page);
    }
    if !failures.is_empty() {
        println!("failed:");
    }
    for failure in failures {
        println!("  {}", failure.line());
    }
}

fn print_end(end: End, summary: &Summary, options: &Options) {
    let Summary { seeds, virtual_hours, wall_s, commits, broken, speed_per_core, jobs, .. } = summary;
    let asked = options.seeds.count();
    match end {
        End::All => {}
        End::Budget => println!("The budget ended: {seeds} of {asked} seeds ran."),
        End::Enough => println!("Stopped at the first failure: {seeds} of {asked} seeds ran."),
        End::Interrupted => println!("Interrupted: {seeds} of {asked} seeds ran."),
    }
    println!(
        "{seeds} seeds, {virtual_hours:.2} virtual hours in {wall_s:.0} s with {jobs} at a time ({speed_per_core:.0}× a \
         core), {commits} commits: {} failed",
        broken.len()
    );
}
