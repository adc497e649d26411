//! What a witness costs. Not a test: run it by hand where nothing else runs, optimised:
//! `cargo test -p centralita-simulator --profile NAME --lib -- --ignored --nocapture costs`.

use super::feed::Size;
use super::replicas::log_of;
use crate::witness::{Applied, Options, Witness};
use routing::{Effects, Shard};

/// Processor time of this thread in nanoseconds, so that neighbours on the machine count less.
fn processor_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    text.split(' ').next().and_then(|first| first.parse().ok()).expect("nanoseconds first")
}

#[test]
#[ignore = "a measurement"]
fn costs() {
    const ENTRIES: usize = 40_000;
    let log = log_of(1, Size::USUAL, ENTRIES);
    let set_up = log.iter().position(|(entry, _)| entry.request.id.is_some()).expect("work") + 500;
    let run = |replicas: usize, watched: bool, everything_every: u32| {
        let mut witness = Witness::new(Options { everything_every, ..Options::default() });
        let mut shards: Vec<_> = (0..replicas).map(|_| Shard::new(super::SHARD)).collect();
        let (mut effects, mut start) = (Effects::default(), 0);
        for (at, (entry, last_of_index)) in log.iter().enumerate() {
            if at == set_up {
                start = processor_ns();
            }
            for (shard, node) in shards.iter_mut().zip(0..) {
                effects.clear();
                let outcome = shard.apply(entry, &mut effects);
                if watched {
                    let (events, last_of_index) = (effects.events.as_slice(), *last_of_index);
                    let outcome = &outcome;
                    witness.applied(&Applied { node, entry, outcome, events, shard, last_of_index });
                }
            }
        }
        let spent = processor_ns() - start;
        assert!(witness.broken().is_empty(), "{}", witness.broken()[0]);
        (spent as f64 / (ENTRIES - set_up) as f64, witness.figures())
    };
    for everything_every in [1, 16, 1_000_000] {
        let (apply, _) = run(1, false, everything_every);
        let (frontier, figures) = run(1, true, everything_every);
        let (three, _) = run(3, true, everything_every);
        println!(
            "everything every {everything_every}: apply {apply:.0} ns, frontier {:.0} ns, each compared replica \
             {:.0} ns per entry\n{figures:?}",
            frontier - apply,
            (three - frontier) / 2.0 - apply,
        );
    }
}
