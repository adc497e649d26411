//! What is known of one domain's events.

use routing::{Event, Sequence};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::watch;

/// Where a frame begins that holds this sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) sequence: u64,
    pub(super) segment: u64,
    pub(super) offset: u64,
}

/// A mark at least every so many events of a domain, and one per segment.
const MARK_EVERY: u64 = 256;

/// One domain's events: `oldest..=last` can be read, the newest of them from memory.
#[derive(Debug)]
pub(super) struct DomainLog {
    pub(super) oldest: u64,
    pub(super) last: u64,
    /// The newest events, dense, up to `last`.
    pub(super) memory: VecDeque<Arc<Event>>,
    pub(super) marks: VecDeque<Mark>,
    changed: Option<watch::Sender<Sequence>>,
}

impl Default for DomainLog {
    fn default() -> Self {
        Self { oldest: 1, last: 0, memory: VecDeque::new(), marks: VecDeque::new(), changed: None }
    }
}

impl DomainLog {
    /// First sequence that is in memory; one past `last` when none is.
    pub(super) fn memory_first(&self) -> u64 {
        self.last + 1 - self.memory.len() as u64
    }

    /// Moves `last` on to an event; false if it is stored already.
    pub(super) fn advance(&mut self, sequence: u64) -> bool {
        if sequence <= self.last {
            return false;
        }
        if sequence > self.last + 1 {
            self.skip_to(sequence - 1);
        }
        self.last = sequence;
        true
    }

    /// Everything up to `last` is gone or was never here.
    pub(super) fn skip_to(&mut self, last: u64) {
        if last <= self.last {
            return;
        }
        self.memory.clear();
        self.marks.clear();
        self.last = last;
        self.oldest = last + 1;
        self.tell();
    }

    /// Drops the oldest event from memory; if no file holds it any more, it is gone.
    pub(super) fn evict(&mut self) {
        if let Some(event) = self.memory.pop_front()
            && self.mark_for(event.sequence.0).is_none()
        {
            self.oldest = event.sequence.0 + 1;
        }
    }

    /// Notes that a frame holds this sequence as its first of the domain.
    pub(super) fn mark(&mut self, mark: Mark) {
        if mark.sequence < self.oldest {
            return;
        }
        let needed = self
            .marks
            .back()
            .is_none_or(|last| last.segment != mark.segment || mark.sequence >= last.sequence + MARK_EVERY);
        if needed {
            self.marks.push_back(mark);
        }
    }

    /// The frame to start reading at for this sequence.
    pub(super) fn mark_for(&self, sequence: u64) -> Option<Mark> {
        let after = self.marks.partition_point(|mark| mark.sequence <= sequence);
        after.checked_sub(1).map(|at| self.marks[at])
    }

    /// The segments up to this one are gone.
    pub(super) fn forget(&mut self, segment: u64) {
        while self.marks.front().is_some_and(|mark| mark.segment <= segment) {
            self.marks.pop_front();
            self.oldest = self.marks.front().map_or(self.memory_first(), |mark| mark.sequence);
        }
    }

    pub(super) fn subscribe(&mut self) -> watch::Receiver<Sequence> {
        let last = Sequence(self.last);
        self.changed.get_or_insert_with(|| watch::Sender::new(last)).subscribe()
    }

    /// Goes on for those who watched the other one.
    pub(super) fn watchers_of(&mut self, other: DomainLog) {
        self.changed = other.changed;
        self.tell();
    }

    pub(super) fn tell(&self) {
        if let Some(changed) = &self.changed {
            changed.send_replace(Sequence(self.last));
        }
    }

    pub(super) fn close(&mut self) {
        self.changed = None;
    }
}
