//! A witness is silent on sound replicas, and says so where they are not.

mod blocks;
mod callback;
mod consult;
mod crossings;
mod disagreeing;
mod feed;
mod handling;
mod hours;
mod measure;
mod moves;
mod outside;
mod pace;
mod planted;
mod policies;
mod replicas;
mod ring;

use super::{Broken, Options, Witness};
use feed::Size;
use replicas::{Replica, SHARD, log_of, run};
use routing::entry::Request;
use routing::{Command, DomainId, Effects, Entry, PlantedBug, Position, Shard};

#[test]
fn sound_replicas_are_silent_and_everything_happened() {
    for (seed, size) in [(1, Size::SMALL), (2, Size::SMALL), (3, Size::USUAL)] {
        let log = log_of(seed, size, 1_500);
        let (broken, figures) = run(&log, None, Options::default());
        assert!(broken.is_empty(), "seed {seed}: {}", broken[0]);
        assert_eq!(figures.entries_checked, 1_500, "each once");
        assert!(figures.entries_compared >= 2_000, "{figures:?}");
        assert_eq!(figures.entries_too_old, 0, "{figures:?}");
        assert!(figures.hashes_compared > 10, "{figures:?}");
        assert_eq!((figures.replicas_begun, figures.snapshots_restored), (4, 2), "{figures:?}");
        let happened = [
            figures.domains_checked_whole,
            figures.other_domains_checked,
            figures.repeats,
            figures.refused,
            figures.accepted,
            figures.rejected,
            figures.timeouts,
            figures.revoked,
            figures.wrap_ups,
            figures.transfers,
            figures.requeues,
            figures.abandoned,
            figures.rules,
            figures.channel_rules,
            figures.not_connected,
            figures.rests,
            figures.queues_opened,
            figures.queues_closed,
            figures.consulting,
            figures.consults_over,
            figures.sessions,
            figures.leases_lost,
            figures.crossings_arrived,
            figures.crossings_repeated,
        ];
        if size.agents < 10 {
            assert!(happened.iter().all(|count| *count > 0), "seed {seed}: {figures:?}");
        }
    }
}

#[test]
fn an_entry_that_panics_after_work_expired_in_it_is_judged_by_nothing() {
    let mut log = log_of(1, Size::SMALL, 400);
    let (mut last, _) = log.last().expect("a log").clone();
    last.position = Position { index: last.position.index + 1, ordinal: 0 };
    last.time.0 += 60_000_000;
    let command = Command::Panic { message: "on purpose".to_owned() };
    last.request = Request { id: None, domain: DomainId(1), expected_version: None, command };
    log.push((last, true));
    let (broken, figures) = run(&log, None, Options::default());
    assert!(broken.is_empty(), "{}", broken[0]);
    assert_eq!(figures.quarantined, 1);
}

/// Applies entries of the first domain while somebody meddles with the second; after how many
/// entries that is seen.
fn seen_after(meddle: impl Fn(&mut Shard)) -> usize {
    let mut log = log_of(7, Size::SMALL, 600);
    let mut witness = Witness::new(Options::default());
    let mut replica = Replica::new(1, None, &mut witness);
    replica.follow(&log, 600, &mut witness);
    for count in 1..=100 {
        let (mut entry, _) = log.last().expect("a log").clone();
        entry.position = Position { index: entry.position.index + 1, ordinal: 0 };
        // Refused, without effect.
        let command = Command::Continue;
        entry.request = Request { id: None, domain: DomainId(1), expected_version: None, command };
        log.push((entry, true));
        replica.next_falsified(&log, &mut witness, |shown| {
            if count == 1 {
                meddle(&mut shown.shard);
            }
        });
        let seen = |broken: &&Broken| broken.promise == "R-20" && broken.text.contains("changed dom_2");
        if witness.broken().iter().any(|broken| seen(&broken)) {
            return count;
        }
    }
    panic!("not seen: {:?}", witness.broken());
}

#[test]
fn a_change_of_another_domain_is_seen_at_once_where_it_makes_an_event() {
    let after = seen_after(|shard| {
        let agent = shard.agents(DomainId(2), None, 1).remove(0);
        let command = Command::UpdateAgent { agent: agent.id, settings: agent.settings };
        let request = Request { id: None, domain: DomainId(2), expected_version: None, command };
        let entry =
            Entry { position: Position { index: 9_999, ordinal: 0 }, time: shard.now(), wall_ms: 0, request };
        shard.apply(&entry, &mut Effects::default()).expect("done");
    });
    assert_eq!(after, 1);
}

#[test]
fn a_silent_change_of_another_domain_is_seen_when_its_turn_comes() {
    // Planting this fault changes what all queues show, and nothing else.
    let after = seen_after(|shard| shard.plant(PlantedBug::FiguresDrift));
    assert!(after <= 8 * 2, "{after}: each of two domains has its turn within eight entries");
}

#[test]
fn a_snapshot_from_nowhere_is_reported_and_agreement_is_checked_on() {
    let log = log_of(3, Size::SMALL, 300);
    let mut witness = Witness::new(Options::default());
    let mut ahead = Replica::new(9, None, &mut Witness::new(Options::default()));
    ahead.follow(&log, 100, &mut Witness::new(Options::default()));
    ahead.finish_index(&log, &mut Witness::new(Options::default()));
    let index = ahead.index(&log);
    let mut replicas: Vec<_> = (1..=2).map(|node| Replica::new(node, None, &mut witness)).collect();
    for replica in &mut replicas {
        replica.shard = ahead.shard.clone();
        replica.applied = ahead.applied;
        witness.restored(replica.node, &replica.shard, index);
    }
    assert_eq!(witness.broken().len(), 1);
    let broken = &witness.broken()[0];
    assert_eq!((broken.promise, broken.position), ("witness", Position { index, ordinal: 0 }));
    replicas[0].follow(&log, 200, &mut witness);
    replicas[1].follow(&log, 150, &mut witness);
    assert_eq!(witness.broken().len(), 1);
    replicas[1].next_falsified(&log, &mut witness, |shown| shown.entry.wall_ms += 1);
    assert_eq!(witness.broken().len(), 2, "agreement is checked on");
}

#[test]
fn a_report_names_the_last_events_of_its_entities() {
    let log = log_of(1, Size::SMALL, 600);
    let (broken, _) = run(&log, Some(PlantedBug::PointsKept), Options::default());
    let broken = broken.first().expect("seen");
    assert_eq!(broken.shard, SHARD);
    assert!(!broken.events.is_empty(), "{broken}");
    let agent = broken.text.split(':').next().expect("an agent").to_owned();
    let agent: routing::AgentId = agent.parse().expect("the text begins with the agent");
    for event in &broken.events {
        assert!(format!("{:?}", event.kind).contains(&format!("{agent:?}")), "{agent}: {event:?}");
    }
    assert!(broken.events.is_sorted_by_key(|event| event.sequence));
    assert!(broken.to_string().contains(&format!("index {}", broken.position.index)));
}
