//! docs/routing/TESTS.md names a test for each line of the contract: each of them is there, and no promise and
//! no failure is left out.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the repository's folder")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Each `name` (file) of the page.
fn named(page: &str) -> Vec<(&str, &str)> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    rows.flat_map(|row| {
        row.split('`').collect::<Vec<_>>().windows(2).map(<[&str]>::to_vec).collect::<Vec<_>>()
    })
    .filter_map(|pair| {
        let file = pair[1].strip_prefix(" (")?.split_once(')')?.0;
        Some((pair[0], file))
    })
    .collect()
}

/// Whether a source has a test of this name.
fn has_test(source: &str, name: &str) -> bool {
    let mut before = "";
    source.lines().map(str::trim).any(|line| {
        let is_test = before.starts_with("#[test]") || before.starts_with("#[tokio::test");
        if !line.starts_with("#[") || line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            before = line;
        }
        let line = line.strip_prefix("async ").unwrap_or(line);
        is_test && line.strip_prefix("fn ").is_some_and(|rest| rest.starts_with(&format!("{name}(")))
    })
}

#[test]
fn every_test_that_is_named_is_there() {
    let page = read("docs/routing/TESTS.md");
    let named = named(&page);
    assert!(named.len() > 90, "only {} names were found", named.len());
    let missing: Vec<_> = named.iter().filter(|(name, file)| !has_test(&read(file), name)).collect();
    assert!(missing.is_empty(), "docs/routing/TESTS.md names what is not there: {missing:?}");
    assert!(!has_test("fn lost() {}", "lost"), "what is no test is none");
    assert!(!has_test("#[test]\nfn found_too() {}", "found"), "nor is one with a longer name");
}

#[test]
fn no_promise_and_no_failure_is_left_out() {
    let page = read("docs/routing/TESTS.md");
    let rows: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| R-")?.split(' ').next()).collect();
    let all: BTreeSet<String> = (1..=20).map(|number| number.to_string()).collect();
    assert_eq!(rows, all.iter().map(String::as_str).collect());
    let failures = read("routing/src/failures_test.rs");
    let tests =
        failures.split("#[test]\nfn ").skip(1).filter_map(|rest| rest.split_once('(').map(|(name, _)| name));
    let left_out: Vec<&str> = tests.filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(left_out.is_empty(), "docs/routing/TESTS.md leaves out {left_out:?}");
}
