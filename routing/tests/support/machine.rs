//! Whatever applies entries: the engine, or the model.

use crate::model::Model;
use routing::event::Subject;
use routing::view::DomainView;
use routing::{Command, DomainId, Done, Effects, Entry, Event, LogTime, Outcome, Rejected, Shard, ShardId};
use std::collections::BTreeMap;

/// A state machine under test.
pub trait Machine {
    /// Applies one entry.
    fn apply(&mut self, entry: &Entry) -> (Outcome, Vec<Event>);
    /// All domains.
    fn views(&self) -> BTreeMap<DomainId, DomainView>;
    /// What is owed to other domains at this log time, by the domain that owes it.
    fn owed(&self, now: LogTime) -> Vec<(DomainId, Command)>;
    /// What has to be applied first, here and elsewhere.
    fn prepare(&mut self) -> Option<Entry> {
        None
    }
}

impl Machine for Model {
    fn apply(&mut self, entry: &Entry) -> (Outcome, Vec<Event>) {
        let applied = Model::apply(self, entry);
        (applied.outcome, applied.events)
    }

    fn views(&self) -> BTreeMap<DomainId, DomainView> {
        self.domains.values().map(|dom| (dom.id, dom.view(self.now))).collect()
    }

    fn owed(&self, now: LogTime) -> Vec<(DomainId, Command)> {
        let sound = self.domains.values().filter(|dom| dom.quarantined.is_none());
        sound.flat_map(|dom| dom.owed(now)).collect()
    }
}

/// The engine with its effects.
pub struct Engine {
    /// The shard.
    pub shard: Shard,
    effects: Effects,
}

impl Engine {
    /// An empty shard.
    pub fn new() -> Self {
        Self::of(Shard::new(ShardId(1)))
    }

    /// This shard.
    pub fn of(shard: Shard) -> Self {
        Self { shard, effects: Effects::default() }
    }
}

impl Machine for Engine {
    fn apply(&mut self, entry: &Entry) -> (Outcome, Vec<Event>) {
        self.effects.clear();
        let outcome = self.shard.apply(entry, &mut self.effects);
        (outcome, self.effects.events.clone())
    }

    fn views(&self) -> BTreeMap<DomainId, DomainView> {
        self.shard.domains().iter().filter_map(|d| Some((d.id, self.shard.view(d.id)?))).collect()
    }

    fn owed(&self, now: LogTime) -> Vec<(DomainId, Command)> {
        let owed = self.shard.owed(now, usize::MAX, &|_, _, _| false);
        owed.into_iter().map(|owed| (owed.to, owed.command)).collect()
    }
}

/// The outcome without the words that are for people.
pub fn plain(outcome: &Outcome) -> Result<Done, Rejected> {
    let blank = String::new;
    match outcome.clone() {
        Err(Rejected::Invalid { .. }) => Err(Rejected::Invalid { field: blank(), problem: blank() }),
        Err(Rejected::WrongState { state, .. }) => Err(Rejected::WrongState { state, needed: blank() }),
        Err(Rejected::NotAllowed { .. }) => Err(Rejected::NotAllowed { why: blank() }),
        Err(Rejected::Full { .. }) => Err(Rejected::Full { what: blank(), limit: 0, remedy: blank() }),
        Err(Rejected::InUse { .. }) => Err(Rejected::InUse { why: blank() }),
        other => other,
    }
}

/// Events by what they are about, in order. The order between subjects is nobody's promise.
pub fn by_subject(events: &[Event]) -> BTreeMap<Subject, Vec<String>> {
    let mut all = BTreeMap::<_, Vec<_>>::new();
    for event in events {
        let shown = format!("v{} {:?} at {:?} {:?}", event.version.0, event.kind, event.at, event.position);
        all.entry(event.kind.subject(event.domain)).or_default().push(shown);
    }
    all
}
