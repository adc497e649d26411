//! The engine against the naive model: thousands of random commands of all kinds, same outcomes,
//! same events, same pictures, and every promise kept after each.
//!
//! How much is tried is read from the environment, here and nowhere else in this crate:
//!
//! | variable | meaning | without it |
//! | --- | --- | --- |
//! | `CENTRALITA_SEEDS` | how many seeds | 48 |
//! | `CENTRALITA_FIRST_SEED` | the first of them | 0 |
//! | `CENTRALITA_COMMANDS` | commands of each | 600 |
//!
//! What a seed does follows from the seed alone. A value that is no number fails the test, so that a
//! slip of the pen is not taken for a long run. A failing seed prints itself, the step, and a shrunk
//! log.

use crate::support::run::{Tally, run_seed};

fn from_environment(name: &str, otherwise: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "how many seeds a test runs is no decision of the core")]
    let given = std::env::var(name);
    match given {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is '{text}': a whole number is needed")),
        Err(_) => otherwise,
    }
}

/// Held room is given up, and somebody passed over for a preference alone, so seldom that a few seeds may not have it.
fn seldom(way: &str) -> bool {
    matches!(way, "held" | "passed over for a preference")
}

#[test]
fn engine_and_model_agree_on_every_command() {
    let first = from_environment("CENTRALITA_FIRST_SEED", 0);
    let seeds = from_environment("CENTRALITA_SEEDS", 48);
    let commands =
        usize::try_from(from_environment("CENTRALITA_COMMANDS", 600)).expect("a number of commands");
    let mut total = Tally::default();
    for seed in first..first + seeds {
        let tally = run_seed(seed, commands);
        total.add(&tally);
    }
    let [arrived, refused, recalled] = total.crossed;
    println!("{seeds} seeds, {} commands, {} accepted", total.commands, total.accepted);
    println!("to other domains: {arrived} arrived, {refused} refused, {recalled} called back");
    let [asked, relaxed] = total.sought;
    println!("criteria: {asked} times given, {relaxed} times relaxed");
    let [prioritised, added, moved, pulled_back, sent, closed, called] = total.ruled;
    println!(
        "rules: {prioritised} gave a priority, {added} a queue, {moved} moved, {pulled_back} to inboxes, {sent} to other domains, {closed} closed, {called} made callbacks"
    );
    let [answered, abandoned, overflowed] = total.served;
    println!("service: {answered} answered, {abandoned} abandoned, {overflowed} taken elsewhere");
    println!("offers: {:?}", total.picked);
    assert!(
        seeds < 48
            || (total.picked.len() >= if seeds < 100 { 12 } else { 13 }
                && total.picked.iter().all(|(way, times)| seldom(way) || *times > 3)),
        "{total:?}: not every way of a pick"
    );
    assert!(
        seeds < 48 || (total.ruled.iter().all(|times| *times > 10) && total.served.iter().all(|n| *n > 3)),
        "{total:?}: no rules to speak of"
    );
    let [changed, humans, waits] = total.blocked;
    println!(
        "rules between channels: {changed} changes, {humans} humans refused, {waits} left waiting by them alone"
    );
    assert!(seeds < 48 || (changed > 40 && waits > 20), "{total:?}: no rules between channels to speak of");
    let [connecting, failed, rests, extended] = total.handled;
    println!(
        "handling: {connecting} to be connected, {failed} of them not, {rests} let rest, {extended} wrap-ups extended"
    );
    assert!(
        seeds < 48 || total.handled.iter().all(|times| *times > 15),
        "{total:?}: no handling to speak of"
    );
    let [paces, paced] = total.paced;
    println!("pace: {paces} changes, {paced} times an agent was held back");
    assert!(seeds < 48 || (paces > 20 && paced > 20), "{total:?}: no pace to speak of");
    assert!(seeds < 48 || (asked > 500 && relaxed > 500), "{total:?}: nobody to speak of asks for anything");
    let [requested, tried, given_up, resumed] = total.called;
    println!(
        "callbacks: {requested} asked for, {tried} times nobody answered, {given_up} given up; {resumed} places resumed"
    );
    assert!(seeds < 48 || total.called.iter().all(|times| *times > 9), "{total:?}: no callbacks to speak of");
    let [opened, closing, closed] = total.hours;
    println!("hours: {opened} told open, {closing} to be served out, {closed} closed");
    assert!(
        seeds < 48 || total.hours.iter().all(|times| *times > 10),
        "{total:?}: no opening hours to speak of"
    );
    let [changed, taken, beside] = total.rung;
    println!(
        "ringing at several: {changed} changes, {taken} offers taken by another, {beside} beside a first one"
    );
    assert!(
        seeds < 48 || total.rung.iter().all(|times| *times > 10),
        "{total:?}: no ringing at several to speak of"
    );
    let [asked, accepted, ended, handed, inherited] = total.consulted;
    println!(
        "consultations: {asked} asked for, {accepted} accepted, {ended} ended by word or time, {handed} handed over, {inherited} since the owner was gone"
    );
    assert!(
        seeds < 48 || total.consulted.iter().all(|times| *times > 4),
        "{total:?}: no consultations to speak of"
    );
    assert!(
        seeds < 48 || total.crossed.iter().all(|times| *times > 0),
        "{total:?}: no transfers to speak of"
    );
    assert!(total.accepted * 2 >= total.commands, "{total:?}: too hostile to mean much");
}
