//! A small desk-side of a shard for this crate's own tests.

use crate::command::{Arrival, By, Desk, Intent};
use crate::entry::{Entry, Position, Request, RequestId};
use crate::outcome::DoneWhat;
use crate::settings::{
    AcceptMode, AgentSettings, DomainSettings, QueueSettings, RoutingMode, ToQueue, TouchpointSettings,
};
use crate::{
    AccountId, AgentId, Channel, Command, ConversationId, DomainId, Done, Effects, Epoch, EventKind, LogTime,
    OfferId, Outcome, Priority, QueueId, Shard, ShardId, Span, TouchpointId,
};

pub(crate) const DOMAIN: DomainId = DomainId(1);

/// A shard with one domain, and the entries applied to it.
pub(crate) struct World {
    pub(crate) shard: Shard,
    pub(crate) effects: Effects,
    pub(crate) time: u64,
    pub(crate) index: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(DomainSettings { name: "d".to_owned(), ..DomainSettings::default() })
    }

    pub(crate) fn with(settings: DomainSettings) -> Self {
        let shard = Shard::new(ShardId(1));
        let mut world = Self { shard, effects: Effects::default(), time: 1_000_000, index: 0 };
        world.ok(Command::CreateDomain { account: AccountId(1), settings });
        world
    }

    pub(crate) fn entry(&mut self, domain: DomainId, command: Command, id: Option<RequestId>) -> Entry {
        self.index += 1;
        Entry {
            position: Position { index: self.index, ordinal: 0 },
            time: LogTime(self.time),
            wall_ms: 1_700_000_000_000 + self.time / 1_000,
            request: Request { id, domain, expected_version: None, command },
        }
    }

    /// Applies one command; the effects are those of it alone.
    pub(crate) fn apply(&mut self, command: Command) -> Outcome {
        let shard_wide = matches!(command, Command::Tick | Command::Continue | Command::SetLevel { .. });
        let domain = if shard_wide { DomainId::SHARD } else { DOMAIN };
        let entry = self.entry(domain, command, None);
        self.effects.clear();
        self.shard.apply(&entry, &mut self.effects)
    }

    pub(crate) fn ok(&mut self, command: Command) -> Done {
        let shown = format!("{command:?}");
        self.apply(command).unwrap_or_else(|rejected| panic!("{shown}: {rejected}"))
    }

    pub(crate) fn refused(&mut self, command: Command) -> crate::Rejected {
        let shown = format!("{command:?}");
        let before = self.shard.clone();
        let refused = self.apply(command).err().unwrap_or_else(|| panic!("{shown}: done"));
        if self.effects.events.is_empty() {
            assert_eq!(before, self.shard, "a refusal changes nothing");
        }
        refused
    }

    pub(crate) fn pass(&mut self, span: Span) {
        self.time += span.0;
    }

    pub(crate) fn tick(&mut self) {
        self.ok(Command::Tick);
    }

    pub(crate) fn queue(&mut self) -> QueueId {
        self.queue_with(QueueSettings { name: "q".to_owned(), ..QueueSettings::default() })
    }

    pub(crate) fn queue_with(&mut self, settings: QueueSettings) -> QueueId {
        match self.ok(Command::CreateQueue { settings }).what {
            DoneWhat::Queue(id) => id,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn agent(&mut self, queues: &[QueueId]) -> AgentId {
        let queues = queues.to_vec();
        self.agent_with(AgentSettings { name: "a".to_owned(), queues, ..AgentSettings::default() })
    }

    pub(crate) fn agent_with(&mut self, settings: AgentSettings) -> AgentId {
        match self.ok(Command::CreateAgent { settings }).what {
            DoneWhat::Agent(id) => id,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn desk(&mut self, agent: AgentId) -> Desk {
        match self.ok(Command::OpenSession { agent }).what {
            DoneWhat::Session(epoch) => Desk { agent, epoch },
            other => panic!("{other:?}"),
        }
    }

    /// A new agent of these queues, available.
    pub(crate) fn ready(&mut self, queues: &[QueueId]) -> Desk {
        let agent = self.agent(queues);
        let desk = self.desk(agent);
        self.presence(desk, Intent::Available);
        desk
    }

    pub(crate) fn presence(&mut self, desk: Desk, intent: Intent) {
        self.ok(Command::SetPresence { agent: desk.agent, intent, by: By::Agent(desk) });
    }

    pub(crate) fn touchpoint(&mut self, channel: Channel, queues: &[QueueId]) -> TouchpointId {
        let accept = AcceptMode::Manual { ring: Span::seconds(20) };
        let mode = RoutingMode::ToQueue(ToQueue { queues: queues.to_vec(), priority: Priority(0), accept });
        self.touchpoint_with(channel, mode)
    }

    pub(crate) fn touchpoint_with(&mut self, channel: Channel, mode: RoutingMode) -> TouchpointId {
        let address = format!("t{}", self.index);
        match self
            .ok(Command::CreateTouchpoint { settings: TouchpointSettings { address, channel, mode } })
            .what
        {
            DoneWhat::Touchpoint(id) => id,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn start(&mut self, touchpoint: TouchpointId) -> ConversationId {
        self.started(touchpoint, None).0
    }

    pub(crate) fn started(
        &mut self,
        touchpoint: TouchpointId,
        priority: Option<Priority>,
    ) -> (ConversationId, Option<(OfferId, AgentId)>) {
        let arrival = Arrival {
            touchpoint,
            customer: "customer".to_owned(),
            reference: "ref".to_owned(),
            priority,
            continues: None,
        };
        match self.ok(Command::Start(arrival)).what {
            DoneWhat::Conversation { id, offer, agent } => (id, offer.zip(agent)),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn offer_of(&self, conversation: ConversationId) -> Option<(OfferId, AgentId)> {
        let offer = self.shard.conversation(conversation)?.offer?;
        Some((offer.id, offer.agent))
    }

    pub(crate) fn accept(&mut self, conversation: ConversationId) -> Desk {
        let (offer, agent) = self.offer_of(conversation).expect("offered");
        let desk = self.present_desk(agent);
        self.ok(Command::Accept { desk, offer });
        desk
    }

    pub(crate) fn present_desk(&self, agent: AgentId) -> Desk {
        let epoch: Epoch = self.shard.agent(agent).expect("exists").epoch;
        Desk { agent, epoch }
    }

    pub(crate) fn stage(&self, conversation: ConversationId) -> &'static str {
        self.shard.conversation(conversation).expect("known").stage.name()
    }

    pub(crate) fn load(&self, desk: Desk) -> u32 {
        self.shard.agent(desk.agent).expect("exists").load
    }

    /// Names of the events of the last entry. An offer is one, whether it says why or not.
    pub(crate) fn events(&self) -> Vec<String> {
        let name = |kind: &EventKind| {
            let text = format!("{kind:?}");
            let name = text.split([' ', '(']).next().unwrap_or_default();
            if kind.offered().is_some() { "Offered" } else { name }.to_owned()
        };
        self.effects.events.iter().map(|event| name(&event.kind)).collect()
    }
}

/// Somebody who may do everything.
pub(crate) fn supervisor() -> By {
    By::Supervisor("s".to_owned())
}

/// As a snapshot is written: piece by piece, which is what the whole is written as.
pub(crate) fn through_bytes(shard: &mut Shard) -> Shard {
    let config = bincode::config::standard();
    let encoded = |piece| bincode::serde::encode_to_vec(piece, config).expect("serialises");
    let bytes: Vec<u8> = shard.freeze().pieces().flat_map(encoded).collect();
    assert_eq!(bytes, bincode::serde::encode_to_vec(&*shard, config).expect("serialises"));
    bincode::serde::decode_from_slice(&bytes, config).expect("deserialises").0
}
