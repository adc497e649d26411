//! Many runs, so many at a time.

use super::{Case, Child, Interrupt, Run};
use crate::determinism::real_time;
use futures::stream::{FuturesUnordered, StreamExt};
use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

/// Why no more runs were started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All ran.
    All,
    /// The time budget ended.
    Budget,
    /// Whoever looks at the runs wanted no more.
    Enough,
    /// Somebody interrupted; runs that were under way are killed.
    Interrupted,
}

/// Runs cases in child processes.
#[derive(Debug, Clone)]
pub struct Pool {
    /// How runs are started.
    pub child: Child,
    /// Runs at a time, at least 1.
    pub jobs: usize,
    /// Real time after which no run is started; those under way end as they would.
    pub budget: Option<Duration>,
}

impl Pool {
    /// Runs cases in order, and shows every run that ended to `see`, which may end it all.
    ///
    /// # Errors
    /// A process cannot be started or read.
    pub async fn run(
        &self,
        mut cases: impl Iterator<Item = Case>,
        mut see: impl FnMut(Run) -> ControlFlow<()>,
    ) -> io::Result<End> {
        let began = real_time();
        let mut interrupt = Interrupt::new()?;
        let mut running = FuturesUnordered::new();
        let mut end = None;
        loop {
            while end.is_none() && running.len() < self.jobs.max(1) {
                if self.budget.is_some_and(|budget| real_time().saturating_sub(began) >= budget) {
                    end = Some(End::Budget);
                } else if let Some(case) = cases.next() {
                    running.push(self.child.run(case, &[]));
                } else {
                    end = Some(End::All);
                }
            }
            tokio::select! {
                run = running.next() => match run {
                    None => return Ok(end.unwrap_or(End::All)),
                    Some(run) => if see(run?).is_break() {
                        return Ok(End::Enough);
                    },
                },
                () = interrupt.came() => return Ok(End::Interrupted),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ending;
    use super::*;
    use crate::commands::Overrides;
    use crate::plan::StackKind;
    use std::os::unix::fs::PermissionsExt;

    struct Script {
        _folder: tempfile::TempDir,
        pool: Pool,
    }

    fn script(text: &str, jobs: usize, budget: Option<Duration>) -> Script {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("child");
        std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let child = Child { program, limit: Duration::from_secs(60) };
        Script { _folder: folder, pool: Pool { child, jobs, budget } }
    }

    fn cases(count: u64) -> impl Iterator<Item = Case> {
        (0..count).map(|seed| Case { seed, stack: StackKind::Fast, overrides: Overrides::default() })
    }

    #[tokio::test]
    async fn every_case_runs_once() {
        let script = script("exit 7", 3, None);
        let mut seen = Vec::new();
        let see = |run: Run| {
            assert!(matches!(run.ending, Ending::Died { .. }));
            seen.push(run.case.seed);
            ControlFlow::Continue(())
        };
        assert_eq!(script.pool.run(cases(10), see).await.unwrap(), End::All);
        seen.sort_unstable();
        assert_eq!(seen, (0..10).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn the_budget_starts_no_more_but_waits_for_those_under_way() {
        let script = script("sleep 0.4", 2, Some(Duration::from_millis(600)));
        let mut seen = 0;
        let see = |_| {
            seen += 1;
            ControlFlow::Continue(())
        };
        assert_eq!(script.pool.run(cases(1_000), see).await.unwrap(), End::Budget);
        assert!((2..20).contains(&seen) && seen % 2 == 0, "{seen} runs");
    }

    #[tokio::test]
    async fn whoever_looks_can_end_it() {
        let script = script("exit 7", 1, None);
        let see =
            |run: Run| if run.case.seed == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        assert_eq!(script.pool.run(cases(1_000), see).await.unwrap(), End::Enough);
    }
}
