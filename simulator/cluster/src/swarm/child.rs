//! One run in a process of its own, with a limit of what it computes.

use super::Case;
use crate::determinism::real_time;
use crate::report::Report;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

/// Bytes kept of what a child says on each of its outputs: the last ones.
const KEPT_BYTES: usize = 4 << 20;
/// Bytes of its error output in a failure.
const SHOWN_BYTES: usize = 4_000;

/// A run that waits without computing is given this many times its limit, in real time.
pub const WAITS: u32 = 10;
/// How often it is looked how long a run has computed.
const LOOK: Duration = Duration::from_millis(250);
/// Parts of a second in which Linux counts what a process computes (`USER_HZ`, the same on all its machines).
const TICKS_PER_S: u64 = 100;

/// How runs are started.
#[derive(Debug, Clone)]
pub struct Child {
    /// The simulator's binary.
    pub program: PathBuf,
    /// Time for which a run may compute: on a busy machine it gets a small part of real time. One that
    /// does not compute is given up after [`WAITS`] times as long.
    pub limit: Duration,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub enum Ending {
    /// It said what it found.
    Reported(Box<Report>),
    /// It had computed for so long, or real time had passed, and was killed.
    Hung(Hung),
    /// It ended without a report.
    Died {
        /// Its exit status.
        status: String,
        /// The last it said on its error output.
        said: String,
    },
}

/// What a run had used up when it was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hung {
    /// So much computing.
    Computing(Duration),
    /// So much real time.
    Waiting(Duration),
}

/// A run that ended.
#[derive(Debug, Clone)]
pub struct Run {
    /// What was run.
    pub case: Case,
    /// How it ended.
    pub ending: Ending,
    /// Real time from its start to its end.
    pub took: Duration,
}

impl Child {
    /// Runs of this very binary.
    ///
    /// # Errors
    /// The binary's path is unknown.
    pub fn of_this_binary(limit: Duration) -> io::Result<Self> {
        Ok(Self { program: std::env::current_exe()?, limit })
    }

    /// Runs one case to its end. The process is killed when its limit ends or the future is
    /// dropped.
    ///
    /// # Errors
    /// The process cannot be started or read.
    pub async fn run(&self, case: Case, more: &[OsString]) -> io::Result<Run> {
        let began = real_time();
        let mut process = Command::new(&self.program)
            .args(case.arguments())
            .args(["--json", "--end-with-parent"])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let pid = process.id();
        let outputs = (process.stdout.take(), process.stderr.take());
        let whole = async {
            let (said, complained) = tokio::join!(tail(outputs.0), tail(outputs.1));
            io::Result::Ok((said?, complained?, process.wait().await?))
        };
        let ending = tokio::select! {
            biased;
            ended = whole => {
                let (said, complained, status) = ended?;
                match last_report(&said) {
                    Some(report) if matches!(status.code(), Some(0 | 1)) => {
                        Ending::Reported(Box::new(report))
                    }
                    _ => Ending::Died { status: status.to_string(), said: last(&complained, SHOWN_BYTES) },
                }
            }
            hung = used_up(pid, self.limit) => {
                process.kill().await?;
                Ending::Hung(hung)
            }
        };
        Ok(Run { case, ending, took: real_time().saturating_sub(began) })
    }
}

/// Waits until a process has computed, or been there, for too long.
async fn used_up(pid: Option<u32>, limit: Duration) -> Hung {
    let began = real_time();
    loop {
        tokio::time::sleep(LOOK).await;
        if pid.and_then(computed).is_some_and(|computed| computed >= limit) {
            return Hung::Computing(limit);
        }
        if real_time().saturating_sub(began) >= limit * WAITS {
            return Hung::Waiting(limit * WAITS);
        }
    }
}

/// For how long a process has computed, all its threads together: proc(5), fields 14 and 15 of `stat`.
fn computed(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field, the program's name, may hold anything.
    let after_name = stat.rsplit_once(')')?.1;
    let mut ticks = after_name.split_ascii_whitespace().skip(11).map(str::parse::<u64>);
    let (user, system) = (ticks.next()?.ok()?, ticks.next()?.ok()?);
    Some(Duration::from_millis((user + system) * 1_000 / TICKS_PER_S))
}

/// The report in the last line.
fn last_report(said: &[u8]) -> Option<Report> {
    let line = said.trim_ascii_end().rsplit(|byte| *byte == b'\n').next()?;
    serde_json::from_slice(line).ok()
}

/// Reads to the end and keeps the last bytes.
async fn tail(from: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let Some(mut from) = from else { return Ok(kept) };
    while from.read_buf(&mut kept).await? > 0 {
        if kept.len() > 2 * KEPT_BYTES {
            kept.drain(..kept.len() - KEPT_BYTES);
        }
    }
    Ok(kept)
}

fn last(text: &[u8], bytes: usize) -> String {
    let text = text.trim_ascii_end();
    String::from_utf8_lossy(&text[text.len().saturating_sub(bytes)..]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::Overrides;
    use crate::plan::StackKind;
    use std::os::unix::fs::PermissionsExt;

    /// Runs a shell script instead of the simulator.
    async fn run(script: &str, limit: Duration) -> Run {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("child");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let case = Case { seed: 3, stack: StackKind::Fast, overrides: Overrides::default() };
        Child { program, limit }.run(case, &[]).await.unwrap()
    }

    const REPORT: &str = r#"{"seed":3,"stack":"fast","nodes":3,"rate":5.0,"bug":null,"broken":[],"virtual_s":60.0,"real_s":0.5,"core_s":0.4,"commits":7,"counts":{"offers":2},"hash":"ab"}"#;

    #[tokio::test]
    async fn the_last_line_is_the_report() {
        let run =
            run(&format!("echo starting; echo \"$*\" >&2; echo '{REPORT}'"), Duration::from_secs(20)).await;
        let Ending::Reported(report) = run.ending else { panic!("{:?}", run.ending) };
        assert_eq!((report.commits, report.counts["offers"]), (7, 2));
    }

    #[tokio::test]
    async fn a_child_without_a_report_died_and_its_last_words_are_kept() {
        let run = run("echo thread panicked >&2; exit 101", Duration::from_secs(20)).await;
        let Ending::Died { status, said } = run.ending else { panic!("{:?}", run.ending) };
        assert_eq!(said, "thread panicked");
        assert!(status.contains("101"), "{status}");
    }

    #[tokio::test]
    async fn a_report_does_not_hide_a_crash() {
        let run = run(&format!("echo '{REPORT}'; kill -ABRT $$"), Duration::from_secs(20)).await;
        assert!(matches!(run.ending, Ending::Died { .. }), "{:?}", run.ending);
    }

    #[tokio::test]
    async fn a_child_that_computes_for_ever_is_killed() {
        let run = run("while :; do :; done", Duration::from_millis(300)).await;
        let Ending::Hung(hung) = run.ending else { panic!("{:?}", run.ending) };
        assert_eq!(hung, Hung::Computing(Duration::from_millis(300)));
    }

    #[tokio::test]
    async fn a_child_that_gets_little_of_the_machine_is_waited_for() {
        let run = run(&format!("sleep 2; echo '{REPORT}'"), Duration::from_millis(500)).await;
        assert!(matches!(run.ending, Ending::Reported(_)), "{:?}", run.ending);
    }

    #[tokio::test]
    async fn a_child_that_hangs_is_killed_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let pid_file = folder.path().join("pid");
        let script = format!("echo $$ > {}; exec sleep 600", pid_file.display());
        let run = run(&script, Duration::from_millis(200)).await;
        let Ending::Hung(hung) = run.ending else { panic!("{:?}", run.ending) };
        assert_eq!(hung, Hung::Waiting(Duration::from_secs(2)));
        let pid = std::fs::read_to_string(pid_file).unwrap();
        assert!(!std::path::Path::new(&format!("/proc/{}", pid.trim())).exists(), "it still runs");
        assert!(run.took < Duration::from_secs(60));
    }
}
