//! Request ids: repeated, old, made by clocks that are wrong, and under leaders whose clocks are.

use crate::command::By;
use crate::entry::RequestId;
use crate::settings::DomainSettings;
use crate::testing::{DOMAIN, World};
use crate::{Command, Effects, Outcome, Rejected, Span};

#[test]
fn a_repeated_request_gets_the_first_answer() {
    let mut world = World::new();
    let made_ms = 1_700_000_000_000u128 + u128::from(world.time / 1_000);
    let id = RequestId(made_ms << 80 | 7);
    let settings =
        |name: &str| crate::settings::QueueSettings { name: name.to_owned(), ..Default::default() };
    let first = world.entry(DOMAIN, Command::CreateQueue { settings: settings("a") }, Some(id));
    let answer = world.shard.apply(&first, &mut world.effects);
    world.effects.clear();
    let again = world.entry(DOMAIN, Command::CreateQueue { settings: settings("a") }, Some(id));
    assert_eq!(world.shard.apply(&again, &mut world.effects), answer);
    assert!(world.effects.events.is_empty());
    let other = world.entry(DOMAIN, Command::CreateQueue { settings: settings("b") }, Some(id));
    assert_eq!(world.shard.apply(&other, &mut world.effects), Err(Rejected::RequestIdReused));
    world.pass(Span::seconds(301));
    let late = world.entry(DOMAIN, Command::CreateQueue { settings: settings("a") }, Some(id));
    assert!(matches!(world.shard.apply(&late, &mut world.effects), Err(Rejected::RequestTooOld { .. })));
    assert_eq!(world.shard.queues(DOMAIN, None, 9).len(), 1);
}

/// An id made at a wall time, in milliseconds after the world's first entry.
fn made_at(ms: u64) -> RequestId {
    RequestId(u128::from(1_700_000_001_000 + ms) << 80 | 1)
}

fn with_id(world: &mut World, id: RequestId, command: Command) -> Outcome {
    let entry = world.entry(DOMAIN, command, Some(id));
    world.effects.clear();
    world.shard.apply(&entry, &mut world.effects)
}

#[test]
fn a_refusal_is_remembered_too() {
    let mut world = World::new();
    let queue = crate::QueueId::new(DOMAIN, 1);
    let command = Command::DeleteQueue { queue };
    let refused = with_id(&mut world, made_at(0), command.clone());
    assert!(matches!(refused, Err(Rejected::Unknown { .. })));
    assert_eq!(world.queue(), queue);
    assert_eq!(with_id(&mut world, made_at(0), command.clone()), refused, "though it exists by now");
    assert!(with_id(&mut world, made_at(1), command).is_ok(), "another intent");
}

#[test]
fn an_answer_is_known_for_the_window_and_its_id_refused_ever_after() {
    let window = DomainSettings::default().request_window;
    for (span, known) in [(Span(window.0 - 1), true), (window, false), (Span(window.0 * 9), false)] {
        let mut world = World::new();
        let pause = Command::PauseQueue { queue: world.queue(), paused: true, by: By::System };
        let first = with_id(&mut world, made_at(0), pause.clone());
        assert!(first.is_ok());
        world.pass(span);
        let again = with_id(&mut world, made_at(0), pause.clone());
        if known {
            assert_eq!(again, first);
        } else {
            assert_eq!(again, Err(Rejected::RequestTooOld { window_s: window.0 / 1_000_000 }));
            let slow_wall = made_at(0);
            let mut entry = world.entry(DOMAIN, pause, Some(slow_wall));
            entry.wall_ms = slow_wall.made_at_ms();
            let outcome = world.shard.apply(&entry, &mut Effects::default());
            assert_eq!(outcome, again, "a wall clock that stood still makes no duplicate");
        }
    }
}

const HOUR_MS: u64 = 3_600_000;

fn window() -> Span {
    DomainSettings::default().request_window
}

fn too_old() -> Outcome {
    Err(Rejected::RequestTooOld { window_s: window().0 / 1_000_000 })
}

/// The true wall time, in milliseconds after the world's first entry.
fn now_ms(world: &World) -> u64 {
    world.time / 1_000 - 1_000
}

fn nothing_named(number: u64) -> Command {
    Command::DeleteQueue { queue: crate::QueueId::new(DOMAIN, number) }
}

/// Applies a command under a leader whose wall clock is ahead by this much.
fn led_ahead(world: &mut World, ahead_ms: u64, id: RequestId, command: Command) -> Outcome {
    let mut entry = world.entry(DOMAIN, command, Some(id));
    entry.wall_ms += ahead_ms;
    world.effects.clear();
    world.shard.apply(&entry, &mut world.effects)
}

/// Whether an id that was made just now is taken.
fn is_taken(world: &mut World, number: u64) -> bool {
    let id = made_at(now_ms(world));
    with_id(world, RequestId(id.0 + u128::from(number)), nothing_named(number)) != too_old()
}

#[test]
fn ids_of_a_leader_far_ahead_shut_nobody_out_when_they_are_forgotten() {
    // An hour ahead: the reference comes up with them. A day: their answers are given up before.
    for ahead_ms in [HOUR_MS, 24 * HOUR_MS] {
        let mut world = World::new();
        assert!(is_taken(&mut world, 1));
        for second in 0..5 {
            let own = made_at(now_ms(&world) + ahead_ms);
            assert_ne!(led_ahead(&mut world, ahead_ms, own, nothing_named(second)), too_old());
            world.pass(Span::seconds(1));
        }
        for minute in 0..140 {
            assert!(is_taken(&mut world, 100 + minute), "{ahead_ms} ms ahead, minute {minute}");
            world.pass(Span::seconds(60));
        }
    }
}

#[test]
fn while_a_leader_is_an_hour_ahead_honest_ids_are_taken() {
    for idle in [0, 10, 100_000] {
        let mut world = World::new();
        assert!(is_taken(&mut world, 1));
        world.pass(Span::seconds(idle));
        for second in 0..30 {
            let honest = made_at(now_ms(&world));
            let outcome = led_ahead(&mut world, HOUR_MS, honest, nothing_named(second));
            assert_ne!(outcome, too_old(), "second {second} after {idle} s without a command");
            world.pass(Span::seconds(1));
        }
        assert!(is_taken(&mut world, 2), "and by the next leader");
    }
}

#[test]
fn a_client_whose_clock_is_ahead_has_nothing_carried_out_twice() {
    for ahead_ms in [1, 5_000, 20_000, 200_000, HOUR_MS] {
        let mut world = World::new();
        let pause = Command::PauseQueue { queue: world.queue(), paused: true, by: By::System };
        let id = made_at(ahead_ms);
        let first = with_id(&mut world, id, pause.clone());
        assert!(first.is_ok());
        for step in 0..200 {
            world.pass(Span::seconds(30));
            let again = with_id(&mut world, id, pause.clone());
            assert!(again == first || again == too_old(), "{ahead_ms} ms ahead, step {step}: {again:?}");
        }
        assert_eq!(with_id(&mut world, id, pause), too_old());
    }
}
