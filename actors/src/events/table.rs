//! A shard's events in memory: what is near the present, what is yet to be written, and where
//! the rest is.

use super::EventLimits;
use super::domain::{DomainLog, Mark};
use super::segment::Segment;
use routing::{DomainId, Event, LogTime, Sequence};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

#[derive(Default)]
pub(super) struct Table {
    domains: BTreeMap<DomainId, DomainLog>,
    /// Domains of the events in memory, oldest first.
    order: VecDeque<DomainId>,
    /// Events yet to be written; all of them are in memory too.
    pending: VecDeque<Arc<Event>>,
    /// Events taken since the store was opened.
    pub(super) appended: u64,
    /// Of these, written.
    pub(super) written: u64,
    /// Of these, durable.
    pub(super) durable: u64,
    /// A flush up to this many is wanted.
    pub(super) flush_to: u64,
    pub(super) segments: BTreeMap<u64, Arc<Segment>>,
    pub(super) failed: Option<String>,
    pub(super) closed: bool,
    /// The files are still being looked at; only skips are noted.
    pub(super) opening: bool,
    /// What the files lacked at opening although the state has it: of a domain, from and to which sequence.
    pub(super) lacking: Vec<(DomainId, Sequence, Sequence)>,
}

/// What a reader finds in the table.
pub(super) enum Lookup {
    /// These, from memory.
    Memory(Vec<Arc<Event>>),
    /// Read the files from here; sequences up to `last` are in them.
    Files { segment: Arc<Segment>, mark: Mark, last: u64 },
    /// The store goes on with `oldest`.
    Compacted { oldest: u64 },
    /// Nothing yet.
    Wait,
    /// A hole in the index: a bug, or files were removed.
    Missing,
    /// No more will come.
    Closed,
}

impl Table {
    pub(super) fn opening() -> Self {
        Self { opening: true, ..Self::default() }
    }

    /// Takes the place of a table that was still opening.
    pub(super) fn opened(&mut self, opened: Table) {
        let former = std::mem::replace(self, opened);
        self.closed = former.closed;
        for (domain, log) in former.domains {
            let last = self.last(domain);
            if log.last > last.0 {
                self.lacking.push((domain, Sequence(last.0 + 1), Sequence(log.last)));
            }
            self.skip_to(domain, Sequence(log.last));
            self.domains.entry(domain).or_default().watchers_of(log);
        }
    }

    pub(super) fn append(&mut self, event: &Event) {
        // After a gap (a snapshot was taken from another node) what is before it is gone.
        self.skip_to(event.domain, Sequence(event.sequence.0.saturating_sub(1)));
        let log = self.domains.entry(event.domain).or_default();
        if !log.advance(event.sequence.0) {
            return;
        }
        let event = Arc::new(event.clone());
        log.memory.push_back(event.clone());
        log.tell();
        self.order.push_back(event.domain);
        self.pending.push_back(event);
        self.appended += 1;
    }

    #[cfg(test)]
    pub(super) fn order_len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn backlog(&self) -> usize {
        self.pending.len()
    }

    /// An event found in the files at opening.
    pub(super) fn found(&mut self, domain: DomainId, sequence: u64, segment: u64, offset: u64) {
        let log = self.domains.entry(domain).or_default();
        if log.advance(sequence) {
            log.mark(Mark { sequence, segment, offset });
        }
    }

    /// Events found by the index of a whole segment: dense from `first` to `last`.
    pub(super) fn found_range(&mut self, domain: DomainId, first: u64, last: u64, marks: &[Mark]) {
        let log = self.domains.entry(domain).or_default();
        if first > log.last + 1 {
            log.skip_to(first - 1);
        }
        log.last = log.last.max(last);
        for mark in marks {
            log.mark(*mark);
        }
    }

    pub(super) fn skip_to(&mut self, domain: DomainId, sequence: Sequence) {
        let log = self.domains.entry(domain).or_default();
        if sequence.0 > log.last {
            let dropped = log.memory.len();
            log.skip_to(sequence.0);
            self.order_without(domain, dropped);
        }
    }

    fn order_without(&mut self, domain: DomainId, mut count: usize) {
        self.order.retain(|held| {
            let drop = *held == domain && count > 0;
            count -= usize::from(drop);
            !drop
        });
    }

    pub(super) fn take_pending(&mut self, count_max: usize) -> Vec<Arc<Event>> {
        let count = self.pending.len().min(count_max);
        self.pending.drain(..count).collect()
    }

    /// A frame with these events is in the file now.
    pub(super) fn wrote(&mut self, events: &[Arc<Event>], segment: u64, offset: u64, memory_max: usize) {
        let mut seen = BTreeSet::new();
        for event in events {
            if seen.insert(event.domain)
                && let Some(log) = self.domains.get_mut(&event.domain)
            {
                log.mark(Mark { sequence: event.sequence.0, segment, offset });
            }
        }
        self.written += events.len() as u64;
        // What is not written yet stays, whatever the bound: it is nowhere else.
        while self.order.len() > memory_max.max(self.pending.len()) {
            let Some(domain) = self.order.pop_front() else { break };
            if let Some(log) = self.domains.get_mut(&domain) {
                log.evict();
            }
        }
    }

    pub(super) fn request_flush(&mut self) -> u64 {
        self.flush_to = self.appended;
        self.appended
    }

    pub(super) fn subscribe(&mut self, domain: DomainId) -> tokio::sync::watch::Receiver<Sequence> {
        self.domains.entry(domain).or_default().subscribe()
    }

    pub(super) fn last(&self, domain: DomainId) -> Sequence {
        Sequence(self.domains.get(&domain).map_or(0, |log| log.last))
    }

    pub(super) fn oldest(&self, domain: DomainId) -> Sequence {
        Sequence(self.domains.get(&domain).map_or(1, |log| log.oldest))
    }

    pub(super) fn lookup(&self, domain: DomainId, from: u64, count_max: usize) -> Lookup {
        let Some(log) = self.domains.get(&domain) else { return Lookup::Wait };
        if from < log.oldest {
            return Lookup::Compacted { oldest: log.oldest };
        }
        if from > log.last {
            return if self.closed { Lookup::Closed } else { Lookup::Wait };
        }
        let memory_first = log.memory_first();
        if from >= memory_first {
            let skip = usize::try_from(from - memory_first).unwrap_or(usize::MAX);
            return Lookup::Memory(log.memory.iter().skip(skip).take(count_max).cloned().collect());
        }
        let found = log.mark_for(from).and_then(|mark| Some((mark, self.segments.get(&mark.segment)?)));
        match found {
            Some((mark, segment)) => Lookup::Files { segment: segment.clone(), mark, last: memory_first - 1 },
            None => Lookup::Missing,
        }
    }

    /// Where a domain's events of a segment begin, as (sequence, offset).
    pub(super) fn marks_in(&self, segment: u64, domain: DomainId) -> Vec<(u64, u64)> {
        let Some(log) = self.domains.get(&domain) else { return Vec::new() };
        let here = log.marks.iter().filter(|mark| mark.segment == segment);
        here.map(|mark| (mark.sequence, mark.offset)).collect()
    }

    /// The last sequence of each domain that the files know of, when nothing is pending.
    pub(super) fn lasts(&self) -> BTreeMap<DomainId, u64> {
        self.domains.iter().map(|(domain, log)| (*domain, log.last)).collect()
    }

    /// The oldest segment, if all of them together are larger than allowed or all of its events are
    /// older, and it is not the one that is being written.
    pub(super) fn drop_oldest(&mut self, limits: &EventLimits) -> Option<Arc<Segment>> {
        if self.segments.len() < 2 {
            return None;
        }
        let total: u64 = self.segments.values().map(|segment| segment.len()).sum();
        let newest = self.segments.values().map(|segment| segment.newest()).max().unwrap_or(LogTime(0));
        let (_, oldest) = self.segments.first_key_value()?;
        let too_old = limits.retained_age_max.is_some_and(|age| newest.since(oldest.newest()) > age);
        if total <= limits.retained_bytes_max && !too_old {
            return None;
        }
        let (number, segment) = self.segments.pop_first()?;
        for log in self.domains.values_mut() {
            log.forget(number);
        }
        Some(segment)
    }

    /// Whoever watches these domains watches them elsewhere.
    pub(super) fn end_watches(&mut self, of: impl Fn(DomainId) -> bool) {
        for (_, log) in self.domains.iter_mut().filter(|(domain, _)| of(**domain)) {
            log.close();
        }
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
        for log in self.domains.values_mut() {
            log.close();
        }
    }
}
