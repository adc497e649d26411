//! From workloads to reports: runs, replications, and the days of a trace side by side.

use super::{Fault, Options, run};
use crate::report::{Batch, CallRecord, DayFigures, Report, Shares, Tally, WaitTally, queue_figures, report};
use crate::trace::{LoggedCall, LoggedEnd};
use crate::workload::{Textbook, Workload};
use routing::Span;

/// Stretches of time into which one run of a textbook queue is cut.
pub const TEXTBOOK_BATCHES: usize = 40;
/// Stretches of one day: hours.
const DAY_BATCHES: usize = 24;
/// Calls of the first run that are kept for pictures.
const RECORDS_MAX: usize = 200_000;

/// Calls of a day whose record is kept for the history checker.
const JUDGED_MAX: usize = 1_000_000;

/// How figures are made from runs.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The service level's threshold.
    pub threshold: Span,
    /// The confidence of intervals, such as 0.99.
    pub confidence: f64,
    /// Of the run.
    pub options: Options,
}

impl Default for Settings {
    fn default() -> Self {
        Self { threshold: Span::seconds(20), confidence: 0.99, options: Options::default() }
    }
}

/// A report, and what its pictures are drawn from.
#[derive(Debug, Clone)]
pub struct Simulated {
    /// The figures.
    pub report: Report,
    /// The workload of the first run, without calls.
    pub workload: Workload,
    /// Calls of the first run, in the order in which they were decided; not all of a long one.
    pub records: Vec<CallRecord>,
    /// What the intervals were made from.
    pub batches: Vec<Batch>,
    /// Broken promises in words: the first few.
    pub broken: Vec<String>,
    /// Entries applied, over all runs.
    pub entries: u64,
}

/// The seed of a replication: far from those of other runs with a small seed.
#[must_use]
pub fn replication_seed(seed: u64, replication: u64) -> u64 {
    seed.wrapping_add(replication << 32)
}

/// Collects runs that make one report.
struct Collected {
    broken: u64,
    seen: Vec<String>,
    entries: u64,
    records: Vec<CallRecord>,
    /// Of runs that were asked to estimate waits.
    waits: Option<WaitTally>,
}

impl Collected {
    fn new() -> Self {
        Self { broken: 0, seen: Vec::new(), entries: 0, records: Vec::new(), waits: None }
    }

    fn run(
        &mut self,
        workload: &Workload,
        calls: impl Iterator<Item = crate::workload::Call>,
        options: Options,
        tally: &mut Tally<'_>,
        keep: bool,
        progress: &mut dyn FnMut(Span),
    ) -> Result<(), Fault> {
        let records = &mut self.records;
        let mut record = |call: CallRecord| {
            tally.add(&call);
            if keep && records.len() < RECORDS_MAX {
                records.push(call);
            }
        };
        let mut ran = run(workload, calls, options, &mut record, progress)?;
        self.broken += ran.broken;
        self.entries += ran.entries;
        if options.estimates_from.is_some() {
            self.waits.get_or_insert_default().merge(&ran.waits);
        }
        let room = 10_usize.saturating_sub(self.seen.len());
        ran.seen.truncate(room);
        self.seen.append(&mut ran.seen);
        Ok(())
    }

    fn simulated(self, mut report: Report, workload: Workload, batches: Vec<Batch>) -> Simulated {
        report.broken_promises = self.broken;
        report.expected_wait = self.waits.map(|waits| waits.figures());
        if let (true, Some(confidence)) = (workload.queues.len() > 1, report.confidence) {
            let names = workload.queues.iter().map(|queue| queue.name.as_str());
            report.queues = queue_figures(names, &batches, confidence);
        }
        Simulated {
            report,
            workload,
            records: self.records,
            batches,
            broken: self.seen,
            entries: self.entries,
        }
    }
}

/// Runs a textbook queue. Intervals come from equal stretches of time after the warm-up, of all
/// replications together. Who waits at the end is served or leaves all the same.
///
/// # Errors
/// [`Fault`].
pub fn textbook(
    textbook: Textbook,
    warm_up: Span,
    seed: u64,
    replications: u64,
    settings: Settings,
    progress: &mut dyn FnMut(u64, Span),
) -> Result<Simulated, Fault> {
    let mut collected = Collected::new();
    let mut batches = Vec::new();
    let workload = textbook.without_calls();
    for replication in 0..replications.max(1) {
        let mut tally = Tally::new(&workload, warm_up, settings.threshold, TEXTBOOK_BATCHES);
        let calls = textbook.calls(replication_seed(seed, replication));
        let estimates_from = settings.options.estimates_from.map(|from| from.max(warm_up));
        let options = Options { drain: true, estimates_from, ..settings.options };
        let mut progress = |now| progress(replication, now);
        collected.run(&workload, calls, options, &mut tally, replication == 0, &mut progress)?;
        batches.extend(tally.into_batches());
    }
    let mut report = report("day", &workload.name, &batches, settings.threshold, settings.confidence);
    report.replications = replications.max(1);
    report.notes.clone_from(&workload.notes);
    report.notes.push(format!(
        "Figures leave out a warm-up of {:.1} h. Intervals: {} batches of equal time, Student's t.",
        warm_up.as_seconds_f64() / 3_600.0,
        batches.len()
    ));
    Ok(collected.simulated(report, workload, batches))
}

/// One day to run: the workload of each replication, and what its log says, if it has one.
pub struct Day<'a> {
    /// Makes the workload from a seed.
    pub make: Box<dyn Fn(u64) -> Workload + 'a>,
    /// From the log.
    pub logged: Option<Shares>,
}

/// Runs days one by one, each with a core of its own, and adds them up. With one replication the
/// batches are hours; with several each replication of all days together is one batch.
///
/// # Errors
/// [`Fault`].
pub fn days(
    days: &[Day<'_>],
    seed: u64,
    replications: u64,
    settings: Settings,
    progress: &mut dyn FnMut(u64, usize, Span),
) -> Result<Simulated, Fault> {
    let replications = replications.max(1);
    let mut collected = Collected::new();
    let mut batches: Vec<Batch> = Vec::new();
    let mut per_day = vec![Batch::default(); days.len()];
    let mut first: Option<Workload> = None;
    let mut names = Vec::new();
    for replication in 0..replications {
        let mut of_replication = Vec::new();
        for (index, day) in days.iter().enumerate() {
            let workload = (day.make)(replication_seed(seed, replication));
            let keep = replication == 0 && index == 0;
            let mut tally = Tally::new(&workload, Span::ZERO, settings.threshold, DAY_BATCHES);
            let mut progress = |now| progress(replication, index, now);
            let calls = workload.calls.iter().copied();
            let judge = workload.calls.len() <= JUDGED_MAX;
            let options = Options { judge, ..settings.options };
            collected.run(&workload, calls, options, &mut tally, keep, &mut progress)?;
            let hours = tally.into_batches();
            per_day[index] = Batch::sum(std::iter::once(&per_day[index]).chain(&hours));
            of_replication.extend(hours);
            if replication == 0 {
                names.push(workload.name.clone());
            }
            first.get_or_insert(Workload { calls: Vec::new(), ..workload });
        }
        if replications == 1 {
            batches = of_replication;
        } else {
            batches.push(Batch::sum(&of_replication));
        }
    }
    let name = match (names.first(), names.last()) {
        (Some(only), Some(last)) if only == last => only.clone(),
        (Some(from), Some(to)) => format!("{from} to {to}"),
        _ => String::new(),
    };
    let mut report = report("day", &name, &batches, settings.threshold, settings.confidence);
    report.replications = replications;
    report.days = side_by_side(days, &names, &per_day, &batches, replications);
    let workload = first.unwrap_or_default();
    report.notes.clone_from(&workload.notes);
    let judged =
        "broken_promises: the history checker over each day's record (days of up to 1,000,000 calls).";
    report.notes.push(judged.to_owned());
    report.notes.push(if replications == 1 {
        "Intervals: batches are hours of the day, which differ by nature, so they are wide; with --replications \
         they show what the imputation leaves open."
            .to_owned()
    } else {
        format!("Counts are sums over {replications} replications; intervals are Student's t over them.")
    });
    Ok(collected.simulated(report, workload, batches))
}

fn side_by_side(
    days: &[Day<'_>],
    names: &[String],
    per_day: &[Batch],
    batches: &[Batch],
    replications: u64,
) -> Vec<DayFigures> {
    let once = |batch: &Batch| {
        let shares = batch.shares();
        Shares { arrivals: shares.arrivals / replications, ..shares }
    };
    let mut rows: Vec<DayFigures> = Vec::new();
    for ((day, name), batch) in days.iter().zip(names).zip(per_day) {
        if let Some(logged) = day.logged {
            rows.push(DayFigures { day: name.clone(), simulated: once(batch), logged });
        }
    }
    if rows.len() > 1 {
        let logged = total(rows.iter().map(|row| row.logged));
        rows.push(DayFigures { day: "total".to_owned(), simulated: once(&Batch::sum(batches)), logged });
    }
    rows
}

/// Shares of several days together.
#[expect(clippy::cast_precision_loss, reason = "counts of calls")]
fn total(days: impl Iterator<Item = Shares>) -> Shares {
    let mut sum = Shares::default();
    let mut served = 0.0;
    for day in days {
        let arrivals = day.arrivals as f64;
        let of_day = arrivals * (1.0 - day.abandoned_share);
        sum.arrivals += day.arrivals;
        sum.waited_share += day.waited_share * arrivals;
        sum.abandoned_share += day.abandoned_share * arrivals;
        sum.wait_mean_s += day.wait_mean_s * arrivals;
        sum.service_mean_s += day.service_mean_s * of_day;
        served += of_day;
    }
    let arrivals = (sum.arrivals as f64).max(1.0);
    sum.waited_share /= arrivals;
    sum.abandoned_share /= arrivals;
    sum.wait_mean_s /= arrivals;
    sum.service_mean_s /= served.max(1.0);
    sum
}

/// What a log says of the calls given.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of calls")]
pub fn logged<'a>(calls: impl Iterator<Item = &'a LoggedCall>) -> Shares {
    let mut shares = Shares::default();
    let mut served = 0_u64;
    for call in calls {
        shares.arrivals += 1;
        shares.waited_share += f64::from(call.queue > Span::ZERO);
        shares.wait_mean_s += call.queue.as_seconds_f64();
        match &call.end {
            LoggedEnd::Hang => shares.abandoned_share += 1.0,
            LoggedEnd::Agent { service, .. } => {
                served += 1;
                shares.service_mean_s += service.as_seconds_f64();
            }
        }
    }
    let arrivals = shares.arrivals.max(1) as f64;
    shares.waited_share /= arrivals;
    shares.wait_mean_s /= arrivals;
    shares.abandoned_share /= arrivals;
    shares.service_mean_s /= served.max(1) as f64;
    shares
}
