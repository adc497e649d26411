//! Calls that are not over.

use crate::report::Said;
use crate::workload::Call;
use routing::Span;
use std::collections::VecDeque;

/// Where a call stands, as its offers and assignments tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Waits.
    Waiting,
    /// With an agent since some time; the agent's index.
    Contact(u32),
}

/// A call in the core.
#[derive(Debug, Clone, Copy)]
pub(super) struct Live {
    pub(super) call: Call,
    pub(super) state: State,
    /// When it was first offered.
    pub(super) first_offered: Option<Span>,
    /// When it was offered last.
    pub(super) offered: Span,
    /// Whether a desk rings. Nobody hangs up into that, as with `load`.
    pub(super) ringing: bool,
    /// Whether its patience ended while it rang.
    pub(super) overdue: bool,
    /// What it was said to expect, if it waited and that is of interest.
    pub(super) said: Option<Said>,
}

/// Live calls by their number in the core. Numbers ascend, so they sit in a window that moves on.
#[derive(Debug, Default)]
pub(super) struct LiveCalls {
    first: u64,
    calls: VecDeque<Option<Live>>,
    count: usize,
}

impl LiveCalls {
    /// Adds a call under a number above all others.
    pub(super) fn insert(&mut self, number: u64, call: Call) {
        if self.calls.is_empty() {
            self.first = number;
        }
        while self.first + (self.calls.len() as u64) < number {
            self.calls.push_back(None);
        }
        self.calls.push_back(Some(Live {
            call,
            state: State::Waiting,
            first_offered: None,
            offered: call.at,
            ringing: false,
            overdue: false,
            said: None,
        }));
        self.count += 1;
    }

    pub(super) fn get(&mut self, number: u64) -> Option<&mut Live> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.calls.get_mut(index)?.as_mut()
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<Live> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let live = self.calls.get_mut(index)?.take()?;
        self.count -= 1;
        while let Some(None) = self.calls.front() {
            self.calls.pop_front();
            self.first += 1;
        }
        Some(live)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Live> {
        self.calls.iter().flatten()
    }
}
