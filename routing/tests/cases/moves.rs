//! Domains that move between two shards again and again, against the naive model, which knows of no
//! shards: same outcomes, same events with one dense record, same pictures, and every promise kept.

use crate::support::run::{Tally, run_seed_on};
use crate::support::split::Split;
use routing::PlantedBug;
use std::panic::catch_unwind;

#[test]
fn a_domain_that_moves_is_as_one_that_stays() {
    let (mut total, mut moves) = (Tally::default(), 0);
    for seed in 0..12 {
        let (tally, split) = run_seed_on(&Split::new, seed, 600);
        total.add(&tally);
        moves += split.moves();
    }
    println!("{} commands, {} accepted, {moves} moves", total.commands, total.accepted);
    assert!(moves > 500, "{moves} moves");
    assert!(total.crossed.iter().all(|times| *times > 0), "{total:?}: no transfers to speak of");
}

#[test]
fn a_move_that_forgets_the_answers_of_requests_is_seen() {
    let planted = || Split::new().planted(PlantedBug::MovedWithoutRequests);
    let seen = (0..12).any(|seed| catch_unwind(|| run_seed_on(&planted, seed, 600)).is_err());
    assert!(seen, "no request was repeated across a move");
}
