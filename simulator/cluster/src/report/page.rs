//! A report as people read it.

use super::{Broken, Report};
use routing::invariants;
use std::fmt::Write;

/// Broken promises shown in full; of the others only how many.
const SHOWN_MAX: usize = 5;

/// A report as text. `command` is what runs it again, as `cargo sim cluster --seed 17 --stack fast`.
#[must_use]
pub fn page(report: &Report, command: &str) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut page, report, command);
    page
}

fn write(page: &mut String, report: &Report, command: &str) -> std::fmt::Result {
    let Report { seed, stack, nodes, rate, virtual_s, real_s, core_s, commits, .. } = report;
    let verdict = if report.broken.is_empty() { "good" } else { "BROKEN" };
    write!(page, "{verdict}: seed {seed}, stack {stack}")?;
    // Nothing is known of a run that made no report.
    if *nodes > 0 {
        write!(page, ", {nodes} nodes, {rate} conversations/s")?;
    }
    if let Some(bug) = &report.bug {
        write!(page, ", planted fault {bug}")?;
    }
    writeln!(page)?;
    if *core_s > 0.0 {
        let speed = virtual_s / core_s;
        writeln!(
            page,
            "  {virtual_s:.1} simulated seconds in {real_s:.1} s ({speed:.0}× a core), {commits} entries committed"
        )?;
    }
    if !report.hash.is_empty() {
        writeln!(page, "  hash {}", report.hash)?;
    }
    if report.broken.is_empty() {
        for (name, count) in &report.counts {
            writeln!(page, "  {count:>10}  {name}")?;
        }
        return Ok(());
    }
    for broken in report.broken.iter().take(SHOWN_MAX) {
        write_broken(page, broken)?;
    }
    if let Some(more) = report.broken.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
        writeln!(page, "\n  … and {more} more.")?;
    }
    writeln!(page, "\n  again   {command}")?;
    writeln!(page, "  log     {command} --trace trace.log")?;
    writeln!(page, "  manual  docs/simulator/read-a-failure.md")
}

fn write_broken(page: &mut String, broken: &Broken) -> std::fmt::Result {
    let Broken { promise, at_ms, seen, before } = broken;
    writeln!(page, "\n  {promise} at {}.{:03} s of simulated time", at_ms / 1_000, at_ms % 1_000)?;
    writeln!(page, "    promised  {}", promised(promise))?;
    for (number, line) in seen.lines().enumerate() {
        writeln!(page, "    {}  {line}", if number == 0 { "seen    " } else { "        " })?;
    }
    for (number, line) in before.iter().enumerate() {
        writeln!(page, "    {}  {line}", if number == 0 { "before  " } else { "        " })?;
    }
    Ok(())
}

/// What is promised by an id.
fn promised(id: &str) -> &'static str {
    if let Some(promise) = invariants::ALL.iter().find(|promise| promise.id == id) {
        return promise.text;
    }
    match id {
        "lease" => "A leader that has just begun gives every desk the time of a whole lease.",
        "node" => "A node starts on a sound disk, and runs until it is stopped.",
        "stuck" => "Once a core is healed, all acknowledged work comes to an end.",
        "alarm" => "No alarm is raised.",
        "panic" | "died" => "Nothing panics, and a run ends with a report.",
        "hang" => "A run ends within its limit of real time.",
        "replicas" => {
            "Replicas have applied the same entries with the same outcomes, and have the same state."
        }
        _ => "See docs/simulator/read-a-failure.md.",
    }
}

/// The command that this process was started with, without what only says where to write.
#[must_use]
pub fn this_command() -> String {
    again(std::env::args().skip(1))
}

fn again(arguments: impl Iterator<Item = String>) -> String {
    let mut kept = vec!["cargo".to_owned(), "sim".to_owned()];
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => {}
            "--trace" => {
                arguments.next();
            }
            _ if argument.starts_with("--trace=") => {}
            _ => kept.push(argument),
        }
    }
    kept.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Plan, StackKind};

    fn report() -> Report {
        let mut report = Report::new(&Plan::draw(17, StackKind::Fast));
        report.broken.push(Broken {
            promise: "R-2".to_owned(),
            at_ms: 42_007,
            seen: "agent 3 has 6 of 5 points".to_owned(),
            before: vec!["41.900 offered".to_owned(), "41.950 crash of node-2".to_owned()],
        });
        report
    }

    #[test]
    fn a_failure_says_all_that_is_needed() {
        let page = page(&report(), "cargo sim cluster --seed 17 --stack fast");
        for needed in [
            "BROKEN: seed 17, stack fast",
            "R-2 at 42.007 s of simulated time",
            "seen      agent 3 has 6 of 5 points",
            "before    41.900 offered\n              41.950 crash of node-2",
            "again   cargo sim cluster --seed 17 --stack fast\n",
            "--trace trace.log",
        ] {
            assert!(page.contains(needed), "{needed} is not in\n{page}");
        }
        let text = invariants::ALL.iter().find(|promise| promise.id == "R-2").unwrap().text;
        assert!(page.contains(text));
    }

    #[test]
    fn many_are_cut_short() {
        let mut report = report();
        let one = report.broken[0].clone();
        report.broken.extend(std::iter::repeat_n(one, 9));
        let page = page(&report, "again");
        assert_eq!(page.matches("R-2 at").count(), SHOWN_MAX);
        assert!(page.contains("and 5 more"));
    }

    #[test]
    fn a_good_run_says_what_happened() {
        let mut report = report();
        report.broken.clear();
        report.counts.insert("offers".to_owned(), 12);
        let page = page(&report, "again");
        assert!(page.starts_with("good: seed 17") && page.contains("12  offers"), "{page}");
    }

    #[test]
    fn the_command_leaves_out_where_to_write() {
        let arguments = "cluster --seed 3 --json --trace /tmp/t.log --stack full --trace=x --bug late-accept";
        let arguments = arguments.split(' ').map(str::to_owned);
        assert_eq!(again(arguments), "cargo sim cluster --seed 3 --stack full --bug late-accept");
    }
}
