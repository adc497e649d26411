//! `centralita demo` as a stranger runs it: real processes, real sockets.

use routing::Span;
use routing::settings::limits::RING_MAX;
use serde_json::Value;
use simulator::commands::load::bank_credits;
use simulator::day::{Day, Settings};
use simulator::report::Report;
use simulator::trace::Date;
use simulator::workload::{Imputer, span_of};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest time anything here may take before it counts as hung.
const HUNG: Duration = Duration::from_secs(170);

/// A demo with a folder for temporary files of its own.
struct Demo {
    temp: tempfile::TempDir,
}

impl Demo {
    fn new() -> Self {
        Self { temp: tempfile::tempdir().expect("a folder") }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_centralita"));
        command.arg("demo").args(args).env("TMPDIR", self.temp.path()).stdout(Stdio::piped());
        command
    }

    /// Runs to the end and reads the figures.
    fn figures(&self, args: &[&str]) -> Value {
        let json = self.temp.path().join("figures.json");
        let html = self.temp.path().join("report.html");
        let mut command = self.command(args);
        command.arg("--json").arg(&json).arg("--report").arg(&html);
        let child = command.stderr(Stdio::piped()).spawn().expect("starts");
        let out = child.wait_with_output().expect("ends");
        let told = String::from_utf8_lossy(&out.stdout);
        let errors = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{}\n{told}\n{errors}", out.status);
        assert!(told.contains("report.html"), "says where the report lies: {told}");
        assert!(
            std::fs::read_to_string(&html).expect("a report").contains("<svg"),
            "the report has pictures"
        );
        std::fs::remove_file(&html).expect("removable");
        let text = std::fs::read_to_string(&json).expect("figures");
        std::fs::remove_file(&json).expect("removable");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Processes that name this demo's folder on their command line.
    fn processes(&self) -> Vec<u32> {
        let folder = self.temp.path().to_string_lossy().into_owned();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").expect("Linux").flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&line).contains(&folder) {
                found.push(id);
            }
        }
        found
    }

    fn assert_nothing_left(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.processes().is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(self.processes(), [0; 0], "processes are left");
    }

    fn assert_folder_empty(&self) {
        let left: Vec<_> = std::fs::read_dir(self.temp.path()).expect("readable").flatten().collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }

    /// Starts it and waits until the nodes are at work.
    fn at_work(&self) -> Child {
        let mut child = self.command(&["--speed", "100"]).stderr(Stdio::piped()).spawn().expect("starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let begun = Instant::now();
        loop {
            let line = lines.next().expect("goes on").expect("text");
            if line.contains("agents busy") {
                break;
            }
            assert!(begun.elapsed() < HUNG, "{line}");
        }
        // What it says further must find a reader.
        std::thread::spawn(move || lines.for_each(drop));
        assert_eq!(self.processes().len(), 3);
        child
    }
}

fn number(figures: &Value, key: &str) -> f64 {
    figures[key].as_f64().unwrap_or_else(|| panic!("{key} is no number in {figures:#}"))
}

fn assert_consistent(figures: &Value) {
    let of = |key| number(figures, key);
    assert!(of("arrivals") > 0.0);
    let sum = of("served") + of("abandoned") + of("unserved");
    assert!((of("arrivals") - sum).abs() < 0.5, "{figures:#}");
    for share in ["waited_share", "abandoned_share", "service_level", "occupancy"] {
        assert!((0.0..=1.0).contains(&of(share)), "{share} in {figures:#}");
    }
    let latency = &figures["offer_latency_ms"];
    assert!(number(latency, "p50") > 0.0);
    assert!(number(latency, "p50") <= number(latency, "p99"));
    assert!(number(latency, "p99") <= number(latency, "p999"));
    for key in ["wait_mean_s", "wait_p90_s", "service_mean_s", "longest_gap_ms"] {
        assert!(of(key) >= 0.0, "{key}");
    }
    for (key, none) in [("broken_promises", 0.0), ("lost", 0.0), ("unknown", 0.0)] {
        assert!((of(key) - none).abs() < 0.5, "{key} in {figures:#}");
    }
    assert!(of("acknowledged") >= of("arrivals"));
}

#[test]
fn a_part_of_the_day_is_routed_and_nothing_is_left() {
    let demo = Demo::new();
    let figures = demo.figures(&["--hours", "10-10.5", "--speed", "150"]);
    assert_consistent(&figures);
    assert!(number(&figures, "served") > 0.0);
    demo.assert_nothing_left();
    demo.assert_folder_empty();
}

#[test]
fn a_planted_bug_is_seen() {
    let demo = Demo::new();
    let figures = demo.figures(&["--hours", "10-10.5", "--speed", "150", "--plant", "points-kept"]);
    assert!(number(&figures, "broken_promises") > 0.0, "{figures:#}");
    demo.assert_nothing_left();
    demo.assert_folder_empty();
}

#[test]
fn an_interrupt_leaves_nothing() {
    for signal in ["-INT", "-TERM"] {
        let demo = Demo::new();
        let mut child = demo.at_work();
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
        assert!(sent.success());
        let status = child.wait().expect("ends");
        assert_eq!(status.code(), Some(1), "stopped by {signal}: an error code");
        demo.assert_nothing_left();
        demo.assert_folder_empty();
    }
}

#[test]
fn nodes_do_not_outlive_a_parent_that_is_killed() {
    let demo = Demo::new();
    let mut child = demo.at_work();
    child.kill().expect("kill -9");
    child.wait().expect("ends");
    demo.assert_nothing_left();
}

#[test]
fn bad_input_is_refused_before_anything_starts() {
    let demo = Demo::new();
    for (args, says) in [
        (vec!["--trace", "no-such-file.csv", "--date", "1999-02-10"], "no-such-file.csv"),
        (vec!["--hours", "11-9"], "9-11"),
        (vec!["--plant"], "--plant"),
    ] {
        let out = demo.command(&args).output().expect("ends");
        assert!(!out.status.success(), "{args:?}");
        let errors = String::from_utf8_lossy(&out.stderr);
        assert!(errors.contains(says), "{args:?}: {errors}");
    }
    demo.assert_folder_empty();
}

/// What became of one call in the cluster, by its own log.
struct Seen {
    late: Span,
    end: String,
    wait: Span,
    answer: Option<Span>,
    service: Option<Span>,
}

/// The calls that `demo --calls` wrote, in the order meant.
fn seen(path: &Path) -> Vec<Seen> {
    let mut file = csv::Reader::from_path(path).expect("a file");
    let columns = file.headers().expect("a header").clone();
    let column = |name| columns.iter().position(|one| one == name).unwrap_or_else(|| panic!("no {name}"));
    let (late, end, wait) = (column("late_s"), column("end"), column("wait_s"));
    let (answer, service) = (column("answer_s"), column("service_s"));
    let seconds = |text: &str| text.parse().ok().map(span_of);
    let line = |line: Result<csv::StringRecord, csv::Error>| {
        let line = line.expect("a line");
        Seen {
            late: seconds(&line[late]).expect("seconds"),
            end: line[end].to_owned(),
            wait: seconds(&line[wait]).expect("seconds"),
            answer: seconds(&line[answer]),
            service: seconds(&line[service]),
        }
    };
    file.records().map(line).collect()
}

/// What the core alone makes of the same day and staff, if each call comes as late, leaves as soon,
/// takes as long to be answered and lasts as long as it did in the cluster.
fn core_alone(trace: &Path, date: Date, seen: &[Seen]) -> Report {
    let trace = simulator::trace::read(trace).expect("a trace");
    let imputer = Imputer::new(&trace, bank_credits());
    let longest = Span(RING_MAX.0 - 1);
    let make = |seed| {
        let mut workload = imputer.day(date, seed);
        assert_eq!(workload.calls.len(), seen.len(), "a line for each call");
        for (call, seen) in workload.calls.iter_mut().zip(seen) {
            call.at = Span(call.at.0 + seen.late.0).min(workload.length);
            call.service = seen.service.unwrap_or(call.service);
            call.answer = seen.answer.map(|answer| answer.min(longest));
            call.patience = match (call.patience, seen.end.as_str()) {
                (Some(patience), "abandoned") if patience > Span::ZERO => Some(seen.wait),
                (Some(patience), "served") if patience > Span::ZERO => Some(patience.max(seen.wait)),
                (patience, _) => patience,
            };
        }
        workload.calls.sort_by_key(|call| call.at);
        workload
    };
    let day = Day { make: Box::new(make), logged: None };
    let simulated = simulator::day::days(&[day], 1, 1, Settings::default(), &mut |_, _, _| {});
    simulated.expect("the core routes it").report
}

/// The day of the real trace, minutes long, so only where the data is: all calls are accounted for,
/// and the cluster does what the core alone does. Its messages take real time, which the speed
/// multiplies: a call comes later than meant, an agent answers late, a contact ends late. How much
/// is the machine's affair and in the cluster's own log, call by call; the core is given the same.
/// So the comparison is of routing, on a fast machine, a slow one and one that stops now and then.
#[test]
fn a_real_day_is_routed_as_the_core_alone_would() {
    let Some(folder) = std::env::var_os("CENTRALITA_DATA") else {
        eprintln!("skipped: CENTRALITA_DATA does not name the folder with the bank's trace");
        return;
    };
    let path = Path::new(&folder).join("bank-1999-02-01_14.csv");
    let demo = Demo::new();
    // What the machine takes counts so many times. Five minutes for the day: agents who come late to their
    // shift are not in the log of calls, so the core is not given that.
    let speed = "300";
    let trace = path.to_str().expect("text");
    let lines = demo.temp.path().join("calls.csv");
    let calls = lines.to_str().expect("text");
    let day = ["--trace", trace, "--date", "1999-02-10", "--speed", speed, "--calls", calls];
    let figures = demo.figures(&day);
    assert_consistent(&figures);
    assert!((number(&figures, "arrivals") - 1_673.0).abs() < 0.5);
    demo.assert_nothing_left();

    let seen = seen(&lines);
    let served = seen.iter().filter(|call| call.end == "served").count();
    assert_eq!(Some(served as u64), figures["served"].as_u64(), "the lines say what the figures say");
    let alone = core_alone(&path, "1999-02-10".parse().expect("a date"), &seen);
    assert_eq!(alone.arrivals, 1_673);
    eprintln!("log time of an answer's way: {} s", number(&figures, "answer_mean_s"));
    for (key, expected) in [("waited_share", alone.waited_share), ("abandoned_share", alone.abandoned_share)]
    {
        let found = number(&figures, key);
        eprintln!("{key}: {found} in the cluster, {expected} alone");
        assert!((found - expected).abs() <= 0.03, "{key}: {found} in the cluster, {expected} alone");
    }
    let (found, expected) = (number(&figures, "wait_mean_s"), alone.wait_mean_s);
    eprintln!("mean wait: {found} s in the cluster, {expected} s alone");
    let difference = (found - expected).abs();
    assert!(difference <= 0.1 * expected, "mean wait: {found} s in the cluster, {expected} s alone");
}
