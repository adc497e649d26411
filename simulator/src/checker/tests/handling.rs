//! Accepting in two steps, and points while customers are waited for, as told.

use super::*;

fn connecting(number: u64, by: u64, to: u64, deadline_us: u64) -> Kind {
    Kind::Connecting { conversation: conv(number), offer: offer(by), agent: agent(to), deadline_us }
}
fn idle_changed(weight: u32, overdraft: u32) -> Kind {
    Kind::IdleChanged { conversation: conv(1), agent: agent(1), weight, overdraft }
}

/// One agent on duty whom a call is offered to, then these entries.
fn ringing(entries: Vec<Vec<Kind>>) -> History {
    let begins = vec![vec![opened(1, 1), presence(1, true)], vec![arrived(1), waiting(1), offered(1, 1, 1)]];
    history(1, [begins, entries].concat())
}

fn taken() -> Vec<Kind> {
    vec![offer_ended(1, 1, OfferEnd::Accepted), assigned(1, 1, 1)]
}

fn not_connected() -> Vec<Kind> {
    vec![offer_ended(1, 1, OfferEnd::NotConnected), waiting_again(1)]
}

/// Long after all of it.
const LATER: u64 = 3_600_000_000;

#[test]
fn a_connection_that_is_made_and_one_that_is_not() {
    let step = || vec![connecting(1, 1, 1, LATER)];
    assert_eq!(check(&ringing(vec![step(), taken()])).violations, []);
    assert_eq!(check(&ringing(vec![step(), not_connected()])).violations, []);
}

#[test]
fn r4_connected_after_its_deadline() {
    let sound = ringing(vec![vec![connecting(1, 1, 1, LATER)], taken()]);
    let accepted_at = sound.events.iter().find(|event| matches!(event.kind, Kind::Connecting { .. }));
    let just_after = accepted_at.expect("told").at_us + 1;
    caught(&ringing(vec![vec![connecting(1, 1, 1, just_after)], taken()]), Promise::R4);
    caught(&ringing(vec![vec![connecting(1, 1, 1, just_after - 1)]]), Promise::R4);
}

#[test]
fn r1_accepted_twice_by_another_or_when_it_is_over() {
    let step = |by| vec![connecting(1, 1, by, LATER)];
    caught(&ringing(vec![step(1), step(1)]), Promise::R1);
    caught(&ringing(vec![step(2)]), Promise::R1);
    let over = vec![offer_ended(1, 1, OfferEnd::Rejected), waiting_again(1)];
    caught(&ringing(vec![over, step(1)]), Promise::R1);
    caught(&ringing(vec![vec![connecting(1, 7, 1, LATER)]]), Promise::R1);
}

#[test]
fn r19_not_connected_though_never_accepted() {
    caught(&ringing(vec![not_connected()]), Promise::R19);
}

#[test]
fn r7_what_is_accepted_outlives_a_break_and_not_a_lost_lease() {
    let step = || vec![connecting(1, 1, 1, LATER)];
    let away = || vec![presence(1, false)];
    assert_eq!(check(&ringing(vec![step(), away(), taken()])).violations, []);
    caught(&ringing(vec![away()]), Promise::R7);
    caught(&ringing(vec![step(), vec![Kind::LeaseLost { agent: agent(1) }]]), Promise::R7);
}

#[test]
fn r2_what_wakes_is_counted() {
    let with = |more: Vec<Vec<Kind>>| ringing([vec![taken(), vec![idle_changed(0, 0)]], more].concat());
    let second = |overdraft| {
        vec![
            vec![arrived(2), waiting(2), offered(2, 2, 1)],
            vec![offer_ended(2, 2, OfferEnd::Accepted), assigned(2, 2, 1)],
            vec![idle_changed(51, overdraft)],
        ]
    };
    assert_eq!(check(&with(second(2))).violations, [], "two calls, since the first one rested");
    let verdict = caught(&with(second(0)), Promise::R2);
    assert!(verdict.violations[0].what.contains("load 102"), "{verdict:#?}");
}

#[test]
fn r1_at_rest_with_somebody_else() {
    let other = Kind::IdleChanged { conversation: conv(1), agent: agent(2), weight: 0, overdraft: 0 };
    caught(&ringing(vec![taken(), vec![other]]), Promise::R1);
}

#[test]
fn r3_and_r19_what_a_desk_was_answered() {
    let step = || vec![connecting(1, 1, 1, LATER)];
    let offer = offer(1);
    let accept = Asked::Accept { offer, agent: agent(1), epoch: 1 };
    let connected = Asked::Connected { offer, agent: agent(1), epoch: 1 };
    let answered = |mut history: History, asked: Asked, sequence: u64| {
        let answer = Answer { sequence, conversation: None, offer: None };
        let (sent_us, returned_us) = (1, 2);
        history.calls.push(Call { request: 1, asked, sent_us, returned_us, outcome: Outcome::Done(answer) });
        history
    };
    let history = || ringing(vec![step(), taken()]);
    let last = history().events.len() as u64;
    assert_eq!(
        check(&answered(history(), accept.clone(), last - 2)).violations,
        [],
        "the first step is there"
    );
    assert_eq!(check(&answered(history(), connected.clone(), last)).violations, []);
    caught(&answered(history(), connected.clone(), last - 2), Promise::R3);
    caught(&answered(history(), accept, last - 3), Promise::R3);
    let renewed = ringing(vec![step(), vec![opened(1, 2)], taken()]);
    let last = renewed.events.len() as u64;
    caught(&answered(renewed, connected, last), Promise::R19);
}
