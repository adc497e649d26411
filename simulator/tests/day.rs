//! `day` as a whole: the same seed the same report, planted faults seen, ends in order.

use routing::{PlantedBug, Priority, Span};
use simulator::day::{Day, Options, Settings, Simulated, days, run};
use simulator::report::{CallEnd, CallRecord};
use simulator::workload::{Agent, Call, Imputer, Profile, Queue, Shift, Workload};
use std::path::PathBuf;

fn s(seconds: u64) -> Span {
    Span::seconds(seconds)
}

fn profile() -> Profile {
    Profile::parse(Profile::shipped("bank-day").unwrap()).unwrap()
}

fn profile_day(seed: u64, options: Options) -> Simulated {
    let profile = profile();
    let day = Day { make: Box::new(|seed| profile.day(seed)), logged: None };
    days(&[day], seed, 1, Settings { options, ..Settings::default() }, &mut |_, _, _| {}).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_report() {
    let first = profile_day(7, Options::default());
    let again = profile_day(7, Options::default());
    assert_eq!(first.report, again.report);
    assert_eq!(first.records, again.records);
    assert_ne!(first.records, profile_day(8, Options::default()).records);
    let report = first.report;
    assert_eq!(report.arrivals, report.served + report.abandoned + report.unserved);
    assert_eq!(report.arrivals, profile().day(7).calls.len() as u64);
}

#[test]
fn a_day_keeps_every_promise_and_a_planted_fault_does_not() {
    let check = Options { check: true, ..Options::default() };
    let good = profile_day(1, check);
    assert_eq!((good.report.broken_promises, good.broken), (0, vec![]));
    // The history checker sees it in the record alone, the invariants in the state too.
    for options in [Options::default(), check] {
        let bad = profile_day(1, Options { plant: Some(PlantedBug::NewestFirst), ..options });
        assert!(bad.report.broken_promises > 0);
        assert!(bad.broken[0].contains("R-9"), "{:?}", bad.broken);
    }
}

/// Agents who take their time take fewer calls: each holds its agent so much longer.
#[test]
fn agents_answer_as_late_as_asked() {
    let at_once = profile_day(1, Options::default());
    let options = Options { check: true, judge: true, answer: s(7), ..Options::default() };
    let late = profile_day(1, options);
    assert_eq!((late.report.broken_promises, late.broken), (0, vec![]));
    assert!(at_once.report.answer_mean_s.abs() < 1e-9, "{}", at_once.report.answer_mean_s);
    assert!((late.report.answer_mean_s - 7.0).abs() < 1e-9, "{}", late.report.answer_mean_s);
    assert!(late.report.waited_share > at_once.report.waited_share);
    assert!(late.report.abandoned > at_once.report.abandoned);
    for record in &late.records {
        assert!(!matches!(record.end, CallEnd::Served { .. }) || record.wait >= s(7), "{record:?}");
    }
}

#[test]
fn nobody_hangs_up_on_a_desk_that_rings() {
    let workload = small(vec![
        // Rings in the instant of arrival, and from 37 on, when the wrap-up ends.
        call(0, Some(0), 20),
        call(10, Some(30), 20),
        // The agent leaves while it rings: overdue, this caller hangs up at once.
        call(50, Some(48), 20),
        call(97, Some(0), 20),
    ]);
    let options = Options { answer: s(7), ..Options::default() };
    assert_eq!(
        ends_with(&workload, options),
        [(0, 7, "served"), (10, 34, "served"), (50, 31, "served"), (97, 0, "abandoned")]
    );
    let workload = small(vec![call(95, Some(2), 20)]);
    assert_eq!(ends_with(&workload, options), [(95, 5, "abandoned")]);
}

/// One agent from 0 to 100 s with 10 s of wrap-up.
fn small(calls: Vec<Call>) -> Workload {
    Workload {
        name: "small".to_owned(),
        queues: vec![Queue { name: "q".to_owned(), wrap_up: s(10) }],
        credits: vec![(Priority(2), s(90))],
        calls,
        agents: vec![Agent {
            name: "a".to_owned(),
            queues: vec![0],
            shifts: vec![Shift { from: s(0), to: s(100) }],
        }],
        length: s(120),
        notes: Vec::new(),
    }
}

fn call(at: u64, patience: Option<u64>, service: u64) -> Call {
    Call {
        at: s(at),
        queue: 0,
        priority: Priority(0),
        patience: patience.map(s),
        service: s(service),
        answer: None,
    }
}

fn ends(workload: &Workload) -> Vec<(u64, u64, &'static str)> {
    ends_with(workload, Options::default())
}

fn ends_with(workload: &Workload, options: Options) -> Vec<(u64, u64, &'static str)> {
    let mut records: Vec<CallRecord> = Vec::new();
    let calls = workload.calls.iter().copied();
    let options = Options { check: true, judge: true, ..options };
    let ran = run(workload, calls, options, &mut |record| records.push(record), &mut |_| {}).unwrap();
    assert_eq!(ran.broken, 0, "{:?}", ran.seen);
    records.sort_by_key(|record| record.at);
    let name = |record: &CallRecord| match record.end {
        CallEnd::Served { .. } => "served",
        CallEnd::Abandoned => "abandoned",
        CallEnd::Unserved => "unserved",
    };
    records.iter().map(|record| (record.at.0 / 1_000_000, record.wait.0 / 1_000_000, name(record))).collect()
}

#[test]
fn ties_and_ends_come_in_the_stated_order() {
    let workload = small(vec![
        call(0, Some(0), 20),
        // No patience, nobody free.
        call(5, Some(0), 20),
        // Patience ends in the very instant in which the wrap-up does: the agent is first.
        call(10, Some(20), 0),
        // Freed by a contact of no length and its wrap-up at 40; out of patience at 39.
        call(11, Some(28), 20),
        call(12, None, 55),
        // After the shift ends nobody takes calls; the contact under way since 40 is finished.
        call(95, Some(10), 20),
        call(96, None, 20),
    ]);
    assert_eq!(
        ends(&workload),
        [
            (0, 0, "served"),
            (5, 0, "abandoned"),
            (10, 20, "served"),
            (11, 28, "abandoned"),
            (12, 28, "served"),
            (95, 10, "abandoned"),
            (96, 24, "unserved"),
        ]
    );
}

#[test]
fn credit_for_a_priority_goes_before_a_longer_wait() {
    let mut calls = vec![call(0, None, 50), call(1, None, 10), call(2, None, 10)];
    calls[2].priority = Priority(2);
    assert_eq!(ends(&small(calls)), [(0, 0, "served"), (1, 79, "served"), (2, 58, "served")]);
}

/// The bank's fortnight: every call accounted for, and shares near the log's.
#[test]
fn the_real_fortnight_comes_out_near_its_log() {
    let Some(folder) = std::env::var_os("CENTRALITA_DATA") else {
        println!("skipped: CENTRALITA_DATA is not set");
        return;
    };
    let trace = simulator::trace::read(&PathBuf::from(folder).join("bank-1999-02-01_14.csv")).unwrap();
    let imputer = Imputer::new(&trace, vec![(Priority(2), s(90))]);
    let list: Vec<Day<'_>> = trace
        .dates()
        .into_iter()
        .map(|date| Day {
            make: Box::new({
                let imputer = &imputer;
                move |seed| imputer.day(date, seed)
            }),
            logged: Some(simulator::day::logged(trace.day(date))),
        })
        .collect();
    let report = days(&list, 1, 1, Settings::default(), &mut |_, _, _| {}).unwrap().report;
    assert_eq!(report.arrivals, 17_313);
    assert_eq!(report.arrivals, report.served + report.abandoned + report.unserved);
    assert_eq!(report.broken_promises, 0);
    let total = report.days.last().unwrap();
    assert_eq!((total.day.as_str(), total.simulated.arrivals), ("total", 17_313));
    let near = |a: f64, b: f64, by: f64| assert!((a - b).abs() < by, "{a}, the log says {b}");
    near(total.logged.abandoned_share, 0.168, 0.0005);
    near(total.logged.waited_share, 0.511, 0.0005);
    near(total.logged.wait_mean_s, 34.9, 0.05);
    near(total.logged.service_mean_s, 166.9, 0.05);
    near(total.simulated.abandoned_share, total.logged.abandoned_share, 0.05);
    near(total.simulated.waited_share, total.logged.waited_share, 0.10);
    near(total.simulated.wait_mean_s, total.logged.wait_mean_s, 10.0);
    near(total.simulated.service_mean_s, total.logged.service_mean_s, 3.0);
}
