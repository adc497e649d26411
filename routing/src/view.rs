//! Plain pictures of the state, for reads, invariants, the naive model and tests. Nothing here
//! is stored: each is made from state when asked for.

use crate::blocks::ChannelRule;
use crate::callback::{Callback, CallbackSettings};
use crate::command::{By, Intent, Recall, TransferFallback};
use crate::criteria::{Criteria, Seeking, Skill};
use crate::event::{Ending, Place};
use crate::handling::Handling;
use crate::hours::{HoursView, Schedule};
use crate::pace::Pace;
use crate::policy::{PolicyView, Standing};
use crate::settings::{AcceptMode, AgentSettings, DomainSettings, QueueSettings, TouchpointSettings};
use crate::{
    AccountId, AgentId, Channel, ConversationId, DomainId, Epoch, LogTime, OfferId, Points, Priority,
    QueueId, Sequence, TouchpointId, Version,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An agent's lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lease {
    /// No session has been opened yet, or it ended and its consequences are done with.
    None,
    /// A live session.
    Live,
    /// Lost at this time; the grace times run.
    LostSince(LogTime),
}

/// A conversation's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Waits at its place, without a live offer.
    Waiting(Place),
    /// Waits at its place, held out to an agent.
    Offered(Place),
    /// An agent's; a transfer offer to another agent may be live at the same time.
    Assigned(AgentId),
    /// Wrap-up.
    Wrapping(AgentId),
    /// Terminal.
    Ended(Ending),
    /// On its way to another domain: nobody's here until that is settled.
    Transferring,
}

impl Stage {
    /// The state's name in the contract: `queued`, `offered`, `assigned`, `wrapping`, `closed`,
    /// `in_inbox`, `abandoned` or `transferring`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Stage::Waiting(Place::Inbox(_)) => "in_inbox",
            Stage::Waiting(_) => "queued",
            Stage::Offered(_) => "offered",
            Stage::Assigned(_) => "assigned",
            Stage::Wrapping(_) => "wrapping",
            Stage::Ended(Ending::Abandoned) => "abandoned",
            Stage::Ended(_) => "closed",
            Stage::Transferring => "transferring",
        }
    }

    /// Whether the state is final.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self, Stage::Ended(_))
    }

    /// The owner, if any.
    #[must_use]
    pub fn owner(&self) -> Option<AgentId> {
        match self {
            Stage::Assigned(agent) | Stage::Wrapping(agent) => Some(*agent),
            _ => None,
        }
    }
}

/// A live offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferView {
    /// Its id.
    pub id: OfferId,
    /// What is offered.
    pub conversation: ConversationId,
    /// To whom.
    pub agent: AgentId,
    /// From which queue; `None` for dedicated work and direct transfers, and once it is being connected.
    pub queue: Option<QueueId>,
    /// Points taken.
    pub weight: Points,
    /// How it is accepted.
    pub accept: AcceptMode,
    /// When it was made.
    pub made_at: LogTime,
    /// When it becomes a miss.
    pub deadline: LogTime,
    /// For a transfer to an agent: what happens if it fails.
    pub transfer: Option<TransferFallback>,
    /// It is accepted, and agent and customer are being connected. Not part of the encoded form.
    #[serde(skip)]
    pub connecting: bool,
}

/// A conversation's way to another domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepartureView {
    /// Where to.
    pub to: TouchpointId,
    /// Counts the transfers from this domain to that one.
    pub number: u64,
    /// What if it fails.
    pub fallback: TransferFallback,
    /// Why it was called back, if it was.
    pub recall: Option<Recall>,
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationView {
    /// Its id.
    pub id: ConversationId,
    /// Its version.
    pub version: Version,
    /// Its state.
    pub stage: Stage,
    /// Its channel.
    pub channel: Channel,
    /// Its touchpoint.
    pub touchpoint: TouchpointId,
    /// Its priority.
    pub priority: Priority,
    /// When it arrived: the origin of its age, for life.
    pub arrived_at: LogTime,
    /// The points it weighs (waiting: the weight an offer made now would take).
    pub weight: Points,
    /// How offers of it are accepted.
    pub accept: AcceptMode,
    /// Its queues, for transfers back and fallbacks; empty for dedicated work without fallback.
    pub queues: Vec<QueueId>,
    /// The first of its live offers, if any.
    pub offer: Option<OfferView>,
    /// Agents that get no offer of it until then.
    pub excluded: BTreeMap<AgentId, LogTime>,
    /// Transfers so far.
    pub hops: u32,
    /// The next moment at which something happens by itself, if any.
    pub deadline: Option<LogTime>,
    /// The customer as the caller named it.
    pub customer: String,
    /// The caller's reference.
    pub reference: String,
    /// When it was first assigned.
    pub assigned_at: Option<LogTime>,
    /// When it ended.
    pub ended_at: Option<LogTime>,
    /// Its last owner.
    pub last_agent: Option<AgentId>,
    /// Its way to another domain, if it is on one.
    pub departure: Option<Box<DepartureView>>,
    /// What it asks of agents, if it came with criteria. Not part of the encoded form.
    #[serde(skip)]
    pub seeking: Option<Box<Seeking>>,
    /// The policy that it stands under, if it does. Not part of the encoded form.
    #[serde(skip)]
    pub standing: Option<Box<Standing>>,
    /// Whether its owner waits on the customer. Not part of the encoded form.
    #[serde(skip)]
    pub idle: bool,
    /// That it is to be called back, if it is. Not part of the encoded form.
    #[serde(skip)]
    pub callback: Option<Box<Callback>>,
    /// Its other live offers, where it rings at several agents, in the order they were made. Not part of the encoded
    /// form.
    #[serde(skip)]
    pub also: Vec<OfferView>,
}

impl ConversationView {
    /// Its live offers, in the order they were made.
    pub fn offers(&self) -> impl Iterator<Item = &OfferView> {
        self.offer.iter().chain(&self.also)
    }

    /// The live offer that this agent has of it.
    #[must_use]
    pub fn offer_to(&self, agent: AgentId) -> Option<&OfferView> {
        self.offers().find(|offer| offer.agent == agent)
    }

    /// The state's name in the contract: that of its stage, or `connecting`.
    #[must_use]
    pub fn stage_name(&self) -> &'static str {
        match &self.stage {
            Stage::Offered(_) if self.offer.as_ref().is_some_and(|offer| offer.connecting) => "connecting",
            stage => stage.name(),
        }
    }
}

/// Work an agent holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldingView {
    /// What.
    pub conversation: ConversationId,
    /// Its channel.
    pub channel: Channel,
    /// Points it takes now (less in wrap-up, if the domain says so).
    pub weight: Points,
    /// Whether it is in wrap-up.
    pub wrapping: bool,
    /// Whether it waits on its customer. Not part of the encoded form.
    #[serde(skip)]
    pub idle: bool,
}

/// An agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentView {
    /// Its id.
    pub id: AgentId,
    /// Its version.
    pub version: Version,
    /// Its settings.
    pub settings: AgentSettings,
    /// What it means to do.
    pub intent: Intent,
    /// Who set that.
    pub intent_by: By,
    /// Whether a desk is connected.
    pub lease: Lease,
    /// The desk's epoch.
    pub epoch: Epoch,
    /// Points taken by offers, assignments and wrap-ups, as kept by the core (R-2 compares).
    pub load: u32,
    /// Live offers to it, in the order they were made.
    pub offers: Vec<OfferView>,
    /// What it holds, in the order of conversation ids.
    pub holdings: Vec<HoldingView>,
    /// Offers missed in a row.
    pub misses: u32,
    /// Since when it is idle, for `LongestIdle`: its last release, or when it became available.
    pub idle_since: LogTime,
    /// When its last offer was made, for `RoundRobin`: a counter of offers, 0 for never.
    pub last_offer: u64,
    /// Free points held for this bigger, better-ranked conversation until then.
    pub held_for: Option<(ConversationId, LogTime)>,
    /// What it can, in the order of names. Not part of the encoded form, which is older: see
    /// [`crate::criteria`].
    #[serde(skip)]
    pub skills: Vec<Skill>,
    /// It is offered nothing until then: it had as much as the domain's pace allows. Not part of the encoded form.
    #[serde(skip)]
    pub paced_until: Option<LogTime>,
}

impl AgentView {
    /// Whether it takes offers: available with a live lease.
    #[must_use]
    pub fn takes_offers(&self) -> bool {
        self.intent == Intent::Available && self.lease == Lease::Live
    }
}

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueView {
    /// Its id.
    pub id: QueueId,
    /// Its version.
    pub version: Version,
    /// Its settings.
    pub settings: QueueSettings,
    /// Whether it makes offers.
    pub paused: bool,
    /// Agents that belong to it.
    pub agents: u64,
    /// Agents of it that take offers now.
    pub staffed: u64,
    /// Conversations waiting in it for an offer, without one.
    pub waiting: u64,
    /// Conversations in its inbox.
    pub inbox: u64,
    /// Arrival of the longest waiting conversation.
    pub longest_since: Option<LogTime>,
    /// What it does with those who wait, and how its service goes. Not part of the encoded form.
    #[serde(skip)]
    pub policy: PolicyView,
    /// What it keeps to and how it stands; `None`: it is always open. Not part of the encoded form.
    #[serde(skip)]
    pub hours: Option<HoursView>,
    /// To how many agents it offers a conversation at once. Not part of the encoded form.
    #[serde(skip, default = "alone")]
    pub ring: u8,
}

/// As it is where nothing is said.
fn alone() -> u8 {
    1
}

/// A touchpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TouchpointView {
    /// Its id.
    pub id: TouchpointId,
    /// Its version.
    pub version: Version,
    /// Its settings.
    pub settings: TouchpointSettings,
    /// What conversations that arrive here ask for. Not part of the encoded form.
    #[serde(skip)]
    pub criteria: Criteria,
}

/// A domain at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainSummary {
    /// Its id.
    pub id: DomainId,
    /// Whose it is.
    pub account: AccountId,
    /// Its version.
    pub version: Version,
    /// Its settings.
    pub settings: DomainSettings,
    /// Its last event.
    pub sequence: Sequence,
    /// The fault that took it out of service, if any.
    pub quarantined: Option<String>,
    /// Whether work is left over for a `Continue`.
    pub pending: bool,
    /// Its rules between channels. Not part of the encoded form.
    #[serde(skip)]
    pub channel_rules: Vec<ChannelRule>,
    /// How contacts are handled. Not part of the encoded form.
    #[serde(skip)]
    pub handling: Handling,
    /// How many conversations agents are offered within a time. Not part of the encoded form.
    #[serde(skip)]
    pub pace: Option<Pace>,
    /// Its schedules by name; shared with the state. Not part of the encoded form.
    #[serde(skip)]
    pub schedules: Arc<BTreeMap<String, Schedule>>,
    /// How customers are called back. Not part of the encoded form.
    #[serde(skip)]
    pub callback: Option<CallbackSettings>,
}

/// A whole domain, for invariants and models. Costs time and memory in proportion to the domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainView {
    /// At a glance.
    pub summary: DomainSummary,
    /// Log time of the shard.
    pub now: LogTime,
    /// All queues.
    pub queues: BTreeMap<QueueId, QueueView>,
    /// All agents.
    pub agents: BTreeMap<AgentId, AgentView>,
    /// All touchpoints.
    pub touchpoints: BTreeMap<TouchpointId, TouchpointView>,
    /// All conversations the core still knows, terminal ones included.
    pub conversations: BTreeMap<ConversationId, ConversationView>,
}

/// What is owed to an agent's desk: everything it must show after a (re)connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskView {
    /// The agent, with its live offers and what it holds.
    pub agent: AgentView,
    /// The domain's sequence at which this picture was taken: the desk's cursor.
    pub sequence: Sequence,
    /// Log time at which it was taken.
    pub now: LogTime,
}

/// Why one agent does not get a waiting conversation: the first gate that fails, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gate {
    /// No session, or its lease was lost.
    Lease,
    /// Not available.
    Intent(Intent),
    /// The queue it shares with the conversation is paused.
    QueuePaused(QueueId),
    /// Does not handle the channel.
    Channel,
    /// The cap for the channel is reached.
    ChannelCap {
        /// The cap.
        cap: u16,
    },
    /// Too few free points.
    Capacity {
        /// Free points.
        free: u32,
        /// Needed points.
        needed: u32,
    },
    /// Declined or missed it lately.
    ExcludedUntil(LogTime),
    /// Its free points are held for another conversation.
    HeldFor(ConversationId),
    /// Passes every gate: it will get an offer with the next entry (only while work is pending).
    None,
    /// Only agents that the conversation names may have it, until then if that ends.
    OthersNamed {
        /// When the step expires.
        until: Option<LogTime>,
    },
    /// A required skill is missing or too low.
    Skill {
        /// What is required.
        required: Skill,
        /// The level that the agent has; 0: it has none.
        has: u8,
    },

    /// Works on a channel that blocks the conversation's. Between the channel's cap and capacity in the order.
    Blocked {
        /// The first such channel.
        by: Channel,
    },
    /// It had as many offers as the domain's pace allows.
    Paced {
        /// It may be offered something again.
        until: LogTime,
    },

    /// The queue it shares with the conversation is closed. After `QueuePaused` in the order.
    QueueClosed {
        /// Which.
        queue: QueueId,
        /// When it opens, in Unix milliseconds; `None`: its schedule never opens it.
        opens_ms: Option<u64>,
    },

    /// The customer is not to be called back before then. Before all others in the order.
    Rests {
        /// When it stands in line again.
        until: LogTime,
    },
}

/// Why a conversation waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitExplanation {
    /// Which.
    pub conversation: ConversationId,
    /// Its state, with its place.
    pub stage: Stage,
    /// How long since it arrived, at this log time.
    pub now: LogTime,
    /// When it arrived.
    pub arrived_at: LogTime,
    /// Its position: better-ranked waiting conversations that share a queue with it, plus one.
    pub position: u64,
    /// Each agent of its queues (at most `WaitExplanation::AGENTS_MAX`) and the first gate that
    /// fails, in the order of agent ids.
    pub agents: Vec<(AgentId, Gate)>,
    /// Agents beyond that number.
    pub agents_left_out: u64,
}

/// Agents of a queue that fail at the same gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gated {
    /// How many.
    pub agents: u64,
    /// The first of them, in the order of ids, each with its gate: at most [`QueueExplanation::EXAMPLES_MAX`].
    pub examples: Vec<(AgentId, Gate)>,
}

/// Why nobody of a queue gets work, or who would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueExplanation {
    /// Which.
    pub queue: QueueId,
    /// Log time of the state that was looked at.
    pub now: LogTime,
    /// Whether it makes no offers.
    pub paused: bool,
    /// Conversations waiting in it for an offer, without one.
    pub waiting: u64,
    /// Conversations in its inbox, which nobody is offered.
    pub inbox: u64,
    /// Offers that were made from it and are live.
    pub offers: u64,
    /// The best-ranked of those who wait for an offer, and when it arrived: what the gates are for. Without one
    /// they are those of an agent alone: lease, intent, and points (all taken).
    pub head: Option<(ConversationId, LogTime)>,
    /// Its agents by the first gate that fails, in the order in which gates are looked at.
    pub gates: Vec<Gated>,
    /// Agents beyond [`QueueExplanation::AGENTS_MAX`], who were not looked at.
    pub agents_left_out: u64,
}

impl QueueExplanation {
    /// Agents looked at, at most.
    pub const AGENTS_MAX: usize = 10_000;
    /// Agents shown of each gate.
    pub const EXAMPLES_MAX: usize = 3;
}

impl WaitExplanation {
    /// Agents listed at most.
    pub const AGENTS_MAX: usize = 1_000;
}
