//! What the limits do, and what is stored.

use super::{ReferenceClock, Requests, SLACK_MS, Seen};
use crate::{LogTime, RequestId, Span};

type Small = Requests<u8, u32, 8>;

const START_MS: u64 = 1_700_000_000_000;
const WINDOW: Span = Span::seconds(300);
const HOUR_MS: u64 = 3_600_000;

fn made_at(ms: u64, number: u32) -> RequestId {
    RequestId(u128::from(START_MS + ms) << 80 | u128::from(number))
}

/// Meets an id under an honest leader, and remembers its number as the answer if it is new.
fn meet(requests: &mut Small, now_ms: u64, id: RequestId) -> Seen<u32> {
    let now = LogTime(now_ms * 1_000);
    let seen = requests.meet(id, &0, now, START_MS + now_ms, WINDOW);
    if seen == Seen::New {
        requests.remember(id, 0, now, u32::try_from(id.0 & 0xffff).expect("small"));
    }
    seen
}

#[test]
fn the_clock_follows_but_does_not_leap_and_never_goes_back() {
    let mut clock = ReferenceClock::start(START_MS, LogTime(0));
    let mut at = |seconds: u64, wall_ms: u64| {
        clock.follow(START_MS + wall_ms, LogTime(seconds * 1_000_000), WINDOW);
        clock.ms() - START_MS
    };
    assert_eq!(at(10, 10_000), 10_000, "an honest clock");
    assert_eq!(at(10, HOUR_MS), 10_000, "no time has passed");
    assert_eq!(at(30, HOUR_MS), 35_000, "a quarter more than log time");
    assert_eq!(at(40, 40_000), 40_000, "and then the honest one again");
    assert_eq!(at(50, 0), 40_000, "stands still");
    assert_eq!(at(100_040, 200_000_000), 40_000 + 99_990_000 + 75_000, "a quarter of the window at once");
    assert_eq!(at(100_040, 100_000_000), 100_105_000, "and not back");
}

#[test]
fn clocks_far_ahead_do_not_push_out_the_answers_of_others() {
    let mut requests = Small::default();
    for number in 0..4 {
        assert_eq!(meet(&mut requests, 1_000, made_at(1_000, number)), Seen::New);
    }
    for number in 10..100 {
        assert_eq!(meet(&mut requests, 2_000, made_at(9 * HOUR_MS, number)), Seen::New);
    }
    for number in 0..4 {
        assert_eq!(meet(&mut requests, 3_000, made_at(1_000, number)), Seen::Answered(number));
    }
    assert_eq!(meet(&mut requests, 3_000, made_at(500, 5)), Seen::New, "and shut nobody out");
    assert_eq!(requests.places.len(), 8);
    assert_eq!(requests.order.len() + requests.ahead.len(), 8);
}

#[test]
fn when_all_room_is_taken_the_oldest_goes_and_is_too_old() {
    let mut requests = Small::default();
    for number in 0..9 {
        let now_ms = 1_000 + u64::from(number);
        assert_eq!(meet(&mut requests, now_ms, made_at(now_ms, number)), Seen::New);
    }
    assert_eq!(meet(&mut requests, 1_010, made_at(1_000, 0)), Seen::TooOld);
    assert_eq!(meet(&mut requests, 1_010, made_at(1_001, 1)), Seen::Answered(1));
}

#[test]
fn an_id_ahead_is_known_until_its_own_time_has_had_its_window() {
    for ahead_ms in [0, SLACK_MS, SLACK_MS + 1, HOUR_MS / 2, HOUR_MS] {
        let mut requests = Small::default();
        meet(&mut requests, 0, made_at(0, 1));
        let id = made_at(ahead_ms, 2);
        assert_eq!(meet(&mut requests, 0, id), Seen::New);
        let known_ms = if ahead_ms > SLACK_MS { 300_000 + ahead_ms } else { 300_000 };
        // Steps that the clock can follow without losing any.
        assert_eq!(meet(&mut requests, known_ms - 1, id), Seen::Answered(2), "{ahead_ms}");
        assert_eq!(meet(&mut requests, known_ms, id), Seen::TooOld, "{ahead_ms}");
        assert_eq!(requests.floor_ms, Some(START_MS + ahead_ms));
    }
}

#[test]
fn a_wall_clock_that_stands_still_makes_no_duplicate_for_an_hour() {
    for ahead_ms in [1, SLACK_MS, 2 * SLACK_MS] {
        let mut requests = Small::default();
        let id = made_at(ahead_ms, 1);
        let mut at = |ms: u64| {
            let seen = requests.meet(id, &0, LogTime(ms * 1_000), START_MS, WINDOW);
            if seen == Seen::New {
                requests.remember(id, 0, LogTime(ms * 1_000), 1);
            }
            seen
        };
        assert_eq!(at(0), Seen::New);
        assert_eq!(at(300_000 + HOUR_MS - 1), Seen::Answered(1));
    }
}

#[test]
fn a_first_id_that_is_refused_starts_no_clock() {
    let mut requests = Small::default();
    let honest = made_at(0, 1);
    assert_eq!(requests.meet(honest, &0, LogTime(0), START_MS + HOUR_MS, WINDOW), Seen::TooOld);
    assert_eq!(requests, Small::default());
    let late = made_at(1_000, 2);
    assert_eq!(requests.meet(late, &0, LogTime(0), START_MS + 200_000, WINDOW), Seen::New);
    assert_eq!(requests.clock.map(|clock| clock.ms()), Some(START_MS + 1_000), "the earlier of the two");
}

#[test]
fn what_is_stored_comes_back_the_same() {
    let mut requests = Small::default();
    for (ms, ahead_ms) in [(0, 0), (1_000, 500), (2_000, HOUR_MS), (301_000, 0), (302_000, 2 * HOUR_MS)] {
        meet(&mut requests, ms, made_at(ms + ahead_ms, 1));
    }
    assert!(requests.floor_ms.is_some() && requests.ahead.len() == 2 && requests.order.len() == 1);
    let config = bincode::config::standard();
    let bytes = bincode::serde::encode_to_vec(&requests, config).expect("stored");
    let (restored, _): (Small, _) = bincode::serde::decode_from_slice(&bytes, config).expect("read");
    assert_eq!(restored, requests);
}
