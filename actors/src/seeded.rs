//! Mistakes on purpose around the core, each one that a good engineer could make, to prove that
//! the cluster simulator sees them. Built by the feature `seeded-bugs` alone: without it every
//! question whether one is on is answered by the compiler.

use crate::EngineConfig;
use std::fmt;
use std::str::FromStr;

macro_rules! seeded {
    ($($(#[doc = $about:literal])+ $bug:ident = $name:literal,)+) => {
        /// A mistake that an engine can be made to make.
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
    /// A node that led a shard goes on delivering to its desks, and no desk's node tells the two apart.
    FollowerDelivers = "follower-delivers",
    /// A new leader counts the silence of desks from before it led.
    LeaseNotRearmed = "lease-not-rearmed",
    /// A new leader watches only leases that were opened since it leads.
    LeaseNeverLost = "lease-never-lost",
    /// A command without an answer is tried again under another request id.
    RetryWithNewId = "retry-with-new-id",
    /// A command without an answer counts as done, if there is nothing to tell but that.
    UnknownTakenAsDone = "unknown-taken-as-done",
    /// A command without an answer counts as certainly not done.
    UnknownTakenAsFailed = "unknown-taken-as-failed",
    /// A watch of events takes the sequence it goes on with for the last one it had.
    WatchSkipsOnResume = "watch-skips-on-resume",
    /// A desk that comes back is welcomed with what its node knew before it was attached.
    WelcomeBeforeAttach = "welcome-before-attach",
    /// A snapshot does not wait until the events before it are durable.
    EventsAfterSnapshotLost = "events-after-snapshot-lost",
    /// Reads are answered by the replica of the node that was asked.
    ReadsOwnReplica = "reads-own-replica",
    /// A node that gives up an agent's former session takes the present one off the list of desks.
    LateDetachTakesNewSession = "late-detach-takes-new-session",
    /// A desk that comes back is given the agent's present session, whichever it had.
    ResumeIgnoresEpoch = "resume-ignores-epoch",
}

impl fmt::Display for SeededBug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No mistake has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{given}' is no mistake that can be seeded around the core: use {}", names())]
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

#[cfg(test)]
mod tests {
    use super::SeededBug;
    use std::collections::BTreeSet;

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
        let unknown = "follower-sings".parse::<SeededBug>().unwrap_err().to_string();
        assert!(unknown.contains("follower-sings") && unknown.contains("follower-delivers"), "{unknown}");
    }
}
