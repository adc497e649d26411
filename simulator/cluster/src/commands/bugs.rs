//! `cargo sim bugs`: faults planted in the product, and whether the swarm finds them.

use super::{INTERRUPTED, Overrides, block_on};
use crate::plan::Bug;
use crate::swarm::{Case, Child, Failure, Interrupt, Seeds, Stacks, parse_duration};
use anyhow::Context;
use comfy_table::{ContentArrangement, Table, presets};
use futures::stream::{self, StreamExt};
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Lists the planted faults; with --seeds, runs seeds until each is found.
///
/// A fault counts as found when a run breaks a promise with it and the same seed without it is good.
/// The exit code is 1 when one is not found.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  cargo sim bugs\n  cargo sim bugs --seeds 0..200\n  cargo sim bugs --seeds 0..200 \
                        --only late-accept,points-kept"
)]
pub struct Options {
    /// Seeds to search, at most: A..B without B, A..=B with it.
    #[arg(long)]
    seeds: Option<Seeds>,
    /// Only these.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<Bug>,
    /// The stacks; of both, even seeds go to full and odd ones to fast.
    #[arg(long, default_value = "both")]
    stack: Stacks,
    /// Faults searched at a time; as many as there are cores without it.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Time for which one run may compute.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "5m")]
    limit: Duration,
    /// Writes the result as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What became of one planted fault.
#[derive(Debug, Clone, Serialize)]
struct Hunt {
    bug: String,
    /// Runs until it was found, or in all.
    runs: u64,
    /// `None`: it was not found.
    found: Option<Failure>,
    /// Seeds that failed without the fault as well.
    sick: Vec<u64>,
}

/// Carries the command out.
///
/// # Errors
/// A process cannot be started, or the result cannot be written.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let bugs = if options.only.is_empty() { Bug::all() } else { options.only.clone() };
    let Some(seeds) = options.seeds else {
        println!("{}", list(&bugs));
        return Ok(ExitCode::SUCCESS);
    };
    let child = Child::of_this_binary(options.limit)?;
    let jobs = options.jobs.unwrap_or_else(super::cores).max(1);
    let hunts = async {
        let mut interrupt = Interrupt::new()?;
        let mut hunts =
            stream::iter(&bugs).map(|bug| hunt(&child, *bug, seeds, options.stack)).buffer_unordered(jobs);
        let mut ended = Vec::new();
        loop {
            tokio::select! {
                hunt = hunts.next() => match hunt {
                    Some(hunt) => {
                        let hunt = hunt?;
                        println!("{}", hunt.line());
                        ended.push(hunt);
                    }
                    None => return anyhow::Ok(Some(ended)),
                },
                () = interrupt.came() => return Ok(None),
            }
        }
    };
    let Some(mut hunts) = block_on(hunts)?? else { return Ok(ExitCode::from(INTERRUPTED)) };
    hunts.sort_by(|a, b| a.bug.cmp(&b.bug));
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_vec_pretty(&hunts)?)
            .with_context(|| path.display().to_string())?;
    }
    println!("\n{}\n", table(&hunts));
    let missed = hunts.iter().filter(|hunt| hunt.found.is_none()).count();
    let most = hunts.iter().map(|hunt| hunt.runs).max().unwrap_or(0);
    println!("{} planted faults, {missed} not found; the hardest took {most} seeds", hunts.len());
    Ok(ExitCode::from(u8::from(missed > 0)))
}

async fn hunt(child: &Child, bug: Bug, seeds: Seeds, stacks: Stacks) -> anyhow::Result<Hunt> {
    let mut hunt = Hunt { bug: bug.to_string(), runs: 0, found: None, sick: Vec::new() };
    for case in stacks.cases(seeds, Overrides { bug: Some(bug), ..Overrides::default() }) {
        hunt.runs += 1;
        let Some(failure) = Failure::of(&child.run(case.clone(), &[]).await?) else { continue };
        let sound = Case { overrides: Overrides::default(), ..case };
        if Failure::of(&child.run(sound, &[]).await?).is_none() {
            hunt.found = Some(failure);
            break;
        }
        hunt.sick.push(failure.seed);
    }
    Ok(hunt)
}

impl Hunt {
    fn line(&self) -> String {
        let sick =
            if self.sick.is_empty() { String::new() } else { format!(" (sick without it: {:?})", self.sick) };
        match &self.found {
            Some(found) => format!(
                "found      {:34} {} at run {}, {}{sick}",
                self.bug, found.promise, self.runs, found.command
            ),
            None => format!("NOT FOUND  {:34} in {} runs{sick}", self.bug, self.runs),
        }
    }
}

fn list(bugs: &[Bug]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["name", "layer", "what goes wrong"]);
    for bug in bugs {
        table.add_row([bug.name(), bug.layer(), bug.about()]);
    }
    table
}

fn table(hunts: &[Hunt]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "planted fault",
        "found at run",
        "promise",
        "stack",
        "seed",
    ]);
    for Hunt { bug, runs, found, .. } in hunts {
        match found {
            Some(found) => {
                let (runs, seed) = (runs.to_string(), found.seed.to_string());
                table.add_row([bug, &runs, &found.promise, &found.stack, &seed]);
            }
            None => {
                table.add_row([bug.as_str(), "NEVER", "", "", ""]);
            }
        }
    }
    table
}
