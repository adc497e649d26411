//! What was done.

use crate::plan::FaultKind;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// Lines kept for a report.
const HISTORY_MAX: usize = 200;

/// What was done, for reports and for coverage.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) history: VecDeque<(Duration, String)>,
    pub(super) counts: BTreeMap<String, u64>,
    pub(super) kinds: BTreeSet<FaultKind>,
}

impl Notes {
    /// Adds a line.
    pub(super) fn add(&mut self, at: Duration, text: String) {
        tracing::info!(fault = %text);
        if self.history.len() == HISTORY_MAX {
            self.history.pop_front();
        }
        self.history.push_back((at, text));
    }

    /// A fault of this kind was done.
    pub(super) fn done(&mut self, at: Duration, kind: FaultKind, text: &str) {
        self.kinds.insert(kind);
        self.count(kind.name().to_owned());
        self.add(at, format!("{}: {text}", kind.name()));
    }

    /// Counts a variant: `fault.` is put before the name.
    pub(super) fn count(&mut self, name: String) {
        *self.counts.entry(format!("fault.{name}")).or_default() += 1;
    }
}
