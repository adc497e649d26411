//! An experiment from its beginning to its verdict.

use crate::behind::{self, Behind};
use crate::cli::Setting;
use crate::crossing::Crossing;
use crate::gaps;
use crate::members::{self, Joined};
use crate::moves;
use crate::nodes::{self, Nodes};
use crate::probe::Probe;
use crate::realm;
use crate::report::{Disturbance, Report};
use crate::settled::{Place, settled, state};
use crate::stop::Stop;
use crate::verdict;
use anyhow::Context;
use client::Client;
use indicatif::ProgressBar;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Time for a cluster to be whole again.
const SETTLE_MAX: Duration = Duration::from_secs(60);
/// Load before the first disturbance.
const WARM_UP: Duration = Duration::from_secs(5);
/// Time for the entries to come that a node is to be behind.
const AWAY_MAX: Duration = Duration::from_secs(1_200);
/// Time for a node to join and take its share, and for one to leave.
const MEMBERS_MAX: Duration = Duration::from_secs(300);
/// A disturbance is felt for this long at most.
const FELT: Duration = Duration::from_secs(5);

/// What is done to the nodes.
#[derive(Debug, Clone)]
pub enum What {
    /// Killed so often, each time down for so long.
    Kill {
        /// How often.
        times: u32,
        /// How long it is down.
        down: Duration,
    },
    /// One killed, and started again when so many entries came to a shard.
    Away {
        /// How many.
        entries: u64,
    },
    /// One more joins.
    Grow,
    /// One dies for good and leaves, another joins.
    Replace,
    /// All restarted in good order, with another binary than they began with.
    Upgrade {
        /// What they begin with.
        from: PathBuf,
    },
    /// Probed domains go to other shards, each in its turn, so often; the nodes are left alone.
    Moves {
        /// How often.
        times: u32,
    },
    /// All restarted in good order, so often.
    Restart {
        /// How often.
        rounds: u32,
    },
}

/// The longest time without an offer in the rest before a disturbance.
fn quiet(probe: &Probe, began: Instant, rest: Duration) -> Option<Duration> {
    gaps::longest(&probe.seen().offers, began.checked_sub(rest)?, began)
}

/// Starts a cluster and its load, disturbs it, and judges; whether all was well.
///
/// # Errors
/// When it could not be tried.
pub async fn run(setting: &Setting, what: What) -> anyhow::Result<bool> {
    let count = usize::try_from(setting.nodes).unwrap_or(usize::MAX);
    let to = nodes::binary(setting.centralita.clone())?;
    let first =
        if let What::Upgrade { from } = &what { nodes::binary(Some(from.clone()))? } else { to.clone() };
    let mut nodes = Nodes::start(Some(first), setting.nodes, setting.shards)?;
    let client = Arc::new(Client::new(nodes.addresses())?);
    let mut alive: Vec<Place> = (0..count).map(|place| (Arc::clone(&client), place)).collect();
    settled(&alive, SETTLE_MAX).await.context("the cluster's birth")?;
    let crossed = if setting.transfers > 0.0 { usize::try_from(setting.transfer_domains)? } else { 0 };
    let mut realms = realm::make(&client, setting.domains + crossed).await?;
    let crossing = Arc::new(Crossing::new(realms.split_off(setting.domains)));
    let probes: Vec<Arc<Probe>> = realms.into_iter().map(|realm| Arc::new(Probe::new(realm))).collect();
    let probed = &probes[..setting.probed.min(probes.len())];
    let others = &probes[probed.len()..];
    let stop = Stop::default();
    let mut callers = JoinSet::new();
    let mut desks = JoinSet::new();
    for (place, probe) in probed.iter().enumerate() {
        desks.spawn(Arc::clone(probe).desk(Arc::clone(&client), place, stop.clone()));
        callers.spawn(Arc::clone(probe).callers(Arc::clone(&client), setting.probe_rate, stop.clone()));
    }
    for probe in others {
        let rate = setting.rate / others.len() as f64;
        callers.spawn(Arc::clone(probe).callers(Arc::clone(&client), rate, stop.clone()));
    }
    if crossed > 0 {
        callers.spawn(Arc::clone(&crossing).run(Arc::clone(&client), setting.transfers, stop.clone()));
    }
    tokio::time::sleep(WARM_UP).await;

    let rest = Duration::from_secs_f64(setting.rest_s);
    let times = match &what {
        What::Kill { times, .. } | What::Moves { times } => *times as usize,
        What::Away { .. } | What::Grow | What::Replace => 1,
        What::Restart { rounds } => *rounds as usize * count,
        What::Upgrade { .. } => count,
    };
    let progress = ProgressBar::new(times as u64).with_message("disturbances");
    let mut disturbances = Vec::new();
    let mut came_back = None;
    let mut newcomer = None;
    let mut places: Vec<u32> = probed.iter().map(|probe| probe.realm.shard).collect();
    let mut moved = Vec::new();
    let mut records: Vec<verdict::Record> = probes.iter().map(|_| verdict::Record::default()).collect();
    anyhow::ensure!(
        !matches!(what, What::Moves { .. }) || setting.shards > 1 && !probed.is_empty(),
        "a move needs two shards and a probed domain"
    );
    for time in 0..times {
        let victim = time % count;
        let state = settled(&alive, SETTLE_MAX).await?;
        let id = victim as u64 + 1;
        let led: Vec<u32> =
            state.shards.iter().filter(|shard| shard.leader == id).map(|shard| shard.id).collect();
        let began = Instant::now();
        let mut lacks = None;
        match &what {
            What::Away { entries } => {
                nodes.kill(victim)?;
                lacks = Some(behind::wait(&client, victim + 1, &state, *entries, AWAY_MAX).await?);
            }
            What::Kill { down, .. } => {
                nodes.kill(victim)?;
                tokio::time::sleep(*down).await;
            }
            What::Restart { .. } => nodes.stop(victim).await?,
            What::Upgrade { .. } => {
                nodes.stop(victim).await?;
                nodes.install(to.clone());
            }
            What::Moves { .. } => {
                let place = time % probed.len();
                places[place] = moves::next(places[place], setting.shards);
                let domain = &probed[place].realm.domain;
                records[place].catch_up(&client, count, domain).await?;
                moved.push(moves::go(&client, &alive[0], domain, places[place]).await?);
            }
            What::Grow => {}
            What::Replace => {
                nodes.destroy(victim)?;
                alive.retain(|(_, place)| *place != victim);
            }
        }
        let started = Instant::now();
        if matches!(what, What::Grow | What::Replace) {
            let gone = match what {
                What::Replace => Some((id, members::remove(&client, &alive[0], id, MEMBERS_MAX).await?)),
                _ => None,
            };
            let began = Instant::now();
            let place = nodes.join()?;
            let address = nodes.addresses()[place].clone();
            let joined = members::joined(&alive[0], &address, began, MEMBERS_MAX).await?;
            newcomer = Some(Joined { instead_of: gone, ..joined });
            alive.push((Arc::new(Client::new(&[address])?), 0));
        } else if !matches!(what, What::Moves { .. }) {
            nodes.run(victim)?;
        }
        settled(&alive, SETTLE_MAX).await.with_context(|| format!("after node {id} was disturbed"))?;
        if let Some((shard, index, entries)) = lacks {
            let caught_up = started.elapsed();
            let by_snapshot = behind::begins_after(&client, victim, shard, index).await?;
            came_back = Some(Behind { shard, entries, caught_up, by_snapshot });
        }
        tokio::time::sleep(rest).await;
        nodes.check()?;
        let ended = Instant::now();
        let short = matches!(what, What::Kill { .. } | What::Away { .. } | What::Moves { .. });
        let until = if short { ended.min(began + FELT) } else { ended };
        let gap = |probe: &&Arc<Probe>| gaps::longest(&probe.seen().offers, began, until);
        let felt = |probe: &&Arc<Probe>| match &what {
            What::Grow => true,
            What::Moves { .. } => Arc::ptr_eq(probe, &probed[time % probed.len()]),
            _ => led.contains(&probe.realm.shard),
        };
        let (hit, spared): (Vec<&Arc<Probe>>, Vec<&Arc<Probe>>) = probed.iter().partition(felt);
        disturbances.push(Disturbance {
            node: id,
            shards_led: led.len(),
            led_there: hit.iter().filter_map(gap).collect(),
            elsewhere: spared.iter().filter_map(gap).collect(),
            before: probed.iter().filter_map(|probe| quiet(probe, began, rest)).collect(),
        });
        progress.inc(1);
    }
    progress.finish_and_clear();
    if matches!(what, What::Upgrade { .. }) {
        levels(&alive, rest).await?;
    }
    stop.stop();
    while callers.join_next().await.is_some() {}
    desks.shutdown().await;
    settled(&alive, SETTLE_MAX).await.context("the cluster in the end")?;
    let mut report = Report::new(setting, disturbances);
    report.behind(came_back);
    report.joined(newcomer);
    report.moved(moved);
    for (probe, record) in probes.iter().zip(&mut records) {
        report.add(probe, &verdict::judge(&client, count, probe, record).await?);
    }
    if crossed > 0 {
        let judged = verdict::judge_crossings(&client, count, &crossing).await?;
        report.crossed(&crossing, judged);
    }
    report.print();
    if let Some(path) = &setting.json {
        std::fs::write(path, format!("{:#}\n", report.json())).with_context(|| path.display().to_string())?;
    }
    Ok(report.is_good(setting))
}

/// Waits until every node says that the cluster is at the highest level that one knows, and a moment
/// longer under load.
///
/// # Errors
/// When it does not come to that.
async fn levels(alive: &[Place], rest: Duration) -> anyhow::Result<()> {
    let until = Instant::now() + SETTLE_MAX;
    for place in alive {
        loop {
            let state = state(place).await.context("a node does not answer")?;
            let highest = state.nodes.iter().filter_map(|node| node.knows).max();
            if highest == Some(state.level) {
                break;
            }
            let level = state.level;
            anyhow::ensure!(Instant::now() < until, "the cluster stays at level {level}, of {highest:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    tokio::time::sleep(rest).await;
    Ok(())
}
