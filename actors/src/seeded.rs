//! Mistakes on purpose around the core, each one that a good engineer could make, to prove that
//! the cluster simulator sees them. Built by the feature `seeded-bugs` alone: without it every
//! question whether one is on is answered by the compiler.

use crate::EngineConfig;

/// A mistake that an engine can be made to make.
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
    /// A node that led a shard goes on delivering to its desks, and no desk's node tells the two apart.
    FollowerDelivers,
    /// A new leader counts the silence of desks from before it led.
    LeaseNotRearmed,
    /// A new leader watches only leases that were opened since it leads.
    LeaseNeverLost,
    /// A command without an answer is tried again under another request id.
    RetryWithNewId,
    /// A command without an answer counts as done, if there is nothing to tell but that.
    UnknownTakenAsDone,
    /// A command without an answer counts as certainly not done.
    UnknownTakenAsFailed,
    /// A watch of events takes the sequence it goes on with for the last one it had.
    WatchSkipsOnResume,
    /// A desk that comes back is welcomed with what its node knew before it was attached.
    WelcomeBeforeAttach,
    /// A snapshot does not wait until the events before it are durable.
    EventsAfterSnapshotLost,
    /// Reads are answered by the replica of the node that was asked.
    ReadsOwnReplica,
    /// A node that gives up an agent's former session takes the present one off the list of desks.
    LateDetachTakesNewSession,
    /// A desk that comes back is given the agent's present session, whichever it had.
    ResumeIgnoresEpoch,
    /// A new leader carries to other domains only what has left since it leads.
    OutboxForgotten,
    /// The level is raised when a majority of nodes know the next.
    LevelByMajority,
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
    pub(crate) const fn of(config: &EngineConfig) -> Self {
        Self { bug: config.seeded_bug }
    }

    pub(crate) fn has(self, bug: SeededBug) -> bool {
        self.bug == Some(bug)
    }
}

#[cfg(not(feature = "seeded-bugs"))]
impl Seeded {
    pub(crate) const fn of(_config: &EngineConfig) -> Self {
        Self {}
    }

    #[inline(always)]
    pub(crate) const fn has(self, _bug: SeededBug) -> bool {
        false
    }
}
