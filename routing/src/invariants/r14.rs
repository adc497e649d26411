//! same log, same decisions, on every replica and in every replay.

use super::{Ghost, Promise, SOURCE, Step};
use crate::{Effects, Entry, Event, Outcome, Shard};

/// The promise with its check.
///
/// One picture cannot show divergence: [`replay`] is the whole check. What a single entry can show
/// is time running backwards.
pub const PROMISE: Promise = Promise {
    id: "R-14",
    text: "same log, same decisions, on every replica and in every replay",
    source: SOURCE,
    prevents: "divergence",
    check,
};

fn check(step: &Step<'_>, _: &Ghost) -> Vec<String> {
    match step.before {
        Some(before) if step.after.now < before.now => {
            vec![format!("log time went back from {:?} to {:?}", before.now, step.after.now)]
        }
        _ => Vec::new(),
    }
}

/// What a log led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// State hash at the end.
    pub hash: u64,
    /// Every outcome.
    pub outcomes: Vec<Outcome>,
    /// Every event.
    pub events: Vec<Event>,
}

/// Applies a log. Where `restore_at` says so, the shard goes through `restore` (a snapshot written
/// and read) before that entry. R-14 holds if the results are equal for every choice of both.
pub fn replay(
    mut shard: Shard,
    log: &[Entry],
    restore_at: impl Fn(usize) -> bool,
    restore: impl Fn(&Shard) -> Shard,
) -> Replayed {
    let mut effects = Effects::default();
    let mut outcomes = Vec::with_capacity(log.len());
    for (index, entry) in log.iter().enumerate() {
        if restore_at(index) {
            shard = restore(&shard);
        }
        outcomes.push(shard.apply(entry, &mut effects));
    }
    Replayed { hash: shard.state_hash(), outcomes, events: effects.events }
}
