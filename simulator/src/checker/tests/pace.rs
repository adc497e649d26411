//! The pace of offers, as told.

use super::*;

/// An agent is offered one call after the other, each `apart` seconds after the last, and rejects it.
fn calls(pace: Option<(u32, u64)>, number: u64) -> Vec<Vec<Kind>> {
    let mut entries = vec![vec![opened(1, 1), presence(1, true)], vec![Kind::PaceChanged { pace }]];
    for call in 1..=number {
        entries.push(vec![arrived(call), waiting(call), offered(call, call, 1)]);
        entries.push(vec![offer_ended(call, call, OfferEnd::Revoked), ended(call)]);
    }
    entries
}

/// Microseconds between two offers of [`calls`].
fn apart() -> u64 {
    let told = history(1, calls(None, 2)).events;
    let mut made = told.iter().filter(|event| matches!(event.kind, Kind::Offered { .. })).map(|e| e.at_us);
    let first = made.next().expect("two");
    made.next().expect("two") - first
}

#[test]
fn as_many_as_the_pace_allows_in_its_time() {
    let apart = apart();
    for pace in [None, Some((4, 3_600 * SECOND)), Some((1, apart)), Some((2, 2 * apart))] {
        assert_eq!(check(&history(1, calls(pace, 4))).violations, [], "{pace:?}");
    }
}

#[test]
fn r4_one_more_than_the_pace_allows() {
    let apart = apart();
    for pace in [Some((3, 3_600 * SECOND)), Some((1, apart + 1)), Some((2, 2 * apart + 1))] {
        caught(&history(1, calls(pace, 4)), Promise::R4);
    }
}

#[test]
fn r8_who_had_less_is_not_held_back() {
    let waits = |pace| {
        let mut entries = calls(pace, 1);
        // An hour later, when a change of the pace explains nothing any more.
        entries.push(vec![arrived(2), waiting(2)]);
        entries.extend((3..9).map(|number| vec![arrived(number), waiting(number)]));
        let mut told = history(1, entries);
        for event in &mut told.events {
            if event.kind.conversation().is_some_and(|id| id.number > 1) {
                event.at_us += 3_600 * SECOND;
            }
        }
        told
    };
    caught(&waits(Some((2, 1_800 * SECOND))), Promise::R8);
    caught(&waits(Some((1, 1_800 * SECOND))), Promise::R8);
    assert_eq!(check(&waits(Some((1, 7_200 * SECOND)))).violations, []);
}
