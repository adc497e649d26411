//! `cargo sim meta`: the same seed twice must be the same run, to the byte.

use super::{INTERRUPTED, Overrides, block_on};
use crate::swarm::{Case, Child, Ending, Interrupt, Run, Seeds, Stacks, parse_duration};
use crate::trace::{Difference, first_difference};
use anyhow::Context;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Simulated minutes of faults in a run, unless said otherwise: all that is logged is compared.
const MINUTES: f64 = 0.4;
/// Bytes read at once.
const BUFFER_BYTES: usize = 1 << 20;

/// Runs the same seed in two processes at once, each writing everything at trace level, and compares
/// what they wrote byte for byte.
///
/// The two disturb each other on purpose. The exit code is 1 when they differ; the first difference
/// is shown, and the two logs are kept. Whether promises hold is not judged here.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  cargo sim meta --seed 17\n  cargo sim meta --seeds 0..20 --stack full")]
pub struct Options {
    /// The seed.
    #[arg(long, conflicts_with = "seeds", required_unless_present = "seeds")]
    seed: Option<u64>,
    /// Several seeds: A..B without B, A..=B with it.
    #[arg(long)]
    seeds: Option<Seeds>,
    /// The stacks; every seed runs in each.
    #[arg(long, default_value = "both")]
    stack: Stacks,
    /// Time for which one run may compute.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "5m")]
    limit: Duration,
    /// Keeps the logs in this folder, also equal ones.
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
}

/// Carries the command out.
///
/// # Errors
/// A process cannot be started, or a log cannot be read.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let child = Child::of_this_binary(options.limit)?;
    let seeds = options.seeds.or(options.seed.map(Seeds::one)).context("no seed")?;
    let temporary = tempfile::Builder::new().prefix("centralita-meta-").tempdir()?;
    let folder = options.keep.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let mut overrides = options.overrides.clone();
    overrides.minutes.get_or_insert(MINUTES);
    let mut different = 0_u64;
    for seed in seeds.iter() {
        for stack in options.stack.each() {
            let case = Case { seed, stack: *stack, overrides: overrides.clone() };
            let Some(verdict) = block_on(interruptible(compare(&child, &case, &folder)))?? else {
                return Ok(ExitCode::from(INTERRUPTED));
            };
            match verdict {
                Verdict::Same(text) => println!("same       {}  {text}", case.command()),
                Verdict::Different(text) => {
                    different += 1;
                    println!("DIFFERENT  {}\n{text}", case.command());
                }
            }
        }
    }
    if different == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    let folder = if options.keep.is_some() { folder } else { temporary.keep() };
    println!("{different} differ; their logs are in {}", folder.display());
    Ok(ExitCode::from(1))
}

async fn interruptible<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<Option<T>> {
    let mut interrupt = Interrupt::new()?;
    tokio::select! {
        done = work => Ok(Some(done?)),
        () = interrupt.came() => Ok(None),
    }
}

enum Verdict {
    Same(String),
    Different(String),
}

async fn compare(child: &Child, case: &Case, folder: &Path) -> anyhow::Result<Verdict> {
    let name = |side| folder.join(format!("{}-{}-{side}.log", case.seed, case.stack_name()));
    let logs = [name("a"), name("b")];
    let traced = |log: &PathBuf| [std::ffi::OsString::from("--trace"), log.clone().into_os_string()];
    let (a, b) = (traced(&logs[0]), traced(&logs[1]));
    let (a, b) = tokio::try_join!(child.run(case.clone(), &a), child.run(case.clone(), &b))?;
    let difference = first_difference_of(&logs)?;
    let ends = [ending(&a), ending(&b)];
    let bytes = std::fs::metadata(&logs[0]).map(|log| log.len()).unwrap_or(0);
    if let Some(difference) = difference {
        return Ok(Verdict::Different(format!(
            "{difference}  the runs: {}\n            {}",
            ends[0], ends[1]
        )));
    }
    if ends[0] != ends[1] {
        return Ok(Verdict::Different(format!("  equal logs, but\n  - {}\n  + {}", ends[0], ends[1])));
    }
    for log in logs {
        std::fs::remove_file(&log)?;
    }
    if !matches!(a.ending, Ending::Reported(_)) || bytes == 0 {
        // Equal, but nothing was compared that is worth it.
        return Ok(Verdict::Different(format!("  no run to compare: {bytes} bytes of log, {}", ends[0])));
    }
    #[allow(clippy::cast_precision_loss)]
    let megabytes = bytes as f64 / 1e6;
    Ok(Verdict::Same(format!("{megabytes:.1} MB, {}, {:.1} s", ends[0], a.took.as_secs_f64())))
}

fn first_difference_of(logs: &[PathBuf; 2]) -> anyhow::Result<Option<Difference>> {
    let open = |path: &PathBuf| {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        anyhow::Ok(BufReader::with_capacity(BUFFER_BYTES, file))
    };
    Ok(first_difference(open(&logs[0])?, open(&logs[1])?)?)
}

/// A run's end without anything that real time decides.
fn ending(run: &Run) -> String {
    match &run.ending {
        Ending::Reported(report) => {
            let broken: Vec<_> = report.broken.iter().map(|broken| broken.promise.as_str()).collect();
            let broken = if broken.is_empty() { "good".to_owned() } else { broken.join(", ") };
            let (hash, commits) = (&report.hash, report.commits);
            format!("hash {hash}, {:.3} simulated s, {commits} commits, {broken}", report.virtual_s)
        }
        Ending::Hung(_) => "killed at its limit".to_owned(),
        Ending::Died { status, said } => format!("died with {status}: {said}"),
    }
}
