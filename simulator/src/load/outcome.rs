//! What a run came to: figures from the domain's own record, promises from the checker.

use super::site::Site;
use crate::checker::model::{Event, History, Kind};
use crate::checker::{Promise, Verdict, check};
use crate::report::{CallEnd, CallRecord, LatencyMs, Report, Tally, report};
use crate::workload::{Agent, Call, Queue, Workload};
use routing::{AgentId, ConversationId, Span};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Stretches of the day from which intervals are made.
const BATCHES: usize = 1;
/// Of the intervals, where there are any.
const CONFIDENCE: f64 = 0.99;

/// One domain's part.
#[derive(Debug)]
pub struct SiteOutcome {
    /// The workload's name.
    pub name: String,
    /// What became of each call, in the order of arrival that was meant.
    pub calls: Vec<CallRecord>,
    /// Names of the queues, by index.
    pub queues: Vec<String>,
    /// Names of the agents, by index.
    pub agents: Vec<String>,
    /// The figures of this domain alone.
    pub report: Report,
}

/// All of it.
#[derive(Debug)]
pub struct Outcome {
    /// The figures over all domains.
    pub report: Report,
    /// Per domain.
    pub sites: Vec<SiteOutcome>,
    /// All domains as one workload, for the page.
    pub workload: Workload,
    /// What became of all calls, in the terms of that workload.
    pub records: Vec<CallRecord>,
    /// Offers: time of the day and latency in milliseconds.
    pub latencies: Vec<(Span, f64)>,
    /// Promises judged.
    pub verdict: Verdict,
    /// Latency of starts: from the moment meant to the answer.
    pub start_latency_ms: Option<LatencyMs>,
}

/// What the record says of one conversation.
#[derive(Default)]
struct Life {
    arrived: Option<(u64, (u64, u32))>,
    offered: Option<(u64, u32)>,
    last_offered: u64,
    assigned: Option<(u64, AgentId)>,
    contact_over: Option<u64>,
    abandoned: bool,
}

fn lives(events: &[Event]) -> HashMap<String, Life> {
    let mut names: HashMap<ConversationId, String> = HashMap::new();
    let mut lives: HashMap<String, Life> = HashMap::new();
    for event in events {
        if let Kind::Arrived { conversation, reference, .. } = &event.kind {
            names.insert(*conversation, reference.clone());
            let life = lives.entry(reference.clone()).or_default();
            life.arrived.get_or_insert((event.at_us, event.entry));
            continue;
        }
        let Some(life) = event.kind.conversation().and_then(|id| lives.get_mut(names.get(&id)?)) else {
            continue;
        };
        match &event.kind {
            Kind::Offered { .. } => {
                life.offered.get_or_insert(event.entry);
                if life.assigned.is_none() {
                    life.last_offered = event.at_us;
                }
            }
            Kind::Assigned { agent, .. } => {
                life.assigned.get_or_insert((event.at_us, *agent));
            }
            Kind::Wrapping { .. } => {
                life.contact_over.get_or_insert(event.at_us);
            }
            Kind::Ended { abandoned, .. } => {
                life.contact_over.get_or_insert(event.at_us);
                life.abandoned |= *abandoned;
            }
            _ => {}
        }
    }
    lives
}

/// What became of each call by the day's end.
pub(super) fn calls(site: &Site, events: &[Event]) -> Vec<CallRecord> {
    let lives = lives(events);
    let desks: BTreeMap<AgentId, u32> = site.agents.iter().copied().zip(0..).collect();
    let end = site.log_us(site.workload.length);
    let record = |(index, plan): (usize, &crate::workload::Call)| {
        let unserved = |late: Span| CallRecord {
            at: plan.at,
            late,
            queue: plan.queue,
            wait: Span(site.workload.length.0.saturating_sub(plan.at.0)),
            waited: true,
            end: CallEnd::Unserved,
        };
        let Some(life) = lives.get(&site.customer(index)) else { return unserved(Span::ZERO) };
        let Some((arrived, entry)) = life.arrived else { return unserved(Span::ZERO) };
        // The moment meant: a late way to the cluster is no reason to leave the day.
        let at = plan.at;
        let late = Span(arrived.saturating_sub(site.log_us(at)));
        let since = |later: u64| Span(later.saturating_sub(arrived));
        match life.assigned {
            Some((assigned, agent)) if assigned <= end => {
                let until = life.contact_over.unwrap_or(assigned.saturating_add(plan.service.0));
                let service = Span(until.saturating_sub(assigned));
                let agent = desks.get(&agent).copied().unwrap_or(u32::MAX);
                let answer = Span(assigned.saturating_sub(life.last_offered));
                let end = CallEnd::Served { service, agent, answer };
                let waited = life.offered != Some(entry);
                CallRecord { at, late, queue: plan.queue, wait: since(assigned), waited, end }
            }
            _ => match life.contact_over {
                // A patience of 0 leaves in the instant of arrival; what is measured is the way.
                Some(_) if life.abandoned && plan.patience == Some(Span::ZERO) => {
                    let end = CallEnd::Abandoned;
                    CallRecord { at, late, queue: plan.queue, wait: Span::ZERO, waited: false, end }
                }
                Some(left) if left <= end && life.abandoned => CallRecord {
                    at,
                    late,
                    queue: plan.queue,
                    wait: since(left),
                    waited: true,
                    end: CallEnd::Abandoned,
                },
                _ => unserved(late),
            },
        }
    };
    site.workload.calls.iter().enumerate().map(record).collect()
}

/// Judges and adds up. `histories` are the sites' own, in their order.
pub(super) fn judge(
    source: &str,
    sites: &[&Site],
    histories: Vec<(History, u64)>,
    threshold: Span,
) -> Outcome {
    let mut verdict = Verdict::default();
    let mut outcomes = Vec::new();
    let mut all = Vec::new();
    let (mut acknowledged, mut unknown, mut gap) = (0, 0, Duration::ZERO);
    let mut left_out_in_all = 0;
    for (site, (history, left_out)) in sites.iter().zip(histories) {
        let calls = calls(site, &history.events);
        let mut tally = Tally::new(&site.workload, Span::ZERO, threshold, BATCHES);
        for call in &calls {
            tally.add(call);
        }
        let batches = tally.into_batches();
        let own = check(&history);
        let counts = site.recorder.settled_counts();
        let longest = site.board.longest_gap();
        let mut figures = report(source, &site.workload.name, &batches, threshold, CONFIDENCE);
        observed(&mut figures, &own, counts, longest);
        figures.offer_latency_ms = site.board.offer_latency.figures();
        figures.notes.clone_from(&site.workload.notes);
        acknowledged += counts.0;
        unknown += counts.2;
        gap = gap.max(longest);
        left_out_in_all += left_out;
        verdict.merge(own);
        all.extend(batches);
        outcomes.push(SiteOutcome {
            name: site.workload.name.clone(),
            calls,
            queues: site.workload.queues.iter().map(|queue| queue.name.clone()).collect(),
            agents: site.workload.agents.iter().map(|agent| agent.name.clone()).collect(),
            report: figures,
        });
    }
    let name = outcomes.first().map(|one| one.name.clone()).unwrap_or_default();
    let mut whole = report(source, &name, &[crate::report::Batch::sum(&all)], threshold, CONFIDENCE);
    observed(&mut whole, &verdict, (acknowledged, 0, unknown), gap);
    let merged = |of: fn(&Site) -> &super::latency::Latency| {
        let sum = super::latency::Latency::default();
        for site in sites {
            sum.add(of(site));
        }
        sum.figures()
    };
    whole.offer_latency_ms = merged(|site| &site.board.offer_latency);
    whole.accept_latency_ms = merged(|site| &site.board.accept_latency);
    if let Some(first) = outcomes.first() {
        whole.notes.clone_from(&first.report.notes);
    }
    if left_out_in_all > 0 {
        whole.notes.push(format!(
            "{left_out_in_all} calls and notices found no room in the record and were not judged."
        ));
    }
    Outcome {
        report: whole,
        records: together(sites, &outcomes),
        workload: as_one(sites),
        latencies: latencies(sites),
        sites: outcomes,
        verdict,
        start_latency_ms: merged(|site| &site.board.start_latency),
    }
}

/// All sites' queues, agents and calls, one site after the other.
fn as_one(sites: &[&Site]) -> Workload {
    let mut whole = Workload::default();
    for (number, site) in sites.iter().enumerate() {
        let own = &site.workload;
        let first = u32::try_from(whole.queues.len()).unwrap_or(u32::MAX);
        let named =
            |name: &str| if sites.len() == 1 { name.to_owned() } else { format!("{}: {name}", number + 1) };
        if number == 0 {
            whole.name.clone_from(&own.name);
            whole.notes.clone_from(&own.notes);
            whole.credits.clone_from(&own.credits);
        }
        whole.length = whole.length.max(own.length);
        whole
            .queues
            .extend(own.queues.iter().map(|queue| Queue { name: named(&queue.name), ..queue.clone() }));
        whole.agents.extend(own.agents.iter().map(|agent| Agent {
            name: named(&agent.name),
            queues: agent.queues.iter().map(|queue| queue + first).collect(),
            ..agent.clone()
        }));
        whole.calls.extend(own.calls.iter().map(|call| Call { queue: call.queue + first, ..*call }));
    }
    whole.calls.sort_by_key(|call| call.at);
    whole
}

/// All sites' records in the terms of [`as_one`].
fn together(sites: &[&Site], outcomes: &[SiteOutcome]) -> Vec<CallRecord> {
    let (mut queues, mut agents) = (0, 0);
    let mut all = Vec::new();
    for (site, outcome) in sites.iter().zip(outcomes) {
        all.extend(outcome.calls.iter().map(|call| {
            let end = match call.end {
                CallEnd::Served { service, agent, answer } => {
                    CallEnd::Served { service, agent: agent.saturating_add(agents), answer }
                }
                other => other,
            };
            CallRecord { queue: call.queue + queues, end, ..*call }
        }));
        queues += u32::try_from(site.workload.queues.len()).unwrap_or(u32::MAX);
        agents += u32::try_from(site.workload.agents.len()).unwrap_or(u32::MAX);
    }
    all.sort_by_key(|call| call.at);
    all
}

fn latencies(sites: &[&Site]) -> Vec<(Span, f64)> {
    let of = |site: &&Site| {
        let calls = &site.workload.calls;
        let points = site.board.points().into_iter();
        points.map(|(call, latency)| (calls[call].at, latency.as_secs_f64() * 1e3)).collect::<Vec<_>>()
    };
    let mut all: Vec<(Span, f64)> = sites.iter().flat_map(of).collect();
    all.sort_by_key(|(at, _)| *at);
    all
}

#[expect(clippy::cast_precision_loss, reason = "reports only")]
fn observed(report: &mut Report, verdict: &Verdict, counts: (u64, u64, u64), gap: Duration) {
    let lost =
        verdict.violations.iter().filter(|one| matches!(one.promise, Promise::R3 | Promise::R13)).count();
    report.wait_probability = None;
    report.broken_promises = verdict.broken;
    report.acknowledged = Some(counts.0);
    report.unknown = Some(counts.2);
    report.lost = Some(lost as u64);
    report.longest_gap_ms = Some(gap.as_micros() as f64 / 1e3);
}
