//! Configuration of domains, queues, agents and touchpoints: replicated values, never files.

use crate::{AgentId, Channel, ChannelSet, Points, Priority, QueueId, Span};
use serde::{Deserialize, Serialize};

/// Limits of the core. Everything that can grow has one; relations are asserted at compile time.
pub mod limits {
    use crate::Span;

    /// Longest time a desk may ring.
    pub const RING_MAX: Span = Span::seconds(600);
    /// Agents that one conversation is offered to at once.
    pub const RING_AGENTS_MAX: u8 = 10;
    /// Queues of one domain.
    pub const QUEUES_MAX: u64 = 10_000;
    /// Agents of one domain.
    pub const AGENTS_MAX: u64 = 200_000;
    /// Touchpoints of one domain.
    pub const TOUCHPOINTS_MAX: u64 = 10_000;
    /// Conversations of one domain that are not terminal.
    pub const CONVERSATIONS_LIVE_MAX: u64 = 1_000_000;
    /// Queues one agent may belong to.
    pub const QUEUES_PER_AGENT_MAX: usize = 64;
    /// Queues one conversation may wait in.
    pub const QUEUES_PER_CONVERSATION_MAX: usize = 8;
    /// Length of names, addresses, notes and references in bytes.
    pub const TEXT_BYTES_MAX: usize = 1_024;
    /// Length of wrap-up notes in bytes.
    pub const NOTES_BYTES_MAX: usize = 8_192;
    /// Expiries done by one entry; what is left is a `Continue`.
    pub const EXPIRIES_PER_ENTRY_MAX: usize = 256;
    /// Matches made by one entry; what is left is a `Continue`.
    pub const MATCHES_PER_ENTRY_MAX: usize = 256;
    /// Agents excluded from one conversation at once.
    pub const EXCLUSIONS_PER_CONVERSATION_MAX: usize = 64;
    /// Conversations, agents and lines that the matching of one entry looks at; what is left is a `Continue`.
    pub const MATCH_LOOKS_PER_ENTRY_MAX: usize = 8_192;
    /// Looks for the most proficient once one is found who could have a conversation that asks for several skills.
    pub const PULLS_MAX: usize = 64;
    /// Remembered answers of request ids per domain.
    pub const REQUESTS_REMEMBERED_MAX: usize = 1_000_000;
    /// Transfers of one conversation.
    pub const HOPS_MAX: u32 = 11;
    /// The shortest consultation that can be asked for.
    pub const CONSULT_MIN: Span = Span::seconds(1);
    /// The longest one.
    pub const CONSULT_MAX: Span = Span::seconds(4 * 3_600);
    /// How long another domain has to take a conversation before it is called back.
    pub const CROSSING_MAX: Span = Span::seconds(10);
    /// Conversations of a domain that may be on their way to others at once.
    pub const CROSSINGS_MAX: u64 = 1_000;
    /// Domains to which conversations of one domain may ever have gone.
    pub const CROSSING_DOMAINS_MAX: usize = 10_000;
    /// How long a conversation that came back waits for the agent who sent it away, before its queues.
    pub const BACK_TO_SOURCE_MAX: Span = Span::seconds(30);
    /// Credits an aging policy may list.
    pub const CREDITS_MAX: usize = 256;

    const _: () = assert!(QUEUES_PER_CONVERSATION_MAX <= QUEUES_PER_AGENT_MAX);
    const _: () = assert!(TEXT_BYTES_MAX <= NOTES_BYTES_MAX);
}

/// How waiting conversations of a domain are ordered for an agent. Ties: longest waiting, then
/// lowest conversation id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RankPolicy {
    /// Highest priority first.
    Priority,
    /// score = arrival − credit(priority), lowest first: a priority is worth a number of seconds.
    /// A priority not listed has no credit.
    Aging {
        /// Credits by priority, each priority once.
        credits: Vec<(Priority, Span)>,
    },
}

/// How much room a wrap-up holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WrapUpHold {
    /// The whole weight.
    All,
    /// At most this many points.
    Some(Points),
    /// Nothing.
    None,
}

/// What happens with held work after a lost lease's grace time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeaseLoss {
    /// It stays with the agent.
    Keep,
    /// It waits again in its queues at its original age.
    Requeue,
    /// It is closed.
    Close,
}

/// Per channel: what happens when the owner's lease is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeasePolicy {
    /// Time to come back.
    pub grace: Span,
    /// What then.
    pub then: LeaseLoss,
}

/// Settings of a domain. The account's choices, carried by each of its domains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainSettings {
    /// Name for people.
    pub name: String,
    /// Weight per channel by [`Channel::index`], 1 to 100; voice must be [`Points::VOICE`].
    /// A change never touches conversations under way.
    pub weights: [Points; 7],
    /// Order among waiting conversations.
    pub rank: RankPolicy,
    /// Room a wrap-up holds.
    pub wrap_up_hold: WrapUpHold,
    /// Whether a human (pull, direct transfer, supervisor) may exceed an agent's capacity.
    pub overdraft: bool,
    /// How long an agent's free points are held for a better-ranked, bigger conversation.
    /// Zero switches the rule off.
    pub hold_max: Span,
    /// Exclusion of an agent for a conversation it rejected.
    pub exclude_rejected: Span,
    /// Exclusion of an agent for a conversation whose offer it let time out.
    pub exclude_missed: Span,
    /// Offers missed in a row after which an agent is made unavailable; 0 means never.
    pub miss_limit: u32,
    /// After how long an agent made unavailable by misses is available again by itself;
    /// `None` means it must say so. Either way it may say so at once.
    pub miss_return: Option<Span>,
    /// By [`Channel::index`].
    pub lease: [LeasePolicy; 7],
    /// How long terminal conversations stay readable in the core.
    pub closed_retention: Span,
    /// How long answers of request ids are remembered.
    pub request_window: Span,
    /// Longest time a conversation may wait anywhere; then it is closed as expired.
    pub wait_max: Span,
    /// Longest time a conversation may be assigned without its contact ending; `None` is no limit.
    pub assigned_max: Option<Span>,
}

impl Default for DomainSettings {
    fn default() -> Self {
        let lease = |grace_s, then| LeasePolicy { grace: Span::seconds(grace_s), then };
        Self {
            name: String::new(),
            // voice, chat, sms, email, whatsapp, messenger, digital_connect
            weights: [Points::VOICE, Points(25), Points(20), Points(20), Points(25), Points(25), Points(25)],
            rank: RankPolicy::Priority,
            wrap_up_hold: WrapUpHold::All,
            overdraft: true,
            hold_max: Span::seconds(30),
            exclude_rejected: Span::seconds(60),
            exclude_missed: Span::seconds(30),
            miss_limit: 3,
            miss_return: None,
            lease: [
                lease(20, LeaseLoss::Requeue),
                lease(60, LeaseLoss::Requeue),
                lease(300, LeaseLoss::Requeue),
                lease(3_600, LeaseLoss::Keep),
                lease(300, LeaseLoss::Requeue),
                lease(300, LeaseLoss::Requeue),
                lease(60, LeaseLoss::Requeue),
            ],
            closed_retention: Span::seconds(300),
            request_window: Span::seconds(300),
            wait_max: Span::seconds(24 * 3_600),
            assigned_max: None,
        }
    }
}

/// How a queue chooses among agents that could take a conversation. Ties: lowest agent id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PickPolicy {
    /// Longest time since the agent's last release of work (or since it became available).
    LongestIdle,
    /// Smallest load in points, then longest idle.
    LeastLoaded,
    /// The agent whose last offer is longest ago.
    RoundRobin,
    /// Fewest skills, then longest idle: those who can do much are kept free for what few can do. From feature
    /// level [`PICKS`](crate::level::PICKS) on.
    LeastFlexible,
    /// Highest levels, in all, of the skills that the conversation asks for, then longest idle; where it asks for
    /// none, longest idle. Exact among those whom [`PULLS_MAX`](limits::PULLS_MAX) looks reach, which is everybody
    /// where one skill is asked for. From feature level [`PROFICIENT`](crate::level::PROFICIENT) on.
    MostProficient,
}

/// Settings of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueSettings {
    /// Name for people.
    pub name: String,
    /// How agents are picked.
    pub pick: PickPolicy,
    /// How long a wrap-up may take; then it ends by itself. Zero: no wrap-up, contacts end closed.
    pub wrap_up_max: Span,
    /// Dispositions agents may choose from; empty means free text.
    pub dispositions: Vec<String>,
    /// Whether a wrap-up needs a disposition (a time-out closes with none all the same).
    pub disposition_required: bool,
    /// Conversations that may wait at once; more are refused with `Full`.
    pub waiting_max: u64,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            name: String::new(),
            pick: PickPolicy::LongestIdle,
            wrap_up_max: Span::ZERO,
            dispositions: Vec::new(),
            disposition_required: false,
            waiting_max: 100_000,
        }
    }
}

/// Settings of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentSettings {
    /// Name for people.
    pub name: String,
    /// Total points, 1 to 100.
    pub capacity: Points,
    /// Channels the agent handles.
    pub channels: ChannelSet,
    /// Most conversations at once per channel by [`Channel::index`]; `None` is no cap.
    pub caps: [Option<u16>; 7],
    /// Queues the agent belongs to, each once.
    pub queues: Vec<QueueId>,
}

impl Default for AgentSettings {
    fn default() -> Self {
        Self {
            name: String::new(),
            capacity: Points::AGENT_MAX,
            channels: ChannelSet::ALL,
            caps: [None; 7],
            queues: Vec::new(),
        }
    }
}

/// How an offer is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AcceptMode {
    /// The agent accepts, rejects, or lets it time out.
    Manual {
        /// Ring time.
        ring: Span,
    },
    /// The desk confirms by itself; unconfirmed within this deadline is a miss.
    Automatic {
        /// Confirmation deadline, a few seconds.
        confirm: Span,
    },
}

impl AcceptMode {
    /// Time until an unanswered offer is a miss.
    #[must_use]
    pub const fn deadline(self) -> Span {
        match self {
            AcceptMode::Manual { ring } => ring,
            AcceptMode::Automatic { confirm } => confirm,
        }
    }
}

/// The step in which every flow ends: wait in queues until an agent takes the offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToQueue {
    /// Queues in order of preference, 1 to 8, each once.
    pub queues: Vec<QueueId>,
    /// Priority unless the arrival states one.
    pub priority: Priority,
    /// How offers are accepted.
    pub accept: AcceptMode,
}

/// What a touchpoint does with a new conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoutingMode {
    /// Shown in the inbox of every agent of these queues, pulled with `Assign`. Not for voice and
    /// chat, which have flows only.
    Simplified {
        /// 1 to 8 queues.
        queues: Vec<QueueId>,
    },
    /// Only this agent gets it, labelled `dedicated`.
    Dedicated {
        /// The agent.
        agent: AgentId,
        /// How offers are accepted.
        accept: AcceptMode,
        /// After this long without the agent, it waits in the queue at its original age.
        fallback: Option<(QueueId, Span)>,
    },
    /// Routed to queues (the end of every flow).
    ToQueue(ToQueue),
}

/// Settings of a touchpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TouchpointSettings {
    /// The address customers reach (number, mail address, widget id). Unique per channel and domain.
    pub address: String,
    /// Its channel; fixed for the touchpoint's life.
    pub channel: Channel,
    /// Its one routing mode.
    pub mode: RoutingMode,
}
