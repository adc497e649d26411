//! One domain: its entities, their indexes, and what every command does to them.

mod agents;
mod beside;
mod blocks;
mod blocks_beside;
mod calling;
mod consult;
pub(crate) mod crossings;
mod entities;
mod exclusion;
mod frozen;
mod handled;
mod hours;
mod hours_beside;
mod image;
pub(crate) mod keys;
mod leaving;
mod line_set;
mod lines;
mod moving;
mod numbers;
mod offers;
mod owning;
mod paced;
mod policies;
mod policies_beside;
mod ring;
mod seeking;
pub(crate) mod skills;
mod standing;
mod table;
mod waiting;

pub(crate) use beside::{Beside, BesidePiece};
pub(crate) use blocks::Blocks;
pub(crate) use calling::{CallbackBeside, CallbackPiece};
pub(crate) use entities::{Agent, Conversation, Listed, Offer, PlaceKind, Queue, State, Touchpoint};
pub(crate) use frozen::DomainPiece;
pub(crate) use handled::{Handled, HandlingBeside, HandlingPiece};
pub(crate) use hours::QueueHours;
pub(crate) use hours_beside::{HoursBeside, HoursPiece};
pub(crate) use line_set::LineSet;
pub use moving::MovePiece;
pub(crate) use moving::Unindexed;
pub(crate) use numbers::{AgentNo, ConvNo, QueueNo, TouchNo};
pub(crate) use paced::{PaceBeside, PacePiece};
pub(crate) use policies_beside::{PoliciesBeside, PoliciesPiece};
pub(crate) use ring::{RingBeside, RingPiece};
pub(crate) use seeking::Asked;
pub(crate) use table::{Derived, Table};

use crate::blocks::ChannelRule;
use crate::callback::CallbackSettings;
use crate::deadlines::Deadlines;
use crate::event::{Event, EventKind, Subject};
use crate::fixed::FixedMap;
use crate::handling::Handling;
use crate::hours::Schedule;
use crate::level;
use crate::matching::Dirty;
use crate::pace::Pace;
use crate::paged::PagedMap;
use crate::requests::Requests;
use crate::settings::DomainSettings;
use crate::settings::limits::REQUESTS_REMEMBERED_MAX;
use crate::shard::PlantedBug;
use crate::{
    AccountId, AgentId, Channel, ConversationId, DomainId, Effects, LogTime, Outcome, Points, Position,
    QueueId, Rejected, Sequence, TouchpointId, Version,
};
use keys::Ranking;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What applying one entry knows and collects.
pub(crate) struct Cx<'a> {
    pub(crate) now: LogTime,
    pub(crate) wall_ms: u64,
    pub(crate) position: Position,
    /// The shard's level.
    pub(crate) level: u32,
    pub(crate) effects: &'a mut Effects,
    pub(crate) planted: Option<PlantedBug>,
    /// Expiries that the entry may still do.
    pub(crate) expiries_left: usize,
    /// Offers that the entry may still make.
    pub(crate) matches_left: usize,
}

impl Cx<'_> {
    pub(crate) fn planted(&self, bug: PlantedBug) -> bool {
        self.planted == Some(bug)
    }
}

/// The last numbers given out; nothing is ever numbered twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Counters {
    pub(crate) queue: u32,
    pub(crate) agent: u32,
    pub(crate) touchpoint: u32,
    pub(crate) conversation: u64,
    pub(crate) offer: u64,
}

/// What follows from the stored part of a domain.
#[derive(Debug, Clone)]
pub(crate) struct DomainIndex {
    pub(crate) deadlines: Deadlines,
    /// When queues open or their hours end, in Unix milliseconds.
    pub(crate) changes: BTreeSet<(u64, QueueNo)>,
    /// Conversations by live offer.
    pub(crate) offers: FixedMap<u64, ConvNo>,
    /// Conversations that are not terminal.
    pub(crate) live: u64,
    pub(crate) ranking: Ranking,
    /// By free points: the channels whose weight fits.
    pub(crate) fits: [u8; 101],
    /// The rules between channels.
    pub(crate) blocks: Blocks,
    /// Numbers of skills by name.
    pub(crate) skills: BTreeMap<String, skills::SkillNo>,
    /// What live conversations require.
    pub(crate) classes: skills::Classes,
    /// Agents that hold points for a conversation.
    pub(crate) holders: BTreeSet<AgentNo>,
    /// Callbacks that nobody is offered before a time.
    pub(crate) resting: BTreeSet<ConvNo>,
    /// A fault planted for tests.
    pub(crate) planted: Option<PlantedBug>,
    /// The shard's feature level.
    pub(crate) level: u32,
    /// Memory that matching reuses.
    pub(crate) heap: Vec<std::cmp::Reverse<(keys::RankKey, crate::matching::Item)>>,
}

impl DomainIndex {
    pub(crate) fn new(settings: &DomainSettings) -> Self {
        let mut index = Self {
            deadlines: Deadlines::default(),
            changes: BTreeSet::new(),
            offers: FixedMap::default(),
            live: 0,
            ranking: Ranking::new(&settings.rank),
            fits: [0; 101],
            blocks: Blocks::default(),
            skills: BTreeMap::new(),
            classes: skills::Classes::default(),
            holders: BTreeSet::new(),
            resting: BTreeSet::new(),
            planted: None,
            level: level::FIRST,
            heap: Vec::new(),
        };
        index.follow(settings);
        index
    }

    pub(crate) fn follow(&mut self, settings: &DomainSettings) {
        self.ranking = Ranking::new(&settings.rank);
        for (free, channels) in self.fits.iter_mut().enumerate() {
            *channels = 0;
            for channel in Channel::ALL {
                if usize::from(settings.weights[channel.index()].0) <= free {
                    *channels |= 1 << channel as u8;
                }
            }
        }
    }
}

/// Answers by request id, with the hash of what was asked for.
pub(crate) type Answers = Requests<u64, Outcome, REQUESTS_REMEMBERED_MAX>;

/// A domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Domain {
    pub(crate) id: DomainId,
    pub(crate) account: AccountId,
    pub(crate) version: Version,
    pub(crate) settings: DomainSettings,
    pub(crate) sequence: Sequence,
    pub(crate) quarantined: Option<String>,
    pub(crate) counters: Counters,
    /// Names of skills, by their numbers. Stored beside the rest.
    pub(crate) skills: Vec<String>,
    pub(crate) queues: Table<Queue>,
    pub(crate) agents: Table<Agent>,
    pub(crate) touchpoints: Table<Touchpoint>,
    pub(crate) conversations: PagedMap<ConvNo, Conversation>,
    pub(crate) requests: Answers,
    pub(crate) crossings: crossings::Crossings,
    /// What matching has still to look at.
    pub(crate) dirty: Dirty,
    /// The rules between channels, in order. Stored beside the rest; shared with copies that are to be stored.
    pub(crate) channel_rules: Arc<[ChannelRule]>,
    /// How contacts are handled. Stored beside the rest.
    pub(crate) handling: Handling,
    /// How many conversations agents are offered within a time. Stored beside the rest.
    pub(crate) pace: Option<Pace>,
    /// Schedules by name. Stored beside the rest; shared with copies that are to be stored and with pictures.
    pub(crate) schedules: Arc<BTreeMap<String, Schedule>>,
    /// Wall time by which a queue's hours were told last, Unix milliseconds. Stored beside the rest.
    pub(crate) looked_ms: u64,
    /// How customers are called back; none: they are not. Stored beside the rest.
    pub(crate) callback: Option<CallbackSettings>,
    pub(crate) index: Derived<DomainIndex>,
}

impl Domain {
    pub(crate) fn new(id: DomainId, account: AccountId, settings: DomainSettings) -> Self {
        Self {
            id,
            account,
            version: Version(0),
            index: Derived(DomainIndex::new(&settings)),
            settings,
            sequence: Sequence(0),
            quarantined: None,
            counters: Counters::default(),
            skills: Vec::new(),
            queues: Table::default(),
            agents: Table::default(),
            touchpoints: Table::default(),
            conversations: PagedMap::default(),
            requests: Answers::default(),
            crossings: crossings::Crossings::default(),
            dirty: Dirty::default(),
            channel_rules: Arc::default(),
            handling: Handling::default(),
            pace: None,
            schedules: Arc::default(),
            looked_ms: 0,
            callback: None,
        }
    }

    /// Whether a later entry must go on with something at `now`.
    pub(crate) fn is_pending(&self, now: LogTime) -> bool {
        self.quarantined.is_none()
            && (!self.dirty.is_empty() || self.next_deadline().is_some_and(|deadline| deadline <= now))
    }

    pub(crate) fn next_deadline(&self) -> Option<LogTime> {
        if self.quarantined.is_some() { None } else { self.index.0.deadlines.next() }
    }

    // ----- entities that are known to exist -----

    pub(crate) fn queue(&self, no: QueueNo) -> &Queue {
        self.queues.get(no.0).expect("queues in indexes exist")
    }

    pub(crate) fn queue_mut(&mut self, no: QueueNo) -> &mut Queue {
        self.queues.get_mut(no.0).expect("queues in indexes exist")
    }

    pub(crate) fn agent(&self, no: AgentNo) -> &Agent {
        self.agents.get(no.0).expect("agents named by work exist")
    }

    pub(crate) fn agent_mut(&mut self, no: AgentNo) -> &mut Agent {
        self.agents.get_mut(no.0).expect("agents named by work exist")
    }

    pub(crate) fn conv(&self, no: ConvNo) -> &Conversation {
        &self.conversations[&no]
    }

    pub(crate) fn conv_mut(&mut self, no: ConvNo) -> &mut Conversation {
        self.conversations.get_mut(&no).expect("conversations in indexes exist")
    }

    // ----- entities that callers name -----

    pub(crate) fn named_queue(&self, id: QueueId) -> Result<QueueNo, Rejected> {
        QueueNo::of(id, self.id)
            .filter(|no| self.queues.get(no.0).is_some())
            .ok_or_else(|| unknown("queue", &id))
    }

    pub(crate) fn named_agent(&self, id: AgentId) -> Result<AgentNo, Rejected> {
        AgentNo::of(id, self.id)
            .filter(|no| self.agents.get(no.0).is_some())
            .ok_or_else(|| unknown("agent", &id))
    }

    pub(crate) fn named_touchpoint(&self, id: TouchpointId) -> Result<TouchNo, Rejected> {
        TouchNo::of(id, self.id)
            .filter(|no| self.touchpoints.get(no.0).is_some())
            .ok_or_else(|| unknown("touchpoint", &id))
    }

    pub(crate) fn named_conversation(&self, id: ConversationId) -> Result<ConvNo, Rejected> {
        ConvNo::of(id, self.id)
            .filter(|no| self.conversations.contains_key(no))
            .ok_or_else(|| unknown("conversation", &id))
    }

    // ----- small facts -----

    /// Whether this fault is planted, for tests of the checkers.
    pub(crate) fn planted(&self, bug: PlantedBug) -> bool {
        self.index.0.planted == Some(bug)
    }

    /// What blocks what, by the rules between channels.
    pub(crate) fn blocks(&self) -> Blocks {
        if self.planted(PlantedBug::BlocksIgnored) { Blocks::default() } else { self.index.0.blocks }
    }

    /// The points an offer of this channel made now takes.
    pub(crate) fn weight(&self, channel: Channel) -> Points {
        self.settings.weights[channel.index()]
    }

    fn version_mut(&mut self, subject: Subject) -> Option<&mut Version> {
        let domain = self.id;
        match subject {
            Subject::Domain(_) => Some(&mut self.version),
            Subject::Queue(id) => Some(&mut self.queues.get_mut(QueueNo::of(id, domain)?.0)?.version),
            Subject::Agent(id) => Some(&mut self.agents.get_mut(AgentNo::of(id, domain)?.0)?.version),
            Subject::Touchpoint(id) => {
                Some(&mut self.touchpoints.get_mut(TouchNo::of(id, domain)?.0)?.version)
            }
            Subject::Conversation(id) => {
                Some(&mut self.conversations.get_mut(&ConvNo::of(id, domain)?)?.version)
            }
        }
    }

    /// An entity's version, if it exists.
    pub(crate) fn version_of(&self, subject: Subject) -> Option<Version> {
        match subject {
            Subject::Domain(_) => Some(self.version),
            Subject::Queue(id) => Some(self.queues.get(QueueNo::of(id, self.id)?.0)?.version),
            Subject::Agent(id) => Some(self.agents.get(AgentNo::of(id, self.id)?.0)?.version),
            Subject::Touchpoint(id) => Some(self.touchpoints.get(TouchNo::of(id, self.id)?.0)?.version),
            Subject::Conversation(id) => Some(self.conversations.get(&ConvNo::of(id, self.id)?)?.version),
        }
    }

    /// Emits an event: the domain's sequence and the subject's version go up by one.
    pub(crate) fn emit(&mut self, cx: &mut Cx<'_>, kind: EventKind) {
        let version =
            self.version_mut(kind.subject(self.id)).expect("an event's subject exists until after it");
        version.0 += 1;
        let version = *version;
        self.sequence.0 += if self.planted(PlantedBug::SequenceGap) { 2 } else { 1 };
        cx.effects.events.push(Event {
            domain: self.id,
            sequence: self.sequence,
            position: cx.position,
            at: cx.now,
            wall_ms: cx.wall_ms,
            version,
            kind,
        });
    }
}

/// The refusal of an id that names nothing here.
pub(crate) fn unknown(kind: &str, id: &dyn std::fmt::Display) -> Rejected {
    Rejected::Unknown { kind: kind.to_owned(), id: id.to_string() }
}
