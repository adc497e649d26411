//! The command as a user runs it: files it writes, input it refuses.

use std::process::{Command, Output};

fn sim(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_centralita-sim")).args(args).output().unwrap()
}

#[test]
fn a_textbook_queue_writes_json_and_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (json, html) = (path("r.json"), path("r.html"));
    let queue =
        "day --arrivals-per-s 0.8 --service-s 1 --agents 2 --patience-s 5 --threshold-s 1 --hours 2 --seed 4";
    let mut args: Vec<&str> = queue.split(' ').collect();
    args.extend(["--json", &json, "--html", &html]);
    let output = sim(&args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("wait, mean"));
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    let count = |key: &str| report[key].as_u64().unwrap();
    assert_eq!(count("arrivals"), count("served") + count("abandoned") + count("unserved"));
    let interval: Vec<f64> = serde_json::from_value(report["wait_probability_ci"].clone()).unwrap();
    let probability = report["wait_probability"].as_f64().unwrap();
    assert!(interval[0] < probability && probability < interval[1]);
    assert!(report["offer_latency_ms"].is_null());
    assert!(std::fs::read_to_string(html).unwrap().contains("</html>"));
}

#[test]
fn a_planted_fault_is_counted_and_fails_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("r.json").display().to_string();
    let output = sim(&["day", "--profile", "bank-day", "--plant", "newest-first", "--json", &json]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("R-9"));
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    assert!(report["broken_promises"].as_u64().unwrap() > 0);
}

#[test]
fn bad_input_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("t.csv");
    let header = "date,arrival_s,type,priority,queue_s,outcome,service_s,agent";
    std::fs::write(&trace, format!("{header}\n1999-02-01,1,PS,0,0,AGENT,9,A\n1999-02-01,x,PS,0,0,HANG,0,\n"))
        .unwrap();
    let bad = trace.display().to_string();
    let good = folder.path().join("good.csv");
    std::fs::write(&good, format!("{header}\n1999-02-01,1,PS,0,0,AGENT,9,A\n")).unwrap();
    let good = good.display().to_string();
    for (args, message) in [
        (vec!["day"], "nothing to run"),
        (vec!["day", "--trace", &bad], "t.csv:3: arrival_s 'x' is not a number of seconds"),
        (vec!["day", "--trace", "no-such.csv"], "no-such.csv"),
        (vec!["day", "--trace", &good, "--date", "1999-02-02"], "no calls on 1999-02-02"),
        (vec!["day", "--trace", &good, "--date", "yesterday"], "write it as 1999-02-10"),
        (vec!["day", "--trace", &good, "--credit", "2:90"], "must look like 2=90"),
        (vec!["day", "--profile", "no-such.toml"], "no-such.toml"),
        (
            "day --arrivals-per-s 2 --service-s 1 --agents 1 --hours 1".split(' ').collect(),
            "add agents or --patience-s",
        ),
        (
            "day --arrivals-per-s 0 --service-s 1 --agents 1 --hours 1".split(' ').collect(),
            "must be more than 0",
        ),
        (
            "day --arrivals-per-s .5 --service-s 1 --agents 1 --hours 1 --warmup-hours 1"
                .split(' ')
                .collect(),
            "leaves nothing",
        ),
    ] {
        let output = sim(&args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{args:?} was taken");
        assert!(said.contains(message), "{args:?} said: {said}");
    }
}
