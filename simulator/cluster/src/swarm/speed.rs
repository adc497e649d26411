//! Simulated seconds per second of a core. Processor time is counted, so that what else the machine
//! does changes little.

use crate::report::Report;
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use std::collections::BTreeMap;

/// Members of the runs whose speed is stated.
const NODES: u64 = 3;

/// Runs' speeds by stack and rate, of clusters with three nodes. A run uses one core.
#[derive(Debug, Clone, Default)]
pub struct Speeds(BTreeMap<String, BTreeMap<Rate, Vec<f64>>>);

/// A rate in thousandths of conversations per second, so that it has an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rate(u64);

impl Rate {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn of(rate: f64) -> Self {
        Self((rate * 1_000.0).round().max(0.0) as u64)
    }

    fn name(self) -> String {
        #[allow(clippy::cast_precision_loss)]
        let rate = self.0 as f64 / 1_000.0;
        rate.to_string()
    }
}

/// Median and tails of some speeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quantiles {
    /// How many runs.
    pub runs: u64,
    /// One run in ten was slower.
    pub p10: f64,
    /// The median.
    pub median: f64,
    /// One run in ten was faster.
    pub p90: f64,
}

impl Quantiles {
    /// Of these values; `None` without any.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |percent: usize| {
            sorted.get((sorted.len() * percent / 100).min(sorted.len().checked_sub(1)?)).copied()
        };
        Some(Self { runs: sorted.len() as u64, p10: at(10)?, median: at(50)?, p90: at(90)? })
    }
}

impl Speeds {
    /// Takes a run, if it is of three nodes and took any time.
    pub fn add(&mut self, report: &Report) {
        if report.nodes == NODES && report.core_s > 0.0 {
            let speed = report.virtual_s / report.core_s;
            self.0
                .entry(report.stack.clone())
                .or_default()
                .entry(Rate::of(report.rate))
                .or_default()
                .push(speed);
        }
    }

    /// By stack and rate.
    #[must_use]
    pub fn quantiles(&self) -> BTreeMap<String, BTreeMap<String, Quantiles>> {
        let of_stack = |rates: &BTreeMap<Rate, Vec<f64>>| {
            rates.iter().filter_map(|(rate, speeds)| Some((rate.name(), Quantiles::of(speeds)?))).collect()
        };
        self.0.iter().map(|(stack, rates)| (stack.clone(), of_stack(rates))).collect()
    }

    /// A table for people.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(["stack", "conversations/s", "runs", "p10", "median", "p90"]);
        for (stack, rates) in &self.0 {
            for (rate, speeds) in rates {
                if let Some(found) = Quantiles::of(speeds) {
                    let speed = |value: f64| format!("{value:.0}×");
                    let cells = [found.p10, found.median, found.p90].map(speed);
                    let mut row = vec![stack.clone(), rate.name(), found.runs.to_string()];
                    row.extend(cells);
                    table.add_row(row);
                }
            }
        }
        table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_few_and_many() {
        assert_eq!(Quantiles::of(&[]), None);
        assert_eq!(Quantiles::of(&[7.0]), Some(Quantiles { runs: 1, p10: 7.0, median: 7.0, p90: 7.0 }));
        let hundred: Vec<f64> = (0..100).rev().map(f64::from).collect();
        assert_eq!(
            Quantiles::of(&hundred),
            Some(Quantiles { runs: 100, p10: 10.0, median: 50.0, p90: 90.0 })
        );
    }
}
