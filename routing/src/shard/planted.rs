//! Faults on purpose, by name.

use std::fmt;
use std::str::FromStr;

macro_rules! planted {
    ($($(#[doc = $about:literal])+ $bug:ident = $name:literal,)+) => {
        /// Faults that can be planted to prove that checkers see them. Never on in production: a node
        /// refuses to start with one unless its environment allows it by name.
        #[doc(hidden)]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum PlantedBug {
            $($(#[doc = $about])+ $bug,)+
        }

        impl PlantedBug {
            /// Every fault.
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

planted! {
    /// A rejected offer leaves the conversation assignable to the rejecting agent and the next.
    OfferTwice = "offer-twice",
    /// Points are not released when a contact ends.
    PointsKept = "points-kept",
    /// Points are not released when a conversation is transferred to a queue or an inbox.
    PointsKeptOnTransfer = "points-kept-on-transfer",
    /// The newest conversation goes first.
    NewestFirst = "newest-first",
    /// A late accept is taken.
    LateAccept = "late-accept",
    /// Leaving available leaves the agent's offers alive.
    OffersOutliveAvailability = "offers-outlive-availability",
    /// Freed agents are not matched.
    NoRematch = "no-rematch",
    /// A repeated request id is carried out again.
    RequestsForgotten = "requests-forgotten",
    /// A snapshot leaves out the answers of request ids.
    SnapshotWithoutRequests = "snapshot-without-requests",
    /// Exclusions never end.
    ExclusionForever = "exclusion-forever",
    /// An agent gets offers without a live lease.
    UnleasedOffers = "unleased-offers",
    /// A queue's figures drift from what is in it.
    FiguresDrift = "figures-drift",
    /// A late write changes how a conversation ended.
    EndingRewritten = "ending-rewritten",
    /// An ended conversation leaves its offer alive.
    ZombieOffer = "zombie-offer",
    /// A requeued conversation is as young as if it had just arrived.
    AgeLost = "age-lost",
    /// A conversation ends twice.
    EndedTwice = "ended-twice",
    /// The domain's sequence has gaps.
    SequenceGap = "sequence-gap",
    /// Waiting has no limit.
    NoWaitLimit = "no-wait-limit",
    /// The limit of waiting is not kept for what waits in an inbox.
    InboxNeverExpires = "inbox-never-expires",
    /// A stale desk may act.
    StaleEpoch = "stale-epoch",
    /// One domain's fault takes all domains of the shard.
    FaultSpreads = "fault-spreads",
    /// An agent that is back before its grace is over loses its work all the same.
    GraceAfterReturn = "grace-after-return",
    /// A new priority is forgotten by a conversation that is held out to an agent.
    PriorityLostInOffer = "priority-lost-in-offer",
    /// An agent that left by its own will is made available when the break after a miss is over.
    BackFromOwnBreak = "back-from-own-break",
    /// An accept is answered and not carried out.
    AnswerWithoutDeed = "answer-without-deed",
}

impl fmt::Display for PlantedBug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No fault has this name.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{given}' is no fault that can be planted: use {}", names())]
pub struct UnknownBug {
    /// What was given.
    pub given: String,
}

fn names() -> String {
    PlantedBug::ALL.iter().map(|bug| bug.name()).collect::<Vec<_>>().join(", ")
}

impl FromStr for PlantedBug {
    type Err = UnknownBug;

    fn from_str(text: &str) -> Result<Self, UnknownBug> {
        Self::ALL
            .iter()
            .copied()
            .find(|bug| bug.name() == text)
            .ok_or_else(|| UnknownBug { given: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::PlantedBug;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_words_with_hyphens_and_lead_back() {
        let names: BTreeSet<_> = PlantedBug::ALL.iter().map(|bug| bug.name()).collect();
        assert_eq!(names.len(), PlantedBug::ALL.len());
        for bug in PlantedBug::ALL {
            // `OfferTwice` is `offer-twice`.
            let spelled: String = format!("{bug:?}")
                .chars()
                .flat_map(|c| if c.is_uppercase() { vec!['-', c.to_ascii_lowercase()] } else { vec![c] })
                .collect();
            assert_eq!(bug.to_string(), spelled.trim_start_matches('-'));
            assert_eq!(bug.name().parse(), Ok(*bug));
            assert!(bug.about().ends_with('.') && !bug.about().starts_with(' '), "{}", bug.about());
        }
        let unknown = "offer-thrice".parse::<PlantedBug>().unwrap_err().to_string();
        assert!(unknown.contains("offer-thrice") && unknown.contains("offer-twice"), "{unknown}");
    }
}
