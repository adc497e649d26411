//! The checker that sees events alone judges what the core told of these logs: it is silent where the core is sound, and
//! sees what goes wrong with consultations.

use super::SHARD;
use super::feed::Size;
use super::replicas::log_of;
use crate::checker::model::{Facts, History, Kind, Rank};
use crate::checker::{Event, Promise, check};
use routing::{DomainId, Effects, PlantedBug, Shard};
use std::collections::{BTreeMap, BTreeSet};

/// Logs that are judged.
const SEEDS: u64 = 4;
const ENTRIES: usize = 1_500;

/// What each domain was told of a log.
fn told(seed: u64, bug: Option<PlantedBug>) -> BTreeMap<DomainId, Vec<Event>> {
    let (mut shard, mut effects) = (Shard::new(SHARD), Effects::default());
    if let Some(bug) = bug {
        shard.plant(bug);
    }
    let mut all: BTreeMap<DomainId, Vec<Event>> = BTreeMap::new();
    for (entry, _) in log_of(seed, Size::SMALL, ENTRIES) {
        effects.clear();
        let _ = shard.apply(&entry, &mut effects);
        for event in &effects.events {
            all.entry(event.domain).or_default().push(Event::from(event));
        }
    }
    all
}

/// What is known of a domain but for its events: nothing.
fn history(domain: DomainId, events: Vec<Event>) -> History {
    let (weights, agents) = (BTreeMap::new(), BTreeMap::new());
    let facts = Facts { domain, rank: Rank::Priority, weights, wrap_up_hold: None, agents };
    History { facts, events, first_sequence: 1, calls: Vec::new(), notices: Vec::new(), live: None }
}

/// The promises broken in some logs, but for what these logs break themselves: everybody there says the same reference.
fn broken(bug: Option<PlantedBug>) -> BTreeSet<Promise> {
    let all = (0..SEEDS).flat_map(|seed| told(seed, bug));
    let violations = all.flat_map(|(domain, events)| check(&history(domain, events)).violations);
    violations.map(|violation| violation.promise).filter(|promise| *promise != Promise::R16).collect()
}

#[test]
fn a_sound_core_keeps_its_promises_as_events_tell_them() {
    assert_eq!(broken(None), BTreeSet::new());
    let events: Vec<Event> = (0..SEEDS).flat_map(|seed| told(seed, None)).flat_map(|(_, all)| all).collect();
    let count = |is: fn(&Kind) -> bool| events.iter().filter(|event| is(&event.kind)).count();
    assert!(count(|kind| matches!(kind, Kind::Consulting { .. })) > 20);
    assert!(count(|kind| matches!(kind, Kind::ConsultEnded { .. })) > 20);
}

#[test]
fn advice_that_takes_over_and_advice_that_is_lost_are_seen() {
    assert!(broken(Some(PlantedBug::AdviceTakesOver)).contains(&Promise::R1));
    assert!(broken(Some(PlantedBug::AdviceLost)).contains(&Promise::R18));
}
