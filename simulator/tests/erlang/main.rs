//! `day` against the exact formulas of queueing theory, through the real core.
//!
//! Every figure of every row must lie in its interval, with 99 % for all of them together
//! (Bonferroni), from five fixed seeds. The long run wants intervals no wider than ± 2 % of the
//! value: 450 million calls, about half an hour of two cores on a release build, one row at a time
//! under `long::`:
//!
//!     cargo test --release -p centralita-simulator --test erlang -- --ignored --nocapture
//!
//! The short one, inside CI, is the same with fewer calls and wider intervals (± 25 %).

mod exact;

use exact::{Row, exact};
use routing::Span;
use simulator::day::{Settings, textbook};
use simulator::report::{Batch, Interval, report};
use simulator::workload::{Textbook, span_of};
use std::path::PathBuf;

const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];
const FAMILY_CONFIDENCE: f64 = 0.99;

#[rustfmt::skip]
const ROWS: [Row; 10] = [
    row("C case-1", 10.0 / 180.0, 180.0, None, 11, 20.0, 32.0),
    row("C case-2", 10.0 / 180.0, 180.0, None, 14, 20.0, 20.0),
    row("C case-3", 0.2, 240.0, None, 55, 15.0, 85.0),
    row("C case-4", 0.8, 1.0, None, 1, 1.0, 7.0),
    row("C case-5", 2.0, 1.0, None, 3, 1.0, 4.5),
    row("C case-6", 95.0 / 300.0, 300.0, None, 100, 20.0, 270.0),
    row("A case-1", 10.0 / 180.0, 180.0, Some(180.0), 10, 20.0, 2.0),
    row("A case-2", 10.0 / 180.0, 180.0, Some(180.0), 14, 20.0, 8.0),
    row("A case-3", 0.2, 240.0, Some(120.0), 50, 20.0, 10.0),
    row("A case-4", 100.0 / 240.0, 240.0, Some(240.0), 90, 20.0, 10.0),
];

const fn row(
    name: &'static str,
    lambda_per_s: f64,
    aht_s: f64,
    patience_s: Option<f64>,
    servers: u32,
    threshold_s: f64,
    long_millions: f64,
) -> Row {
    Row { name, lambda_per_s, aht_s, patience_s, servers, threshold_s, long_millions }
}

/// One figure of one row.
#[derive(Debug)]
struct Compared {
    row: &'static str,
    figure: &'static str,
    exact: f64,
    interval: Interval,
}

impl Compared {
    fn agrees(&self) -> bool {
        (self.interval.low..=self.interval.high).contains(&self.exact)
    }

    /// Half the interval by the value.
    fn half_width(&self) -> f64 {
        (self.interval.high - self.interval.low) / 2.0 / self.exact
    }
}

fn figures() -> usize {
    ROWS.iter().map(|row| exact(row).figures().len()).sum()
}

/// Simulates a row with every seed and compares all its figures. `service` scales the contact
/// times: 1 unless it is to go wrong.
fn compare(row: &Row, calls_per_seed: f64, service: f64) -> Vec<Compared> {
    let confidence = 1.0 - (1.0 - FAMILY_CONFIDENCE) / figures() as f64;
    let threshold = span_of(row.threshold_s);
    let queue = Textbook {
        arrivals_per_s: row.lambda_per_s,
        service_s: row.aht_s * service,
        agents: row.servers,
        patience_s: row.patience_s,
        hours: calls_per_seed / row.lambda_per_s / 3_600.0 * 1.05,
    };
    let warm_up = Span(span_of(queue.hours * 3_600.0).0 / 21);
    let settings = Settings { threshold, confidence, ..Settings::default() };
    let run = |seed: u64| textbook(queue, warm_up, seed, 1, settings, &mut |_, _| {}).unwrap().batches;
    let batches: Vec<Batch> = SEEDS.into_iter().flat_map(run).collect();
    let report = report("day", row.name, &batches, threshold, confidence);
    let exact = exact(row);
    let compared = |(figure, exact)| Compared {
        row: row.name,
        figure,
        exact,
        interval: report.intervals[&format!("{figure}_ci")],
    };
    exact.figures().into_iter().map(compared).collect()
}

fn compare_all(calls_per_seed: impl Fn(&Row) -> f64 + Sync, service: f64) -> Vec<Compared> {
    // Two at a time: the rows are independent.
    let (calls_per_seed, mut all) = (&calls_per_seed, Vec::new());
    std::thread::scope(|scope| {
        let half = |parity: usize| {
            let rows = ROWS.iter().skip(parity).step_by(2);
            rows.flat_map(|row| compare(row, calls_per_seed(row), service)).collect::<Vec<_>>()
        };
        let other = scope.spawn(move || half(1));
        all.extend(half(0));
        all.extend(other.join().unwrap());
    });
    all
}

fn print(all: &[Compared]) {
    for c in all {
        println!(
            "{:9} {:17} exact {:>12.6}  interval {:>12.6} to {:>12.6}  ± {:.2} %  {}",
            c.row,
            c.figure,
            c.exact,
            c.interval.low,
            c.interval.high,
            c.half_width() * 100.0,
            if c.agrees() { "agrees" } else { "DISAGREES" }
        );
    }
}

fn assert_agreement(all: &[Compared], half_width_max: f64) {
    print(all);
    let wrong: Vec<&Compared> =
        all.iter().filter(|c| !c.agrees() || c.half_width() > half_width_max).collect();
    assert!(wrong.is_empty(), "seeds {SEEDS:?}, wanted ± {} %: {wrong:#?}", half_width_max * 100.0);
}

#[test]
fn a_short_run_agrees_with_every_row() {
    let calls = |row: &Row| row.long_millions * 1e6 / 5.0 / 100.0;
    assert_agreement(&compare_all(calls, 1.0), 0.25);
}

/// One test per row, so that they run side by side and one can be run alone.
macro_rules! long_runs {
    ($($name:ident: $row:literal,)*) => {
        mod long {
            $(
                #[test]
                #[ignore = "minutes on a release build"]
                fn $name() {
                    let row = &super::ROWS[$row];
                    let compared = super::compare(row, row.long_millions * 1e6 / 5.0, 1.0);
                    super::assert_agreement(&compared, 0.02);
                }
            )*

            #[test]
            fn no_row_is_left_out() {
                assert_eq!([$($row),*], std::array::from_fn(|index| index));
                assert_eq!([$($row),*].len(), super::ROWS.len());
            }
        }
    };
}

long_runs! {
    c_case_1: 0,
    c_case_2: 1,
    c_case_3: 2,
    c_case_4: 3,
    c_case_5: 4,
    c_case_6: 5,
    a_case_1: 6,
    a_case_2: 7,
    a_case_3: 8,
    a_case_4: 9,
}

#[test]
fn contacts_three_percent_too_long_are_noticed() {
    // The occupancy of a loaded queue is known best.
    let row = &ROWS[3];
    let compared = compare(row, row.long_millions * 1e6 / 5.0 / 10.0, 1.03);
    print(&compared);
    let wrong: Vec<&str> = compared.iter().filter(|c| !c.agrees()).map(|c| c.figure).collect();
    assert!(wrong.contains(&"occupancy") && wrong.contains(&"wait_mean_s"), "only {wrong:?} disagree");
}

/// The tables that come with the data, where it is: every row is simulated here, and the formulas
/// agree with it.
#[test]
fn the_tables_say_what_the_formulas_say() {
    let Some(folder) = std::env::var_os("CENTRALITA_DATA") else {
        println!("skipped: CENTRALITA_DATA is not set");
        return;
    };
    let table = |name: &str| PathBuf::from(&folder).join(name);
    let mut compared = 0;
    for (file, kind) in [("erlang_c.csv", "C"), ("erlang_a.csv", "A")] {
        let mut reader = csv::Reader::from_path(table(file)).unwrap();
        let header = reader.headers().unwrap().clone();
        for line in reader.records() {
            let line = line.unwrap();
            let text = |name: &str| header.iter().position(|title| title == name).map(|index| &line[index]);
            let value = |name: &str| {
                text(name).unwrap_or_else(|| panic!("{file} has no {name}")).parse::<f64>().unwrap()
            };
            let name = format!("{kind} {}", text("case").unwrap());
            let row =
                ROWS.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("{name} is not simulated"));
            let exact = exact(row);
            let near = |what: &str, ours: f64, theirs: f64| {
                assert!((ours / theirs - 1.0).abs() < 1e-8, "{name} {what}: {ours}, the table says {theirs}");
            };
            near("lambda", row.lambda_per_s, value("lambda_per_s"));
            near("aht", row.aht_s, value("aht_s"));
            near("servers", f64::from(row.servers), value("servers"));
            near("T", row.threshold_s, value("T_s"));
            near("P_wait", exact.wait_probability, value("P_wait"));
            near("occupancy", exact.occupancy, value("occupancy"));
            if kind == "C" {
                near("SL", exact.service_level, value("SL_T"));
                near("ASA", exact.wait_mean_s, value("ASA_s"));
            } else {
                near("patience", row.patience_s.unwrap(), value("patience_s"));
                near("SL", exact.service_level, value("P_served_within_T"));
                near("wait", exact.wait_mean_s, value("mean_wait_all_s"));
                near("P_abandon", exact.abandoned_share.unwrap(), value("P_abandon"));
            }
            compared += 1;
        }
    }
    assert_eq!(compared, ROWS.len());
}
