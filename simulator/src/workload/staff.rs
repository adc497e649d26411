//! Staff from a log: who was there, when, and for which queues, from the calls they took.
//!
//! A shift runs from an agent's first contact to the end of the last. A gap between two contacts
//! is a break when it is longer than [`BREAK`], or when callers of a type the agent took that day
//! waited for more than [`PROOF`] of it: an agent who was there would have taken them. Without the
//! second rule a log's staff looks far more available than it was. Contacts of one agent that
//! overlap by some seconds are one stretch of work.

use super::{Agent, Shift};
use crate::trace::{Date, Trace};
use routing::Span;
use std::collections::{BTreeMap, BTreeSet};

/// A gap this long is a break, whoever waited.
const BREAK: Span = Span::seconds(30 * 60);
/// Waiting of others during a gap that proves the agent's absence.
const PROOF: Span = Span::seconds(20);
/// Gaps longer than this say nothing about turning from one caller to the next.
const TURN_MAX: Span = Span::seconds(60);

/// A stretch of time, from and to.
type Stretch = (Span, Span);

/// The agents of one day, by name. `queue_of` gives a type's index.
pub(super) fn of_day(trace: &Trace, date: Date, queue_of: &BTreeMap<String, u32>) -> Vec<Agent> {
    let mut contacts: BTreeMap<&str, Vec<(Span, Span, &str)>> = BTreeMap::new();
    let mut waits: BTreeMap<&str, Vec<Stretch>> = BTreeMap::new();
    for call in trace.day(date) {
        if let Some((agent, from, to)) = call.contact() {
            contacts.entry(agent).or_default().push((from, to, &call.kind));
        }
        if call.queue > Span::ZERO {
            let until = Span(call.arrival.0 + call.queue.0);
            waits.entry(&call.kind).or_default().push((call.arrival, until));
        }
    }
    let mut agents = Vec::with_capacity(contacts.len());
    for (name, mut contacts) in contacts {
        contacts.sort_unstable();
        let kinds: BTreeSet<&str> = contacts.iter().map(|(_, _, kind)| *kind).collect();
        let waiting: Vec<Stretch> =
            kinds.iter().filter_map(|kind| waits.get(kind)).flatten().copied().collect();
        let busy = contacts.iter().map(|(from, to, _)| (*from, *to));
        let mut queues: Vec<u32> = kinds.iter().filter_map(|kind| queue_of.get(*kind)).copied().collect();
        queues.sort_unstable();
        let shifts = shifts(busy, &waiting);
        agents.push(Agent { name: name.to_owned(), queues, shifts, skills: Vec::new() });
    }
    agents
}

/// The usual time from a contact's end to the next one's begin when the next caller was already
/// waiting: the median over the log. None when the log has no such case.
pub(super) fn turnaround(trace: &Trace) -> Span {
    let mut turns = Vec::new();
    for date in trace.dates() {
        let mut contacts: BTreeMap<&str, Vec<(Span, Span, Span)>> = BTreeMap::new();
        for call in trace.day(date) {
            if let Some((agent, from, to)) = call.contact() {
                contacts.entry(agent).or_default().push((from, to, call.arrival));
            }
        }
        for mut contacts in contacts.into_values() {
            contacts.sort_unstable();
            for pair in contacts.windows(2) {
                let ((_, end, _), (begin, _, arrival)) = (pair[0], pair[1]);
                if begin >= end && arrival < end && begin.0 - end.0 <= TURN_MAX.0 {
                    turns.push(begin.0 - end.0);
                }
            }
        }
    }
    let middle = turns.len() / 2;
    if turns.is_empty() { Span::ZERO } else { Span(*turns.select_nth_unstable(middle).1) }
}

/// Cuts an agent's contacts, in order of their begin, into shifts.
fn shifts(contacts: impl Iterator<Item = Stretch>, waiting: &[Stretch]) -> Vec<Shift> {
    let mut shifts: Vec<Shift> = Vec::new();
    for (from, to) in contacts {
        match shifts.last_mut() {
            Some(last) if !is_break((last.to, from), waiting) => last.to = last.to.max(to),
            _ => shifts.push(Shift { from, to }),
        }
    }
    // A contact of no length makes no shift of its own.
    shifts.retain(|shift| shift.from < shift.to);
    shifts
}

fn is_break(gap: Stretch, waiting: &[Stretch]) -> bool {
    let (from, to) = gap;
    if to <= from {
        return false;
    }
    if to.0 - from.0 > BREAK.0 {
        return true;
    }
    let mut inside: Vec<Stretch> = waiting
        .iter()
        .map(|(begin, end)| ((*begin).max(from), (*end).min(to)))
        .filter(|(begin, end)| begin < end)
        .collect();
    inside.sort_unstable();
    let mut covered = 0;
    let mut reached = from;
    for (begin, end) in inside {
        covered += end.0.saturating_sub(begin.max(reached).0);
        reached = reached.max(end);
    }
    covered > PROOF.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Span {
        Span::seconds(seconds)
    }

    fn cut(contacts: &[(u64, u64)], waiting: &[(u64, u64)]) -> Vec<(u64, u64)> {
        let waiting: Vec<Stretch> = waiting.iter().map(|(from, to)| (s(*from), s(*to))).collect();
        let found = shifts(contacts.iter().map(|(from, to)| (s(*from), s(*to))), &waiting);
        found.iter().map(|shift| (shift.from.0 / 1_000_000, shift.to.0 / 1_000_000)).collect()
    }

    #[test]
    fn gaps_are_breaks_when_long_or_when_somebody_waited() {
        assert_eq!(cut(&[(0, 100), (200, 300)], &[]), [(0, 300)]);
        assert_eq!(cut(&[(0, 100), (1_901, 2_000)], &[]), [(0, 100), (1_901, 2_000)]);
        assert_eq!(cut(&[(0, 100), (1_900, 2_000)], &[]), [(0, 2_000)]);
        // 20 s of waiting, counted once where two wait, are not proof yet; 21 s are.
        assert_eq!(cut(&[(0, 100), (200, 300)], &[(90, 120), (110, 120)]), [(0, 300)]);
        assert_eq!(cut(&[(0, 100), (200, 300)], &[(90, 120), (110, 121)]), [(0, 100), (200, 300)]);
    }

    #[test]
    fn overlapping_contacts_are_one_stretch() {
        assert_eq!(cut(&[(0, 100), (95, 130), (96, 99)], &[(0, 500)]), [(0, 130)]);
        assert_eq!(cut(&[(5, 5)], &[]), []);
    }
}
