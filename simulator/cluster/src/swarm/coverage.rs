//! What a swarm must have exercised: what never happened was not tested.

use super::Totals;
use crate::faults;
use comfy_table::{CellAlignment, Table, presets};
use std::collections::{BTreeMap, BTreeSet};

/// Runs of a stack from which on everything must have happened in it, if seeds draw everything.
pub const SEEDS_NEEDED: u64 = 100;

/// Runs of all stacks together from which on everything must have happened in one of them: what CI can afford.
pub const SEEDS_NEEDED_TOGETHER: u64 = 50;

/// Runs of a stack from which on power must have been lost in every single step of the disk: there
/// are some forty.
const SEEDS_NEEDED_FOR_STEPS: u64 = 1_000;

/// Names of steps of the disk begin so.
const STEPS: &str = "fault.disk-step.";

/// What must happen besides every kind of fault, as runs count it.
const EVENTS: [&str; 69] = [
    "abandoned",
    "accepts",
    "audits",
    "breaks_of_its_own",
    "callback_changed",
    "callbacks",
    "callbacks_tried",
    "channel_rules_changed",
    "connecting",
    "consult_completed",
    "consult_ended",
    "consulting",
    "criteria_changed",
    "crossings_arrived",
    "crossings_left",
    "crossings_recalled",
    "crossings_refused",
    "crossings_repeated",
    "crossings_withdrawn",
    "elections",
    "entries_compared",
    "files_made.events",
    "files_removed.log",
    "handling_changed",
    "hashes_compared",
    "hours_closed",
    "hours_opened",
    "idle_changed",
    "leases_lost",
    "moves_done",
    "moves_given_up",
    "not_connected",
    "offers",
    "offers_reprioritised",
    "pace_changed",
    "policy_changed",
    "pulls",
    "redeliveries",
    "rejects",
    "relaxed",
    "repeats",
    "replicas.closed",
    "replicas.opened",
    "requests_sent_again",
    "requeues",
    "resumed",
    "returns_with_work",
    "revocations",
    "ring_changed",
    "rule.add_queue",
    "rule.call_back",
    "rule.close",
    "rule.move_to",
    "rule.prioritise",
    "rule.send_to",
    "rule.to_inbox",
    "rule_applied",
    "sessions",
    "skills_changed",
    "snapshots_restored",
    "snapshots_taken",
    "taken",
    "timeouts",
    "transfers",
    "transfers_failed",
    "upgrades",
    "why.pick",
    "why.queue",
    "wrap_ups_extended",
];

/// What happened, what should have, and what did not.
#[derive(Debug, Clone)]
pub struct Coverage {
    counts: BTreeMap<String, BTreeMap<String, u64>>,
    runs: BTreeMap<String, u64>,
    needed: BTreeSet<String>,
}

impl Coverage {
    /// Of some runs.
    #[must_use]
    pub fn of(totals: &Totals) -> Self {
        let needed = EVENTS.iter().map(|name| (*name).to_owned()).chain(faults::names()).collect();
        Self { counts: totals.counts.clone(), runs: totals.by_stack.clone(), needed }
    }

    /// Whether there were runs enough to judge.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.by_itself() || self.runs.values().sum::<u64>() >= SEEDS_NEEDED_TOGETHER
    }

    /// Whether every stack that ran at all ran often enough to be judged by itself.
    fn by_itself(&self) -> bool {
        !self.runs.is_empty() && self.runs.values().all(|runs| *runs >= SEEDS_NEEDED)
    }

    /// What should have happened and never did, as `stack: name`; in no stack, where they are judged together.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        if !self.by_itself() {
            let due = self.needed.iter().filter(|name| !name.starts_with(STEPS));
            let never = due.filter(|name| self.runs.keys().all(|stack| self.count(stack, name) == 0));
            return never.map(|name| format!("any stack: {name}")).collect();
        }
        let of_stack = |stack: &String| {
            let runs = self.runs.get(stack).copied().unwrap_or(0);
            let due = |name: &&String| !name.starts_with(STEPS) || runs >= SEEDS_NEEDED_FOR_STEPS;
            let missing = self.needed.iter().filter(due).filter(|name| self.count(stack, name) == 0);
            missing.map(|name| format!("{stack}: {name}")).collect::<Vec<_>>()
        };
        self.runs.keys().flat_map(of_stack).collect()
    }

    fn count(&self, stack: &str, name: &str) -> u64 {
        self.counts.get(stack).and_then(|counts| counts.get(name)).copied().unwrap_or(0)
    }

    /// A table for people: names, how often in each stack, and a mark where it must happen and did
    /// not.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        let mut header = vec!["exercised".to_owned()];
        header.extend(self.runs.iter().map(|(stack, runs)| format!("{stack} ({runs})")));
        table.set_header(header);
        let names: BTreeSet<&String> =
            self.counts.values().flat_map(BTreeMap::keys).chain(&self.needed).collect();
        for name in names {
            let mut row = vec![name.clone()];
            row.extend(self.runs.keys().map(|stack| match self.count(stack, name) {
                0 if self.needed.contains(name) => "NEVER".to_owned(),
                count => count.to_string(),
            }));
            table.add_row(row);
        }
        table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::FaultKind;
    use clap::ValueEnum;

    fn everything() -> Totals {
        let mut totals = Totals::default();
        for stack in ["fast", "full"] {
            totals.by_stack.insert(stack.to_owned(), SEEDS_NEEDED);
            let needed = Coverage::of(&totals).needed;
            totals.counts.insert(stack.to_owned(), needed.into_iter().map(|name| (name, 1)).collect());
        }
        totals
    }

    #[test]
    fn nothing_is_missing_when_everything_happened() {
        let coverage = Coverage::of(&everything());
        assert_eq!(coverage.missing(), Vec::<String>::new());
        assert!(!coverage.table().to_string().contains("NEVER"));
    }

    #[test]
    fn every_kind_of_fault_is_missed_when_it_never_happened_in_a_stack() {
        for kind in FaultKind::value_variants() {
            let name = format!("fault.{}", kind.name());
            let mut totals = everything();
            assert!(totals.counts.get_mut("full").unwrap().remove(&name).is_some(), "{name} is not needed");
            assert_eq!(Coverage::of(&totals).missing(), [format!("full: {name}")]);
            totals.counts.get_mut("full").unwrap().insert(name.clone(), 0);
            let coverage = Coverage::of(&totals);
            assert_eq!(coverage.missing(), [format!("full: {name}")]);
            let table = coverage.table().to_string();
            let row = table.lines().find(|line| line.contains(&format!("{name} "))).unwrap();
            assert!(row.contains("NEVER"), "{row}");
        }
    }

    #[test]
    fn a_step_of_the_disk_is_missed_after_many_runs_and_not_before() {
        let steps: Vec<String> = faults::names().into_iter().filter(|name| name.starts_with(STEPS)).collect();
        assert!(steps.len() > 20, "{steps:?}");
        for name in steps {
            let mut totals = everything();
            totals.counts.get_mut("fast").unwrap().remove(&name);
            assert_eq!(Coverage::of(&totals).missing(), Vec::<String>::new());
            totals.by_stack.insert("fast".to_owned(), SEEDS_NEEDED_FOR_STEPS);
            assert_eq!(Coverage::of(&totals).missing(), [format!("fast: {name}")]);
        }
    }

    #[test]
    fn every_needed_event_is_missed_when_it_never_happened() {
        for name in EVENTS {
            let mut totals = everything();
            totals.counts.get_mut("fast").unwrap().remove(name);
            assert_eq!(Coverage::of(&totals).missing(), [format!("fast: {name}")]);
        }
    }

    #[test]
    fn few_runs_are_not_enough_to_judge() {
        let mut totals = everything();
        let runs = |totals: &mut Totals, fast, full| {
            totals.by_stack = [("fast".to_owned(), fast), ("full".to_owned(), full)].into();
            Coverage::of(totals).is_enough()
        };
        assert!(runs(&mut totals, SEEDS_NEEDED, SEEDS_NEEDED));
        let half = SEEDS_NEEDED_TOGETHER / 2;
        assert!(runs(&mut totals, half, half));
        assert!(!runs(&mut totals, half, half - 1));
        assert!(!Coverage::of(&Totals::default()).is_enough());
    }

    #[test]
    fn few_runs_of_each_stack_are_judged_together() {
        let half = SEEDS_NEEDED_TOGETHER / 2;
        for name in EVENTS {
            let mut totals = everything();
            totals.by_stack = [("fast".to_owned(), half), ("full".to_owned(), half)].into();
            totals.counts.get_mut("fast").unwrap().remove(name);
            assert_eq!(Coverage::of(&totals).missing(), [""; 0]);
            totals.counts.get_mut("full").unwrap().remove(name);
            assert_eq!(Coverage::of(&totals).missing(), [format!("any stack: {name}")]);
            totals.by_stack = [("fast".to_owned(), SEEDS_NEEDED), ("full".to_owned(), SEEDS_NEEDED)].into();
            assert_eq!(Coverage::of(&totals).missing(), [format!("fast: {name}"), format!("full: {name}")]);
        }
    }
}
