//! Writes down what clients and desks see of one domain, for the checker.

use crate::checker::model::{Asked, Call, Notice, Outcome};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Calls and notices kept at most each; beyond it they are counted, and the report says so.
const KEPT_MAX: usize = 4_000_000;

/// The record.
#[derive(Debug)]
pub struct Recorder {
    base: Instant,
    calls: Mutex<Vec<Call>>,
    notices: Mutex<Vec<Notice>>,
    acknowledged: AtomicU64,
    refused: AtomicU64,
    unknown: AtomicU64,
    left_out: AtomicU64,
    sequence: AtomicU64,
}

impl Recorder {
    /// An empty record; times are since `base`.
    #[must_use]
    pub fn new(base: Instant) -> Self {
        Self {
            base,
            calls: Mutex::default(),
            notices: Mutex::default(),
            acknowledged: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
            left_out: AtomicU64::new(0),
            sequence: AtomicU64::new(0),
        }
    }

    fn us(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.base).as_micros()).unwrap_or(u64::MAX)
    }

    /// One attempt.
    pub fn call(&self, request: u128, asked: Asked, sent: Instant, outcome: Outcome) {
        if let Outcome::Done(answer) = &outcome {
            self.sequence.fetch_max(answer.sequence, Ordering::Relaxed);
        }
        let call =
            Call { request, asked, sent_us: self.us(sent), returned_us: self.us(Instant::now()), outcome };
        keep(&self.calls, call, &self.left_out);
    }

    /// The end of one intent, after all its attempts.
    pub fn settled(&self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Done(_) => &self.acknowledged,
            Outcome::Refused(_) => &self.refused,
            Outcome::Unknown => &self.unknown,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// What a desk was told.
    pub fn notice(&self, notice: Notice) {
        self.sequence.fetch_max(notice.cursor, Ordering::Relaxed);
        keep(&self.notices, notice, &self.left_out);
    }

    /// Intents answered OK, refused, and without an answer.
    #[must_use]
    pub fn settled_counts(&self) -> (u64, u64, u64) {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (of(&self.acknowledged), of(&self.refused), of(&self.unknown))
    }

    /// The highest sequence anybody was told of.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Relaxed)
    }

    /// Takes what was recorded: calls, notices, and how many found no room.
    #[must_use]
    pub fn take(&self) -> (Vec<Call>, Vec<Notice>, u64) {
        let calls = std::mem::take(&mut *self.calls.lock().expect("no panic holds this lock"));
        let notices = std::mem::take(&mut *self.notices.lock().expect("no panic holds this lock"));
        (calls, notices, self.left_out.load(Ordering::Relaxed))
    }
}

fn keep<T>(list: &Mutex<Vec<T>>, item: T, left_out: &AtomicU64) {
    let mut list = list.lock().expect("no panic holds this lock");
    if list.len() < KEPT_MAX {
        list.push(item);
    } else {
        left_out.fetch_add(1, Ordering::Relaxed);
    }
}
