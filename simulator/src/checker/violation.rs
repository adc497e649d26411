//! A broken promise, told so that a person can see why.

use std::fmt;

/// The promises the checker judges, by the ids of the routing contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Promise {
    /// At most one owner, at most one live offer.
    R1,
    /// Load never exceeds capacity by automatic routing.
    R2,
    /// What was answered OK stays true.
    R3,
    /// Offers have a deadline and an agent who is available with a live session.
    R4,
    /// Terminal is final.
    R6,
    /// Ending or moving releases everything in the same entry.
    R7,
    /// No free eligible agent while work waits.
    R8,
    /// No offer past a better-ranked conversation.
    R9,
    /// Age survives a requeue.
    R10,
    /// What was acknowledged ends in exactly one terminal state.
    R13,
    /// The record is dense, versions and cursors only grow.
    R15,
    /// A retried request id changes nothing and gets the first answer.
    R16,
    /// What waits is not forgotten: rules are carried out in their time, and as they say.
    R18,
    /// An older epoch never acts.
    R19,
}

impl Promise {
    /// Its id in the contract.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Promise::R1 => "R-1",
            Promise::R2 => "R-2",
            Promise::R3 => "R-3",
            Promise::R4 => "R-4",
            Promise::R6 => "R-6",
            Promise::R7 => "R-7",
            Promise::R8 => "R-8",
            Promise::R9 => "R-9",
            Promise::R10 => "R-10",
            Promise::R13 => "R-13",
            Promise::R15 => "R-15",
            Promise::R16 => "R-16",
            Promise::R18 => "R-18",
            Promise::R19 => "R-19",
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// One broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub promise: Promise,
    /// Whom it concerns, as ids.
    pub entities: Vec<String>,
    /// What is wrong.
    pub what: String,
    /// The last events of those concerned, oldest first.
    pub trail: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} broken: {} [{}]", self.promise, self.what, self.entities.join(", "))?;
        for line in &self.trail {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The first [`Verdict::KEPT_MAX`] broken promises, in the order they were found.
    pub violations: Vec<Violation>,
    /// All of them.
    pub broken: u64,
    /// Events that were checked.
    pub events: u64,
    /// Calls that were checked.
    pub calls: u64,
}

impl Verdict {
    /// Violations kept in full; the rest is counted.
    pub const KEPT_MAX: usize = 1_000;

    /// Adds one.
    pub(super) fn add(&mut self, violation: Violation) {
        self.broken += 1;
        if self.violations.len() < Self::KEPT_MAX {
            self.violations.push(violation);
        }
    }

    /// Adds another domain's.
    pub fn merge(&mut self, other: Verdict) {
        self.broken += other.broken;
        self.events += other.events;
        self.calls += other.calls;
        let room = Self::KEPT_MAX.saturating_sub(self.violations.len());
        self.violations.extend(other.violations.into_iter().take(room));
    }

    /// Whether the promise is among the broken ones.
    #[must_use]
    pub fn breaks(&self, promise: Promise) -> bool {
        self.violations.iter().any(|violation| violation.promise == promise)
    }
}
