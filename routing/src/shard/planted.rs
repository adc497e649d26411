//! Faults on purpose, by name.

/// Faults that can be planted to prove that checkers see them. Never on in production: a node
/// refuses to start with one unless its environment allows it by name.
#[doc(hidden)]
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
    strum::EnumString,
)]
#[strum(serialize_all = "kebab-case", parse_err_ty = UnknownBug, parse_err_fn = UnknownBug::of)]
pub enum PlantedBug {
    /// A rejected offer leaves the conversation assignable to the rejecting agent and the next.
    OfferTwice,
    /// Points are not released when a contact ends.
    PointsKept,
    /// Points are not released when a conversation is transferred to a queue or an inbox.
    PointsKeptOnTransfer,
    /// The newest conversation goes first.
    NewestFirst,
    /// A late accept is taken.
    LateAccept,
    /// Leaving available leaves the agent's offers alive.
    OffersOutliveAvailability,
    /// Freed agents are not matched.
    NoRematch,
    /// A repeated request id is carried out again.
    RequestsForgotten,
    /// A snapshot leaves out the answers of request ids.
    SnapshotWithoutRequests,
    /// Exclusions never end.
    ExclusionForever,
    /// An agent gets offers without a live lease.
    UnleasedOffers,
    /// A queue's figures drift from what is in it.
    FiguresDrift,
    /// A late write changes how a conversation ended.
    EndingRewritten,
    /// An ended conversation leaves its offer alive.
    ZombieOffer,
    /// A requeued conversation is as young as if it had just arrived.
    AgeLost,
    /// A conversation ends twice.
    EndedTwice,
    /// The domain's sequence has gaps.
    SequenceGap,
    /// Waiting has no limit.
    NoWaitLimit,
    /// The limit of waiting is not kept for what waits in an inbox.
    InboxNeverExpires,
    /// A stale desk may act.
    StaleEpoch,
    /// One domain's fault takes all domains of the shard.
    FaultSpreads,
    /// An agent that is back before its grace is over loses its work all the same.
    GraceAfterReturn,
    /// A new priority is forgotten by a conversation that is held out to an agent.
    PriorityLostInOffer,
    /// An agent that left by its own will is made available when the break after a miss is over.
    BackFromOwnBreak,
    /// An accept is answered and not carried out.
    AnswerWithoutDeed,
    /// A conversation that is sent again from another domain is taken again.
    ArrivedTwice,
    /// A conversation that is called back from another domain is taken for not arrived, unasked.
    RecalledUnasked,
    /// A domain that moves leaves the answers of request ids behind.
    MovedWithoutRequests,
    /// A domain that has moved stays in service where it was.
    MovedAndStayed,
    /// A release behaves as of its own level before the cluster runs at it.
    AheadOfLevel,
    /// A step of criteria never expires.
    NeverRelaxed,
    /// Required skills are asked for at any level.
    SkillLevelIgnored,
    /// Rules of policies are decided, and never carried out.
    RulesIgnored,
    /// A conversation that a rule moves is as young as if it had just arrived.
    AgeLostByRule,
    /// Rules of policies are never due.
    RulesNeverDue,

    /// Agents are offered what the rules between channels block.
    BlocksIgnored,

    /// An offer that nobody accepted can be connected.
    ConnectedUnaccepted,
    /// An accepted offer whose connection takes too long lives on.
    NeverConnected,
    /// What wakes again takes no points for it.
    WakesForNothing,

    /// Offers are not counted for the pace.
    PaceForgotten,
    /// Who had as many offers as the pace allows gets none any more.
    PacedForEver,

    /// A queue that opens does not offer what waits there.
    OpensLate,
    /// A queue makes offers while it is closed.
    OffersWhileClosed,

    /// A conversation that is to be called back goes to the end of the line.
    CallbackToTheEnd,
    /// A customer who was not reached is tried again at once.
    CalledTooEarly,
    /// An abandoned place is resumed as often as somebody asks for it.
    ResumedTwice,
    /// Others go on ringing when one agent has accepted.
    RingsOn,
    /// What rings at several may ring twice at one.
    RingsTwice,

    /// Who is asked for advice has the conversation as soon as it accepts.
    AdviceTakesOver,
    /// A conversation whose owner is gone waits again, though somebody is consulted about it.
    AdviceLost,
}

impl PlantedBug {
    /// Every fault.
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

/// No fault has this name.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{given}' is no fault that can be planted: use {}", names())]
pub struct UnknownBug {
    /// What was given.
    pub given: String,
}

impl UnknownBug {
    fn of(given: &str) -> Self {
        Self { given: given.to_owned() }
    }
}

fn names() -> String {
    PlantedBug::ALL.iter().map(|bug| bug.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::PlantedBug;

    #[test]
    fn names_are_words_with_hyphens_and_lead_back() {
        assert_eq!(PlantedBug::OfferTwice.name(), "offer-twice");
        assert_eq!(PlantedBug::OfferTwice.to_string(), "offer-twice");
        for bug in PlantedBug::ALL {
            assert_eq!(bug.name().parse(), Ok(*bug));
            assert!(bug.about().ends_with('.') && !bug.about().starts_with(' '), "{}", bug.about());
        }
        let unknown = "offer-thrice".parse::<PlantedBug>().unwrap_err().to_string();
        assert!(unknown.contains("offer-thrice") && unknown.contains("offer-twice"), "{unknown}");
    }
}
