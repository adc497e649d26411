//! How far a swarm is.

use super::Totals;
use crate::determinism::real_time;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// Where no terminal shows a bar, a line is written this often.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// A progress bar on a terminal, a line now and then elsewhere.
pub struct Progress {
    bar: ProgressBar,
    last_line: Duration,
}

impl Progress {
    /// Of so many runs.
    ///
    /// # Panics
    /// Never: the template is fixed.
    #[must_use]
    pub fn new(runs: u64) -> Self {
        let bar = ProgressBar::new(runs);
        let template = "{elapsed_precise} [{wide_bar}] {pos}/{len} seeds, {msg}";
        bar.set_style(ProgressStyle::with_template(template).expect("a template").progress_chars("=> "));
        bar.enable_steady_tick(Duration::from_millis(500));
        Self { bar, last_line: real_time() }
    }

    /// One more run ended.
    pub fn step(&mut self, totals: &Totals) {
        let message = format!(
            "{:.2} virtual hours, {} failed, {:.0}× a core",
            totals.virtual_hours(),
            totals.failures.len(),
            totals.speed()
        );
        if self.bar.is_hidden() && real_time().saturating_sub(self.last_line) >= LINE_EVERY {
            self.last_line = real_time();
            println!("{}/{} seeds, {message}", totals.runs, self.bar.length().unwrap_or(0));
        }
        self.bar.set_message(message);
        self.bar.inc(1);
    }

    /// Says something above the bar.
    pub fn say(&self, text: &str) {
        if self.bar.is_hidden() { println!("{text}") } else { self.bar.println(text) }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
