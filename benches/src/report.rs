//! Figures of several sizes side by side, as a table and as JSON.

use crate::traffic::{Sample, Samples};
use comfy_table::{Cell, CellAlignment, Table};
use serde::Serialize;

/// All populations.
pub const POPULATIONS: [&str; 3] = ["ordinary", "hostile", "skilled"];

/// Figures of one kind of command at one size.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Commands measured.
    pub commands: usize,
    /// Median of an apply in nanoseconds.
    pub median_ns: u64,
    /// 99th percentile in nanoseconds.
    pub p99_ns: u64,
    /// Mean of entries visited by the matching.
    pub visited_mean: f64,
    /// Most entries visited by one.
    pub visited_max: u64,
}

impl Figures {
    /// Of a sample; `None` if it is empty.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a mean for people")]
    pub fn of(sample: &Sample) -> Option<Self> {
        let mut ns = sample.ns.clone();
        ns.sort_unstable();
        let at = |share: usize| ns.get((ns.len() * share / 1_000).min(ns.len().saturating_sub(1))).copied();
        Some(Self {
            commands: ns.len(),
            median_ns: at(500)?,
            p99_ns: at(990)?,
            visited_mean: sample.visited.iter().sum::<u64>() as f64 / sample.visited.len() as f64,
            visited_max: sample.visited.iter().copied().max()?,
        })
    }
}

/// One size of one population.
#[derive(Debug, Clone, Serialize)]
pub struct Size {
    /// One of [`POPULATIONS`].
    pub population: &'static str,
    /// Agents.
    pub agents: usize,
    /// Queues.
    pub queues: usize,
    /// Conversations that waited when the measurement began.
    pub waiting: u64,
    /// Bytes the shard keeps per agent, its session and memberships included.
    pub bytes_per_agent: u64,
    /// Bytes the shard keeps per waiting conversation.
    pub bytes_per_waiting: u64,
    /// All commands of the lifecycles.
    pub all: Figures,
    /// By kind.
    pub kinds: Vec<(String, Figures)>,
}

impl Size {
    /// Adds the figures of these samples by kind.
    pub fn add_kinds(&mut self, samples: &Samples) {
        for (kind, sample) in &samples.kinds {
            if let Some(figures) = Figures::of(sample) {
                self.kinds.push(((*kind).to_owned(), figures));
            }
        }
    }
}

/// Largest size against smallest, of one population.
#[derive(Debug, Clone, Serialize)]
pub struct Ratio {
    /// The population.
    pub population: &'static str,
    /// Median time of all commands, largest by smallest.
    pub time: f64,
    /// Mean visits of all commands, largest by smallest.
    pub visits: f64,
}

/// The ratios of every population in the list.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "ratios for people")]
pub fn ratios(sizes: &[Size]) -> Vec<Ratio> {
    POPULATIONS
        .into_iter()
        .filter_map(|population| {
            let of_it: Vec<_> = sizes.iter().filter(|size| size.population == population).collect();
            let (first, last) = (of_it.first()?, of_it.last()?);
            Some(Ratio {
                population,
                time: last.all.median_ns as f64 / first.all.median_ns as f64,
                visits: last.all.visited_mean / first.all.visited_mean,
            })
        })
        .collect()
}

/// The table for people.
#[must_use]
pub fn table(sizes: &[Size]) -> Table {
    let mut table = Table::new();
    table.set_header([
        "population",
        "agents",
        "waiting",
        "command",
        "count",
        "median ns",
        "p99 ns",
        "visits",
        "most",
    ]);
    for size in sizes {
        let all = std::iter::once(("all", &size.all));
        for (kind, figures) in all.chain(size.kinds.iter().map(|(kind, figures)| (kind.as_str(), figures))) {
            let numbers = [
                figures.commands.to_string(),
                figures.median_ns.to_string(),
                figures.p99_ns.to_string(),
                format!("{:.1}", figures.visited_mean),
                figures.visited_max.to_string(),
            ];
            let mut row = vec![
                Cell::new(size.population),
                Cell::new(size.agents).set_alignment(CellAlignment::Right),
                Cell::new(size.waiting).set_alignment(CellAlignment::Right),
                Cell::new(kind),
            ];
            row.extend(numbers.into_iter().map(|n| Cell::new(n).set_alignment(CellAlignment::Right)));
            table.add_row(row);
        }
    }
    table
}
