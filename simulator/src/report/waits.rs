//! How far expected waits are off: what was estimated when each call began to wait, beside how long it took.

use routing::Span;
use routing::expected::limits::EXITS_MIN;
use routing::expected::{InQueue, Way};
use routing::policy::Service;
use serde::Serialize;

/// Off by this much at most counts as near.
const NEAR: Span = Span::seconds(30);
/// What ways without a choice of minutes look at, the running one included.
pub const PLAIN_MINUTES: u64 = 15;
/// What is compared, in the order in which it is shown.
const WAYS: [&str; 7] = [
    "answer",
    "queue_length",
    "head_of_line",
    "queue_length_of_both",
    "head_of_line_of_both",
    "plain_exits",
    "mean_wait",
];

/// What was said to one call that began to wait, by each way; nothing where that way knew nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Said {
    /// What the API answers.
    pub answer: Option<Span>,
    /// By the length of the line and the exits.
    pub queue_length: Option<Span>,
    /// By the delay of the head of the line.
    pub head_of_line: Option<Span>,
    /// To compare: by the length of the line and all exits of the last [15 minutes](PLAIN_MINUTES), busy or not.
    pub plain_exits: Option<Span>,
    /// To compare: the mean wait of those answered in these minutes.
    pub mean_wait: Option<Span>,
}

impl Said {
    /// From an estimate, and how the queue's service went in the last [15 minutes](PLAIN_MINUTES).
    #[must_use]
    pub fn of(expected: &InQueue, lately: &Service) -> Self {
        let exits = lately.answered + lately.abandoned + lately.overflowed;
        // As few as the API takes for a rate.
        let enough = exits >= EXITS_MIN;
        let time = Span::seconds(PLAIN_MINUTES * 60);
        Self {
            answer: expected.estimate().map(|estimate| estimate.wait),
            queue_length: expected.by(Way::QueueLength),
            head_of_line: expected.by(Way::HeadOfLine),
            plain_exits: enough.then(|| Span(expected.position * time.0 / exits)),
            mean_wait: lately.mean_wait().filter(|_| enough),
        }
    }

    /// All that can be compared, in the order of [`WAYS`]: each way for itself, and both where both say something.
    fn all(self) -> [Option<Span>; WAYS.len()] {
        let both = self.queue_length.zip(self.head_of_line);
        [
            self.answer,
            self.queue_length,
            self.head_of_line,
            both.map(|(length, _)| length),
            both.map(|(_, head)| head),
            self.plain_exits,
            self.mean_wait,
        ]
    }
}

/// Sums over compared waits, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sums {
    waits: u64,
    waited: u128,
    waited_squares: u128,
    off: i128,
    off_absolute: u128,
    off_squares: u128,
    near: u64,
    within_half: u64,
}

impl Sums {
    fn add(&mut self, said: Span, wait: Span) {
        let off = said.0.abs_diff(wait.0);
        let square = |micros: u64| u128::from(micros) * u128::from(micros);
        self.waits += 1;
        self.waited += u128::from(wait.0);
        self.waited_squares += square(wait.0);
        self.off += i128::from(said.0) - i128::from(wait.0);
        self.off_absolute += u128::from(off);
        self.off_squares += square(off);
        self.near += u64::from(off <= NEAR.0);
        self.within_half += u64::from(off <= wait.0 / 2);
    }

    fn merge(&mut self, other: &Sums) {
        self.waits += other.waits;
        self.waited += other.waited;
        self.waited_squares += other.waited_squares;
        self.off += other.off;
        self.off_absolute += other.off_absolute;
        self.off_squares += other.off_squares;
        self.near += other.near;
        self.within_half += other.within_half;
    }

    #[expect(clippy::cast_precision_loss, reason = "reports only")]
    fn figures(&self, way: &str) -> WaitErrors {
        let count = self.waits as f64;
        let mean = |sum: f64| if self.waits == 0 { 0.0 } else { sum / count };
        let wait_mean_s = mean(self.waited as f64 / 1e6);
        let variance = mean(self.waited_squares as f64 / 1e12) - wait_mean_s * wait_mean_s;
        WaitErrors {
            way: way.to_owned(),
            waits: self.waits,
            wait_mean_s,
            wait_deviation_s: variance.max(0.0).sqrt(),
            absolute_mean_s: mean(self.off_absolute as f64 / 1e6),
            root_mean_square_s: mean(self.off_squares as f64 / 1e12).sqrt(),
            bias_s: mean(self.off as f64 / 1e6),
            within_30_s: mean(self.near as f64),
            within_half: mean(self.within_half as f64),
        }
    }
}

/// Collects estimates and what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaitTally {
    answered: u64,
    abandoned: u64,
    unserved: u64,
    unknown: u64,
    /// As in [`WAYS`].
    ways: [Sums; WAYS.len()],
}

impl WaitTally {
    /// A call that waited was answered: it was offered after so long to the agent who took it.
    pub fn answered(&mut self, said: Said, wait: Span) {
        self.answered += 1;
        self.unknown += u64::from(said.answer.is_none());
        for (sums, said) in self.ways.iter_mut().zip(said.all()) {
            if let Some(said) = said {
                sums.add(said, wait);
            }
        }
    }

    /// A caller who waited left: how long it would have been is not known.
    pub fn abandoned(&mut self) {
        self.abandoned += 1;
    }

    /// A caller still waited at the day's end.
    pub fn unserved(&mut self) {
        self.unserved += 1;
    }

    /// Adds what another run collected.
    pub fn merge(&mut self, other: &WaitTally) {
        self.answered += other.answered;
        self.abandoned += other.abandoned;
        self.unserved += other.unserved;
        self.unknown += other.unknown;
        for (sums, more) in self.ways.iter_mut().zip(&other.ways) {
            sums.merge(more);
        }
    }

    /// The figures; ways that never said anything are left out.
    #[must_use]
    pub fn figures(&self) -> ExpectedWaits {
        let all = WAYS.iter().zip(&self.ways).filter(|(_, sums)| sums.waits > 0);
        let ways = all.map(|(way, sums)| sums.figures(way)).collect();
        let Self { answered, abandoned, unserved, unknown, .. } = *self;
        ExpectedWaits { answered, abandoned, unserved, unknown, ways }
    }
}

/// How good expected waits were, of the calls that waited.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpectedWaits {
    /// Calls that waited and were answered: those that are compared.
    pub answered: u64,
    /// Callers who waited and left. Not compared: how long it would have been is not known, and it would have been
    /// longer than they waited.
    pub abandoned: u64,
    /// Callers who still waited at the day's end; not compared.
    pub unserved: u64,
    /// Of the answered, those for whom no estimate was made.
    pub unknown: u64,
    /// By way of estimate.
    pub ways: Vec<WaitErrors>,
}

/// The error of one way. Off is the estimate less the wait.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WaitErrors {
    /// `answer`: what the API says; `queue_length`; `head_of_line`; `queue_length_of_both` and
    /// `head_of_line_of_both`: where both say something, so that they are compared over the same calls;
    /// `plain_exits` and `mean_wait`: what is often said instead, over the last 15 minutes.
    pub way: String,
    /// Waits compared.
    pub waits: u64,
    /// Their mean, seconds.
    pub wait_mean_s: f64,
    /// Their standard deviation, seconds: the root mean square error of one who always says the mean.
    pub wait_deviation_s: f64,
    /// Mean absolute error, seconds.
    pub absolute_mean_s: f64,
    /// Root mean square error, seconds.
    pub root_mean_square_s: f64,
    /// Mean error, seconds: above 0 where the estimate is too long.
    pub bias_s: f64,
    /// Share that is off by 30 seconds at most.
    pub within_30_s: f64,
    /// Share that is off by half of the wait at most.
    pub within_half: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(answer: u64, length: Option<u64>, head: Option<u64>) -> Said {
        let span = |seconds: Option<u64>| seconds.map(Span::seconds);
        let (answer, queue_length, head_of_line) = (span(Some(answer)), span(length), span(head));
        Said { answer, queue_length, head_of_line, ..Said::default() }
    }

    #[test]
    fn errors_are_those_counted_by_hand() {
        let (mut tally, mut other) = (WaitTally::default(), WaitTally::default());
        tally.answered(said(40, Some(40), Some(10)), Span::seconds(100));
        tally.abandoned();
        other.answered(said(120, Some(120), None), Span::seconds(100));
        other.answered(Said::default(), Span::seconds(7));
        other.unserved();
        tally.merge(&other);
        let figures = tally.figures();
        let ExpectedWaits { answered, abandoned, unserved, unknown, ways } = &figures;
        assert_eq!((*answered, *abandoned, *unserved, *unknown), (3, 1, 1, 1));
        let row = |way: &str| ways.iter().find(|row| row.way == way).expect("a row");
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} is not {b}");
        let length = row("queue_length");
        assert_eq!((length.waits, row("head_of_line").waits, row("queue_length_of_both").waits), (2, 1, 1));
        near(length.wait_mean_s, 100.0);
        near(length.wait_deviation_s, 0.0);
        near(length.bias_s, -20.0);
        near(length.absolute_mean_s, 40.0);
        near(length.root_mean_square_s, 2_000_f64.sqrt());
        near(length.within_30_s, 0.5);
        near(length.within_half, 0.5);
        near(row("head_of_line_of_both").bias_s, -90.0);
    }
}
