//! A fault is planted in the engine for each promise, and the check of that promise sees it; without
//! a fault none of the checks sees anything. So the checks can be believed when they are silent.

use crate::model::Model;
use crate::support::generator::Generator;
use crate::support::machine::{Engine, Machine};
use crate::support::run::Watch;
use routing::entry::Request;
use routing::invariants::replay;
use routing::level::{LATEST, REHEARSAL};
use routing::{Command, DomainId, Effects, Entry, PlantedBug, Position, Shard, ShardId};
use std::collections::BTreeSet;

const SEEDS: u64 = 24;
const COMMANDS: usize = 600;

/// The fault and the promises one of which must be seen broken: first the one it is made for.
const PLANTED: [(PlantedBug, &[&str]); 47] = [
    (PlantedBug::OfferTwice, &["R-1"]),
    (PlantedBug::PointsKept, &["R-2"]),
    (PlantedBug::PointsKeptOnTransfer, &["R-2"]),
    (PlantedBug::AnswerWithoutDeed, &["R-3"]),
    (PlantedBug::PriorityLostInOffer, &["R-3"]),
    (PlantedBug::BackFromOwnBreak, &["R-3"]),
    (PlantedBug::UnleasedOffers, &["R-4"]),
    (PlantedBug::OffersOutliveAvailability, &["R-4"]),
    (PlantedBug::FiguresDrift, &["R-5"]),
    (PlantedBug::EndingRewritten, &["R-6"]),
    (PlantedBug::ZombieOffer, &["R-7"]),
    (PlantedBug::NoRematch, &["R-8"]),
    (PlantedBug::NewestFirst, &["R-9"]),
    (PlantedBug::NewestFirst, &["R-11"]),
    (PlantedBug::AgeLost, &["R-10"]),
    (PlantedBug::ExclusionForever, &["R-12"]),
    (PlantedBug::EndedTwice, &["R-13"]),
    (PlantedBug::SequenceGap, &["R-15"]),
    (PlantedBug::RequestsForgotten, &["R-16"]),
    (PlantedBug::ArrivedTwice, &["R-17"]),
    (PlantedBug::RecalledUnasked, &["R-17"]),
    (PlantedBug::NoWaitLimit, &["R-18"]),
    (PlantedBug::InboxNeverExpires, &["R-18"]),
    (PlantedBug::StaleEpoch, &["R-19"]),
    (PlantedBug::LateAccept, &["R-19"]),
    (PlantedBug::GraceAfterReturn, &["R-19"]),
    (PlantedBug::FaultSpreads, &["R-20"]),
    (PlantedBug::SkillLevelIgnored, &["R-4"]),
    (PlantedBug::NeverRelaxed, &["R-18"]),
    (PlantedBug::RulesIgnored, &["R-18"]),
    (PlantedBug::AgeLostByRule, &["R-10"]),
    (PlantedBug::RulesNeverDue, &["R-18"]),
    (PlantedBug::BlocksIgnored, &["R-4"]),
    (PlantedBug::ConnectedUnaccepted, &["R-19"]),
    (PlantedBug::NeverConnected, &["R-18"]),
    (PlantedBug::WakesForNothing, &["R-2"]),
    (PlantedBug::PaceForgotten, &["R-4"]),
    (PlantedBug::PacedForEver, &["R-8"]),
    (PlantedBug::OpensLate, &["R-8"]),
    (PlantedBug::OffersWhileClosed, &["R-4"]),
    (PlantedBug::CallbackToTheEnd, &["R-10"]),
    (PlantedBug::CalledTooEarly, &["R-4"]),
    (PlantedBug::ResumedTwice, &["R-10"]),
    (PlantedBug::RingsOn, &["R-1"]),
    (PlantedBug::RingsTwice, &["R-1"]),
    (PlantedBug::AdviceTakesOver, &["R-1"]),
    (PlantedBug::AdviceLost, &["R-18"]),
];

/// A log as the model answers it: what a sound engine would do with it.
fn log_of(seed: u64) -> Vec<Entry> {
    let mut generator = Generator::new(seed);
    let mut model = Model::default();
    let mut log = Vec::new();
    while log.len() < COMMANDS {
        let entry = generator.next(&model);
        let _ = Machine::apply(&mut model, &entry);
        log.push(entry);
    }
    // Nothing is left to do when the fault comes: of what it interrupts, the events are not told.
    let idle = next_after(&log, DomainId::SHARD, Command::Tick);
    log.push(idle);
    log.push(fault_after(&log));
    log
}

/// One more entry at the time of the last.
fn next_after(log: &[Entry], domain: DomainId, command: Command) -> Entry {
    let last = log.last().expect("a log");
    Entry {
        position: Position { index: last.position.index + 1, ordinal: 0 },
        request: Request { id: None, domain, expected_version: None, command },
        ..last.clone()
    }
}

/// The last entry of a log: one domain's entry panics.
fn fault_after(log: &[Entry]) -> Entry {
    let created = |entry: &&Entry| matches!(entry.request.command, Command::CreateDomain { .. });
    let sick = log.iter().find(created).expect("a domain is made").request.domain;
    next_after(log, sick, Command::Panic { message: "on purpose".to_owned() })
}

/// Every promise seen broken on these logs with this fault, until the wanted one was seen.
fn seen(logs: &[Vec<Entry>], bug: Option<PlantedBug>, wanted: &[&str]) -> BTreeSet<&'static str> {
    let mut all = BTreeSet::new();
    for log in logs {
        let mut engine = Engine::new();
        if let Some(bug) = bug {
            engine.shard.plant(bug);
        }
        let mut watch = Watch::default();
        for entry in log {
            let (outcome, events) = engine.apply(entry);
            all.extend(watch.look(&engine, entry, &outcome, &events).into_iter().map(|(id, _)| id));
            if wanted.iter().any(|id| all.contains(id)) {
                return all;
            }
        }
    }
    all
}

#[test]
fn each_planted_fault_is_seen_by_the_check_of_its_promise() {
    let logs: Vec<_> = (0..SEEDS).map(log_of).collect();
    let missed: Vec<_> = PLANTED
        .iter()
        .filter_map(|(bug, wanted)| {
            let all = seen(&logs, Some(*bug), wanted);
            let caught = wanted.iter().any(|id| all.contains(id));
            (!caught).then(|| format!("{bug:?} should break {wanted:?}, seen were {all:?}"))
        })
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn without_a_fault_nothing_is_reported() {
    let logs: Vec<_> = (0..SEEDS).map(log_of).collect();
    assert_eq!(seen(&logs, None, &[]), BTreeSet::new());
}

#[test]
fn a_replica_with_a_fault_diverges_and_one_without_does_not() {
    let logs: Vec<_> = (0..SEEDS).map(log_of).collect();
    let never = |_| false;
    let mut diverged = false;
    for log in &logs {
        let sound = replay(Shard::new(ShardId(1)), log, never, Clone::clone);
        let restored = replay(Shard::new(ShardId(1)), log, |at| at % 97 == 0, through_a_snapshot);
        assert_eq!(sound, restored, "R-14: a snapshot in the middle changed decisions");
        let mut faulty = Shard::new(ShardId(1));
        faulty.plant(PlantedBug::NewestFirst);
        diverged |= replay(faulty, log, never, Clone::clone) != sound;
    }
    assert!(diverged, "R-14: a replica that decides otherwise looks the same");
}

#[test]
fn a_snapshot_without_the_answers_of_request_ids_is_seen_at_the_next_hash_and_the_next_repeat() {
    let plant = |mut shard: Shard| {
        shard.plant(PlantedBug::SnapshotWithoutRequests);
        shard
    };
    let diverged = (0..SEEDS).map(log_of).any(|log| {
        let whole = replay(plant(Shard::new(ShardId(1))), &log, |_| false, Clone::clone);
        let restored = replay(
            plant(Shard::new(ShardId(1))),
            &log,
            |at| at % 97 == 0,
            |shard| plant(through_a_snapshot(shard)),
        );
        assert_ne!(whole.hash, restored.hash, "what is missing must be seen in the hash");
        whole.outcomes != restored.outcomes
    });
    assert!(diverged, "no repeat was carried out twice: the generator repeats too little");
}

#[test]
fn a_release_ahead_of_the_level_diverges_and_at_the_level_it_agrees() {
    let ends = |level: u32, planted: bool, log: &[Entry]| {
        let mut shard = Shard::new(ShardId(1));
        let first = Entry { position: Position::default(), ..log[0].clone() };
        let raise = next_after(&[first], DomainId::SHARD, Command::SetLevel { level });
        shard.apply(&raise, &mut Effects::default()).expect("a level it knows");
        if planted {
            shard.plant(PlantedBug::AheadOfLevel);
        }
        replay(shard, log, |_| false, Clone::clone)
    };
    let logs: Vec<_> = (0..SEEDS).map(log_of).collect();
    let parted = logs.iter().filter(|log| ends(LATEST, true, log) != ends(LATEST, false, log)).count();
    assert!(parted > 0, "R-14: a release that is ahead of the level looks the same");
    for log in &logs {
        assert!(ends(REHEARSAL, true, log) == ends(REHEARSAL, false, log), "the level is there");
    }
}

#[test]
fn every_fault_of_one_replica_alone_is_in_the_table() {
    let listed: BTreeSet<_> = PLANTED.iter().map(|(bug, _)| *bug).collect();
    // They need a second replica, and have tests of their own.
    let elsewhere = [
        PlantedBug::SnapshotWithoutRequests,
        PlantedBug::AheadOfLevel,
        PlantedBug::MovedWithoutRequests,
        PlantedBug::MovedAndStayed,
    ];
    let missing: Vec<_> =
        PlantedBug::ALL.iter().filter(|bug| !listed.contains(bug) && !elsewhere.contains(bug)).collect();
    assert!(missing.is_empty(), "{missing:?} is not proven to be seen");
}

fn through_a_snapshot(shard: &Shard) -> Shard {
    let config = bincode::config::standard();
    let bytes = bincode::serde::encode_to_vec(shard, config).expect("a shard can be written");
    bincode::serde::decode_from_slice(&bytes, config).expect("what was written can be read").0
}
