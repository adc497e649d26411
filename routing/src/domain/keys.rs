//! Orders: among waiting conversations, among ready agents, among holders.

use super::numbers::{AgentNo, ConvNo};
use crate::picked::Order;
use crate::settings::{PickPolicy, RankPolicy};
use crate::tree::{Key, Summary, Tree};
use crate::{LogTime, Priority, Span};
use std::cmp::Reverse;

/// Rank of a waiting conversation, smallest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RankKey {
    score: i64,
    arrived_at: u64,
    pub(crate) conversation: ConvNo,
}

/// The longest waiting of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Oldest(pub(crate) LogTime);

impl Summary for Oldest {
    fn join(self, other: Self) -> Self {
        Oldest(self.0.min(other.0))
    }
}

/// Conversations in rank order.
pub(crate) type Line = Tree<RankKey, Oldest>;

impl Line {
    /// Adds a conversation.
    pub(crate) fn enter(&mut self, key: RankKey, arrived_at: LogTime) {
        self.insert(key, Oldest(arrived_at));
    }
}

impl Key for RankKey {
    fn seed(&self) -> u64 {
        self.conversation.0
    }
}

/// Log time as a signed number; beyond 292,000 years it stands still.
#[expect(clippy::cast_possible_wrap, reason = "bounded before the cast")]
const fn signed(micros: u64) -> i64 {
    if micros > i64::MAX as u64 { i64::MAX } else { micros as i64 }
}

/// A rank policy made quick: credit by priority.
#[derive(Debug, Clone)]
pub(crate) enum Ranking {
    /// By priority, then age.
    Priority,
    /// By arrival less credit.
    Aging(Box<[i64; 256]>),
}

impl Ranking {
    pub(crate) fn new(policy: &RankPolicy) -> Self {
        match policy {
            RankPolicy::Priority => Ranking::Priority,
            RankPolicy::Aging { credits } => {
                let mut table = Box::new([0; 256]);
                for (Priority(priority), Span(credit)) in credits {
                    table[usize::from(*priority)] = signed(*credit);
                }
                Ranking::Aging(table)
            }
        }
    }

    pub(crate) fn key(&self, priority: Priority, arrived_at: LogTime, conversation: ConvNo) -> RankKey {
        let score = match self {
            Ranking::Priority => i64::from(255 - priority.0),
            Ranking::Aging(credits) => signed(arrived_at.0).saturating_sub(credits[usize::from(priority.0)]),
        };
        RankKey { score, arrived_at: arrived_at.0, conversation }
    }

    /// How much later than the head of a line somebody is there who stands behind it; none: nobody stands before.
    /// By priority, the head is the first of the same priority: others say little of how long this one's take.
    /// By aging it is the first of all, and credit counts as if it had been waited.
    pub(crate) fn behind_head(&self, key: &RankKey, line: &Line) -> Option<Span> {
        let head = match self {
            Ranking::Priority => {
                let before_all = RankKey { score: key.score, arrived_at: 0, conversation: ConvNo(0) };
                line.find(Some(&before_all), &|_| true, &mut 0)
            }
            Ranking::Aging(_) => line.first(),
        };
        let head = head.filter(|head| head < key)?;
        Some(Span(match self {
            Ranking::Priority => key.arrived_at.saturating_sub(head.arrived_at),
            Ranking::Aging(_) => u64::try_from(key.score.saturating_sub(head.score)).unwrap_or(0),
        }))
    }
}

/// An agent's place in a queue's pick order, smallest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PickKey {
    major: u64,
    minor: u64,
    pub(crate) agent: AgentNo,
}

impl Key for PickKey {
    fn seed(&self) -> u64 {
        u64::from(self.agent.0)
    }
}

/// What pick orders look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PickFacts {
    pub(crate) agent: AgentNo,
    pub(crate) idle_since: LogTime,
    pub(crate) load: u32,
    pub(crate) last_offer: u64,
    pub(crate) skills: u32,
}

impl PickFacts {
    pub(crate) fn key(self, policy: PickPolicy) -> PickKey {
        let (major, minor) = match policy {
            PickPolicy::LongestIdle | PickPolicy::MostProficient => (self.idle_since.0, 0),
            PickPolicy::LeastLoaded => (u64::from(self.load), self.idle_since.0),
            PickPolicy::RoundRobin => (self.last_offer, 0),
            PickPolicy::LeastFlexible => (u64::from(self.skills), self.idle_since.0),
        };
        PickKey { major, minor, agent: self.agent }
    }
}

impl PickKey {
    /// What the key says, by the policy that it was made for.
    #[expect(clippy::cast_possible_truncation, reason = "a load and a number of skills were 32 bits")]
    pub(crate) fn order(self, policy: PickPolicy) -> Order {
        match policy {
            PickPolicy::LongestIdle => Order::IdleSince(LogTime(self.major)),
            PickPolicy::LeastLoaded => Order::Load(self.major as u32, LogTime(self.minor)),
            PickPolicy::RoundRobin => Order::LastOffer(self.major),
            PickPolicy::LeastFlexible => Order::Skills(self.major as u32, LogTime(self.minor)),
            PickPolicy::MostProficient => Order::Proficiency(0, LogTime(self.major)),
        }
    }

    /// Since when the agent is idle, in an order that goes by that first.
    pub(crate) fn idle_since(self) -> LogTime {
        LogTime(self.major)
    }

    /// Whether only the agents' numbers say which of the two comes first.
    pub(crate) fn ties(self, other: Self) -> bool {
        (self.major, self.minor) == (other.major, other.minor)
    }
}

/// An agent's place among those who have a skill: the highest level first, then by the queue's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AbleKey {
    pub(crate) level: Reverse<u8>,
    pub(crate) place: PickKey,
}

impl Key for AbleKey {
    fn seed(&self) -> u64 {
        self.place.seed()
    }
}

/// A holding agent's place: the one that holds for the worst-ranked conversation first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HoldKey {
    pub(crate) bar: Reverse<RankKey>,
    pub(crate) agent: AgentNo,
}

impl Key for HoldKey {
    fn seed(&self) -> u64 {
        u64::from(self.agent.0)
    }
}

/// What a subtree of agents could take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Open {
    /// Most free points by channel; 0 where the channel is closed.
    pub(crate) free: [u8; 8],
    /// Channels that some agent handles.
    pub(crate) handled: u8,
    /// [Bits](super::skills::mask) of skills that some agent has.
    pub(crate) skills: u64,
}

impl Summary for Open {
    fn join(self, other: Self) -> Self {
        let mut free = self.free;
        for (mine, others) in free.iter_mut().zip(other.free) {
            *mine = (*mine).max(others);
        }
        Open { free, handled: self.handled | other.handled, skills: self.skills | other.skills }
    }
}
