//! What nodes say to each other above consensus, and what the groups' logs hold.

use crate::beside::Beside;
use crate::callback_beside::CallbackBeside;
use crate::handling_beside::HandlingBeside;
use crate::hours_beside::HoursBeside;
use crate::meta::{MetaDone, MetaRequest};
use crate::pace_beside::PaceBeside;
use crate::policies_beside::PoliciesBeside;
use crate::ring_beside::RingBeside;
use crate::rules_beside;
use crate::{
    Answer, CallError, PlacedDomain, Query, SessionEnd, SessionHello, SessionMessage, ShardState, WatchError,
};
use consensus::NodeId;
use routing::blocks::ChannelRule;
use routing::entry::Request;
use routing::{AgentId, DomainId, Done, Epoch, Event, Outcome, Sequence, ShardId};
use serde::{Deserialize, Serialize};

/// A shard's answer to a command of its log; the error is a bug's description.
pub(crate) type ShardAnswer = Result<Outcome, String>;

/// Where the messages of a desk go: one attachment of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seat {
    pub(crate) agent: AgentId,
    /// Names the session at its front node.
    pub(crate) session: u64,
    /// Grows with each attachment, so that what a former leader still sends is recognised.
    pub(crate) attempt: u32,
}

/// A call from one node to another. Variants only grow at the end, as those of the answer do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum PeerCall {
    Execute {
        shard: ShardId,
        request: Box<Request>,
    },
    Query {
        shard: ShardId,
        query: Query,
    },
    Meta(MetaRequest),
    /// Where a domain is, for a node whose replica of the meta group lags.
    Place(DomainId),
    /// Opens or resumes a session and attaches it.
    Open {
        shard: ShardId,
        hello: SessionHello,
        seat: Seat,
    },
    /// Attaches open sessions again, all of one shard.
    Attach {
        shard: ShardId,
        seats: Vec<(Seat, Epoch)>,
    },
    /// How far the node has applied its groups.
    Status,
    /// Events of a domain from a sequence on (0: from the present on), as the receiver's replica has them.
    Events {
        shard: ShardId,
        domain: DomainId,
        from: Sequence,
        /// Until there is one, for a while; without, no event is read.
        wait: bool,
    },
    /// Who the members of a shard's group are, as its leader knows.
    Members(ShardId),
    /// The node is about to be a member of a shard's group, whose change of members `at` does not name
    /// it: it has a replica from now on.
    OpenReplica {
        shard: ShardId,
        at: u64,
    },
    /// The committed change of members `at` of a shard's group does not name the node: it has no replica
    /// any more.
    CloseReplica {
        shard: ShardId,
        at: u64,
    },
    /// How far the node has applied its groups, and how the shards stand that it leads.
    Look,
}

/// The answer to a call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum PeerAnswer {
    Done(Done),
    Answer(Box<Answer>),
    Meta(MetaDone),
    Place(Option<PlacedDomain>),
    Opened(Epoch),
    Attached(Vec<Attached>),
    /// Group and last applied index.
    Status(Vec<(u32, u64)>),
    /// Certainly not done: ask this node.
    NotLeader(Option<NodeId>),
    Failed(CallError),
    Events(Result<EventsPart, WatchError>),
    Members(Vec<NodeId>),
    /// Whether a replica was opened or closed.
    Replica(Result<(), String>),
    /// Group and last applied index, and how the shards stand that the node leads.
    Look(Vec<(u32, u64)>, Vec<ShardState>),
    /// For a query, where something is beside what it found: from feature level 6 on.
    AnswerBeside(Box<Answer>, Box<Beside>),
    /// The same, where something of policies is too: from feature level 7 on.
    AnswerUnderPolicies(Box<Answer>, Box<Beside>, Box<PoliciesBeside>),

    /// For a domain that has rules between channels: from feature level 8 on.
    AnswerUnderRules(Box<Answer>, Vec<ChannelRule>),
    /// Where something of handling is beside what a query found, with all else that is: from feature level 9 on.
    AnswerHandled(Box<Answer>, Box<Everything>),
    /// Where something of opening hours or the pace of offers is beside what a query found, with all else that is: from
    /// feature level 10 on.
    AnswerWhole(Box<Answer>, Box<Whole>),
    /// Where something of callbacks or of offers to several is beside what a query found, with all else that is: from
    /// feature level 11 on.
    AnswerLater(Box<Answer>, Box<Whole>, Box<Later>),
}

/// What can be beside an answer since feature level 11.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Later {
    callback: Option<CallbackBeside>,
    ring: Option<RingBeside>,
}

impl Later {
    fn put_back(self, mut answer: Answer) -> Answer {
        if let Some(callback) = self.callback {
            answer = callback.put_back(answer);
        }
        if let Some(ring) = self.ring {
            answer = ring.put_back(answer);
        }
        answer
    }
}

/// All that can be beside an answer at feature level 10.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Whole {
    beside: Option<Beside>,
    policies: Option<PoliciesBeside>,
    rules: Option<Vec<ChannelRule>>,
    handling: Option<HandlingBeside>,
    hours: Option<HoursBeside>,
    pace: Option<PaceBeside>,
}

impl Whole {
    fn of(answer: &Answer) -> Self {
        Self {
            beside: Beside::of(answer),
            policies: PoliciesBeside::of(answer),
            rules: rules_beside::of(answer),
            handling: HandlingBeside::of(answer),
            hours: HoursBeside::of(answer),
            pace: PaceBeside::of(answer),
        }
    }

    fn put_back(self, mut answer: Answer) -> Answer {
        let Self { beside, policies, rules, handling, hours, pace } = self;
        answer = beside.into_iter().fold(answer, |answer, beside| beside.put_back(answer));
        answer = policies.into_iter().fold(answer, |answer, beside| beside.put_back(answer));
        answer = rules.into_iter().fold(answer, rules_beside::put_back);
        answer = handling.into_iter().fold(answer, |answer, beside| beside.put_back(answer));
        answer = hours.into_iter().fold(answer, |answer, beside| beside.put_back(answer));
        pace.into_iter().fold(answer, |answer, beside| beside.put_back(answer))
    }
}

/// All that can be beside an answer at feature level 9.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Everything {
    beside: Option<Beside>,
    policies: Option<PoliciesBeside>,
    rules: Option<Vec<ChannelRule>>,
    handling: HandlingBeside,
}

impl Everything {
    fn put_back(self, mut answer: Answer) -> Answer {
        let Self { beside, policies, rules, handling } = self;
        if let Some(beside) = beside {
            answer = beside.put_back(answer);
        }
        if let Some(policies) = policies {
            answer = policies.put_back(answer);
        }
        if let Some(rules) = rules {
            answer = rules_beside::put_back(answer, rules);
        }
        handling.put_back(answer)
    }
}

impl From<Answer> for PeerAnswer {
    fn from(answer: Answer) -> Self {
        let whole = Whole::of(&answer);
        let later = Later { callback: CallbackBeside::of(&answer), ring: RingBeside::of(&answer) };
        if later.callback.is_some() || later.ring.is_some() {
            return Self::AnswerLater(Box::new(answer), Box::new(whole), Box::new(later));
        }
        if whole.hours.is_some() || whole.pace.is_some() {
            return Self::AnswerWhole(Box::new(answer), Box::new(whole));
        }
        let Whole { beside, policies, rules, handling, .. } = whole;
        if let Some(handling) = handling {
            let everything = Everything { beside, policies, rules, handling };
            return Self::AnswerHandled(Box::new(answer), Box::new(everything));
        }
        if let Some(rules) = rules {
            return Self::AnswerUnderRules(Box::new(answer), rules);
        }
        match (beside, policies) {
            (None, None) => Self::Answer(Box::new(answer)),
            (Some(beside), None) => Self::AnswerBeside(Box::new(answer), Box::new(beside)),
            (beside, Some(policies)) => {
                let beside = beside.unwrap_or_default();
                Self::AnswerUnderPolicies(Box::new(answer), Box::new(beside), Box::new(policies))
            }
        }
    }
}

impl PeerAnswer {
    /// The whole answer to a query, or what else it is.
    pub(crate) fn whole(self) -> Result<Answer, Self> {
        match self {
            Self::Answer(answer) => Ok(*answer),
            Self::AnswerBeside(answer, beside) => Ok(beside.put_back(*answer)),
            Self::AnswerUnderPolicies(answer, beside, policies) => {
                Ok(policies.put_back(beside.put_back(*answer)))
            }
            Self::AnswerUnderRules(answer, rules) => Ok(rules_beside::put_back(*answer, rules)),
            Self::AnswerHandled(answer, everything) => Ok(everything.put_back(*answer)),
            Self::AnswerWhole(answer, whole) => Ok(whole.put_back(*answer)),
            Self::AnswerLater(answer, whole, later) => Ok(later.put_back(whole.put_back(*answer))),
            other => Err(other),
        }
    }
}

/// A part of a domain's record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EventsPart {
    /// In order and without a gap; none if there are none yet.
    pub(crate) events: Vec<Event>,
    /// Where a watch that was asked for goes on.
    pub(crate) next: Sequence,
    /// The last event stored.
    pub(crate) present: Sequence,
}

/// What became of one seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Attached {
    Yes,
    Ended(SessionEnd),
    /// This node's state is behind what the session knows, or its domain is on its way.
    TryAgain,
    /// Its domain is on another shard.
    Moved(ShardId),
}

/// A one-way message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum PeerCast {
    /// Desks the sender heard of since its last beat.
    Beats { shard: ShardId, desks: Vec<(AgentId, Epoch)> },
    /// Messages for a desk at the receiver.
    Deliver(Parcel),
    /// These sessions are no longer at the sender.
    Detach { shard: ShardId, seats: Vec<Seat> },
    /// As `Deliver`, with what a welcome among the messages says of handling: from feature level 9 on.
    DeliverHandled(Parcel, HandlingBeside),
}

/// Who counts the parcels of an attachment. A call that attaches may be carried out by two leaders, one after the
/// other, if it is sent again: each counts from 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Source {
    /// Raft term in which the desk was attached.
    pub(crate) term: u64,
    /// Another number each time that a process begins to lead.
    pub(crate) life: u64,
}

/// Messages for one desk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Parcel {
    pub(crate) seat: Seat,
    pub(crate) source: Source,
    /// Dense from 0 for each attachment and source: a hole means that one was lost.
    pub(crate) number: u64,
    pub(crate) messages: Vec<SessionMessage>,
}
