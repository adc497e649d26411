//! Commands whose reader has gone.

use std::process::{Command, Stdio};

#[test]
fn a_command_whose_reader_has_gone_ends_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("centralita.toml");
    std::fs::write(&file, "shards = 4\n").unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut check = Command::new(env!("CARGO_BIN_EXE_centralita"));
    check.args(["config", "check"]).arg(&file).stdout(writer).stderr(Stdio::piped());
    let ended = check.spawn().unwrap().wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(node::pipe::READER_GONE), "{said}");
    assert!(said.is_empty(), "{said}");
}
