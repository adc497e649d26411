//! The first replica to come to a position: all promises are checked there.

use super::ledger::Ledger;
use super::moves::{Turn, changed};
use super::scene::{Scene, Verdict};
use super::{Applied, Broken, Options};
use routing::command::MovePart;
use routing::{Command, DomainId, Entry, Event, LogTime, Outcome, Position, Shard, Whereabouts};
use std::collections::{BTreeMap, VecDeque};

/// The frontier of a shard: a scene per domain, and what was applied last.
#[derive(Debug)]
pub(super) struct Frontier {
    options: Options,
    scenes: BTreeMap<DomainId, Scene>,
    entries: VecDeque<(Entry, Outcome)>,
    checked: u64,
    now: LogTime,
    /// Whether an entry was missed, so that pictures no longer fit each other.
    blind: bool,
}

impl Frontier {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            scenes: BTreeMap::new(),
            entries: VecDeque::new(),
            checked: 0,
            now: LogTime::default(),
            blind: false,
        }
    }

    /// From here on only agreement is checked.
    pub(super) fn blind(&mut self) {
        self.blind = true;
    }

    pub(super) fn now(&self) -> LogTime {
        self.now
    }

    /// Entities and remembered answers, about: what hashing the state walks over.
    pub(super) fn size(&self) -> u64 {
        self.scenes.values().map(Scene::size).sum()
    }

    /// Checks every promise around one entry.
    pub(super) fn check(&mut self, seen: &Applied<'_>, ledger: &mut Ledger) {
        self.now = seen.shard.now();
        ledger.figures.entries_checked += 1;
        ledger.figures.refused += u64::from(seen.outcome.is_err());
        self.checked += 1;
        if self.entries.len() == self.options.entries_kept {
            self.entries.pop_front();
        }
        self.entries.push_back((seen.entry.clone(), seen.outcome.clone()));
        let target = seen.entry.request.domain;
        let part = match &seen.entry.request.command {
            Command::Move(part) => Some(part),
            _ => None,
        };
        // What comes along with a move happened elsewhere.
        if part.is_none() {
            seen.events.iter().for_each(|event| ledger.figures.count(event));
        }
        if self.blind {
            return;
        }
        if let Some(part) = part {
            let found = self.step_of_a_move(seen, part, ledger);
            found.into_iter().for_each(|verdict| self.report(seen, target, verdict, ledger));
            return;
        }
        let crossings = ledger.crossings.follow(seen, &mut ledger.figures);
        if !self.scenes.contains_key(&target)
            && seen.shard.whereabouts(target) == Whereabouts::Here
            && let Some(scene) = Scene::new(seen.shard, target, self.options)
        {
            match ledger.moves.is_new(target, seen.shard.id()) {
                Ok(()) => drop(self.scenes.insert(target, scene)),
                Err(verdict) => self.report(seen, target, verdict, ledger),
            }
        }
        // In turn, so that each domain is looked at though nobody has business in it.
        let every = u64::from(self.options.others_every.max(1));
        let turn = self.checked.is_multiple_of(every).then(|| {
            let at = (self.checked / every) % (self.scenes.len() as u64).max(1);
            usize::try_from(at).unwrap_or_default()
        });
        let mut verdicts = Vec::new();
        for (place, (domain, scene)) in self.scenes.iter_mut().enumerate() {
            let own = *domain == target;
            if own || scene.is_concerned(seen) || turn == Some(place) {
                verdicts.extend(scene.check(seen, &mut ledger.figures).map(|verdict| (*domain, verdict)));
            }
        }
        for what in crossings {
            self.report(seen, target, Verdict { promise: "R-17", seen: what }, ledger);
        }
        for (domain, verdict) in verdicts {
            self.report(seen, domain, verdict, ledger);
        }
    }

    /// A domain comes or goes, or is about to. Nothing else happens in such an entry.
    fn step_of_a_move(&mut self, seen: &Applied<'_>, part: &MovePart, ledger: &mut Ledger) -> Vec<Verdict> {
        if seen.outcome.is_err() {
            return Vec::new();
        }
        let domain = seen.entry.request.domain;
        let here = self.scenes.contains_key(&domain);
        let (turn, mut found) = ledger.moves.follow(seen, part, here, &mut ledger.figures);
        match turn {
            Turn::None => {}
            Turn::Blind => self.blind(),
            Turn::Arrived(scene) => drop(self.scenes.insert(domain, *scene)),
            Turn::Rests => {
                let mut scene = self.scenes.remove(&domain).expect("it is here");
                found.extend(changed("rests", domain, &scene.rests(seen.shard)));
                ledger.moves.rests(domain, scene, &mut ledger.figures);
            }
        }
        found
    }

    fn report(&self, seen: &Applied<'_>, domain: DomainId, verdict: Verdict, ledger: &mut Ledger) {
        let Verdict { promise, seen: what } = verdict;
        let (mut text, mut events) = (what, Vec::new());
        if ledger.has_room() {
            if let Some(scene) = self.scenes.get(&domain) {
                events = scene.events_about(&text);
            }
            text = format!("{text}\n  entry {:?} answered {:?}", seen.entry, seen.outcome);
        }
        ledger.add(Broken {
            promise,
            shard: seen.shard.id(),
            position: seen.entry.position,
            at: seen.shard.now(),
            node: seen.node,
            text,
            events,
        });
    }

    /// The last events of the entities that a text names.
    pub(super) fn events_about(&self, text: &str) -> Vec<Event> {
        self.scenes.values().flat_map(|scene| scene.events_about(text)).collect()
    }

    /// What was applied at a position, as far as it is still known.
    pub(super) fn describe(&self, position: Position) -> String {
        let found = self.entries.binary_search_by_key(&position, |(entry, _)| entry.position);
        let Some((entry, outcome)) = found.ok().and_then(|at| self.entries.get(at)) else {
            return "too long ago to be known in full".to_owned();
        };
        let events: Vec<_> = self.scenes.values().flat_map(|scene| scene.events_at(position)).collect();
        format!("{entry:?} answered {outcome:?} with {events:?}")
    }

    /// How another replica's state differs from the frontier's, if both are at this index.
    pub(super) fn differences(&self, shard: &Shard, index: u64) -> String {
        let here = self.entries.back().is_some_and(|(entry, _)| entry.position.index == index);
        if !here || self.blind {
            return String::new();
        }
        let names: Vec<_> = self.scenes.values().flat_map(|scene| scene.differences(shard)).collect();
        if names.is_empty() {
            ", in nothing that a picture shows".to_owned()
        } else {
            format!(", in {}", names.join(", "))
        }
    }
}
