//! Mistakes on purpose in the replication, each one that a good engineer could make, to prove that
//! the cluster simulator sees them. Built by the feature `seeded-bugs` alone: without it every
//! question whether one is on is answered by the compiler.

use crate::config::Config;

/// A mistake that a node's replication can be made to make.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    strum::VariantArray,
    strum::IntoStaticStr,
    strum::Display,
    strum::EnumMessage,
)]
#[strum(serialize_all = "kebab-case")]
pub enum SeededBug {
    /// The log answers appends when it has taken them, before they are written and flushed.
    FlushAnsweredEarly,
    /// A vote is kept in memory and reaches the disk with the next new segment of the log only.
    VoteNotFlushed,
    /// A sync of the log that failed is tried again, and its good answer is believed.
    FailedSyncRetried,
    /// The log takes the torn frame at its end for whole: checksums of records are not looked at.
    TornTailKept,
    /// Entries that conflict with the leader's are removed in memory and not on disk.
    TruncateForgotten,
    /// The removal of conflicting entries is written behind the entries that replace them.
    TruncateWrittenLate,
    /// A snapshot gets its final name before its content is flushed.
    SnapshotNotSynced,
    /// A snapshot from the leader is restored and not saved.
    InstalledSnapshotNotSaved,
    /// An append counts as stored by a follower when it is sent, so the leader answers before a quorum has it.
    AnswerBeforeCommit,
    /// A leader lets reads through without asking whether it still leads.
    StaleReadBarrier,
    /// A new leader acts before it has applied what former leaders committed.
    LeadsTooEarly,
    /// A new leader's log time starts at its own wall clock instead of the last entry's time.
    LogTimeGoesBack,
}

impl SeededBug {
    /// Every mistake.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// Its name on command lines: words with hyphens.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What goes wrong, in one line.
    #[must_use]
    pub fn about(self) -> &'static str {
        strum::EnumMessage::get_documentation(&self).unwrap_or_default()
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

#[cfg(all(test, feature = "seeded-bugs"))]
mod tests {
    use super::{Seeded, SeededBug};
    use crate::config::Config;

    #[test]
    fn no_mistake_is_made_unless_one_is_picked() {
        let mut config = Config::new(crate::NodeId(1), "a", std::collections::BTreeMap::new(), 1, "/");
        let made =
            |config: &Config| SeededBug::ALL.iter().filter(|bug| Seeded::of(config).has(**bug)).count();
        assert_eq!(made(&config), 0);
        for bug in SeededBug::ALL {
            config.seeded_bug = Some(*bug);
            assert!(made(&config) == 1 && Seeded::of(&config).has(*bug));
        }
    }
}
