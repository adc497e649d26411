//! `cargo sim cluster`: one run of one seed.

use crate::determinism::{self, Draw};
use crate::plan::{Bug, FaultKind, FaultPlan, Plan, StackKind};
use crate::report::{page, this_command};
use crate::trace;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Runs one cluster: first anything may fail, then a core is healed and must finish all
/// acknowledged work.
///
/// The seed draws nodes, shards, latencies, load and faults; options override what it drew.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  cargo sim cluster --seed 17
  cargo sim cluster --seed 17 --stack fast --faults crash,disk-step --minutes 5
  cargo sim cluster --seed 17 --stack full --trace /tmp/17.log")]
pub struct Options {
    /// The seed of everything.
    #[arg(long)]
    pub seed: u64,
    /// The stack: real tonic and HTTP/2 over simulated TCP, or the fast one within the process.
    #[arg(long, default_value = "full")]
    pub stack: StackKind,
    #[command(flatten)]
    pub overrides: Overrides,
    /// Writes the report as one line of JSON, the last of standard output.
    #[arg(long)]
    pub json: bool,
    /// Shows what the seed drew, and does not run.
    #[arg(long)]
    pub plan: bool,
    /// Writes everything that happens, at trace level, with simulated time.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Ends when the process that started it does, however that ends.
    #[arg(long, hide = true)]
    pub end_with_parent: bool,
}

/// What overrides the seed's draw.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub struct Overrides {
    /// Members, 1 to 9.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=9))]
    pub nodes: Option<u64>,
    /// Shards, 1 to 16.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub shards: Option<u32>,
    /// Simulated minutes in which faults happen.
    #[arg(long)]
    pub minutes: Option<f64>,
    /// New conversations per second, all domains together; staff is drawn anew for it.
    #[arg(long)]
    pub rate: Option<f64>,
    /// Agents of each domain, whatever the load needs: 1 to 5,000.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=5_000))]
    pub agents: Option<u16>,
    /// Faults instead of those drawn: a list, `all` or `none`.
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    pub faults: Option<Vec<String>>,
    /// Plants a fault in the product: see `cargo sim bugs`.
    #[arg(long, value_name = "NAME")]
    pub bug: Option<Bug>,
}

impl Overrides {
    /// The arguments that say the same.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let pairs = [
            ("--nodes", self.nodes.map(|nodes| nodes.to_string())),
            ("--shards", self.shards.map(|shards| shards.to_string())),
            ("--minutes", self.minutes.map(|minutes| minutes.to_string())),
            ("--rate", self.rate.map(|rate| rate.to_string())),
            ("--agents", self.agents.map(|agents| agents.to_string())),
            ("--faults", self.faults.as_ref().map(|faults| faults.join(","))),
            ("--bug", self.bug.map(|bug| bug.to_string())),
        ];
        pairs.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?])).flatten().collect()
    }

    /// Changes a plan.
    ///
    /// # Errors
    /// What cannot be used, and what can.
    pub fn apply(&self, plan: &mut Plan) -> Result<(), String> {
        plan.nodes = self.nodes.unwrap_or(plan.nodes);
        plan.shards = self.shards.unwrap_or(plan.shards);
        if let Some(minutes) = self.minutes {
            if !(0.05..=10_000.0).contains(&minutes) {
                return Err(format!("--minutes {minutes}: use 0.05 to 10,000"));
            }
            plan.safety = Duration::from_secs_f64(minutes * 60.0);
        }
        if let Some(rate) = self.rate {
            if !(0.01..=1_000.0).contains(&rate) {
                return Err(format!("--rate {rate}: use 0.01 to 1,000 conversations a second"));
            }
            plan.load.set_rate(rate);
        }
        plan.load.agents = self.agents.unwrap_or(plan.load.agents);
        if let Some(names) = &self.faults {
            plan.faults = faults(plan.seed, names)?;
        }
        plan.bug = self.bug.or(plan.bug);
        Ok(())
    }
}

fn faults(seed: u64, names: &[String]) -> Result<Vec<FaultPlan>, String> {
    let mut kinds = Vec::new();
    for name in names {
        match name.as_str() {
            "none" => {}
            "all" => kinds.extend_from_slice(FaultKind::value_variants()),
            name => kinds.push(FaultKind::from_str(name, true).map_err(|_| {
                let known: Vec<String> = FaultKind::value_variants()
                    .iter()
                    .filter_map(|kind| Some(kind.to_possible_value()?.get_name().to_owned()))
                    .collect();
                format!("no fault is called '{name}': use all, none or some of {}", known.join(", "))
            })?),
        }
    }
    let mut draw = Draw::new(seed, "chosen faults");
    Ok(kinds.into_iter().map(|kind| FaultPlan::draw(kind, &mut draw)).collect())
}

impl Options {
    /// The plan of these options.
    ///
    /// # Errors
    /// See [`Overrides::apply`].
    pub fn plan(&self) -> Result<Plan, String> {
        let mut plan = Plan::draw(self.seed, self.stack);
        self.overrides.apply(&mut plan)?;
        Ok(plan)
    }
}

/// Carries the command out.
pub fn run(options: &Options) -> ExitCode {
    let plan = match options.plan() {
        Ok(plan) => plan,
        Err(why) => {
            eprintln!("error: {why}");
            return ExitCode::from(2);
        }
    };
    if options.plan {
        println!("{}", serde_json::to_string_pretty(&plan).unwrap_or_default());
        return ExitCode::SUCCESS;
    }
    if options.end_with_parent {
        determinism::end_with_parent();
    }
    let trace = match options.trace.as_deref().map(trace::start).transpose() {
        Ok(trace) => trace,
        Err(error) => {
            eprintln!("error: the trace cannot be written: {error}");
            return ExitCode::from(2);
        }
    };
    let report = crate::run::run(plan);
    drop(trace);
    if options.json {
        println!("{}", serde_json::to_string(&report).unwrap_or_default());
    } else {
        print!("{}", page(&report, &this_command()));
    }
    if report.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
