//! Checks all promises from inside, while replicas of shards apply their logs.
//!
//! A [`Witness`] is told what every replica applies. The first replica to come to a position is the
//! *frontier* there: every promise is checked once, against pictures and a history of the witness's
//! own. All other replicas, and the same one when it replays after a restart, are *compared*: same
//! position, entry, outcome, events, and now and then same state. It knows nothing of the network,
//! of consensus, of actors or of time. What is checked when, and what it costs, is in
//! `docs/simulator/checks-inside.md`.

mod broken;
mod chain;
mod crossings;
mod figures;
mod frontier;
mod ledger;
mod moves;
mod options;
mod scene;
mod states;
#[cfg(test)]
mod tests;
mod track;

pub use broken::Broken;
pub use figures::Figures;
pub use options::Options;

use ledger::Ledger;
use routing::{Entry, Event, Outcome, Position, Shard, ShardId};
use std::collections::BTreeMap;
use track::Track;

/// One command that a replica has just applied.
#[derive(Debug, Clone, Copy)]
pub struct Applied<'a> {
    /// Whose replica.
    pub node: u64,
    /// The entry.
    pub entry: &'a Entry,
    /// What it answered.
    pub outcome: &'a Outcome,
    /// Its events alone, in order.
    pub events: &'a [Event],
    /// The state right after it.
    pub shard: &'a Shard,
    /// Whether it is the last of its index.
    pub last_of_index: bool,
}

/// Watches all replicas of all shards of one cluster.
///
/// Of one replica it must be told in the order of its log: [`Witness::began`], then for every index
/// its commands ([`Witness::applied`]) or that it has none ([`Witness::passed`]); after
/// [`Witness::restored`] the indexes go on behind the snapshot's.
#[derive(Debug)]
pub struct Witness {
    options: Options,
    shards: BTreeMap<ShardId, Track>,
    ledger: Ledger,
}

impl Witness {
    /// A witness that has seen nothing.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { ledger: Ledger::new(options.broken_kept), options, shards: BTreeMap::new() }
    }

    fn track(&mut self, shard: ShardId) -> (&mut Track, &mut Ledger) {
        let track = self.shards.entry(shard).or_insert_with(|| Track::new(shard, self.options));
        (track, &mut self.ledger)
    }

    /// A replica starts, empty: for the first time, or because its node lost its memory. It comes to
    /// the log's beginning again, unless a snapshot follows.
    pub fn began(&mut self, node: u64, shard: ShardId) {
        let (track, ledger) = self.track(shard);
        ledger.figures.replicas_begun += 1;
        track.began(node);
    }

    /// A replica applied a command.
    pub fn applied(&mut self, seen: &Applied<'_>) {
        let (track, ledger) = self.track(seen.shard.id());
        track.applied(seen, ledger);
    }

    /// A replica came to a command that it cannot read. That breaks agreement by itself: what one
    /// replica cannot read, another may.
    pub fn unreadable(
        &mut self,
        node: u64,
        shard: ShardId,
        position: Position,
        last_of_index: bool,
        why: &str,
    ) {
        let (track, ledger) = self.track(shard);
        track.unreadable(node, position, last_of_index, why, ledger);
    }

    /// A replica came to an index without commands.
    pub fn passed(&mut self, node: u64, shard: &Shard, index: u64) {
        let (track, ledger) = self.track(shard.id());
        track.passed(node, shard, index, ledger);
    }

    /// This is a replica's state after the whole of this index: to be equal to every other's. For
    /// snapshots that are taken, and for the end of a run.
    pub fn state(&mut self, node: u64, shard: &Shard, index: u64) {
        let (track, ledger) = self.track(shard.id());
        track.state(node, shard, index, ledger);
    }

    /// A replica's state was replaced by the snapshot of this index.
    pub fn restored(&mut self, node: u64, shard: &Shard, index: u64) {
        let (track, ledger) = self.track(shard.id());
        ledger.figures.snapshots_restored += 1;
        track.restored(node, shard, index, ledger);
    }

    /// What is broken, in the order in which it was seen; the first [`Options::broken_kept`].
    #[must_use]
    pub fn broken(&self) -> &[Broken] {
        &self.ledger.broken
    }

    /// What was seen and done, for coverage.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.ledger.figures
    }
}
