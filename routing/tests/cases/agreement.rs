//! The engine against the naive model: thousands of random commands of all kinds, same outcomes,
//! same events, same pictures, and every promise kept after each.
//!
//! More seeds: `CENTRALITA_SEEDS=1000` (how many), `CENTRALITA_FIRST_SEED`, `CENTRALITA_COMMANDS`
//! (per seed). A failing seed prints itself, the step, and a shrunk log.

use crate::support::run::{Tally, run_seed};

fn from_environment(name: &str, otherwise: u64) -> u64 {
    option_env_at_run(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[expect(clippy::disallowed_methods, reason = "how many seeds a test runs is no decision of the core")]
fn option_env_at_run(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[test]
fn engine_and_model_agree_on_every_command() {
    let first = from_environment("CENTRALITA_FIRST_SEED", 0);
    let seeds = from_environment("CENTRALITA_SEEDS", 12);
    let commands =
        usize::try_from(from_environment("CENTRALITA_COMMANDS", 600)).expect("a number of commands");
    let mut total = Tally::default();
    for seed in first..first + seeds {
        let tally = run_seed(seed, commands);
        total.commands += tally.commands;
        total.accepted += tally.accepted;
    }
    println!("{seeds} seeds, {} commands, {} accepted", total.commands, total.accepted);
    assert!(total.accepted * 2 >= total.commands, "{total:?}: too hostile to mean much");
}
