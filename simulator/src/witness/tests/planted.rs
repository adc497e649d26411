//! Every fault that can be planted in the core is seen through a witness as it runs by default:
//! looking at everything only now and then hides none.

use super::feed::Size;
use super::replicas::{log_of, run};
use crate::witness::Options;
use routing::PlantedBug;
use std::collections::BTreeMap;

/// Logs that a fault is tried on at most.
const SEEDS: u64 = 16;
const ENTRIES: usize = 1_200;

#[test]
fn every_planted_fault_is_seen() {
    // Nothing moves in these logs, which are of one shard: the core's own tests see those.
    let needs_a_move = [PlantedBug::MovedWithoutRequests, PlantedBug::MovedAndStayed];
    let mut left = PlantedBug::ALL.to_vec();
    left.retain(|bug| !needs_a_move.contains(bug));
    let mut seen = BTreeMap::new();
    for seed in 0..SEEDS {
        let mut log = log_of(seed, Size::SMALL, ENTRIES);
        // One domain's entry panics at the end.
        let (mut last, _) = log.last().expect("a log").clone();
        last.position.index += 1;
        last.position.ordinal = 0;
        last.request.id = None;
        last.request.domain = routing::DomainId(1);
        last.request.command = routing::Command::Panic { message: "on purpose".to_owned() };
        log.push((last, true));
        left.retain(|bug| {
            let (broken, _) = run(&log, Some(*bug), Options::default());
            match broken.first() {
                None => true,
                Some(first) => {
                    seen.insert(bug.name(), (seed, first.position.index, first.promise));
                    false
                }
            }
        });
    }
    println!("fault: (seed, index, promise)\n{seen:#?}");
    assert!(left.is_empty(), "not seen in {SEEDS} logs of {ENTRIES} entries: {left:?}");
}
