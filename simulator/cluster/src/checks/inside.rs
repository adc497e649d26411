//! What replicas apply, checked as they apply it.

use super::History;
use super::lease::{self, Leases};
use super::silent::Silent;
use super::stores::Stores;
use crate::determinism::elapsed;
use crate::machine::Life;
use crate::report::Broken;
use actors::{Applied, EngineConfig, Probe, Spot};
use consensus::NodeId;
use routing::{AgentId, Command, DomainId, Position, Sequence, Shard, ShardId};
use simulator::witness::{self, Options, Witness};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The witness of all replicas of all shards, with what only a cluster has.
pub struct Inside {
    state: Mutex<State>,
}

struct State {
    witness: Witness,
    leases: Leases,
    silent: Silent,
    stores: Stores,
    seen: usize,
    broken: Vec<Broken>,
    real_work: u64,
    snapshots: u64,
    hash: u64,
}

impl Default for Inside {
    /// A witness that has seen nothing.
    fn default() -> Self {
        Self::with(Options::default())
    }
}

impl Inside {
    fn with(options: Options) -> Self {
        let state = State {
            witness: Witness::new(options),
            // As machines do: with the lease of a plain node.
            leases: Leases::new(EngineConfig::default().lease),
            silent: Silent::default(),
            stores: Stores::default(),
            seen: 0,
            broken: Vec::new(),
            real_work: 0,
            snapshots: 0,
            hash: 0,
        };
        Self { state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The probe of one life of a node; it is blind when that life is over.
    #[must_use]
    pub fn probe(self: &Arc<Self>, life: Life) -> Arc<dyn Probe> {
        Arc::new(LifeProbe { inside: Arc::clone(self), life })
    }

    /// Whether anything was broken.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        !self.state().broken.is_empty()
    }

    /// What was broken.
    #[must_use]
    pub fn broken(&self) -> Vec<Broken> {
        self.state().broken.clone()
    }

    /// Entries applied by the first replica to do so.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.state().witness.figures().entries_checked
    }

    /// Commands applied that were not the passing of time: moves as long as work gets done.
    #[must_use]
    pub fn real_work(&self) -> u64 {
        self.state().real_work
    }

    /// What replicas did, by name, for coverage.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let state = self.state();
        let figures = serde_json::to_value(state.witness.figures()).unwrap_or_default();
        let mut counts: BTreeMap<String, u64> = serde_json::from_value(figures).unwrap_or_default();
        counts.insert("snapshots_taken".to_owned(), state.snapshots);
        counts
    }

    /// Learns which agents' desks have fallen silent for good. Often: what became of their sessions is seen in the
    /// entries that come after it, and the last one may come long before the end of a run.
    pub fn follow_silent(&self, history: &History) {
        let mut state = self.state();
        for agent in history.vanished_since(state.silent.known()) {
            state.silent.vanished(agent);
        }
    }

    /// Agents whose desks fell silent for good and whose sessions are still alive. A domain out of service ends none.
    #[must_use]
    pub fn leased_of(&self, history: &History) -> Vec<AgentId> {
        self.follow_silent(history);
        let state = self.state();
        state.silent.live().filter(|agent| !history.is_quarantined(agent.domain)).collect()
    }

    /// Hash of everything that was applied, in the order it was.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.state().hash
    }
}

impl State {
    fn mix(&mut self, words: &[u64]) {
        for word in words {
            self.hash = (self.hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        }
    }

    /// Looks at leases that a new leader takes away.
    fn lease(&mut self, seen: &Applied<'_>) {
        let entry = seen.entry;
        let at = lease::Seen {
            shard: seen.shard.id(),
            term: seen.term,
            position: entry.position,
            domain: entry.request.domain,
            command: &entry.request.command,
            outcome: seen.outcome,
        };
        if let Some(seen) = self.leases.see(at, elapsed()) {
            self.breach("lease", seen);
        }
    }

    fn breach(&mut self, promise: &str, seen: String) {
        let at_ms = u64::try_from(elapsed().as_millis()).unwrap_or(u64::MAX);
        self.broken.push(Broken { promise: promise.to_owned(), at_ms, seen, before: Vec::new() });
    }

    /// Takes over what the witness found.
    fn collect(&mut self) {
        let found = self.witness.broken();
        if found.len() == self.seen {
            return;
        }
        let at_ms = u64::try_from(elapsed().as_millis()).unwrap_or(u64::MAX);
        let new = found[self.seen..].iter().map(|broken| Broken {
            promise: broken.promise.to_owned(),
            at_ms,
            seen: format!(
                "{} index {}.{}, log time {:.3} s, node {}: {}",
                broken.shard,
                broken.position.index,
                broken.position.ordinal,
                broken.at.0 as f64 / 1e6,
                broken.node,
                broken.text
            ),
            before: broken.events.iter().map(line_of).collect(),
        });
        self.broken.extend(new);
        self.seen = found.len();
    }
}

/// An event for a report.
fn line_of(event: &routing::Event) -> String {
    let at = event.at.0 as f64 / 1e6;
    format!("{at:.3} s  {}.{}  {:?}", event.position.index, event.position.ordinal, event.kind)
}

struct LifeProbe {
    inside: Arc<Inside>,
    life: Life,
}

impl fmt::Debug for LifeProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LifeProbe")
    }
}

impl LifeProbe {
    /// Looks, if this life goes on.
    fn look(&self, work: impl FnOnce(&mut State)) {
        if self.life.is_present() {
            let mut state = self.inside.state();
            work(&mut state);
            state.collect();
        }
    }
}

impl Probe for LifeProbe {
    fn began(&self, node: NodeId, shard: &Shard) {
        self.look(|state| {
            state.stores.began(node, shard.id());
            state.witness.began(node.0, shard.id());
        });
    }

    fn applied(&self, seen: &Applied<'_>) {
        self.look(|state| {
            if !matches!(seen.entry.request.command, Command::Tick | Command::Continue) {
                state.real_work += 1;
            }
            state.lease(seen);
            state.silent.look(seen.shard, seen.entry.position);
            state.stores.entered(seen.node, seen.shard.id());
            state.stores.applied(seen);
            let position = seen.entry.position;
            state.mix(&[seen.node.0, position.index, u64::from(position.ordinal), seen.entry.time.0]);
            tracing::trace!(
                node = seen.node.0,
                shard = seen.shard.id().0,
                index = position.index,
                ordinal = position.ordinal,
                outcome = ?seen.outcome,
                events = ?seen.events,
                hash = format_args!("{:016x}", state.hash),
                "applied"
            );
            state.witness.applied(&witness::Applied {
                node: seen.node.0,
                entry: seen.entry,
                outcome: seen.outcome,
                events: seen.events,
                shard: seen.shard,
                last_of_index: seen.last_of_batch,
            });
        });
    }

    fn undecodable(&self, spot: Spot, ordinal: u32, error: &str) {
        self.look(|state| {
            let position = Position { index: spot.index, ordinal };
            state.witness.unreadable(spot.node.0, routing::ShardId(spot.shard.0), position, false, error);
        });
    }

    fn passed(&self, spot: Spot, shard: &Shard) {
        self.look(|state| {
            state.leases.term(shard.id(), spot.term, elapsed());
            state.stores.entered(spot.node, shard.id());
            state.witness.passed(spot.node.0, shard, spot.index);
        });
    }

    fn snapshot(&self, spot: Spot, shard: &Shard) {
        self.look(|state| {
            state.snapshots += 1;
            state.stores.took(spot, shard.id());
            state.witness.state(spot.node.0, shard, spot.index);
        });
    }

    fn events_lacking(&self, node: NodeId, shard: ShardId, domain: DomainId, range: (Sequence, Sequence)) {
        self.look(|state| {
            if let Some(seen) = state.stores.lacking(node, shard, domain, range) {
                state.breach("R-15", seen);
            }
        });
    }

    fn restored(&self, spot: Spot, shard: &Shard) {
        self.look(|state| {
            let domains = shard.domains().into_iter().map(|domain| (domain.id, domain.sequence));
            state.stores.restored(spot, shard.id(), domains);
            state.witness.restored(spot.node.0, shard, spot.index);
        });
    }
}
