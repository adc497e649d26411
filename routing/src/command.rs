//! What can be asked of the core. One file per command under `commands/` carries it out.

use crate::blocks::ChannelRule;
use crate::callback::CallbackSettings;
use crate::criteria::{Criteria, Skill};
use crate::handling::Handling;
use crate::hours::{Hours, Schedule};
use crate::pace::Pace;
use crate::policy::{Measure, Policy};
use crate::settings::{AgentSettings, DomainSettings, PickPolicy, QueueSettings, TouchpointSettings};
use crate::{
    AccountId, AgentId, ConversationId, Epoch, OfferId, Priority, QueueId, Span, TouchpointId, level,
};
use serde::{Deserialize, Serialize};

/// One desk: an agent and the epoch of its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Desk {
    /// The agent.
    pub agent: AgentId,
    /// The session's epoch; an older one than the agent's present is refused.
    pub epoch: Epoch,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum By {
    /// The core itself: a deadline, a rule.
    System,
    /// The customer.
    Customer,
    /// An agent at a desk.
    Agent(Desk),
    /// A supervisor or administrator, by name as authenticated.
    Supervisor(String),
}

/// An agent's intent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Intent {
    /// Takes offers.
    Available,
    /// Takes none, for this reason.
    Unavailable {
        /// The reason, for people and statistics.
        reason: String,
    },
    /// Takes no more; when the last work is done, `Unavailable` with this reason.
    Draining {
        /// The reason after.
        next: String,
    },
}

/// Why an agent declined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decline {
    /// For people and statistics.
    pub reason: String,
}

/// Where a transfer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransferTarget {
    /// Another agent gets an offer; the source keeps the conversation until it is accepted.
    Agent(AgentId),
    /// It waits in this queue at its original age.
    Queue(QueueId),
    /// It waits in the inbox of this queue's agents at its original age.
    Inbox(QueueId),
    /// It goes to another domain of the account, as if it had reached this touchpoint there, at its
    /// original age and priority. It is `transferring` until that domain has it.
    Touchpoint(TouchpointId),
}

/// Why a conversation on its way to another domain is called back. The first one counts, but for
/// `TimedOut`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recall {
    /// The other domain did not answer in time: the fallback follows, if it has not arrived.
    TimedOut,
    /// The customer left.
    Abandoned,
    /// It was closed.
    Closed {
        /// Why.
        reason: String,
        /// Who did it.
        by: By,
    },
}

/// Names one transfer between two domains, for ever: who retries it names it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Crossing {
    /// The conversation that leaves.
    pub from: ConversationId,
    /// Counts the transfers from its domain to the other one, from 1.
    pub number: u64,
    /// The smallest number of that count that is not settled: what is smaller may be forgotten.
    pub floor: u64,
}

/// A conversation as another domain is to take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incoming {
    /// Which transfer.
    pub crossing: Crossing,
    /// Whose it is: nothing crosses accounts.
    pub account: AccountId,
    /// The touchpoint whose routing applies.
    pub to: TouchpointId,
    /// How it came in.
    pub channel: crate::Channel,
    /// Its priority.
    pub priority: Priority,
    /// The customer, in the caller's own terms.
    pub customer: String,
    /// The caller's own reference.
    pub reference: String,
    /// Time since it arrived at the first domain.
    pub age: crate::Span,
    /// Transfers so far, this one included.
    pub hop: u32,
}

/// What a shard is told of a domain that moves. `number` is the move's, given by the meta group: larger
/// than that of any move of the shard before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MovePart {
    /// To the shard that has it: the domain rests until the move ends.
    Freeze {
        /// The move.
        number: u64,
        /// Where it is to go.
        to: crate::ShardId,
    },
    /// To the shard where it goes: a part of it, in order from 0. Answered with how many are there.
    Take {
        /// The move.
        number: u64,
        /// Which part.
        part: u32,
        /// Whether there is none after it.
        last: bool,
        /// What is in it.
        pieces: Vec<crate::MovePiece>,
    },
    /// To the shard where it goes: events of before, dense.
    Record {
        /// The move.
        number: u64,
        /// The events.
        events: Vec<crate::Event>,
    },
    /// To both: it is decided. Placed, the domain is in service where it went and gone from where it was;
    /// else it stays.
    End {
        /// The move.
        number: u64,
        /// Whether it has its new place.
        placed: bool,
    },
}

/// What becomes of a transfer to an agent that is refused, times out or is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransferFallback {
    /// The source keeps it. If the source is gone, it waits in its last queues.
    Source,
    /// It waits in its last queues at its original age.
    LastQueues,
    /// It waits in this queue at its original age.
    Queue(QueueId),
    /// Nothing: the target is asked for advice, and the source keeps it. What [`Command::Consult`] makes an offer
    /// under; `Transfer` refuses it.
    Advice {
        /// How long the consultation may last once the target has accepted.
        lasts: Span,
    },
}

/// A customer's conversation as it arrives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The touchpoint reached.
    pub touchpoint: TouchpointId,
    /// The customer, in the caller's own terms (number, address, id).
    pub customer: String,
    /// The caller's own reference for this conversation; may be empty.
    pub reference: String,
    /// Overrides the touchpoint's priority.
    pub priority: Option<Priority>,
    /// The closed conversation this one continues, if any. If the customer left that one a moment ago, this one has its
    /// place: see [`CallbackSettings::resume_within`].
    pub continues: Option<ConversationId>,
}

/// Everything that can be asked of a shard. Variants only grow at the end: they are in logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    // ----- of the shard; `Request::domain` is `DomainId::SHARD` -----
    /// Expires what is due, in every domain. Proposed by the leader at `next_deadline`.
    Tick,
    /// Goes on with work a former entry left over.
    Continue,
    /// Raises the apply level. Lowering it is refused.
    SetLevel {
        /// The new level.
        level: u32,
    },

    // ----- configuration -----
    /// Makes `Request::domain`, whose id the meta group minted. Again with the same content: done.
    CreateDomain {
        /// Whose it is.
        account: AccountId,
        /// How it works.
        settings: DomainSettings,
    },
    /// Replaces a domain's settings.
    UpdateDomain {
        /// All settings anew.
        settings: DomainSettings,
    },
    /// Makes a queue.
    CreateQueue {
        /// How it works.
        settings: QueueSettings,
    },
    /// Replaces a queue's settings.
    UpdateQueue {
        /// Which.
        queue: QueueId,
        /// All settings anew.
        settings: QueueSettings,
    },
    /// Stops offers from a queue, or lets them go on.
    PauseQueue {
        /// Which.
        queue: QueueId,
        /// Whether it is paused from now on.
        paused: bool,
        /// Who did it.
        by: By,
    },
    /// Deletes a queue. What waits in no other queue is closed as expired; agents leave it.
    /// Refused while a touchpoint routes to it.
    DeleteQueue {
        /// Which.
        queue: QueueId,
    },
    /// Makes an agent, unavailable and without a session.
    CreateAgent {
        /// How it works.
        settings: AgentSettings,
    },
    /// Replaces an agent's settings. Work in hand stays.
    UpdateAgent {
        /// Which.
        agent: AgentId,
        /// All settings anew.
        settings: AgentSettings,
    },
    /// Deletes an agent; its work waits again in its queues at its original age. Refused while a
    /// touchpoint is dedicated to it.
    DeleteAgent {
        /// Which.
        agent: AgentId,
    },
    /// Makes a touchpoint.
    CreateTouchpoint {
        /// How it works.
        settings: TouchpointSettings,
    },
    /// Replaces a touchpoint's settings; conversations under way keep what they started with.
    UpdateTouchpoint {
        /// Which.
        touchpoint: TouchpointId,
        /// All settings anew; the channel must stay.
        settings: TouchpointSettings,
    },
    /// Deletes a touchpoint; conversations under way go on.
    DeleteTouchpoint {
        /// Which.
        touchpoint: TouchpointId,
    },

    // ----- sessions and presence -----
    /// A desk connects: raises the epoch, makes the lease live. Work in hand and live offers stay,
    /// and belong to the new epoch.
    OpenSession {
        /// Which agent.
        agent: AgentId,
    },
    /// A desk disconnects on purpose: unavailable, offers revoked, lease lost with its grace.
    CloseSession {
        /// The desk.
        desk: Desk,
    },
    /// The leader heard nothing from the desk for the lease time. A newer epoch makes it stale.
    LoseLease {
        /// The desk.
        desk: Desk,
    },
    /// Sets an agent's intent. `by` is the agent's own desk or a supervisor.
    SetPresence {
        /// Which agent.
        agent: AgentId,
        /// The new intent.
        intent: Intent,
        /// Who did it.
        by: By,
    },
    /// A supervisor ends an agent's session; its work waits again at its original age.
    LogOut {
        /// Which agent.
        agent: AgentId,
        /// Who did it.
        by: By,
    },

    // ----- conversations -----
    /// A conversation arrives.
    Start(Arrival),
    /// The customer left before assignment: terminal. After assignment the contact ends instead.
    Abandon {
        /// Which.
        conversation: ConversationId,
    },
    /// The agent takes an offer.
    Accept {
        /// The desk.
        desk: Desk,
        /// The offer.
        offer: OfferId,
    },
    /// The agent declines an offer.
    Reject {
        /// The desk.
        desk: Desk,
        /// The offer.
        offer: OfferId,
        /// Why.
        decline: Decline,
    },
    /// The agent pulls from the inbox. First wins, the others get `Taken`.
    Assign {
        /// The desk.
        desk: Desk,
        /// Which.
        conversation: ConversationId,
    },
    /// The contact is over; wrap-up begins, or the conversation closes where there is none.
    EndContact {
        /// Which.
        conversation: ConversationId,
        /// The owner's desk, the customer or a supervisor.
        by: By,
    },
    /// Ends the wrap-up.
    Complete {
        /// The owner's desk.
        desk: Desk,
        /// Which.
        conversation: ConversationId,
        /// Outcome from the queue's list, or free text where the list is empty.
        disposition: Option<String>,
        /// Free text.
        notes: String,
    },
    /// Moves a conversation inside the domain, or to another of the account. By its owner or a supervisor.
    Transfer {
        /// Which.
        conversation: ConversationId,
        /// Where to.
        target: TransferTarget,
        /// For targets that can refuse.
        fallback: TransferFallback,
        /// Who did it.
        by: By,
    },
    /// Closes a conversation in any live state that the caller may close: its owner, or anybody
    /// but agents while nobody owns it.
    Close {
        /// Which.
        conversation: ConversationId,
        /// Why.
        reason: String,
        /// Who did it.
        by: By,
    },
    /// A supervisor closes a conversation; always succeeds on a live one.
    ForceClose {
        /// Which.
        conversation: ConversationId,
        /// Why.
        reason: String,
        /// Who did it.
        by: By,
    },
    /// Changes the priority of a waiting conversation in place; its age stays.
    Reprioritise {
        /// Which.
        conversation: ConversationId,
        /// The new priority.
        priority: Priority,
        /// Who did it.
        by: By,
    },

    // ----- for tests of the fault path; nodes refuse it unless started to allow it -----
    /// Panics while applying, to show that only this domain is quarantined.
    Panic {
        /// The message.
        message: String,
    },

    // ----- between domains; made by the cluster, never by callers -----
    /// A conversation comes from another domain. Again: the answer of the first time.
    Arrive(Box<Incoming>),
    /// A transfer is called back: what has not arrived never will; what has, ends as the recall says.
    Withdraw {
        /// Which transfer.
        crossing: Crossing,
        /// Why.
        recall: Recall,
    },
    /// What became of a transfer to another domain.
    Settle {
        /// The conversation that was to leave.
        conversation: ConversationId,
        /// The transfer's number.
        number: u64,
        /// The recall that was sent, if any.
        recall: Option<Recall>,
        /// What the other domain answered.
        landing: crate::outcome::Landing,
    },
    /// A step of a domain's move from one shard to another; to the shard, not to the domain.
    Move(Box<MovePart>),

    // ----- skills and criteria, from level 6 on -----
    /// Replaces what an agent can. Names that are new become known in the domain. By a supervisor.
    SetSkills {
        /// Which.
        agent: AgentId,
        /// Its skills, at most 64, each once.
        skills: Vec<Skill>,
        /// Who did it.
        by: By,
    },
    /// Replaces what conversations that arrive at a touchpoint ask for, where they bring nothing of their
    /// own. Those under way keep what they started with. By a supervisor.
    SetCriteria {
        /// Which.
        touchpoint: TouchpointId,
        /// What they ask for.
        criteria: Criteria,
        /// Who did it.
        by: By,
    },
    /// A conversation arrives with criteria of its own instead of its touchpoint's.
    StartWith {
        /// As of `Start`.
        arrival: Arrival,
        /// What it asks for; without steps: nothing.
        criteria: Criteria,
    },
    /// Replaces the criteria of a waiting conversation in place, to begin with their first step; its age
    /// stays. By a supervisor.
    ChangeCriteria {
        /// Which.
        conversation: ConversationId,
        /// What it asks for from now on.
        criteria: Criteria,
        /// Who did it.
        by: By,
    },
    /// As `Transfer`, with other criteria; that one keeps them.
    TransferAnew {
        /// Which.
        conversation: ConversationId,
        /// Where to.
        target: TransferTarget,
        /// For targets that can refuse.
        fallback: TransferFallback,
        /// What it asks for from now on; without steps: nothing.
        criteria: Criteria,
        /// Who did it.
        by: By,
    },

    // ----- policies, from level 7 on -----
    /// Replaces a queue's policy: what happens to those who wait there too long, and what its service is
    /// measured by. Those who wait keep the version that they stand under. By a supervisor.
    SetPolicy {
        /// Which.
        queue: QueueId,
        /// All of it anew; an empty one takes it away.
        policy: Policy,
        /// Who did it.
        by: By,
    },

    // ----- rules between channels, from level 8 on -----
    /// Replaces the domain's rules between channels: what an agent is not offered while it works on something
    /// else. Conversations under way and live offers stay. By a supervisor.
    SetChannelRules {
        /// All of them anew, in order, at most 32.
        rules: Vec<ChannelRule>,
        /// Who did it.
        by: By,
    },

    // ----- handling, from level 9 on -----
    /// Replaces how the domain handles contacts. What is connecting, rests or is wrapped up goes on as it began. By
    /// a supervisor.
    SetHandling {
        /// All of it anew.
        handling: Handling,
        /// Who did it.
        by: By,
    },
    /// The second step of an accept: agent and customer are connected, and the conversation is the agent's.
    Connected {
        /// The desk.
        desk: Desk,
        /// The offer that was accepted.
        offer: OfferId,
    },
    /// The connection was not made: a miss of the agent's, and the conversation waits again.
    ConnectFailed {
        /// The desk.
        desk: Desk,
        /// The offer that was accepted.
        offer: OfferId,
        /// Why, up to 256 bytes.
        reason: String,
    },
    /// An assigned conversation waits on its customer from now on, or no longer does. By its owner or a supervisor;
    /// a customer only wakes it. Again: done.
    SetIdle {
        /// Which.
        conversation: ConversationId,
        /// Whether it waits on its customer.
        idle: bool,
        /// Who did it.
        by: By,
    },
    /// A wrap-up lasts longer, by its owner or a supervisor.
    ExtendWrapUp {
        /// Which.
        conversation: ConversationId,
        /// By how much, 1 s up to what the domain's handling leaves.
        longer: Span,
        /// Who did it.
        by: By,
    },

    // ----- the pace of offers, from level 10 on -----
    /// No agent is offered more than so many conversations within so long, from now on. By a supervisor.
    SetPace {
        /// `None`: as many as there are.
        pace: Option<Pace>,
        /// Who did it.
        by: By,
    },

    // ----- opening hours, from level 10 on -----
    /// Makes, replaces or deletes a schedule of the domain; queues that keep to it follow at once. Refused to delete
    /// one that a queue keeps to. By a supervisor.
    SetSchedule {
        /// Its name, 1 to 64 bytes.
        name: String,
        /// All of it anew; `None`: it goes.
        schedule: Option<Schedule>,
        /// Who did it.
        by: By,
    },
    /// A queue keeps to a schedule from now on, or is always open. By a supervisor.
    SetHours {
        /// Which.
        queue: QueueId,
        /// How; `None`: it is always open.
        hours: Option<Hours>,
        /// Who did it.
        by: By,
    },

    // ----- callbacks, from level 11 on -----
    /// Replaces how customers are called back, and for how long the place of one who left can be resumed. Callbacks
    /// under way go on as they began. By a supervisor.
    SetCallback {
        /// All of it anew; `None`: nobody is called back, and no place is resumed.
        callback: Option<CallbackSettings>,
        /// Who did it.
        by: By,
    },
    /// A conversation that waits in line, or rings, is to be called back: it keeps its place, and its customer may
    /// hang up.
    RequestCallback {
        /// Which.
        conversation: ConversationId,
        /// Where the customer is to be reached, in the caller's own terms, at most 64 bytes; empty: as it came.
        contact: String,
        /// Nobody is offered it for so long, less than the domain's `expires_after`.
        not_before: Option<Span>,
    },
    /// The customer is not to be called back any more: it ends, as abandoned.
    CancelCallback {
        /// Which.
        conversation: ConversationId,
    },
    // ----- offers to several, from level 11 on -----
    /// To how many agents a queue offers a conversation at once, from its next offer on; the first who accepts has it.
    /// By a supervisor.
    SetRing {
        /// Which.
        queue: QueueId,
        /// 1 to 10.
        agents: u8,
        /// Who did it.
        by: By,
    },
    // ----- consultations, from level 12 on -----
    /// The owner asks another agent before it transfers the conversation, or instead. The agent is offered a part in
    /// it; who owns it stays. By the owner or a supervisor.
    Consult {
        /// Which; it is assigned.
        conversation: ConversationId,
        /// Who is asked.
        agent: AgentId,
        /// How long that may last once the agent has accepted, 1 s to 4 h.
        lasts: Span,
        /// Who did it.
        by: By,
    },
    /// The consultation is over, or is not to begin; the owner keeps the conversation. By the owner, a supervisor, or
    /// the agent who was asked and has accepted.
    EndConsult {
        /// Which.
        conversation: ConversationId,
        /// Who did it.
        by: By,
    },
    /// The agent who is consulted has the conversation from now on: it is a transfer. By the owner or a supervisor.
    CompleteConsult {
        /// Which.
        conversation: ConversationId,
        /// Who did it.
        by: By,
    },
}

impl Command {
    /// The level at which a shard must run for this command: below it the command must not even be
    /// proposed, since earlier releases could not read it.
    #[must_use]
    pub fn level(&self) -> u32 {
        match self {
            Self::SetSkills { .. }
            | Self::SetCriteria { .. }
            | Self::StartWith { .. }
            | Self::ChangeCriteria { .. }
            | Self::TransferAnew { .. } => level::SKILLS,
            Self::SetPolicy { policy, .. } if policy.calls_back() => level::CALLBACK,
            Self::SetPolicy { policy, .. } if policy.measures(Measure::Open) => level::HOURS,
            Self::SetPolicy { .. } => level::POLICIES,
            Self::CreateQueue { settings } | Self::UpdateQueue { settings, .. }
                if settings.pick == PickPolicy::LeastFlexible =>
            {
                level::PICKS
            }
            Self::CreateQueue { settings } | Self::UpdateQueue { settings, .. }
                if settings.pick == PickPolicy::MostProficient =>
            {
                level::PROFICIENT
            }
            Self::SetChannelRules { .. } => level::BLOCKS,
            Self::SetHandling { .. }
            | Self::Connected { .. }
            | Self::ConnectFailed { .. }
            | Self::SetIdle { .. }
            | Self::ExtendWrapUp { .. } => level::HANDLING,
            Self::SetPace { .. } => level::PACE,
            Self::SetSchedule { .. } | Self::SetHours { .. } => level::HOURS,
            Self::SetCallback { .. } | Self::RequestCallback { .. } | Self::CancelCallback { .. } => {
                level::CALLBACK
            }
            Self::SetRing { .. } => level::RING,
            Self::Consult { .. } | Self::EndConsult { .. } | Self::CompleteConsult { .. } => level::CONSULT,
            Self::Move(_) => level::MOVES,
            _ => level::FIRST,
        }
    }
}
