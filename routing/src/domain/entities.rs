//! The entities of a domain as the core keeps them.

use super::blocks::Blocks;
use super::calling::Calling;
use super::crossings::Departure;
use super::handled::Handled;
use super::hours::QueueHours;
use super::keys::{AbleKey, HoldKey, Line, Open, PickFacts, PickKey, RankKey};
use super::line_set::LineSet;
use super::numbers::{AgentNo, ConvNo, QueueNo, TouchNo};
use super::paced::Paced;
use super::policies::Policies;
use super::seeking::{Asked, Seeking};
use super::skills::{self, ClassNo, Levels, SkillNo};
use super::standing::Stand;
use super::table::{Derived, Numbered};
use crate::command::{By, Intent, TransferFallback};
use crate::event::Ending;
use crate::settings::{AcceptMode, AgentSettings, QueueSettings, TouchpointSettings};
use crate::tree::Tree;
use crate::view::Lease;
use crate::{Channel, ChannelSet, Epoch, LogTime, OfferId, Points, Priority, Version};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Queue {
    pub(crate) no: QueueNo,
    pub(crate) version: Version,
    pub(crate) settings: QueueSettings,
    pub(crate) paused: bool,
    /// Stored beside the rest; shared with copies that are to be stored.
    #[serde(skip)]
    pub(crate) policies: Arc<Policies>,
    /// Stored beside the rest.
    #[serde(skip)]
    pub(crate) hours: Option<Box<QueueHours>>,
    /// To how many agents it offers at once, 1 to 10. Stored beside the rest where it is more than one.
    #[serde(skip, default = "one")]
    pub(crate) ring: u8,
    #[serde(skip)]
    pub(crate) index: Derived<QueueIndex>,
}

fn one() -> u8 {
    1
}

/// Who and what is in a queue. Derived.
#[derive(Debug, Clone, Default)]
pub(crate) struct QueueIndex {
    /// All agents that belong to it.
    pub(crate) members: BTreeSet<AgentNo>,
    /// Those that take offers, in pick order.
    pub(crate) ready: Tree<PickKey, Open>,
    /// The same by skill, where the most proficient go first.
    pub(crate) able: BTreeMap<SkillNo, Tree<AbleKey, Open>>,
    /// Those of them that hold free points for a conversation.
    pub(crate) holders: Tree<HoldKey, Open>,
    /// Waiting conversations by channel, in rank order.
    pub(crate) lines: [LineSet; 7],
    /// Channels with a line that is not empty, but for those of named agents.
    pub(crate) channels: u8,
    /// Conversations to be pulled, in rank order.
    pub(crate) inbox: Line,
    /// Conversations offered from it, in the order of the offers.
    pub(crate) offers: BTreeMap<u64, ConvNo>,
    /// Members with a live session.
    pub(crate) signed_on: u32,
    /// How many conversations stand under its policy, by version.
    pub(crate) standing: BTreeMap<u32, u64>,
}

impl Numbered for Queue {
    fn number(&self) -> u32 {
        self.no.0
    }
}

/// An agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Agent {
    pub(crate) no: AgentNo,
    pub(crate) version: Version,
    pub(crate) settings: AgentSettings,
    pub(crate) intent: Intent,
    pub(crate) intent_by: By,
    pub(crate) lease: Lease,
    pub(crate) epoch: Epoch,
    pub(crate) load: u32,
    /// Conversations offered to it, in the order of the offers.
    pub(crate) offers: Vec<ConvNo>,
    /// Conversations it owns, sorted.
    pub(crate) holdings: Vec<ConvNo>,
    pub(crate) misses: u32,
    pub(crate) miss_return: Option<LogTime>,
    pub(crate) idle_since: LogTime,
    pub(crate) last_offer: u64,
    pub(crate) hold: Option<(ConvNo, LogTime)>,
    /// Stored beside the rest.
    #[serde(skip)]
    pub(crate) skills: Levels,
    /// Its last offers, while the domain has a pace. Stored beside the rest.
    #[serde(skip)]
    pub(crate) paced: Option<Box<Paced>>,
    #[serde(skip)]
    pub(crate) index: Derived<AgentIndex>,
}

/// What the matching knows of an agent. Derived.
#[derive(Debug, Clone, Default)]
pub(crate) struct AgentIndex {
    /// Its queues.
    pub(crate) queues: Box<[QueueNo]>,
    /// Offers and holdings by channel.
    pub(crate) counts: [u16; 7],
    /// Those of them that hold points: all but wrap-ups that hold none.
    pub(crate) busy: [u16; 7],
    /// As it stands in its queues' pick orders, if it takes offers.
    pub(crate) listed: Option<Listed>,
    /// Whether its queues count it as signed on.
    pub(crate) signed_on: bool,
    /// Conversations waiting for this agent alone, or for it and other named ones, by channel.
    pub(crate) dedicated: BTreeMap<u8, Line>,
    /// Waiting conversations it is excluded from, by their line.
    pub(crate) excluded: BTreeMap<(QueueNo, u8, ClassNo), Tree<RankKey>>,
}

/// How an agent is listed in its queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) facts: PickFacts,
    pub(crate) open: Open,
    /// The rank of what it holds for.
    pub(crate) bar: Option<RankKey>,
}

impl Numbered for Agent {
    fn number(&self) -> u32 {
        self.no.0
    }
}

impl Agent {
    pub(crate) fn takes_offers(&self) -> bool {
        self.lease == Lease::Live && self.intent == Intent::Available
    }

    pub(crate) fn capacity(&self) -> u32 {
        u32::from(self.settings.capacity.0)
    }

    /// Free points; none when overdrawn.
    #[expect(clippy::cast_possible_truncation, reason = "at most the capacity, a byte")]
    pub(crate) fn free(&self) -> u8 {
        self.capacity().saturating_sub(self.load) as u8
    }

    pub(crate) fn cap_reached(&self, channel: Channel) -> bool {
        self.settings.caps[channel.index()].is_some_and(|cap| self.index.0.counts[channel.index()] >= cap)
    }

    /// Channels of what it is offered, has, and wraps up while that holds points.
    pub(crate) fn works_on(&self) -> ChannelSet {
        Channel::ALL.into_iter().filter(|channel| self.index.0.busy[channel.index()] > 0).collect()
    }

    /// Channels it handles, whose cap is not reached, and that nothing it works on blocks; none while it is paced.
    pub(crate) fn open_channels(&self, blocks: Blocks) -> u8 {
        if self.paced_until().is_some() {
            return 0;
        }
        let open = self
            .settings
            .channels
            .iter()
            .filter(|channel| !self.cap_reached(*channel))
            .fold(0, |set, c| set | 1 << c as u8);
        // Most domains have no rules.
        if blocks.is_empty() { open } else { open & !blocks.of(self.works_on()) }
    }

    pub(crate) fn open(&self, blocks: Blocks) -> Open {
        let channels = self.open_channels(blocks);
        let free = self.free();
        let handled = self.settings.channels.0 & 0x7f;
        let mut open = Open { free: [0; 8], handled, skills: skills::mask(&self.skills) };
        for (bit, slot) in open.free.iter_mut().enumerate() {
            if channels & (1 << bit) != 0 {
                *slot = free;
            }
        }
        open
    }

    pub(crate) fn facts(&self) -> PickFacts {
        PickFacts {
            agent: self.no,
            idle_since: self.idle_since,
            load: self.load,
            last_offer: self.last_offer,
            #[expect(clippy::cast_possible_truncation, reason = "bounded by `SKILLS_PER_AGENT_MAX`")]
            skills: self.skills.len() as u32,
        }
    }
}

/// A touchpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Touchpoint {
    pub(crate) no: TouchNo,
    pub(crate) version: Version,
    pub(crate) settings: TouchpointSettings,
    /// What conversations that arrive here ask for. Stored beside the rest.
    #[serde(skip)]
    pub(crate) criteria: Box<[Asked]>,
}

impl Numbered for Touchpoint {
    fn number(&self) -> u32 {
        self.no.0
    }
}

/// A conversation's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    Waiting,
    Offered,
    Assigned(AgentNo),
    Wrapping(AgentNo),
    Ended(Box<Ending>),
    /// On its way to another domain.
    Transferring,
}

/// Where it waits, or would wait again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PlaceKind {
    Queues,
    Inbox,
    Dedicated(AgentNo),
}

/// A live offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offer {
    pub(crate) number: u64,
    pub(crate) agent: AgentNo,
    pub(crate) queue: Option<QueueNo>,
    pub(crate) weight: Points,
    pub(crate) made_at: LogTime,
    pub(crate) deadline: LogTime,
    pub(crate) transfer: Option<TransferFallback>,
    /// It is accepted: agent and customer are being connected. Stored beside the rest.
    #[serde(skip)]
    pub(crate) connecting: bool,
}

impl Offer {
    pub(crate) fn id(&self, domain: crate::DomainId) -> OfferId {
        OfferId::new(domain, self.number)
    }
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conversation {
    pub(crate) no: ConvNo,
    pub(crate) version: Version,
    pub(crate) touchpoint: TouchNo,
    pub(crate) channel: Channel,
    pub(crate) priority: Priority,
    pub(crate) state: State,
    pub(crate) place: PlaceKind,
    pub(crate) arrived_at: LogTime,
    /// Arrival, or when it left its last owner.
    pub(crate) waits_since: LogTime,
    /// In the caller's order of preference.
    pub(crate) queues: Box<[QueueNo]>,
    pub(crate) accept: AcceptMode,
    /// The first of its live offers.
    pub(crate) offer: Option<Box<Offer>>,
    pub(crate) excluded: Vec<(AgentNo, LogTime)>,
    pub(crate) waive_at: Option<LogTime>,
    /// Until when room may be held for it, once it was.
    pub(crate) hold_until: Option<LogTime>,
    pub(crate) held_by: Option<AgentNo>,
    pub(crate) hops: u32,
    /// Points its owner holds for it.
    pub(crate) weight: Points,
    /// The queue its last accepted offer came from.
    pub(crate) from_queue: Option<QueueNo>,
    pub(crate) wait_deadline: Option<LogTime>,
    pub(crate) fallback_deadline: Option<LogTime>,
    /// `assigned_max` while assigned, the wrap-up's end while wrapping.
    pub(crate) work_deadline: Option<LogTime>,
    pub(crate) grace_deadline: Option<LogTime>,
    pub(crate) forget_at: Option<LogTime>,
    /// The customer's text, then the reference.
    pub(crate) texts: Box<str>,
    pub(crate) customer_bytes: u16,
    pub(crate) assigned_at: Option<LogTime>,
    pub(crate) ended_at: Option<LogTime>,
    pub(crate) last_agent: Option<AgentNo>,
    /// While it is on its way to another domain.
    pub(crate) departure: Option<Box<Departure>>,
    /// Stored beside the rest.
    #[serde(skip)]
    pub(crate) seeking: Option<Box<Seeking>>,
    /// Stored beside the rest.
    #[serde(skip)]
    pub(crate) standing: Option<Box<Stand>>,
    /// Stored beside the rest.
    #[serde(skip)]
    pub(crate) handled: Handled,
    /// It is to be called back. Stored beside the rest.
    #[serde(skip)]
    pub(crate) calling: Option<Box<Calling>>,
    /// It was abandoned, and another one has its place. Stored beside the rest.
    #[serde(skip)]
    pub(crate) resumed: bool,
    /// Its other live offers, where it rings at several agents: later ones, by their numbers, with the same deadline.
    /// Never empty. Stored beside the rest.
    #[serde(skip)]
    #[expect(clippy::box_collection, reason = "next to no conversation has any: eight bytes instead of 24")]
    pub(crate) also: Option<Box<Vec<Offer>>>,
}

impl Conversation {
    pub(crate) fn customer(&self) -> &str {
        &self.texts[..usize::from(self.customer_bytes)]
    }

    pub(crate) fn reference(&self) -> &str {
        &self.texts[usize::from(self.customer_bytes)..]
    }

    pub(crate) fn owner(&self) -> Option<AgentNo> {
        match self.state {
            State::Assigned(agent) | State::Wrapping(agent) => Some(agent),
            State::Waiting | State::Offered | State::Ended(_) | State::Transferring => None,
        }
    }

    pub(crate) fn is_terminal(&self) -> bool {
        matches!(self.state, State::Ended(_))
    }

    pub(crate) fn is_excluded(&self, agent: AgentNo) -> bool {
        self.excluded.iter().any(|(excluded, _)| *excluded == agent)
    }
}
