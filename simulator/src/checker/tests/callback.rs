//! Callbacks and resumed places, as told.

use super::*;

fn requested(number: u64, not_before_us: Option<u64>) -> Kind {
    Kind::CallbackRequested { conversation: conv(number), not_before_us }
}
fn tried(number: u64, attempts: u64, not_before_us: Option<u64>) -> Kind {
    Kind::CallbackTried { conversation: conv(number), attempts, not_before_us }
}
fn connecting(number: u64, by: u64) -> Kind {
    let deadline_us = 1_000_000 * SECOND;
    Kind::Connecting { conversation: conv(number), offer: offer(by), agent: agent(1), deadline_us }
}
fn resumed(number: u64, from: u64, arrived_at_us: u64) -> Kind {
    Kind::Resumed { conversation: conv(number), from: conv(from), arrived_at_us }
}
fn left(number: u64) -> Kind {
    Kind::Ended { conversation: conv(number), abandoned: true, owner_lost: false }
}

/// One agent on duty: a call that is to be called back, offered and accepted, in the entries 2 to 4, then these.
fn dialled(entries: Vec<Vec<Kind>>) -> History {
    let begins = vec![
        vec![opened(1, 1), presence(1, true)],
        vec![arrived(1), waiting(1), requested(1, None)],
        vec![offered(1, 1, 1)],
        vec![connecting(1, 1)],
    ];
    history(1, [begins, entries].concat())
}

/// Nobody answered, in entry 5; it rests until then.
fn no_answer(attempts: u64, not_before_us: Option<u64>) -> Vec<Kind> {
    vec![offer_ended(1, 1, OfferEnd::NotConnected), tried(1, attempts, not_before_us), waiting_again(1)]
}

#[test]
fn a_customer_who_is_reached_and_one_who_is_not() {
    let reached = vec![offer_ended(1, 1, OfferEnd::Accepted), assigned(1, 1, 1)];
    assert_eq!(check(&dialled(vec![reached])).violations, []);
    // It rests until entry 8, and is offered then.
    let rests = no_answer(1, Some(8 * SECOND));
    let nothing = || vec![presence(1, true)];
    let again = vec![offered(1, 2, 1)];
    assert_eq!(check(&dialled(vec![rests, nothing(), nothing(), again])).violations, []);
}

#[test]
fn r4_offered_before_the_customer_may_be_called() {
    caught(&dialled(vec![no_answer(1, Some(7 * SECOND)), vec![offered(1, 2, 1)]]), Promise::R4);
    let first = vec![vec![opened(1, 1), presence(1, true)]];
    let early = vec![vec![arrived(1), waiting(1), requested(1, Some(9 * SECOND))], vec![offered(1, 1, 1)]];
    caught(&history(1, [first, early].concat()), Promise::R4);
}

#[test]
fn r3_attempts_that_are_not_counted() {
    caught(&dialled(vec![no_answer(2, Some(9 * SECOND))]), Promise::R3);
    let never_asked = vec![vec![arrived(1), waiting(1)], vec![tried(1, 1, None)]];
    caught(&history(1, never_asked), Promise::R3);
}

#[test]
fn r19_assigned_without_having_dialled() {
    let entries = vec![
        vec![opened(1, 1), presence(1, true)],
        vec![arrived(1), waiting(1), requested(1, None), offered(1, 1, 1)],
        vec![offer_ended(1, 1, OfferEnd::Accepted), assigned(1, 1, 1)],
    ];
    caught(&history(1, entries), Promise::R19);
}

#[test]
fn what_rests_is_nobodys_work_and_is_once_it_may_be_called() {
    let with = |not_before_us, entries: u64| {
        let mut all = vec![
            vec![opened(1, 1), presence(1, true)],
            vec![arrived(1), waiting(1), requested(1, Some(not_before_us))],
        ];
        all.extend((0..entries).map(|_| vec![presence(1, true)]));
        history(1, all)
    };
    assert_eq!(check(&with(30 * SECOND, 12)).violations, []);
    caught(&with(5 * SECOND, 12), Promise::R8);
}

#[test]
fn r10_a_callback_that_was_overtaken_when_it_came_back() {
    let rests = no_answer(1, Some(7 * SECOND));
    let younger = vec![presence(1, false), arrived(2), waiting(2)];
    let passed = vec![presence(1, true), offered(2, 2, 1)];
    caught(&dialled(vec![rests, younger, passed]), Promise::R10);
}

#[test]
fn a_place_is_resumed_once_by_who_left_it() {
    let begins = || vec![vec![arrived(1), waiting(1)], vec![arrived(2), waiting(2)], vec![left(1)]];
    let resume =
        |number, arrived_at_us| vec![arrived(number), resumed(number, 1, arrived_at_us), waiting(number)];
    let on_duty = || vec![vec![opened(1, 1), presence(1, true), offered(3, 1, 1)]];
    let good = [begins(), vec![resume(3, SECOND)], on_duty()].concat();
    assert_eq!(check(&history(1, good)).violations, [], "it goes before the second one");
    let younger = [begins(), vec![resume(3, 4 * SECOND)]].concat();
    caught(&history(1, younger), Promise::R10);
    let twice = [begins(), vec![resume(3, SECOND), resume(4, SECOND)]].concat();
    caught(&history(1, twice), Promise::R10);
    let still_there = vec![vec![arrived(1), waiting(1)], resume(3, SECOND)];
    caught(&history(1, still_there), Promise::R10);
}
