//! Makes what a workload needs: a domain with its queues, touchpoints and agents.

use super::board::Board;
use super::caller::is_unknown;
use super::caller::reason;
use super::clock::{Lead, LogClock};
use super::recorder::Recorder;
use super::site::{Manners, Site};
use super::target::Target;
use crate::checker::model::{AgentFacts, Facts, Rank};
use crate::workload::Workload;
use anyhow::{Context, anyhow, bail};
use futures::{StreamExt, TryStreamExt};
use proto::v1;
use proto::v1::admin_client::AdminClient;
use routing::settings::DomainSettings;
use routing::{Channel, Points};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::future::Future;
use std::str::FromStr;
use std::time::{Duration, Instant};
use tonic::transport;
use uuid::Uuid;

/// Time for one step of the set-up; a cluster that has just been started elects first.
const STEP: Duration = Duration::from_secs(30);
/// Steps under way at once.
const STEPS: usize = 32;
/// Longest ring time the core allows.
const RING_MAX: Duration = Duration::from_secs(600);
/// Longest time to confirm the core allows.
const CONFIRM_MAX: Duration = Duration::from_secs(60);
/// Real time a desk should have to confirm an offer by itself.
const CONFIRM_REAL_S: f64 = 2.0;
/// Longest span the core takes.
const SPAN_MAX_S: f64 = 30.0 * 86_400.0;

pub(super) fn mutation() -> Option<v1::Mutation> {
    Some(v1::Mutation { request_id: Uuid::now_v7().to_string(), expected_version: None })
}

fn parse<T: FromStr<Err: Display>>(text: &str) -> anyhow::Result<T> {
    text.parse().map_err(|bad| anyhow!("the cluster answered {bad}"))
}

/// Repeats one step until it is answered. The closure must use the same request id each time.
async fn step<T, F>(target: &Target, what: &str, call: impl Fn(transport::Channel) -> F) -> anyhow::Result<T>
where
    F: Future<Output = Result<tonic::Response<T>, tonic::Status>>,
{
    let deadline = Instant::now() + STEP;
    loop {
        let attempt = tokio::time::timeout(Duration::from_secs(5), call(target.call())).await;
        let problem = match attempt {
            Ok(Ok(response)) => return Ok(response.into_inner()),
            Ok(Err(status)) => {
                let reason = reason(&status);
                // A domain that was just made may not be known to every node yet.
                if !is_unknown(status.code(), &reason) && reason != "UNKNOWN_DOMAIN" {
                    bail!("{what}: {} ({reason})", status.message());
                }
                format!("{} ({reason})", status.message())
            }
            Err(_) => "no answer".to_owned(),
        };
        if Instant::now() >= deadline {
            bail!("{what}: not done within {} s, last: {problem}", STEP.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Log time runs at this many times real time.
///
/// # Errors
/// No node answers.
pub async fn cluster(target: &Target) -> anyhow::Result<v1::ClusterState> {
    step(target, "asking for the cluster's state", |channel| async move {
        let mut client = v1::cluster_client::ClusterClient::new(channel);
        client.get_cluster(v1::GetClusterRequest {}).await
    })
    .await
}

/// Makes an account.
///
/// # Errors
/// Refused, or not answered in time.
pub async fn account(target: &Target, name: &str) -> anyhow::Result<String> {
    let request = v1::CreateAccountRequest { mutation: mutation(), name: name.to_owned() };
    let made = step(target, "making the account", |channel| {
        let request = request.clone();
        async move { AdminClient::new(channel).create_account(request).await }
    })
    .await?;
    Ok(made.id)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped, above zero")]
fn scaled_ms(real_s: f64, speed: f64) -> u64 {
    ((real_s * speed.max(1.0)).min(SPAN_MAX_S) * 1_000.0) as u64
}

/// The settings of a domain whose log time may run fast: everything that guards the technology
/// (retries, leases) is stretched so that it keeps its real length.
fn settings(workload: &Workload, speed: f64) -> v1::DomainSettings {
    let lease = |channel: i32| v1::domain_settings::Lease {
        channel,
        grace_ms: scaled_ms(20.0, speed),
        then: v1::domain_settings::LeaseLoss::Requeue.into(),
    };
    use v1::domain_settings::{Rank, RankByAging, RankByPriority};
    let rank = if workload.credits.is_empty() {
        Rank::ByPriority(RankByPriority {})
    } else {
        let credits = workload.credits.iter();
        let credits = credits.map(|(priority, credit)| v1::AgingCredit {
            priority: u32::from(priority.0),
            credit_ms: credit.0 / 1_000,
        });
        Rank::ByAging(RankByAging { credits: credits.collect() })
    };
    v1::DomainSettings {
        name: workload.name.clone(),
        rank: Some(rank),
        // One channel: nothing is bigger than anything else.
        hold_max_ms: Some(0),
        miss_limit: Some(0),
        leases: (1..=7).map(lease).collect(),
        request_window_ms: Some(scaled_ms(300.0, speed)),
        closed_retention_ms: Some(scaled_ms(60.0, speed)),
        ..v1::DomainSettings::default()
    }
}

/// Makes an empty domain, which leads a quiet life of its own.
///
/// # Errors
/// Refused, or not answered in time.
pub async fn domain(target: &Target, account: &str, name: &str) -> anyhow::Result<v1::Domain> {
    let settings = Some(v1::DomainSettings { name: name.to_owned(), ..v1::DomainSettings::default() });
    let request = v1::CreateDomainRequest { mutation: mutation(), account: account.to_owned(), settings };
    step(target, "making a domain", |channel| {
        let request = request.clone();
        async move { AdminClient::new(channel).create_domain(request).await }
    })
    .await
}

/// What all sites of a run share.
#[derive(Debug, Clone)]
pub struct Common {
    /// The account.
    pub account: String,
    /// Speed of log time.
    pub speed: f64,
    /// Start of the run's clocks.
    pub base: Instant,
    /// How desks behave.
    pub manners: Manners,
    /// Time for one intent to be answered.
    pub patience: Duration,
}

/// Makes everything a workload needs.
///
/// # Errors
/// A step that is refused, or not answered in time.
pub async fn site(target: &Target, common: &Common, workload: Workload) -> anyhow::Result<Site> {
    let settings = settings(&workload, common.speed);
    let request = v1::CreateDomainRequest {
        mutation: mutation(),
        account: common.account.clone(),
        settings: Some(settings),
    };
    let made = step(target, "making the domain", |channel| {
        let request = request.clone();
        async move { AdminClient::new(channel).create_domain(request).await }
    })
    .await?;
    let domain = &made.id;
    let clock = LogClock::new(common.base, common.speed);

    let queues = futures::stream::iter(workload.queues.iter())
        .map(|queue| {
            let settings = Some(v1::QueueSettings {
                name: queue.name.clone(),
                wrap_up_max_ms: queue.wrap_up.0 / 1_000,
                ..v1::QueueSettings::default()
            });
            let request = v1::CreateQueueRequest { mutation: mutation(), domain: domain.clone(), settings };
            created(target, "making a queue", &clock, move |channel| {
                let request = request.clone();
                async move { AdminClient::new(channel).create_queue(request).await }
            })
        })
        .buffered(STEPS)
        .try_collect::<Vec<_>>()
        .await?;

    let touchpoints = futures::stream::iter(queues.iter().zip(&workload.queues))
        .map(|(id, queue)| {
            let mode = v1::touchpoint_settings::Mode::ToQueue(v1::touchpoint_settings::ToQueue {
                queues: vec![id.clone()],
                priority: 0,
                accept: Some(accept_mode(common.speed)),
            });
            let settings = Some(v1::TouchpointSettings {
                address: format!("+1 555 {}", queue.name),
                channel: v1::Channel::Voice.into(),
                mode: Some(mode),
            });
            let request =
                v1::CreateTouchpointRequest { mutation: mutation(), domain: domain.clone(), settings };
            created(target, "making a touchpoint", &clock, move |channel| {
                let request = request.clone();
                async move { AdminClient::new(channel).create_touchpoint(request).await }
            })
        })
        .buffered(STEPS)
        .try_collect::<Vec<_>>()
        .await?;

    let agents = futures::stream::iter(workload.agents.iter())
        .map(|agent| {
            let settings = Some(v1::AgentSettings {
                name: agent.name.clone(),
                channels: vec![v1::Channel::Voice.into()],
                queues: agent.queues.iter().map(|queue| queues[*queue as usize].clone()).collect(),
                ..v1::AgentSettings::default()
            });
            let request = v1::CreateAgentRequest { mutation: mutation(), domain: domain.clone(), settings };
            created(target, "making an agent", &clock, move |channel| {
                let request = request.clone();
                async move { AdminClient::new(channel).create_agent(request).await }
            })
        })
        .buffered(STEPS)
        .try_collect::<Vec<_>>()
        .await?;

    fn ids<T: FromStr<Err: Display>>(texts: &[String]) -> anyhow::Result<Vec<T>> {
        texts.iter().map(|text| parse(text)).collect()
    }
    let (queues, agents): (Vec<routing::QueueId>, Vec<_>) = (ids(&queues)?, ids(&agents)?);
    let facts_of = |agent: &crate::workload::Agent| AgentFacts {
        capacity: u32::from(Points::AGENT_MAX.0),
        queues: agent.queues.iter().map(|queue| queues[*queue as usize]).collect(),
        channels: BTreeSet::from([Channel::Voice]),
        caps: BTreeMap::new(),
    };
    let defaults = DomainSettings::default();
    let facts = Facts {
        domain: parse(domain)?,
        rank: if workload.credits.is_empty() {
            Rank::Priority
        } else {
            Rank::Aging(workload.credits.iter().map(|(priority, credit)| (priority.0, credit.0)).collect())
        },
        weights: Channel::ALL
            .into_iter()
            .map(|channel| (channel, u32::from(defaults.weights[channel.index()].0)))
            .collect(),
        wrap_up_hold: None,
        agents: agents.iter().copied().zip(workload.agents.iter().map(facts_of)).collect(),
    };
    Ok(Site {
        domain: parse(domain)?,
        touchpoints: ids(&touchpoints)?,
        board: Board::new(&workload, common.base),
        recorder: Recorder::new(common.base),
        run: Uuid::now_v7().simple().to_string(),
        manners: common.manners,
        patience: common.patience,
        origin_us: std::sync::OnceLock::new(),
        end_lead: Lead::default(),
        leave_lead: Lead::default(),
        workload,
        agents,
        facts,
        clock,
    })
}

/// Makes one thing, learns the log time from the answer, and tells the id.
async fn created<F>(
    target: &Target,
    what: &str,
    clock: &LogClock,
    call: impl Fn(transport::Channel) -> F,
) -> anyhow::Result<String>
where
    F: Future<Output = Result<tonic::Response<v1::Created>, tonic::Status>>,
{
    let made = step(target, what, call).await?;
    let receipt = made.receipt.with_context(|| format!("{what}: an answer without a receipt"))?;
    clock.observe(receipt.at_us, None, Instant::now());
    Ok(made.id)
}

/// Desks confirm by themselves; where log time is so fast that the core's longest deadline for
/// that is a moment, the longest ring time instead.
fn accept_mode(speed: f64) -> v1::AcceptMode {
    use v1::accept_mode::{Automatic, Manual, Mode};
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mode = if CONFIRM_MAX.as_secs_f64() / speed >= CONFIRM_REAL_S {
        let confirm = Duration::from_secs_f64((CONFIRM_REAL_S * 2.0 * speed).max(5.0)).min(CONFIRM_MAX);
        Mode::Automatic(Automatic { confirm_ms: ms(confirm) })
    } else {
        Mode::Manual(Manual { ring_ms: ms(RING_MAX) })
    };
    v1::AcceptMode { mode: Some(mode) }
}
