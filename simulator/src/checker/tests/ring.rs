//! Offers to several agents at once, as told.

use super::*;

/// Two agents are free, a call is offered to both, and what follows.
fn rings(agents: Option<u32>, then: Vec<Vec<Kind>>) -> History {
    let mut entries = vec![vec![opened(1, 1), presence(1, true)], vec![opened(2, 1), presence(2, true)]];
    entries.extend(agents.map(|agents| vec![Kind::RingChanged { queue: queue(), agents }]));
    entries.push(vec![arrived(1), waiting(1), offered(1, 1, 1), offered(1, 2, 2)]);
    entries.extend(then);
    history(2, entries)
}

fn taken() -> Vec<Kind> {
    vec![offer_ended(1, 1, OfferEnd::Revoked), offer_ended(1, 2, OfferEnd::Accepted), assigned(1, 2, 2)]
}

#[test]
fn the_first_who_accepts_has_it() {
    assert_eq!(check(&rings(Some(2), vec![taken()])).violations, []);
    let declined = vec![offer_ended(1, 1, OfferEnd::Rejected)];
    let last = vec![offer_ended(1, 2, OfferEnd::Accepted), assigned(1, 2, 2)];
    assert_eq!(check(&rings(Some(2), vec![declined, last])).violations, []);
}

#[test]
fn r1_rings_at_more_than_was_told() {
    caught(&rings(None, vec![taken()]), Promise::R1);
    caught(&rings(Some(1), vec![taken()]), Promise::R1);
}

#[test]
fn r1_rings_on_when_somebody_has_it() {
    let kept = vec![offer_ended(1, 2, OfferEnd::Accepted), assigned(1, 2, 2)];
    caught(&rings(Some(2), vec![kept]), Promise::R1);
}
