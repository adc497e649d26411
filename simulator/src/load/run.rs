//! The run: set-up, desks, arrivals, the day's end, and what was seen of it.

use super::board::Figures;
use super::desk::{Desk, Phase};
use super::outcome::{Outcome, judge};
use super::setup::{Common, account, cluster, domain, site};
use super::site::{Manners, Site};
use super::target::Target;
use super::{customer, history};
use crate::workload::Workload;
use anyhow::{Context, bail};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use routing::{DomainId, Span};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

/// Real time between the desks' readiness and the workload's first moment.
const RUN_UP: Duration = Duration::from_millis(500);
/// Real time for the last answers after the day's end.
const LAST_ANSWERS: Duration = Duration::from_secs(10);
/// Time for all desks to connect.
const CONNECT: Duration = Duration::from_secs(60);

/// How a load is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// `load` or `demo`, for the report.
    pub source: String,
    /// Nodes as `host:port`.
    pub addresses: Vec<String>,
    /// Speed the caller expects; refused when the cluster runs at another.
    pub speed: Option<f64>,
    /// Decides which requests are repeated.
    pub seed: u64,
    /// Threshold of the service level.
    pub threshold: Span,
    /// Time for one intent to be answered, retries included.
    pub patience: Duration,
    /// Share of starts that are sent once more after the answer, 0 to 1.
    pub repeat_share: f64,
    /// How desks behave.
    pub manners: Manners,
    /// Domains made beside those under load, so that every node leads some.
    pub quiet_domains: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            source: "load".to_owned(),
            addresses: Vec::new(),
            speed: None,
            seed: 1,
            threshold: Span::seconds(20),
            patience: Duration::from_secs(30),
            repeat_share: 0.01,
            manners: Manners::default(),
            quiet_domains: 0,
        }
    }
}

/// Live figures, for a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The workload's time.
    pub now: Span,
    /// Its first moment at which anything happens.
    pub from: Span,
    /// Its end.
    pub length: Span,
    /// Per domain: the workload's name and figures.
    pub sites: Vec<(String, Figures)>,
}

/// Everything is set up, all desks are connected.
pub struct Load {
    options: Options,
    target: Arc<Target>,
    sites: Vec<Arc<Site>>,
    desks: JoinSet<()>,
    phase: watch::Sender<Phase>,
    from: Span,
}

/// A closed reader of a run's progress.
#[derive(Clone)]
pub struct Watcher {
    sites: Vec<Arc<Site>>,
    from: Span,
}

impl Watcher {
    /// The figures now.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let now = self.sites.first().map_or(self.from, |site| site.now()).max(self.from);
        Progress {
            now,
            from: self.from,
            length: self.sites.iter().map(|site| site.workload.length).max().unwrap_or_default(),
            sites: self.sites.iter().map(|site| (site.workload.name.clone(), site.board.figures())).collect(),
        }
    }
}

impl Load {
    /// Makes a domain for each workload and connects its desks.
    ///
    /// # Errors
    /// No node answers, a step of the set-up is refused, or the cluster runs at another speed.
    pub async fn prepare(options: Options, workloads: Vec<Workload>) -> anyhow::Result<Self> {
        if workloads.iter().all(|workload| workload.calls.is_empty()) {
            bail!("the workload has no calls: choose another date or profile");
        }
        let agents = workloads.iter().map(|workload| workload.agents.len()).sum();
        let target = Arc::new(Target::new(&options.addresses, agents)?);
        let state = cluster(&target).await?;
        let speed = if state.speed > 0.0 { state.speed } else { 1.0 };
        if let Some(wanted) = options.speed.filter(|wanted| (wanted - speed).abs() > 1e-9) {
            bail!(
                "the cluster's log time runs at speed {speed}, not {wanted}: start its nodes with --speed {wanted}"
            );
        }
        let account = account(&target, "load").await?;
        let common = Common {
            account: account.clone(),
            speed,
            base: Instant::now(),
            manners: options.manners,
            patience: options.patience,
        };
        let mut sites = Vec::new();
        let from = workloads.iter().filter_map(first_moment).min().unwrap_or_default();
        for workload in workloads {
            let name = workload.name.clone();
            let site =
                site(&target, &common, workload).await.with_context(|| format!("setting up {name}"))?;
            sites.push(Arc::new(site));
        }
        for number in 1..=options.quiet_domains {
            domain(&target, &account, &format!("quiet {number}")).await?;
        }
        let (phase, _) = watch::channel(Phase::Connecting);
        let mut desks = JoinSet::new();
        let mut connected = Vec::new();
        for site in &sites {
            for index in 0..site.agents.len() {
                let (told, is_connected) = oneshot::channel();
                connected.push(is_connected);
                let desk = Desk::new(Arc::clone(&target), Arc::clone(site), index, phase.subscribe(), told);
                desks.spawn(desk.run());
            }
        }
        let all = futures::future::join_all(connected);
        if tokio::time::timeout(CONNECT, all).await.is_err() {
            bail!("not all {agents} desks could connect within {} s", CONNECT.as_secs());
        }
        Ok(Self { options, target, sites, desks, phase, from })
    }

    /// A reader of the live figures.
    #[must_use]
    pub fn watcher(&self) -> Watcher {
        Watcher { sites: self.sites.clone(), from: self.from }
    }

    /// The domains under load, in the order of their workloads.
    #[must_use]
    pub fn domains(&self) -> Vec<DomainId> {
        self.sites.iter().map(|site| site.domain).collect()
    }

    /// The speed of the cluster's log time.
    #[must_use]
    pub fn speed(&self) -> f64 {
        self.sites.first().map_or(1.0, |site| site.clock.speed())
    }

    /// Runs the workloads to their end, reads the record, judges.
    ///
    /// # Errors
    /// The record cannot be read.
    pub async fn run(mut self) -> anyhow::Result<Outcome> {
        let start = Instant::now() + RUN_UP;
        for site in &self.sites {
            let first = site.clock.log_at(start);
            let origin =
                i64::try_from(first).unwrap_or(i64::MAX) - i64::try_from(self.from.0).unwrap_or(i64::MAX);
            site.origin_us.set(origin).ok();
        }
        self.phase.send_replace(Phase::Running);
        let mut days = JoinSet::new();
        for (index, site) in self.sites.iter().enumerate() {
            let seed = self.options.seed.wrapping_add(index as u64);
            let day = day(Arc::clone(&self.target), Arc::clone(site), seed, self.options.repeat_share);
            days.spawn(day);
        }
        while let Some(day) = days.join_next().await {
            day.context("a day's task")?;
        }
        // Answers under way are part of what was seen.
        let mut histories = Vec::new();
        for site in &self.sites {
            histories.push(history::read(&self.target, site).await?);
        }
        self.phase.send_replace(Phase::Leaving);
        let sites: Vec<&Site> = self.sites.iter().map(Arc::as_ref).collect();
        let outcome = judge(&self.options.source, &sites, histories, self.options.threshold);
        let goodbye = async { while self.desks.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_ANSWERS, goodbye).await.is_err() {
            self.desks.abort_all();
        }
        Ok(outcome)
    }
}

/// The first arrival or shift.
fn first_moment(workload: &Workload) -> Option<Span> {
    let call = workload.calls.first().map(|call| call.at);
    let shift = workload.agents.iter().flat_map(|agent| &agent.shifts).map(|shift| shift.from).min();
    call.into_iter().chain(shift).min()
}

/// Sends the calls of one site at their moments, and waits for the day's end.
async fn day(target: Arc<Target>, site: Arc<Site>, seed: u64, repeat_share: f64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut customers = JoinSet::new();
    for (call, plan) in site.workload.calls.iter().enumerate() {
        let repeat = rng.random_bool(repeat_share.clamp(0.0, 1.0));
        let intended = site.real_at(plan.at);
        tokio::time::sleep_until(tokio::time::Instant::from_std(intended)).await;
        customers.spawn(customer::run(Arc::clone(&target), Arc::clone(&site), call, intended, repeat));
        while customers.try_join_next().is_some() {}
    }
    let end = site.real_at(site.workload.length);
    let ends = tokio::time::Instant::from_std(end);
    // Nothing more can happen once every customer has gone or been answered and let go.
    let quiet = async {
        while customers.join_next().await.is_some() {}
        loop {
            if site.board.all_over() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let over = tokio::time::timeout_at(ends, quiet).await.is_ok();
    if !over {
        // Let answers under way come in; what they change lies after the day's end.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let _ = site.board.longest_gap();
    customers.abort_all();
    while customers.join_next().await.is_some() {}
}
