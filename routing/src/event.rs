//! What happened: a dense sequence per domain.

mod about;

use crate::blocks::ChannelRule;
use crate::callback::CallbackSettings;
use crate::command::{By, Intent, Recall, TransferFallback, TransferTarget};
use crate::criteria::{Criteria, Skill};
use crate::handling::Handling;
use crate::hours::{Hours, HoursState, Schedule};
use crate::outcome::NotTaken;
use crate::pace::Pace;
use crate::picked::{Offered, Picked};
use crate::policy::{Action, Policy};
use crate::{
    AgentId, Channel, ConversationId, DomainId, Epoch, LogTime, OfferId, Points, Position, Priority, QueueId,
    Sequence, Span, TouchpointId, Version,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The domain.
    pub domain: DomainId,
    /// Dense, from 1, within the domain.
    pub sequence: Sequence,
    /// The entry that caused it.
    pub position: Position,
    /// Log time of that entry.
    pub at: LogTime,
    /// Wall time of that entry, Unix milliseconds.
    pub wall_ms: u64,
    /// Version of the event's subject after it.
    pub version: Version,
    /// What happened.
    pub kind: EventKind,
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// The domain itself.
    Domain(DomainId),
    /// A queue.
    Queue(QueueId),
    /// An agent.
    Agent(AgentId),
    /// A touchpoint.
    Touchpoint(TouchpointId),
    /// A conversation.
    Conversation(ConversationId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Domain(id) => id.fmt(f),
            Subject::Queue(id) => id.fmt(f),
            Subject::Agent(id) => id.fmt(f),
            Subject::Touchpoint(id) => id.fmt(f),
            Subject::Conversation(id) => id.fmt(f),
        }
    }
}

/// Where a conversation waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// For an offer to an agent of these queues.
    Queues(Vec<QueueId>),
    /// In the inbox of these queues' agents.
    Inbox(Vec<QueueId>),
    /// For this agent alone.
    Dedicated(AgentId),
}

/// How an agent came to own a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    /// By an offer.
    Offer(OfferId),
    /// Pulled from the inbox.
    Pull,
}

/// How an offer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OfferEnd {
    /// The agent took it.
    Accepted,
    /// The agent declined.
    Rejected {
        /// Its reason.
        reason: String,
    },
    /// Not answered in time.
    TimedOut,
    /// Withdrawn.
    Revoked(Revoked),
    /// Accepted, and then agent and customer were not connected.
    NotConnected {
        /// What the desk said; empty: nothing in time.
        reason: String,
    },
    /// It was a consultation, and is over; nobody missed anything.
    ConsultOver {
        /// Who ended it; the system at its deadline.
        by: By,
    },
}

/// Why an offer was withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Revoked {
    /// The customer left.
    Abandoned,
    /// The conversation was closed.
    Closed,
    /// The conversation was moved.
    Transferred,
    /// The agent left available.
    Unavailable,
    /// The agent's lease was lost or its session closed.
    LeaseLost,
    /// The queue was paused or deleted, or the agent left it.
    QueueGone,
    /// The wait or transfer ended by a deadline.
    Expired,
    /// The customer is to be called back, and may have hung up.
    CalledBack,
    /// Another agent accepted it first.
    Taken,
}

/// Why a conversation waits again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Requeued {
    /// Its offer was rejected.
    Rejected,
    /// Its offer timed out.
    TimedOut,
    /// Its offer was withdrawn from the agent.
    Revoked,
    /// Its owner's lease was lost and the grace time passed.
    LeaseLost,
    /// Its owner was deleted or logged out.
    OwnerGone,
    /// It was transferred here.
    Transferred,
    /// A transfer failed and this was the fallback.
    Fallback,
    /// The dedicated agent did not come in time.
    DedicatedFallback,
    /// A rule of a queue's policy moved it here.
    Overflow,
    /// Its offer was accepted, and then agent and customer were not connected.
    NotConnected,
}

/// How a conversation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// The contact ended and wrap-up, if any, is done.
    Completed {
        /// The outcome chosen.
        disposition: Option<String>,
    },
    /// The customer left before assignment.
    Abandoned,
    /// Closed by somebody.
    Closed {
        /// Why.
        reason: String,
        /// Who.
        by: By,
    },
    /// Waited longer than allowed, or its waiting place is gone.
    Expired,
    /// Its owner was lost and the channel's rule closes.
    OwnerLost,
    /// It is in another domain now.
    Moved {
        /// As this conversation.
        to: ConversationId,
    },
}

/// What happened. Variants only grow at the end: they are in event stores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// The domain was made.
    DomainCreated,
    /// The domain's settings changed.
    DomainChanged,
    /// The domain was taken out of service after a fault.
    Quarantined {
        /// The fault.
        reason: String,
    },
    /// A queue was made.
    QueueCreated(QueueId),
    /// A queue's settings changed.
    QueueChanged(QueueId),
    /// A queue was paused or resumed.
    QueuePaused {
        /// Which.
        queue: QueueId,
        /// Whether it is paused now.
        paused: bool,
        /// Who did it.
        by: By,
    },
    /// A queue was deleted.
    QueueDeleted(QueueId),
    /// An agent was made.
    AgentCreated(AgentId),
    /// An agent's settings changed.
    AgentChanged(AgentId),
    /// An agent was deleted.
    AgentDeleted(AgentId),
    /// A touchpoint was made.
    TouchpointCreated(TouchpointId),
    /// A touchpoint's settings changed.
    TouchpointChanged(TouchpointId),
    /// A touchpoint was deleted.
    TouchpointDeleted(TouchpointId),
    /// A desk connected.
    SessionOpened {
        /// The agent.
        agent: AgentId,
        /// Its new epoch.
        epoch: Epoch,
    },
    /// The lease ended: silent, closed or logged out.
    LeaseLost {
        /// The agent.
        agent: AgentId,
        /// The epoch that ended.
        epoch: Epoch,
    },
    /// The agent's intent changed.
    PresenceChanged {
        /// The agent.
        agent: AgentId,
        /// The intent now.
        intent: Intent,
        /// Who did it.
        by: By,
    },
    /// A conversation arrived.
    Arrived {
        /// Which.
        conversation: ConversationId,
        /// Where.
        touchpoint: TouchpointId,
        /// How.
        channel: Channel,
        /// With which priority.
        priority: Priority,
        /// The customer as the caller named it.
        customer: String,
        /// The caller's reference.
        reference: String,
        /// What it continues.
        continues: Option<ConversationId>,
    },
    /// A conversation waits (first time: `cause` is `None`).
    Waiting {
        /// Which.
        conversation: ConversationId,
        /// Where.
        place: Place,
        /// Why again.
        cause: Option<Requeued>,
    },
    /// A conversation is held out to an agent.
    Offered(Box<Offered>),
    /// An offer ended.
    OfferEnded {
        /// The conversation.
        conversation: ConversationId,
        /// The offer.
        offer: OfferId,
        /// To whom it was.
        agent: AgentId,
        /// How it ended.
        end: OfferEnd,
    },
    /// A conversation is an agent's.
    Assigned {
        /// Which.
        conversation: ConversationId,
        /// Whose.
        agent: AgentId,
        /// How it came about.
        how: How,
        /// Points held.
        weight: Points,
        /// Points above the agent's capacity after it; more than 0 only by a human.
        overdraft: u32,
    },
    /// The contact ended and wrap-up began.
    Wrapping {
        /// Which.
        conversation: ConversationId,
        /// Whose.
        agent: AgentId,
        /// When it ends by itself.
        deadline: LogTime,
    },
    /// The owner lost it while it goes on (transfer done, requeue), and its points are free.
    Released {
        /// Which.
        conversation: ConversationId,
        /// Whose it was.
        agent: AgentId,
    },
    /// A transfer was asked for.
    TransferStarted {
        /// Which.
        conversation: ConversationId,
        /// Where to.
        target: TransferTarget,
        /// What if it fails.
        fallback: TransferFallback,
        /// Transfers so far, this one included.
        hop: u32,
        /// Who did it.
        by: By,
    },
    /// A transfer to an agent failed; its fallback follows.
    TransferFailed {
        /// Which.
        conversation: ConversationId,
    },
    /// The priority changed in place.
    Reprioritised {
        /// Which.
        conversation: ConversationId,
        /// The priority now.
        priority: Priority,
        /// Who did it.
        by: By,
    },
    /// A conversation ended, for good.
    Ended {
        /// Which.
        conversation: ConversationId,
        /// How.
        ending: Ending,
        /// Who owned it at the end.
        agent: Option<AgentId>,
        /// Notes of the wrap-up.
        notes: String,
    },
    /// A conversation came from another domain.
    ArrivedFrom {
        /// Which.
        conversation: ConversationId,
        /// What it was in the other domain.
        from: ConversationId,
        /// The touchpoint it was sent to.
        touchpoint: TouchpointId,
        /// How.
        channel: Channel,
        /// With which priority.
        priority: Priority,
        /// The customer as the first caller named it.
        customer: String,
        /// That caller's reference.
        reference: String,
        /// Time since it arrived at the first domain: its age goes on from it.
        age: Span,
        /// Transfers so far.
        hop: u32,
    },
    /// A conversation on its way to another domain is called back.
    Recalled {
        /// Which.
        conversation: ConversationId,
        /// Why.
        recall: Recall,
    },
    /// Another domain does not take a conversation; its fallback follows, unless it was called back.
    TransferRefused {
        /// Which.
        conversation: ConversationId,
        /// Why not.
        why: NotTaken,
    },
    /// What an agent can changed.
    SkillsChanged {
        /// Which.
        agent: AgentId,
        /// All of its skills now, in the order of names.
        skills: Vec<Skill>,
        /// Who did it.
        by: By,
    },
    /// What conversations that arrive at a touchpoint ask for changed.
    TouchpointCriteriaChanged {
        /// Which.
        touchpoint: TouchpointId,
        /// The whole of it, after the change.
        criteria: Criteria,
        /// Who did it.
        by: By,
    },
    /// A conversation has criteria, or others than before; it begins with their first step.
    CriteriaChanged {
        /// Which.
        conversation: ConversationId,
        /// The whole of it, after the change.
        criteria: Criteria,
        /// Who did it; the system where it arrived with them.
        by: By,
    },
    /// A step of a conversation's criteria expired, or nobody is left whom it names.
    Relaxed {
        /// Which.
        conversation: ConversationId,
        /// The step that is active now, counted from 1; 0: none is any more.
        step: u8,
        /// When that one expires, if its clock runs.
        until: Option<LogTime>,
        /// The queues that it waits in, or would wait in.
        queues: Vec<QueueId>,
    },
    /// What a queue does with those who wait there changed.
    PolicyChanged {
        /// Which.
        queue: QueueId,
        /// Counts the changes, from 1.
        number: u32,
        /// The whole of it, after the change.
        policy: Policy,
        /// Who did it.
        by: By,
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
    /// As `Offered`, with why this agent: from feature level [`PICKS`](crate::level::PICKS) on.
    OfferedBecause(Box<Offered>, Box<Picked>),
    /// What agents are not offered while they work on something else changed.
    ChannelRulesChanged {
        /// All of the domain's rules between channels, after the change.
        rules: Vec<ChannelRule>,
        /// Who did it.
        by: By,
    },
    /// How the domain handles contacts changed.
    HandlingChanged {
        /// All of it, after the change.
        handling: Handling,
        /// Who did it.
        by: By,
    },
    /// An offer was accepted: agent and customer are to be connected. The offer lives on, as long as its new
    /// deadline says, and no longer belongs to its queue.
    Connecting {
        /// The conversation.
        conversation: ConversationId,
        /// The offer.
        offer: OfferId,
        /// To whom it was made.
        agent: AgentId,
        /// When it is a miss.
        deadline: LogTime,
    },
    /// An assigned conversation waits on its customer, or no longer does.
    IdleChanged {
        /// Which.
        conversation: ConversationId,
        /// Whose.
        agent: AgentId,
        /// Whether it waits on its customer now.
        idle: bool,
        /// Points it holds now.
        weight: Points,
        /// Points above the agent's capacity after it.
        overdraft: u32,
        /// Who did it; the system where its contact ended.
        by: By,
    },
    /// A wrap-up lasts longer.
    WrapUpExtended {
        /// Which.
        conversation: ConversationId,
        /// Whose.
        agent: AgentId,
        /// When it ends by itself now.
        deadline: LogTime,
        /// Who did it.
        by: By,
    },
    /// How many conversations agents are offered within a time changed.
    PaceChanged {
        /// From now on; `None`: as many as there are.
        pace: Option<Pace>,
        /// Who did it.
        by: By,
    },
    /// A schedule was made, replaced or deleted.
    ScheduleChanged {
        /// Its name.
        name: String,
        /// All of it, after the change; `None`: it was deleted.
        schedule: Option<Schedule>,
        /// Who did it.
        by: By,
    },
    /// A queue keeps to another schedule, to one in another way, or to none. How it stands then follows.
    HoursChanged {
        /// Which.
        queue: QueueId,
        /// How it keeps to one; `None`: it is always open.
        hours: Option<Hours>,
        /// Who did it.
        by: By,
    },
    /// A queue opened or closed, is to be served out, or changes at another time than was said.
    QueueHours {
        /// Which.
        queue: QueueId,
        /// How it stands.
        state: HoursState,
        /// When its schedule changes next, in Unix milliseconds; `None`: never.
        until_ms: Option<u64>,
    },
    /// How customers are called back changed.
    CallbackChanged {
        /// From now on; `None`: they are not.
        callback: Option<CallbackSettings>,
        /// Who did it.
        by: By,
    },
    /// A conversation is to be called back; it keeps its place.
    CallbackRequested {
        /// Which.
        conversation: ConversationId,
        /// Where the customer is to be reached; empty: as it came.
        contact: String,
        /// Nobody is offered it before then.
        not_before: Option<LogTime>,
        /// When it is closed, or when the offer that is live then ends.
        expires_at: LogTime,
    },
    /// An agent dialled, and the customer was not reached.
    CallbackTried {
        /// Which.
        conversation: ConversationId,
        /// Attempts so far.
        attempts: u8,
        /// Nobody is offered it before then; `None`: that was the last attempt.
        not_before: Option<LogTime>,
    },
    /// A conversation has the place of one whose customer left: it arrived when that one did.
    Resumed {
        /// Which.
        conversation: ConversationId,
        /// Whose place.
        from: ConversationId,
        /// The origin of its age from now on.
        arrived_at: LogTime,
    },
    /// A queue offers conversations to another number of agents at once.
    RingChanged {
        /// Which.
        queue: QueueId,
        /// To how many, 1 to 10.
        agents: u8,
        /// Who did it.
        by: By,
    },
    /// Another agent is asked for advice; an offer to it follows.
    ConsultStarted {
        /// Which.
        conversation: ConversationId,
        /// Who is asked.
        agent: AgentId,
        /// Who did it.
        by: By,
    },
    /// The agent who was asked has accepted. Its offer lives on, as long as its new deadline says.
    Consulting {
        /// Which.
        conversation: ConversationId,
        /// Whose it is, and stays.
        owner: AgentId,
        /// The offer.
        offer: OfferId,
        /// Who was asked.
        agent: AgentId,
        /// When the consultation ends by itself.
        deadline: LogTime,
    },
    /// A consultation is over, or came to nothing: the owner has the conversation alone.
    ConsultEnded {
        /// Which.
        conversation: ConversationId,
        /// Whose it is.
        owner: AgentId,
        /// Who was asked.
        agent: AgentId,
        /// How the offer ended.
        end: OfferEnd,
    },
}
