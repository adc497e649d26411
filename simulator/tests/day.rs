//! `day` as a whole: the same seed the same report, planted faults seen, ends in order.

use routing::{PlantedBug, Priority, Span};
use simulator::day::{Day, Options, Settings, Simulated, days, run, textbook};
use simulator::report::{CallEnd, CallRecord, ExpectedWaits, WaitErrors};
use simulator::workload::{Agent, Call, Imputer, Profile, Queue, Shift, Textbook, Workload};
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

/// The example of docs/profiles.md, as it stands there.
#[test]
fn the_documented_profile_runs() {
    let page = include_str!("../../docs/profiles.md");
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let profile = Profile::parse(rest.split_once("```").unwrap().0).unwrap();
    let day = Day { make: Box::new(|seed| profile.day(seed)), logged: None };
    let settings = Settings {
        options: Options { check: true, judge: true, ..Options::default() },
        ..Settings::default()
    };
    let day = days(&[day], 1, 1, settings, &mut |_, _, _| {}).unwrap();
    assert_eq!((day.report.broken_promises, day.broken), (0, vec![]));
    let of_queues: Vec<(&str, u64)> =
        day.report.queues.iter().map(|queue| (queue.queue.as_str(), queue.arrivals)).collect();
    let spanish = day.records.iter().filter(|call| call.queue == 1).count() as u64;
    assert_eq!(of_queues, [("english", day.report.arrivals - spanish), ("spanish", spanish)]);
    let waits: f64 = day.report.queues.iter().map(|queue| queue.wait_mean_s * queue.arrivals as f64).sum();
    assert!((waits / day.report.arrivals as f64 - day.report.wait_mean_s).abs() < 1e-6);
    let agents = |queue| {
        let by = |call: &CallRecord| match call.end {
            CallEnd::Served { agent, .. } if call.queue == queue => Some(agent),
            _ => None,
        };
        day.records.iter().filter_map(by).collect::<std::collections::BTreeSet<u32>>()
    };
    assert_eq!(agents(0), (0..5).collect());
    assert_eq!(agents(1), (2..5).collect());
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

/// Estimates from the first moment on.
fn estimating() -> Options {
    Options { estimates_from: Some(Span::ZERO), ..Options::default() }
}

fn errors<'a>(expected: &'a ExpectedWaits, way: &str) -> &'a WaitErrors {
    expected.ways.iter().find(|row| row.way == way).unwrap_or_else(|| panic!("{way}: {expected:?}"))
}

/// All that is decided, and so every call, is as without.
#[test]
fn estimates_of_waits_change_no_decision() {
    let without = profile_day(3, Options::default());
    let mut with = profile_day(3, Options { check: true, ..estimating() });
    assert_eq!(with.records, without.records);
    let expected = with.report.expected_wait.take().unwrap();
    assert_eq!(with.report, without.report);
    let ExpectedWaits { answered, abandoned, unserved, unknown, ways } = &expected;
    assert_eq!(errors(&expected, "answer").waits + unknown, *answered);
    // Whoever could not be answered at once, and nobody else.
    let waited =
        without.records.iter().filter(|call| call.waited || !matches!(call.end, CallEnd::Served { .. }));
    assert_eq!(answered + abandoned + unserved, waited.count() as u64);
    for row in ways {
        assert!(row.bias_s.abs() <= row.absolute_mean_s, "{row:?}");
        assert!(row.absolute_mean_s <= row.root_mean_square_s, "{row:?}");
    }
}

/// With n before it and s agents who need 1 ÷ μ on average, a wait has mean (n + 1) ÷ sμ and variance (n + 1) ÷ (sμ)²
/// in M/M/s: even who knows sμ is off by √(mean wait ÷ sμ). The estimate has sμ from the last hour's exits alone.
#[test]
fn a_textbook_queue_s_waits_are_as_good_as_known() {
    let (agents, service_s) = (75, 240.0);
    let queue = Textbook { arrivals_per_s: 0.3, service_s, agents, patience_s: None, hours: 40.0 };
    let settings = Settings { options: estimating(), ..Settings::default() };
    for seed in 1..=3 {
        let report = textbook(queue, s(7_200), seed, 1, settings, &mut |_, _| {}).unwrap().report;
        let expected = report.expected_wait.unwrap();
        assert_eq!((expected.abandoned, expected.unserved), (0, 0));
        assert!(expected.answered > 10_000 && expected.unknown < expected.answered / 100, "{expected:?}");
        let row = errors(&expected, "queue_length");
        let least = (row.wait_mean_s * service_s / f64::from(agents)).sqrt();
        assert!((0.9..1.3).contains(&(row.root_mean_square_s / least)), "{least}: {row:?}");
        assert!(row.bias_s.abs() < 0.1 * row.wait_mean_s, "{row:?}");
        let [length, head] =
            ["queue_length_of_both", "head_of_line_of_both"].map(|way| errors(&expected, way));
        assert_eq!(length.waits, head.waits);
        assert!(length.root_mean_square_s < head.root_mean_square_s, "{length:?}, {head:?}");
        assert!(head.root_mean_square_s < head.wait_deviation_s, "{head:?}");
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
        queues: vec![Queue { wrap_up: s(10), ..Queue::named("q") }],
        credits: vec![(Priority(2), s(90))],
        calls,
        agents: vec![Agent {
            name: "a".to_owned(),
            queues: vec![0],
            shifts: vec![Shift { from: s(0), to: s(100) }],
            skills: Vec::new(),
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
    let settings = Settings { options: estimating(), ..Settings::default() };
    let report = days(&list, 1, 1, settings, &mut |_, _, _| {}).unwrap().report;
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
    // As docs/routing/expected-wait.md has them.
    let expected = report.expected_wait.unwrap();
    assert_eq!((expected.answered, expected.abandoned, expected.unknown), (6_286, 2_494, 1_030));
    for (way, waits, absolute_mean_s, root_mean_square_s, bias_s) in [
        ("answer", 5_256, 41.1, 60.1, -10.4),
        ("queue_length_of_both", 2_090, 49.4, 67.0, -8.7),
        ("head_of_line_of_both", 2_090, 60.2, 81.1, -24.9),
        ("plain_exits", 5_132, 67.4, 92.3, 47.7),
        ("mean_wait", 5_127, 49.6, 71.6, -24.0),
    ] {
        let row = errors(&expected, way);
        assert_eq!(row.waits, waits, "{way}");
        near(row.absolute_mean_s, absolute_mean_s, 0.051);
        near(row.root_mean_square_s, root_mean_square_s, 0.051);
        near(row.bias_s, bias_s, 0.051);
    }
}
