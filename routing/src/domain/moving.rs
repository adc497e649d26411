//! A domain in pieces, as it is sent from one shard to another.

use super::crossings::{Origin, Route};
use super::{
    Agent, Beside, CallbackBeside, Conversation, Counters, Derived, Domain, DomainIndex, HandlingBeside,
    HoursBeside, PaceBeside, PoliciesBeside, Queue, RingBeside, Touchpoint,
};
use crate::blocks::ChannelRule;
use crate::matching::Dirty;
use crate::outcome::Outcome;
use crate::requests::ReferenceClock;
use crate::settings::DomainSettings;
use crate::shard::PlantedBug;
use crate::{AccountId, DomainId, LogTime, Sequence, Version};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::iter::once;

/// What matching has to look at is sent by so many at once.
const DIRTY_AT_ONCE: usize = 1_000;

/// Some of a domain that moves ([`crate::Shard::leaving`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovePiece(Piece);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Piece {
    Head(Box<Head>),
    Queue(Box<Queue>),
    Agent(Box<Agent>),
    Touchpoint(Box<Touchpoint>),
    Conversation(Box<Conversation>),
    Clock(Option<ReferenceClock>, Option<u64>),
    Answer {
        ahead: bool,
        since: LogTime,
        id: u128,
        content: u64,
        answer: Box<Outcome>,
    },
    Route(DomainId, Route),
    Origin(DomainId, Origin),
    Dirty(Dirty),
    /// What is stored beside the rest, in parts, from level 6 on.
    Beside(Box<Beside>),
    /// And of policies, from level 7 on.
    Policies(Box<PoliciesBeside>),

    /// And its rules between channels, from level 8 on.
    ChannelRules(Vec<ChannelRule>),

    /// And of handling, from level 9 on.
    Handling(Box<HandlingBeside>),

    /// And of a pace, from level 10 on.
    Pace(Box<PaceBeside>),

    /// And of opening hours, from level 10 on.
    Hours(Box<HoursBeside>),

    /// And of callbacks, from level 11 on.
    Callbacks(Box<CallbackBeside>),
    /// And of offers to several, from level 11 on.
    Ring(Box<RingBeside>),
}

/// What a domain begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    account: AccountId,
    version: Version,
    settings: DomainSettings,
    sequence: Sequence,
    counters: Counters,
    /// The domain's log time when it was stopped.
    at: LogTime,
}

/// A domain without its indexes: it is stored and compared like any, and decides nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unindexed(pub(crate) Domain);

impl Serialize for Unindexed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Unindexed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Domain::bare(deserializer).map(Self)
    }
}

impl Domain {
    /// What is sent of a copy that was [frozen](Domain::frozen).
    pub(crate) fn move_pieces(&self, at: LogTime) -> impl Iterator<Item = MovePiece> {
        let Self { account, version, sequence, counters, .. } = *self;
        let head = Head { account, version, settings: self.settings.clone(), sequence, counters, at };
        let (clock, floor_ms) = self.requests.clock_and_floor();
        let kept = !self.planted(PlantedBug::MovedWithoutRequests);
        let answer = |ahead: bool| {
            move |(since, id, content, answer): (LogTime, u128, &u64, &Outcome)| {
                let answer = Box::new(answer.clone());
                Piece::Answer { ahead, since, id, content: *content, answer }
            }
        };
        once(Piece::Head(Box::new(head)))
            .chain(self.queues.iter().map(|queue| Piece::Queue(Box::new(queue.clone()))))
            .chain(self.agents.iter().map(|agent| Piece::Agent(Box::new(bare_agent(agent)))))
            .chain(self.touchpoints.iter().map(|touchpoint| Piece::Touchpoint(Box::new(touchpoint.clone()))))
            .chain(self.conversations.values().map(|conv| Piece::Conversation(Box::new(conv.clone()))))
            .chain(once(Piece::Clock(clock, floor_ms)))
            .chain(self.requests.in_order().filter(move |_| kept).map(answer(false)))
            .chain(self.requests.far_ahead().filter(move |_| kept).map(answer(true)))
            .chain(self.crossings.routes().map(|(to, route)| Piece::Route(to, route.clone())))
            .chain(self.crossings.origins().map(|(from, origin)| Piece::Origin(from, origin.clone())))
            .chain(dirty_pieces(&self.dirty))
            .chain(self.beside_parts().map(|part| Piece::Beside(Box::new(part))))
            .chain(self.policies_parts().into_iter().map(|part| Piece::Policies(Box::new(part))))
            .chain(self.ruled().into_iter().map(|rules| Piece::ChannelRules(rules.to_vec())))
            .chain(self.handling_parts().into_iter().map(|part| Piece::Handling(Box::new(part))))
            .chain(self.pace_parts().into_iter().map(|part| Piece::Pace(Box::new(part))))
            .chain(self.hours_parts().into_iter().map(|part| Piece::Hours(Box::new(part))))
            .chain(self.callback_parts().into_iter().map(|part| Piece::Callbacks(Box::new(part))))
            .chain(self.ring_parts().into_iter().map(|part| Piece::Ring(Box::new(part))))
            .map(MovePiece)
    }

    /// A domain that begins with the first of these, if that is what one begins with; and the log time at
    /// which it was stopped.
    pub(crate) fn begin(id: DomainId, pieces: &[MovePiece]) -> Option<(Self, LogTime)> {
        let Some(MovePiece(Piece::Head(head))) = pieces.first() else { return None };
        let domain = Self::new(id, head.account, head.settings.clone());
        Some((domain, head.at))
    }

    /// Puts a piece in its place.
    pub(crate) fn put(&mut self, piece: &MovePiece) {
        match piece.0.clone() {
            Piece::Head(head) => {
                (self.version, self.sequence, self.counters) = (head.version, head.sequence, head.counters);
            }
            Piece::Queue(queue) => self.queues.insert(*queue),
            Piece::Agent(agent) => self.agents.insert(*agent),
            Piece::Touchpoint(touchpoint) => self.touchpoints.insert(*touchpoint),
            Piece::Conversation(conversation) => {
                self.conversations.insert(conversation.no, *conversation);
            }
            Piece::Clock(clock, floor_ms) => self.requests.set_clock_and_floor(clock, floor_ms),
            Piece::Answer { ahead, since, id, content, answer } => {
                self.requests.put(ahead, since, id, content, *answer);
            }
            Piece::Route(to, route) => self.crossings.put_route(to, route),
            Piece::Origin(from, origin) => self.crossings.put_origin(from, origin),
            Piece::Beside(beside) => self.put_beside(*beside),
            Piece::Policies(beside) => self.put_policies(*beside),
            Piece::ChannelRules(rules) => self.put_channel_rules(rules),
            Piece::Handling(beside) => self.put_handling(*beside),
            Piece::Pace(beside) => self.put_pace(*beside),
            Piece::Hours(beside) => self.put_hours(*beside),
            Piece::Callbacks(beside) => self.put_callbacks(*beside),
            Piece::Ring(beside) => self.put_ring(*beside),
            Piece::Dirty(dirty) => {
                self.dirty.agents.extend(dirty.agents);
                self.dirty.conversations.extend(dirty.conversations);
                self.dirty.lines.extend(dirty.lines);
            }
        }
    }

    /// Made of its pieces, ready to go on.
    pub(crate) fn index_anew(&mut self) {
        let (planted, level) = (self.index.0.planted, self.index.0.level);
        self.index = Derived(DomainIndex::new(&self.settings));
        (self.index.0.planted, self.index.0.level) = (planted, level);
        let dirty = std::mem::take(&mut self.dirty);
        self.rebuild();
        self.dirty = dirty;
    }
}

/// What serves decisions alone is not sent: it is made anew.
fn bare_agent(agent: &Agent) -> Agent {
    Agent { index: Derived::default(), ..agent.clone() }
}

fn dirty_pieces(dirty: &Dirty) -> impl Iterator<Item = Piece> {
    let agents = dirty.agents.chunks(DIRTY_AT_ONCE);
    let conversations = dirty.conversations.chunks(DIRTY_AT_ONCE);
    let lines = dirty.lines.chunks(DIRTY_AT_ONCE);
    let agents = agents.map(|some| Dirty { agents: some.to_vec(), ..Dirty::default() });
    let conversations = conversations.map(|some| Dirty { conversations: some.to_vec(), ..Dirty::default() });
    let lines = lines.map(|some| Dirty { lines: some.to_vec(), ..Dirty::default() });
    agents.chain(conversations).chain(lines).map(Piece::Dirty)
}
