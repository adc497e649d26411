//! `cargo sim scenarios`: the runs that are kept.

use super::{INTERRUPTED, block_on};
use crate::swarm::{Case, Child, End, Failure, Pool, Scenario, parse_duration};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Runs every kept scenario: the seed of each bug that was found and fixed, and planted faults that
/// must be found.
///
/// A scenario is a file in simulator/cluster/scenarios. The exit code is 1 when one does not end as
/// its file says.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Only those whose name contains this.
    #[arg(value_name = "NAME")]
    only: Option<String>,
    /// Another folder of scenarios.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Runs at a time; as many as there are cores without it.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Time for which one run may compute.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "5m")]
    limit: Duration,
}

/// Carries the command out.
///
/// # Errors
/// A file is wrong, or a process cannot be started.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let folder = options.folder.clone().unwrap_or_else(Scenario::folder);
    let mut scenarios = Scenario::all(&folder)?;
    scenarios.retain(|scenario| options.only.as_ref().is_none_or(|part| scenario.name.contains(part)));
    anyhow::ensure!(!scenarios.is_empty(), "no scenario has such a name");
    let cases = scenarios.iter().map(Scenario::case).collect::<Vec<Case>>();
    let jobs = options.jobs.unwrap_or_else(super::cores);
    let pool = Pool { child: Child::of_this_binary(options.limit)?, jobs, budget: None };
    let mut ended = vec![false; scenarios.len()];
    let mut wrong = 0_u64;
    let end = block_on(pool.run(cases.iter().cloned(), |run| {
        let failure = Failure::of(&run);
        let same = (0..cases.len()).find(|place| cases[*place] == run.case && !ended[*place]);
        let Some(place) = same else { return ControlFlow::Continue(()) };
        ended[place] = true;
        let scenario = &scenarios[place];
        match scenario.judge(failure.as_ref().map(|failure| failure.promise.as_str())) {
            Ok(()) => println!("as it should  {} ({:.1} s)", scenario.name, run.took.as_secs_f64()),
            Err(why) => {
                wrong += 1;
                println!(
                    "WRONG         {}: {why}\n    {}\n    {}",
                    scenario.name,
                    run.case.command(),
                    scenario.why.trim()
                );
                if let Some(failure) = failure {
                    println!("{}", failure.page);
                }
            }
        }
        ControlFlow::Continue(())
    }))??;
    println!("{} scenarios, {wrong} wrong", scenarios.len());
    Ok(match end {
        End::Interrupted => ExitCode::from(INTERRUPTED),
        _ => ExitCode::from(u8::from(wrong > 0)),
    })
}
