//! Engines in this process: real sockets on loopback, disks in memory.
#![allow(dead_code, missing_docs)]

use actors::{CallError, Engine, EngineConfig, Found, Query, Session, SessionHello, SessionMessage};
use consensus::disk::MemDisk;
use consensus::{Clock, Config, Entropy, NodeId, TcpDial, World};
use routing::command::{Arrival, By, Desk, Intent};
use routing::entry::Request;
use routing::outcome::DoneWhat;
use routing::settings::{
    AcceptMode, AgentSettings, DomainSettings, QueueSettings, RoutingMode, ToQueue, TouchpointSettings,
};
use routing::{
    AgentId, Channel, Command, ConversationId, DomainId, Done, EventKind, OfferId, Priority, QueueId,
    RequestId, Span, TouchpointId,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Generous: only a hang is a failure.
pub const LONG: Duration = Duration::from_secs(60);

pub struct RealClock(Instant);

#[allow(clippy::disallowed_methods)]
impl Default for RealClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for RealClock {
    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap()
    }
    #[allow(clippy::disallowed_methods)]
    fn wall_ms(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        u64::try_from(since.as_millis()).unwrap()
    }
}

pub struct Counter(AtomicU64);

impl Entropy for Counter {
    fn next_u64(&self) -> u64 {
        self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed) ^ 0x1234_5678
    }
}

/// A new request id, made now.
pub fn id() -> RequestId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let now_ms = u128::from(RealClock::default().wall_ms());
    RequestId(now_ms << 80 | u128::from(NEXT.fetch_add(1, Ordering::Relaxed)))
}

pub struct Node {
    pub engine: Engine,
    server: JoinHandle<()>,
}

pub struct Cluster {
    pub members: BTreeMap<NodeId, String>,
    pub disks: BTreeMap<NodeId, MemDisk>,
    pub nodes: BTreeMap<NodeId, Node>,
    pub engine_config: EngineConfig,
    pub adjust: fn(&mut Config),
}

impl Cluster {
    pub async fn start(size: u64) -> Cluster {
        Cluster::start_with(size, EngineConfig::default(), |_| {}).await
    }

    pub async fn start_with(size: u64, engine_config: EngineConfig, adjust: fn(&mut Config)) -> Cluster {
        let mut members = BTreeMap::new();
        let mut held = Vec::new();
        for id in 1..=size {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            members.insert(NodeId(id), listener.local_addr().unwrap().to_string());
            held.push(listener);
        }
        drop(held);
        let disks = members.keys().map(|id| (*id, MemDisk::new())).collect();
        let mut cluster = Cluster { members, disks, nodes: BTreeMap::new(), engine_config, adjust };
        for id in cluster.members.keys().copied().collect::<Vec<_>>() {
            cluster.run(id).await;
        }
        cluster
    }

    /// Starts a node over its disk.
    pub async fn run(&mut self, id: NodeId) {
        let config = Config::new(id, "test", self.members.clone(), 2, "/data");
        self.run_with(id, config).await;
    }

    /// Has a node join at another one, and starts it.
    pub async fn join(&mut self, at: u64) -> NodeId {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let joined =
            self.engine(at).join(self.members.len() as u128 + 1, address.clone(), LONG).await.unwrap();
        self.members.insert(joined.node, address);
        self.disks.insert(joined.node, MemDisk::new());
        let config = Config::new(joined.node, joined.cluster, joined.members, joined.shards, "/data");
        self.run_with(joined.node, Config { founding: false, ..config }).await;
        joined.node
    }

    async fn run_with(&mut self, id: NodeId, mut config: Config) {
        (self.adjust)(&mut config);
        let world = World {
            clock: Arc::new(RealClock::default()),
            entropy: Arc::new(Counter(AtomicU64::new(id.0))),
            disk: self.disks[&id].mount(),
            dial: Arc::new(TcpDial),
        };
        let engine = Engine::start(self.engine_config.clone(), config, world).await.unwrap();
        let listener = loop {
            match TcpListener::bind(&self.members[&id]).await {
                Ok(listener) => break listener,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
        let service = engine.transport_service();
        let server = tokio::spawn(async move {
            let server = tonic::transport::Server::builder().add_service(service);
            server.serve_with_incoming(incoming).await.unwrap();
        });
        self.nodes.insert(id, Node { engine, server });
    }

    pub fn engine(&self, id: u64) -> &Engine {
        &self.nodes[&NodeId(id)].engine
    }

    /// Stops a node cleanly.
    pub async fn stop(&mut self, id: NodeId) {
        let node = self.nodes.remove(&id).unwrap();
        node.engine.stop().await;
        node.server.abort();
        let _ = node.server.await;
    }

    /// Stops a node as a crash would: its disk loses what was not flushed, nobody is told.
    pub async fn crash(&mut self, id: NodeId, seed: u64) {
        self.disks[&id].crash(seed);
        let node = self.nodes.remove(&id).unwrap();
        node.server.abort();
        let _ = node.server.await;
        node.engine.kill().await;
    }

    pub async fn stop_all(mut self) {
        for id in self.nodes.keys().copied().collect::<Vec<_>>() {
            self.stop(id).await;
        }
    }

    /// The node that leads the shard of a domain, as node `seen_by` knows.
    pub async fn leader_of(&self, domain: DomainId, seen_by: u64) -> NodeId {
        let engine = self.engine(seen_by);
        eventually("a leader", || {
            let shard = engine.domains().into_iter().find(|place| place.domain == domain)?.shard;
            let state = engine.cluster().shards.into_iter().find(|state| state.group.0 == shard.0)?;
            state.leader.filter(|leader| self.nodes.contains_key(leader))
        })
        .await
    }
}

/// Waits until there is something.
pub async fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let waiting = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, waiting).await.unwrap_or_else(|_| panic!("{what} never came"))
}

/// A domain with one queue, one touchpoint for chats and agents that handle everything.
pub struct Site {
    pub domain: DomainId,
    pub queue: QueueId,
    pub touchpoint: TouchpointId,
    pub inbox: TouchpointId,
    pub agents: Vec<AgentId>,
}

pub fn request(domain: DomainId, command: Command) -> Request {
    Request { id: Some(id()), domain, expected_version: None, command }
}

pub async fn run(engine: &Engine, domain: DomainId, command: Command) -> Result<Done, CallError> {
    engine.execute(request(domain, command), LONG).await
}

impl Site {
    pub async fn create(engine: &Engine, agents: usize, ring: Span) -> Site {
        let account = engine.create_account(id(), "Acme".into(), LONG).await.unwrap();
        let settings = DomainSettings { name: "main".into(), ..DomainSettings::default() };
        let domain = engine.create_domain(id(), account.id, settings, LONG).await.unwrap();
        let settings = QueueSettings { name: "support".into(), ..QueueSettings::default() };
        let done = run(engine, domain, Command::CreateQueue { settings }).await.unwrap();
        let DoneWhat::Queue(queue) = done.what else { panic!("{done:?}") };
        let accept = AcceptMode::Manual { ring };
        let mode = RoutingMode::ToQueue(ToQueue { queues: vec![queue], priority: Priority(0), accept });
        let touchpoint = touchpoint(engine, domain, "chat", Channel::Chat, mode).await;
        let mode = RoutingMode::Simplified { queues: vec![queue] };
        let inbox = touchpoint_of(engine, domain, mode).await;
        let mut site = Site { domain, queue, touchpoint, inbox, agents: Vec::new() };
        for number in 0..agents {
            let settings = AgentSettings {
                name: format!("agent {number}"),
                queues: vec![queue],
                ..AgentSettings::default()
            };
            let done = run(engine, domain, Command::CreateAgent { settings }).await.unwrap();
            let DoneWhat::Agent(agent) = done.what else { panic!("{done:?}") };
            site.agents.push(agent);
        }
        site
    }

    pub async fn start(&self, engine: &Engine) -> ConversationId {
        self.start_at(engine, self.touchpoint).await
    }

    pub async fn start_at(&self, engine: &Engine, touchpoint: TouchpointId) -> ConversationId {
        let arrival = Arrival {
            touchpoint,
            customer: "Ana".into(),
            reference: String::new(),
            priority: None,
            continues: None,
        };
        let done = run(engine, self.domain, Command::Start(arrival)).await.unwrap();
        let DoneWhat::Conversation { id, .. } = done.what else { panic!("{done:?}") };
        id
    }

    /// Opens a session and makes the agent available.
    pub async fn desk(&self, engine: &Engine, number: usize) -> Session {
        let session = engine.open_session(hello(self.agents[number]), LONG).await.unwrap();
        available(&session).await;
        session
    }
}

pub fn hello(agent: AgentId) -> SessionHello {
    SessionHello { agent, request_id: id(), cursor: None, epoch: None }
}

pub async fn available(session: &Session) {
    let desk = Desk { agent: session.handle.agent(), epoch: session.epoch };
    let command = Command::SetPresence { agent: desk.agent, intent: Intent::Available, by: By::Agent(desk) };
    session.handle.submit(request(desk.agent.domain, command), LONG).await.unwrap();
}

async fn touchpoint_of(engine: &Engine, domain: DomainId, mode: RoutingMode) -> TouchpointId {
    touchpoint(engine, domain, "mail", Channel::Email, mode).await
}

async fn touchpoint(
    engine: &Engine,
    domain: DomainId,
    address: &str,
    channel: Channel,
    mode: RoutingMode,
) -> TouchpointId {
    let settings = TouchpointSettings { address: address.into(), channel, mode };
    let done = run(engine, domain, Command::CreateTouchpoint { settings }).await.unwrap();
    let DoneWhat::Touchpoint(touchpoint) = done.what else { panic!("{done:?}") };
    touchpoint
}

/// The next message of a desk.
pub async fn next(session: &mut Session) -> SessionMessage {
    let message = tokio::time::timeout(LONG, session.messages.recv()).await;
    message.expect("a message in time").expect("the session goes on")
}

/// The next message that `pick` takes; others are passed over.
pub async fn next_of<T>(session: &mut Session, mut pick: impl FnMut(SessionMessage) -> Option<T>) -> T {
    loop {
        if let Some(found) = pick(next(session).await) {
            return found;
        }
    }
}

/// The next offer.
pub async fn next_offer(session: &mut Session) -> (OfferId, ConversationId) {
    next_of(session, |message| match message {
        SessionMessage::Event(event) => match event.kind {
            EventKind::Offered(made) | EventKind::OfferedBecause(made, _) => {
                Some((made.offer, made.conversation))
            }
            _ => None,
        },
        _ => None,
    })
    .await
}

pub fn desk_of(session: &Session) -> Desk {
    Desk { agent: session.handle.agent(), epoch: session.epoch }
}

pub async fn stage(engine: &Engine, conversation: ConversationId) -> &'static str {
    let answer = engine.query(Query::Conversation(conversation), LONG).await.unwrap();
    let Found::Conversation(view) = answer.found else { panic!("{answer:?}") };
    view.stage.name()
}
