//! The README's tour: its Python is taken from the page and run against a real node, with stubs made
//! from the .proto files, so that the page cannot go stale.

use crate::harness;

use harness::Start;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The text of the README's one block in this language.
fn block(readme: &str, language: &str) -> String {
    let fence = format!("```{language}\n");
    let (_, rest) = readme.split_once(&fence).expect("the README has such a block");
    let (code, after) = rest.split_once("\n```").expect("the block ends");
    assert!(!after.contains(&fence), "more than one block in {language}: which is the tour?");
    code.to_owned()
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{out}\n{err}");
    out
}

#[test]
fn the_tour_in_the_readme_works() {
    let Some(python) = std::env::var_os("CENTRALITA_PYTHON") else {
        eprintln!("skipped: CENTRALITA_PYTHON is not set; ./test sets it up and runs this");
        return;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned();
    let folder = tempfile::TempDir::new().expect("a folder");
    let protos = root.join("proto/proto");
    let mut files: Vec<PathBuf> = std::fs::read_dir(protos.join("centralita/v1"))
        .expect("the proto files")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    run(Command::new(&python)
        .args(["-m", "grpc_tools.protoc", "-I"])
        .arg(&protos)
        .arg(format!("--python_out={}", folder.path().display()))
        .arg(format!("--grpc_python_out={}", folder.path().display()))
        .args(&files));
    let readme = std::fs::read_to_string(root.join("README.md")).expect("the README");
    let tour = folder.path().join("tour.py");
    std::fs::write(&tour, block(&readme, "python")).expect("written");

    let data = tempfile::TempDir::new().expect("a folder");
    let node = Start::new(data.path()).serve();
    let said = run(Command::new("timeout")
        .arg("60")
        .arg(&python)
        .arg(&tour)
        .arg(&node.address)
        .env("PYTHONPATH", folder.path()));

    for step in ["started conv_", "offered conv_", "assigned conv_", "ended completed"] {
        assert!(said.contains(step), "the tour did not say '{step}':\n{said}");
    }
    let kinds = ["arrived", "waiting", "offered", "offer_ended", "assigned", "ended"];
    let mut rest = said.split_once("ended completed").expect("checked above").1;
    for kind in kinds {
        let padded = format!(" {kind:20} conv_");
        rest = rest.split_once(padded.as_str()).unwrap_or_else(|| panic!("no '{kind}' in order:\n{said}")).1;
    }
    node.assert_no_errors();
}
