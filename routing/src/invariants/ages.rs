//! How old request ids are, as docs/routing/RULES.md says it, apart from the engine.

use crate::{LogTime, RequestId};
use std::collections::{BTreeMap, BTreeSet};

/// An id ahead of the reference clock by more than this is remembered for longer.
const AHEAD_MS: u64 = 10_000;
/// An answer is kept for no more than this because of an id that is ahead, and once more for it.
const HOUR_US: u64 = 3_600_000_000;

/// Which ids must be refused for their age, and which must not.
#[derive(Debug, Clone, Default)]
pub(super) struct Ages {
    /// Whether the domain is known since it was made. Otherwise little can be said.
    pub(super) whole: bool,
    /// The reference clock in microseconds, and when it was looked at last.
    reference: Option<(u64, LogTime)>,
    /// Answered ids by the time from which their window counts.
    kept: BTreeSet<(LogTime, RequestId)>,
    /// Ids whose window is over, but which the reference has not reached.
    late: BTreeMap<RequestId, LogTime>,
    /// Ids that were so far ahead that they may be taken for new again.
    lost: BTreeSet<RequestId>,
    /// The largest stamp of those that may be forgotten.
    floor_ms: Option<u64>,
}

impl Ages {
    /// An entry with this id comes to the domain.
    pub(super) fn meet(&mut self, id: RequestId, now: LogTime, wall_ms: u64, window_us: u64) {
        if !self.whole {
            return;
        }
        let wall_us = wall_ms * 1_000;
        let shown = match self.reference {
            None if id.made_at_ms() + window_us / 1_000 < wall_ms => return,
            None => wall_us.min(id.made_at_ms() * 1_000),
            Some((shown, _)) if wall_us <= shown => shown,
            Some((shown, before)) => {
                let passed = now.0 - before.0;
                wall_us.min(shown + passed + window_us.min(passed) / 4)
            }
        };
        self.reference = Some((shown, now));
        self.forget(now, shown / 1_000, window_us);
    }

    fn forget(&mut self, now: LogTime, reference_ms: u64, window_us: u64) {
        while let Some((since, id)) = self.kept.pop_first() {
            if since.0 + window_us > now.0 {
                self.kept.insert((since, id));
                break;
            }
            self.late.insert(id, since);
        }
        let (floor_ms, lost) = (&mut self.floor_ms, &mut self.lost);
        self.late.retain(|id, since| {
            let reached = id.made_at_ms() <= reference_ms;
            let given_up = since.0 + window_us + HOUR_US <= now.0;
            if reached {
                *floor_ms = (*floor_ms).max(Some(id.made_at_ms()));
            } else if given_up {
                lost.insert(*id);
            }
            !reached && !given_up
        });
    }

    /// From when on the window of an id counts that is answered now.
    pub(super) fn answered(&mut self, id: RequestId, now: LogTime) -> LogTime {
        let Some((shown, _)) = self.reference else { return now };
        let ahead_ms = id.made_at_ms().saturating_sub(shown / 1_000);
        let longer_us = if ahead_ms > AHEAD_MS { HOUR_US.min(ahead_ms.saturating_mul(1_000)) } else { 0 };
        let since = LogTime(now.0 + longer_us);
        self.lost.remove(&id);
        self.kept.insert((since, id));
        since
    }

    /// Whether an id is older than the window, so that it can only be refused if it is not known.
    pub(super) fn is_over(&self, id: RequestId, wall_ms: u64, window_us: u64) -> bool {
        let reference_ms = self.reference.map_or(wall_ms, |(shown, _)| shown / 1_000);
        self.whole && id.made_at_ms() + window_us / 1_000 < reference_ms
    }

    /// Whether an id that is not known may be one that was forgotten.
    pub(super) fn may_be_forgotten(&self, id: RequestId) -> bool {
        !self.whole || self.floor_ms.is_some_and(|floor_ms| id.made_at_ms() <= floor_ms)
    }

    /// Whether an answer had to be given up before its id could be refused.
    pub(super) fn is_lost(&self, id: RequestId) -> bool {
        self.lost.contains(&id)
    }

    /// Whether nothing is left to be said of an id since then.
    pub(super) fn is_past(&self, id: RequestId, since: LogTime, now: LogTime, span_us: u64) -> bool {
        let reached = self.reference.is_none_or(|(shown, _)| id.made_at_ms() <= shown / 1_000);
        since.0 + span_us + if reached { 0 } else { HOUR_US } < now.0
    }
}
