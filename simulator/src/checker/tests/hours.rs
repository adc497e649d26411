//! Queues that open and close, as told.

use super::*;

fn hours(open: bool, closed: bool) -> Vec<Kind> {
    vec![Kind::QueueHours { queue: queue(), open, closed }]
}

/// One agent on duty, then these entries.
fn on_duty(entries: Vec<Vec<Kind>>) -> History {
    history(1, [vec![vec![opened(1, 1), presence(1, true)]], entries].concat())
}

fn comes() -> Vec<Kind> {
    vec![arrived(1), waiting(1)]
}

#[test]
fn who_waits_while_it_is_closed_is_offered_when_it_opens() {
    let opens = [hours(true, false), vec![offered(1, 1, 1)]].concat();
    let idle = || vec![presence(1, true)];
    let night = vec![hours(false, true), comes(), idle(), idle(), idle(), idle(), opens];
    assert_eq!(check(&on_duty(night)).violations, []);
    // While it is served out it makes offers.
    let evening = vec![hours(false, false), [comes(), vec![offered(1, 1, 1)]].concat(), hours(false, true)];
    assert_eq!(check(&on_duty(evening)).violations, []);
}

#[test]
fn r4_an_offer_from_a_closed_queue() {
    let made = || [comes(), vec![offered(1, 1, 1)]].concat();
    caught(&on_duty(vec![hours(false, true), made()]), Promise::R4);
    let closed_again = vec![hours(false, true), hours(true, false), hours(false, true), made()];
    caught(&on_duty(closed_again), Promise::R4);
    // What rings when it closes goes on ringing.
    let rings =
        vec![made(), hours(false, true), vec![offer_ended(1, 1, OfferEnd::Accepted), assigned(1, 1, 1)]];
    assert_eq!(check(&on_duty(rings)).violations, []);
}

#[test]
fn r8_what_waits_though_it_is_open_again() {
    let idle = || vec![presence(1, true)];
    let entries = vec![hours(false, true), comes(), hours(true, false), idle(), idle(), idle(), idle()];
    caught(&on_duty(entries), Promise::R8);
}
