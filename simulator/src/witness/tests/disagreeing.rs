//! Each way in which replicas can disagree.

use super::feed::Size;
use super::replicas::{Logged, Replica, Shown, log_of};
use crate::witness::{Broken, Options, Witness};
use routing::{LogTime, Outcome, Position, Rejected};

const WRONG: Outcome = Err(Rejected::UnknownDomain);

fn log() -> Vec<Logged> {
    log_of(5, Size::SMALL, 400)
}

/// Two replicas go 300 entries; then the second, behind the first, shows one entry otherwise, and
/// goes on.
fn second(falsify: impl Fn(&mut Shown)) -> Vec<Broken> {
    let log = log();
    let mut witness = Witness::new(Options::default());
    let mut replicas: Vec<_> = (1..=2).map(|node| Replica::new(node, None, &mut witness)).collect();
    replicas[0].follow(&log, 400, &mut witness);
    replicas[1].follow(&log, 300, &mut witness);
    assert!(witness.broken().is_empty(), "{}", witness.broken()[0]);
    replicas[1].next_falsified(&log, &mut witness, falsify);
    replicas[1].follow(&log, 400, &mut witness);
    witness.broken().to_vec()
}

fn one(broken: &[Broken], wanted: &str) {
    assert_eq!(broken.len(), 1, "once, though all that follows differs: {broken:#?}");
    assert_eq!((broken[0].promise, broken[0].node), ("R-14", 2));
    assert!(broken[0].text.contains(wanted), "{}", broken[0]);
}

#[test]
fn another_entry_is_shown_with_both() {
    let broken = second(|shown| shown.entry.time = LogTime(shown.entry.time.0 + 77_777));
    one(&broken, "another entry");
    assert_eq!(broken[0].text.matches("answered").count(), 2, "both: {}", broken[0]);
}

#[test]
fn another_outcome() {
    one(&second(|shown| shown.outcome = WRONG), "another outcome");
}

#[test]
fn other_events() {
    let log = log();
    let with_events = |at: usize| {
        let mut witness = Witness::new(Options::default());
        let mut replicas: Vec<_> = (1..=2).map(|node| Replica::new(node, None, &mut witness)).collect();
        replicas[0].follow(&log, 400, &mut witness);
        replicas[1].follow(&log, at, &mut witness);
        replicas[1].next_falsified(&log, &mut witness, |shown| drop(shown.events.pop()));
        witness.broken().to_vec()
    };
    let broken = (300..320).map(with_events).find(|broken| !broken.is_empty()).expect("events in 20 entries");
    one(&broken, "other events");
}

#[test]
fn another_end_of_a_batch() {
    one(&second(|shown| shown.last_of_index = !shown.last_of_index), "another end of the batch");
}

#[test]
fn a_skipped_entry_behind_the_frontier() {
    let log = log();
    let mut witness = Witness::new(Options::default());
    let mut replicas: Vec<_> = (1..=2).map(|node| Replica::new(node, None, &mut witness)).collect();
    replicas[0].follow(&log, 400, &mut witness);
    replicas[1].follow(&log, 300, &mut witness);
    replicas[1].applied += 1;
    replicas[1].follow(&log, 400, &mut witness);
    one(witness.broken(), "where others came to");
}

#[test]
fn a_skipped_entry_at_the_frontier() {
    let log = log();
    let mut witness = Witness::new(Options::default());
    let mut replica = Replica::new(2, None, &mut witness);
    replica.follow(&log, 300, &mut witness);
    replica.finish_index(&log, &mut witness);
    replica.applied += 1;
    replica.follow(&log, 400, &mut witness);
    one(witness.broken(), "after index");
}

#[test]
fn an_index_without_commands_where_the_first_replica_had_some() {
    let log = log();
    let mut witness = Witness::new(Options::default());
    let mut replicas: Vec<_> = (1..=2).map(|node| Replica::new(node, None, &mut witness)).collect();
    replicas[0].follow(&log, 400, &mut witness);
    replicas[1].follow(&log, 300, &mut witness);
    replicas[1].finish_index(&log, &mut witness);
    let index = replicas[1].index(&log) + 1;
    let shard = replicas[1].shard.clone();
    witness.passed(2, &shard, index);
    one(witness.broken(), "without commands");
}

#[test]
fn a_replica_that_starts_anywhere_but_at_the_beginning_or_a_snapshot() {
    let log = log();
    let mut witness = Witness::new(Options::default());
    let mut replicas: Vec<_> = (1..=2).map(|node| Replica::new(node, None, &mut witness)).collect();
    replicas[0].follow(&log, 400, &mut witness);
    replicas[1].follow(&log, 200, &mut witness);
    let at = replicas[1].applied;
    witness.began(2, super::SHARD);
    replicas[1].applied = at;
    replicas[1].follow(&log, 210, &mut witness);
    one(witness.broken(), "where others came to");
}

/// A state that differs where neither outcomes nor events do, yet.
#[test]
fn another_state_is_seen_at_the_next_hash() {
    let log = log();
    let mut witness = Witness::new(Options::default());
    let mut replicas: Vec<_> = (1..=2).map(|node| Replica::new(node, None, &mut witness)).collect();
    replicas[0].follow(&log, 400, &mut witness);
    replicas[1].follow(&log, 200, &mut witness);
    // The same up to the remembered answer of one request id.
    let mut own = log[..200].to_vec();
    let late = own.iter_mut().rev().find(|(entry, _)| entry.request.id.is_some()).expect("requests");
    late.0.request.id = None;
    let mut other = Replica::new(9, None, &mut Witness::new(Options::default()));
    other.follow(&own, 200, &mut Witness::new(Options::default()));
    replicas[1].shard = other.shard;
    replicas[1].follow(&log, 400, &mut witness);
    let broken = witness.broken();
    assert_eq!(broken.len(), 1, "{broken:#?}");
    assert_eq!(broken[0].promise, "R-14");
    let Position { index, .. } = log[200].0.position;
    assert!(broken[0].position.index < index + 2 * 64, "{}", broken[0]);
}

#[test]
fn a_command_that_cannot_be_read() {
    let log = log();
    let mut witness = Witness::new(Options::default());
    let mut replicas: Vec<_> = (1..=2).map(|node| Replica::new(node, None, &mut witness)).collect();
    replicas[0].follow(&log, 400, &mut witness);
    replicas[1].follow(&log, 300, &mut witness);
    let (next, last) = log[300].clone();
    witness.unreadable(2, super::SHARD, next.position, last, "trailing bytes");
    replicas[1].applied += 1;
    replicas[1].follow(&log, 400, &mut witness);
    one(witness.broken(), "cannot be read: trailing bytes");
}
