//! Mistakes on purpose in the replication, each one that a good engineer could make, to prove that
//! the cluster simulator sees them. Built by the feature `seeded-bugs` alone: without it every
//! question whether one is on is answered by the compiler.

use crate::config::Config;
use std::fmt;
use std::str::FromStr;

macro_rules! seeded {
    ($($(#[doc = $about:literal])+ $bug:ident = $name:literal,)+) => {
        /// A mistake that a node's replication can be made to make.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum SeededBug {
            $($(#[doc = $about])+ $bug,)+
        }

        #[cfg_attr(not(any(test, feature = "seeded-bugs")), expect(dead_code, reason = "for the feature"))]
        impl SeededBug {
            /// Every mistake.
            pub const ALL: &'static [Self] = &[$(Self::$bug),+];

            /// Its name on command lines: words with hyphens.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$bug => $name,)+
                }
            }

            /// What goes wrong, in one line.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$bug => concat!($($about),+).trim_start(),)+
                }
            }
        }
    };
}

seeded! {
    /// The log answers appends when it has taken them, before they are written and flushed.
    FlushAnsweredEarly = "flush-answered-early",
    /// A vote is kept in memory and reaches the disk with the next new segment of the log only.
    VoteNotFlushed = "vote-not-flushed",
    /// A sync of the log that failed is tried again, and its good answer is believed.
    FailedSyncRetried = "failed-sync-retried",
    /// The log takes the torn frame at its end for whole: checksums of records are not looked at.
    TornTailKept = "torn-tail-kept",
    /// Entries that conflict with the leader's are removed in memory and not on disk.
    TruncateForgotten = "truncate-forgotten",
    /// The removal of conflicting entries is written behind the entries that replace them.
    TruncateWrittenLate = "truncate-written-late",
    /// A snapshot gets its final name before its content is flushed.
    SnapshotNotSynced = "snapshot-not-synced",
    /// A snapshot from the leader is restored and not saved.
    InstalledSnapshotNotSaved = "installed-snapshot-not-saved",
    /// An append counts as stored by a follower when it is sent, so the leader answers before a quorum has it.
    AnswerBeforeCommit = "answer-before-commit",
    /// A leader lets reads through without asking whether it still leads.
    StaleReadBarrier = "stale-read-barrier",
    /// A new leader acts before it has applied what former leaders committed.
    LeadsTooEarly = "leads-too-early",
    /// A new leader's log time starts at its own wall clock instead of the last entry's time.
    LogTimeGoesBack = "log-time-goes-back",
}

impl fmt::Display for SeededBug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No mistake has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{given}' is no mistake that can be seeded in the replication: use {}", names())]
pub struct UnknownSeededBug {
    /// What was given.
    pub given: String,
}

fn names() -> String {
    SeededBug::ALL.iter().map(|bug| bug.name()).collect::<Vec<_>>().join(", ")
}

impl FromStr for SeededBug {
    type Err = UnknownSeededBug;

    fn from_str(text: &str) -> Result<Self, UnknownSeededBug> {
        let known = Self::ALL.iter().copied().find(|bug| bug.name() == text);
        known.ok_or_else(|| UnknownSeededBug { given: text.to_owned() })
    }
}

/// The mistake of one node, if it makes one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seeded {
    #[cfg(feature = "seeded-bugs")]
    bug: Option<SeededBug>,
}

#[cfg(feature = "seeded-bugs")]
impl Seeded {
    #[cfg(test)]
    pub(crate) const fn with(bug: SeededBug) -> Self {
        Self { bug: Some(bug) }
    }

    pub(crate) const fn of(config: &Config) -> Self {
        Self { bug: config.seeded_bug }
    }

    pub(crate) fn has(self, bug: SeededBug) -> bool {
        self.bug == Some(bug)
    }
}

#[cfg(not(feature = "seeded-bugs"))]
impl Seeded {
    pub(crate) const fn of(_config: &Config) -> Self {
        Self {}
    }

    #[inline(always)]
    pub(crate) const fn has(self, _bug: SeededBug) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::SeededBug;
    use std::collections::BTreeSet;

    #[cfg(feature = "seeded-bugs")]
    #[test]
    fn no_mistake_is_made_unless_one_is_picked() {
        use super::Seeded;
        use crate::config::Config;
        let mut config = Config::new(crate::NodeId(1), "a", std::collections::BTreeMap::new(), 1, "/");
        let made =
            |config: &Config| SeededBug::ALL.iter().filter(|bug| Seeded::of(config).has(**bug)).count();
        assert_eq!(made(&config), 0);
        for bug in SeededBug::ALL {
            config.seeded_bug = Some(*bug);
            assert!(made(&config) == 1 && Seeded::of(&config).has(*bug));
        }
    }

    #[test]
    fn names_are_words_with_hyphens_and_lead_back() {
        let names: BTreeSet<_> = SeededBug::ALL.iter().map(|bug| bug.name()).collect();
        assert_eq!(names.len(), SeededBug::ALL.len());
        for bug in SeededBug::ALL {
            let spelled: String = format!("{bug:?}")
                .chars()
                .flat_map(|c| if c.is_uppercase() { vec!['-', c.to_ascii_lowercase()] } else { vec![c] })
                .collect();
            assert_eq!(bug.to_string(), spelled.trim_start_matches('-'));
            assert_eq!(bug.name().parse(), Ok(*bug));
            assert!(bug.about().ends_with('.') && !bug.about().starts_with(' '), "{}", bug.about());
        }
        let unknown = "leader-sings".parse::<SeededBug>().unwrap_err().to_string();
        assert!(unknown.contains("leader-sings") && unknown.contains("vote-not-flushed"), "{unknown}");
    }
}
