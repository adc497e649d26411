//! What the checker looks at: events, calls and notices as clients saw them, in words of its own,
//! so that a change of the core's types cannot change what is checked.

use routing::{AgentId, Channel, ConversationId, DomainId, OfferId, QueueId, TouchpointId};
use std::collections::{BTreeMap, BTreeSet};

/// One event of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Place in the domain's record, dense from 1.
    pub sequence: u64,
    /// The entry that caused it. Over the wire only the log index is known (ordinal 0), so that
    /// the commands of one batch look like one entry.
    pub entry: (u64, u32),
    /// Log time, microseconds.
    pub at_us: u64,
    /// The subject's id as text, empty where unknown.
    pub subject: String,
    /// The subject's version after the event.
    pub version: u64,
    /// What happened.
    pub kind: Kind,
}

/// Where a conversation waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// For an offer, in these queues.
    Queues(Vec<QueueId>),
    /// In the inbox of these queues.
    Inbox(Vec<QueueId>),
    /// For one agent.
    Dedicated(AgentId),
}

/// How an offer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferEnd {
    /// Taken.
    Accepted,
    /// Declined.
    Rejected,
    /// Missed.
    TimedOut,
    /// Withdrawn.
    Revoked,
    /// Accepted, and then not connected.
    NotConnected,
    /// It was a consultation, and is over.
    ConsultOver,
}

/// The reason of an agent who is unavailable because it missed too many offers.
pub(super) const MISSED: &str = "missed";

/// At whose wish an agent's intent changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Its desk's or a supervisor's.
    Asked,
    /// Nobody's: it missed too many offers, and has a break.
    Missed,
    /// Nobody's: that break is over, or what it drained is.
    Itself,
}

/// What happened, as far as a promise depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A desk connected.
    SessionOpened {
        /// Whose.
        agent: AgentId,
        /// The new epoch.
        epoch: u64,
    },
    /// A desk's lease ended.
    LeaseLost {
        /// Whose.
        agent: AgentId,
    },
    /// An agent's intent changed.
    Presence {
        /// Whose.
        agent: AgentId,
        /// Whether it takes offers now.
        available: bool,
        /// At whose wish.
        why: Why,
    },
    /// An agent's settings changed: what the facts say of it holds no longer.
    AgentChanged(AgentId),
    /// An agent was deleted.
    AgentDeleted(AgentId),
    /// A queue was paused or resumed.
    QueuePaused {
        /// Which.
        queue: QueueId,
        /// Whether it is paused now.
        paused: bool,
    },
    /// A queue opened or closed, or is served out after its hours.
    QueueHours {
        /// Which.
        queue: QueueId,
        /// Whether its hours last.
        open: bool,
        /// Whether it makes no offers.
        closed: bool,
    },
    /// A queue offers to another number of agents at once.
    RingChanged {
        /// Which.
        queue: QueueId,
        /// To how many.
        agents: u32,
    },
    /// A queue was deleted.
    QueueDeleted(QueueId),
    /// The domain's settings changed: rank and weights of the facts hold no longer.
    DomainChanged,
    /// The domain was taken out of service.
    Quarantined,
    /// A conversation arrived.
    Arrived {
        /// Which.
        conversation: ConversationId,
        /// Its channel.
        channel: Channel,
        /// Its priority.
        priority: u8,
        /// The reference of whoever started it.
        reference: String,
        /// What it was in another domain, and how old it was then, microseconds; `None`: it is new.
        from: Option<(ConversationId, u64)>,
    },
    /// A conversation waits.
    Waiting {
        /// Which.
        conversation: ConversationId,
        /// Where.
        place: Place,
        /// Whether it waited before.
        again: bool,
        /// Whether it left an owner whose lease was lost for too long.
        owner_lost: bool,
        /// Whether a rule of a queue's policy moved it here.
        overflow: bool,
    },
    /// A conversation is held out to an agent.
    Offered {
        /// Which.
        conversation: ConversationId,
        /// The offer.
        offer: OfferId,
        /// To whom.
        agent: AgentId,
        /// Points taken.
        weight: u32,
        /// When it becomes a miss, log time in microseconds.
        deadline_us: u64,
        /// Whether the agent is asked for advice, and not to have it.
        consult: bool,
    },
    /// An offer ended.
    OfferEnded {
        /// Of which conversation.
        conversation: ConversationId,
        /// The offer.
        offer: OfferId,
        /// How.
        end: OfferEnd,
    },
    /// A conversation is an agent's.
    Assigned {
        /// Which.
        conversation: ConversationId,
        /// Whose.
        agent: AgentId,
        /// By this offer; `None`: pulled by a human.
        offer: Option<OfferId>,
        /// Points held.
        weight: u32,
        /// Points above capacity that the core admits to.
        overdraft: u32,
    },
    /// The contact ended, wrap-up runs.
    Wrapping {
        /// Which.
        conversation: ConversationId,
    },
    /// An owner gave a conversation up.
    Released {
        /// Which.
        conversation: ConversationId,
        /// Who.
        agent: AgentId,
    },
    /// A transfer was asked for.
    TransferStarted {
        /// Of which.
        conversation: ConversationId,
        /// To this agent; `None`: to a queue or an inbox.
        agent: Option<AgentId>,
    },
    /// It leaves for another domain: nobody's here.
    Departed {
        /// Which.
        conversation: ConversationId,
    },
    /// It is called back on its way: its customer left, it was closed, or it takes too long.
    Recalled {
        /// Which.
        conversation: ConversationId,
    },
    /// A transfer to an agent or to another domain failed.
    TransferFailed {
        /// Of which.
        conversation: ConversationId,
    },
    /// The priority changed in place.
    Reprioritised {
        /// Of which.
        conversation: ConversationId,
        /// The priority now.
        priority: u8,
        /// Whether a rule of a queue's policy did it: nobody asked.
        by_rule: bool,
    },
    /// A conversation ended.
    Ended {
        /// Which.
        conversation: ConversationId,
        /// Whether the customer left before an agent had it.
        abandoned: bool,
        /// Whether its owner's lease was lost for too long.
        owner_lost: bool,
    },
    /// What an agent can changed.
    SkillsChanged {
        /// Whose.
        agent: AgentId,
        /// Levels by name.
        skills: Skills,
    },
    /// What a conversation asks for changed; it begins with the first step.
    CriteriaChanged {
        /// Which.
        conversation: ConversationId,
        /// The steps.
        steps: Vec<Step>,
    },
    /// A step of what it asks for is over.
    Relaxed {
        /// Which.
        conversation: ConversationId,
        /// The step that follows, from 1; 0: none.
        step: u8,
        /// The queues that it waits in now.
        queues: Vec<QueueId>,
    },
    /// What a queue does with those who wait there changed.
    PolicyChanged {
        /// Which.
        queue: QueueId,
        /// Counts the changes, from 1.
        number: u32,
        /// All of it now.
        policy: Policy,
    },
    /// A rule of the policy that a conversation stands under is carried out; what it does follows.
    RuleApplied {
        /// Which.
        conversation: ConversationId,
        /// Whose policy.
        queue: QueueId,
        /// Which version of it.
        number: u32,
        /// Which of its rules, from 1.
        rule: u8,
        /// What it does.
        action: Action,
    },
    /// Anything that no promise depends on; the name is kept for people.
    Other(String),

    /// How the domain handles contacts changed.
    HandlingChanged,
    /// The pace of offers changed.
    PaceChanged {
        /// Offers, and within how many microseconds; none: without bound.
        pace: Option<(u32, u64)>,
    },
    /// Another agent is asked for advice; an offer to it follows.
    ConsultStarted {
        /// About which conversation.
        conversation: ConversationId,
        /// Who is asked.
        agent: AgentId,
    },
    /// The agent who was asked has accepted; the offer lives on.
    Consulting {
        /// About which conversation.
        conversation: ConversationId,
        /// Whose it is, and stays.
        owner: AgentId,
        /// The offer.
        offer: OfferId,
        /// Who was asked.
        agent: AgentId,
        /// When it ends by itself, log time in microseconds.
        deadline_us: u64,
    },
    /// The owner has the conversation alone.
    ConsultEnded {
        /// Which.
        conversation: ConversationId,
        /// Whose it is.
        owner: AgentId,
        /// Who was asked.
        agent: AgentId,
        /// How the offer ended.
        end: OfferEnd,
        /// Whether it was withdrawn since the conversation goes elsewhere.
        leaves: bool,
    },
    /// An offer was accepted, and lives on until agent and customer are connected.
    Connecting {
        /// Of which conversation.
        conversation: ConversationId,
        /// The offer.
        offer: OfferId,
        /// To whom it was made.
        agent: AgentId,
        /// When it is a miss, log time in microseconds.
        deadline_us: u64,
    },
    /// A conversation waits on its customer, or no longer does.
    IdleChanged {
        /// Which.
        conversation: ConversationId,
        /// Whose.
        agent: AgentId,
        /// Points held now.
        weight: u32,
        /// Points above capacity that the core admits to.
        overdraft: u32,
    },
    /// A wrap-up lasts longer.
    WrapUpExtended {
        /// Whose.
        conversation: ConversationId,
    },
    /// How customers are called back changed.
    CallbackChanged,
    /// A conversation is to be called back, and keeps its place.
    CallbackRequested {
        /// Which.
        conversation: ConversationId,
        /// Nobody is offered it before then, log time in microseconds.
        not_before_us: Option<u64>,
    },
    /// An agent dialled and did not reach the customer.
    CallbackTried {
        /// Whose customer.
        conversation: ConversationId,
        /// Attempts so far.
        attempts: u64,
        /// Nobody is offered it before then, log time in microseconds.
        not_before_us: Option<u64>,
    },
    /// A conversation has the place of one whose customer left.
    Resumed {
        /// Which.
        conversation: ConversationId,
        /// Whose place.
        from: ConversationId,
        /// The origin of its age, log time in microseconds.
        arrived_at_us: u64,
    },
    /// What agents are not offered while they work on something else changed.
    ChannelRulesChanged {
        /// All of the domain's rules now, in order.
        rules: Vec<ChannelRule>,
    },
}

/// One rule between channels: of those about a channel and one that is worked on the last one decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRule {
    /// Whether it blocks; else it allows.
    pub blocks: bool,
    /// What it is about.
    pub channels: BTreeSet<Channel>,
    /// While the agent works on one of these.
    pub during: BTreeSet<Channel>,
}

/// Levels of skills by name.
pub type Skills = BTreeMap<String, u8>;

/// What a conversation asks for during one stretch of waiting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// Only these agents; empty: any that meets the rest.
    pub agents: Vec<AgentId>,
    /// Least levels by name.
    pub required: Skills,
    /// Queues that it waits in too.
    pub widen: Vec<QueueId>,
}

/// What a queue does with those who wait there, as far as it can be seen from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// In the order in which they are decided.
    pub rules: Vec<Rule>,
    /// Whether its service is measured.
    pub measured: bool,
}

/// What is decided once about a conversation that waits. Whether its conditions hold is not seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// After how long in the queue, microseconds.
    pub after_us: u64,
    /// What is done.
    pub then: Action,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It has this priority from then on.
    Prioritise(u8),
    /// It waits in this queue too.
    AddQueue(QueueId),
    /// It waits in this queue alone.
    MoveTo(QueueId),
    /// It waits to be pulled.
    ToInbox,
    /// It goes to another domain.
    SendTo(TouchpointId),
    /// It ends, for this reason.
    Close(String),
    /// It is to be called back.
    CallBack,
}

impl Kind {
    /// The conversation concerned.
    #[must_use]
    pub fn conversation(&self) -> Option<ConversationId> {
        match self {
            Kind::Arrived { conversation, .. }
            | Kind::Waiting { conversation, .. }
            | Kind::Offered { conversation, .. }
            | Kind::OfferEnded { conversation, .. }
            | Kind::Assigned { conversation, .. }
            | Kind::Wrapping { conversation }
            | Kind::Released { conversation, .. }
            | Kind::TransferStarted { conversation, .. }
            | Kind::Departed { conversation }
            | Kind::Recalled { conversation }
            | Kind::TransferFailed { conversation }
            | Kind::Reprioritised { conversation, .. }
            | Kind::CriteriaChanged { conversation, .. }
            | Kind::Relaxed { conversation, .. }
            | Kind::RuleApplied { conversation, .. }
            | Kind::Connecting { conversation, .. }
            | Kind::IdleChanged { conversation, .. }
            | Kind::WrapUpExtended { conversation }
            | Kind::CallbackRequested { conversation, .. }
            | Kind::CallbackTried { conversation, .. }
            | Kind::Resumed { conversation, .. }
            | Kind::ConsultStarted { conversation, .. }
            | Kind::Consulting { conversation, .. }
            | Kind::ConsultEnded { conversation, .. }
            | Kind::Ended { conversation, .. } => Some(*conversation),
            _ => None,
        }
    }

    /// The agent concerned.
    #[must_use]
    pub fn agent(&self) -> Option<AgentId> {
        match self {
            Kind::SessionOpened { agent, .. }
            | Kind::LeaseLost { agent }
            | Kind::Presence { agent, .. }
            | Kind::AgentChanged(agent)
            | Kind::AgentDeleted(agent)
            | Kind::SkillsChanged { agent, .. }
            | Kind::Offered { agent, .. }
            | Kind::Assigned { agent, .. }
            | Kind::Connecting { agent, .. }
            | Kind::IdleChanged { agent, .. }
            | Kind::ConsultStarted { agent, .. }
            | Kind::Consulting { agent, .. }
            | Kind::ConsultEnded { agent, .. }
            | Kind::Released { agent, .. } => Some(*agent),
            _ => None,
        }
    }
}

/// How waiting work is ranked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rank {
    /// Highest priority, then earliest arrival, then lowest id.
    Priority,
    /// Earliest arrival less credit (microseconds by priority), then arrival, then id.
    Aging(BTreeMap<u8, u64>),
}

/// An agent as it was set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentFacts {
    /// Points in all.
    pub capacity: u32,
    /// Its queues.
    pub queues: BTreeSet<QueueId>,
    /// Channels it handles.
    pub channels: BTreeSet<Channel>,
    /// Most conversations at once, by channel.
    pub caps: BTreeMap<Channel, u32>,
}

/// What was set up before the history began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The domain.
    pub domain: DomainId,
    /// Order of waiting work.
    pub rank: Rank,
    /// Points of a new offer by channel.
    pub weights: BTreeMap<Channel, u32>,
    /// Most points a wrap-up holds; `None`: all.
    pub wrap_up_hold: Option<u32>,
    /// Agents.
    pub agents: BTreeMap<AgentId, AgentFacts>,
}

/// What a client asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A conversation, with the client's own reference.
    Start {
        /// The reference, unique to the intent.
        reference: String,
    },
    /// To take an offer.
    Accept {
        /// Which.
        offer: OfferId,
        /// From whose desk.
        agent: AgentId,
        /// The desk's epoch.
        epoch: u64,
    },
    /// To say that agent and customer are connected.
    Connected {
        /// The offer that was accepted.
        offer: OfferId,
        /// From whose desk.
        agent: AgentId,
        /// The desk's epoch.
        epoch: u64,
    },
    /// To decline an offer.
    Reject {
        /// Which.
        offer: OfferId,
    },
    /// To end a contact.
    EndContact {
        /// Which.
        conversation: ConversationId,
    },
    /// To end a wrap-up.
    Complete {
        /// Which.
        conversation: ConversationId,
    },
    /// To tell that the customer left.
    Abandon {
        /// Which.
        conversation: ConversationId,
    },
    /// To change an agent's intent.
    Presence {
        /// Whose.
        agent: AgentId,
        /// To available.
        available: bool,
    },
}

/// An OK answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The domain's event sequence after the call.
    pub sequence: u64,
    /// The conversation named, if any.
    pub conversation: Option<ConversationId>,
    /// The offer named, if any.
    pub offer: Option<OfferId>,
}

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Answered OK.
    Done(Answer),
    /// Refused for a reason that is the core's own and therefore the same on every retry.
    Refused(String),
    /// No answer, or one that says nothing about the command (overloaded, unavailable).
    Unknown,
}

/// One attempt of one intent. Retries are calls of their own with the same request id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The request id.
    pub request: u128,
    /// What was asked.
    pub asked: Asked,
    /// When it was sent, microseconds of the client's own clock.
    pub sent_us: u64,
    /// When the answer or the failure came.
    pub returned_us: u64,
    /// How it ended.
    pub outcome: Outcome,
}

/// What a desk was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Whose desk.
    pub agent: AgentId,
    /// The desk's epoch.
    pub epoch: u64,
    /// Cursor after it.
    pub cursor: u64,
    /// What it said.
    pub said: Said,
}

/// What a notice said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Everything before this cursor was shown anew.
    Welcome,
    /// An offer.
    Offered(OfferId, ConversationId),
    /// A conversation is this desk's.
    Assigned(ConversationId),
    /// Something else.
    Other,
}

/// Everything seen of one domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// What was set up.
    pub facts: Facts,
    /// The domain's record as `Watch` gave it, from `first_sequence` to its end.
    pub events: Vec<Event>,
    /// The sequence asked for first.
    pub first_sequence: u64,
    /// Attempts, in the order of their return.
    pub calls: Vec<Call>,
    /// Notices, per desk in the order of their arrival.
    pub notices: Vec<Notice>,
    /// Conversations the cluster says are live at the end; `None` where nobody asked.
    pub live: Option<BTreeSet<ConversationId>>,
}
