//! The engine: what the node's services call.

mod destinations;
mod members;
mod offers;

use crate::alarms::Alarms;
use crate::front::{Front, FrontSession, Opened};
use crate::leader::check_watched;
use crate::meta::{MetaCommand, MetaDone, MetaRequest, MetaState};
use crate::router::{Router, odd};
use crate::seeded::SeededBug;
use crate::shard::{Replicas, ShardRuntime, ShardTable, read};
use crate::tree::{NodeMessage, Watcher};
use crate::wire::{PeerAnswer, PeerCall, PeerCast};
use crate::{
    Account, Answer, CallError, EngineConfig, Found, PlacedDomain, Query, Session, SessionEnd, SessionHandle,
    SessionHello, SessionMessage, Watch, WatchError,
};
use consensus::env::{SharedClock, SharedEntropy};
use consensus::{Consensus, GroupId, NodeId, PeerService};
use proto::codec;
use ractor::ActorRef;
use routing::entry::Request;
use routing::settings::DomainSettings;
use routing::view::DeskView;
use routing::{
    AccountId, Command, ConversationId, DomainId, Done, Event, LogTime, Picture, Rejected, RequestId,
    Sequence, ShardId,
};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLockReadGuard};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// Clients over the bound are told to try again after this many milliseconds.
pub(crate) const RETRY_AFTER_MS: u64 = 50;
/// Conversations of one shard that may be watched one by one at this node.
const CONVERSATIONS_WATCHED_MAX: usize = 100_000;
/// Events of a conversation that may wait for one watcher.
const CONVERSATION_EVENTS_MAX: usize = 64;
/// Pause before a node that joins asks a cluster again that is being founded.
const FOUNDING_LOOK: Duration = Duration::from_millis(100);
/// How long a stopping node waits for others to take over.
const HAND_OVER_MAX: Duration = Duration::from_secs(2);

/// One node's engine. Cheap to clone; all clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("node", &self.inner.consensus_config.node).finish_non_exhaustive()
    }
}

pub(crate) struct Inner {
    pub(crate) config: EngineConfig,
    pub(crate) consensus_config: consensus::Config,
    pub(crate) consensus: Arc<Consensus>,
    pub(crate) clock: SharedClock,
    pub(crate) entropy: SharedEntropy,
    pub(crate) alarms: Alarms,
    pub(crate) shards: ShardTable,
    pub(crate) replicas: Arc<Replicas>,
    pub(crate) router: Router,
    pub(crate) front: Arc<Front>,
    pub(crate) calls: Semaphore,
    pub(crate) node: ActorRef<NodeMessage>,
    pub(crate) stop: CancellationToken,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.cancel();
        self.node.stop(None);
    }
}

impl Engine {
    /// Carries out a command, wherever its domain is led. Tries again inside the deadline where
    /// that is safe: always when it was certainly not done, and when the outcome is unknown only
    /// if the request has an id.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn execute(&self, request: Request, deadline: Duration) -> Result<Done, CallError> {
        let _permit = self.inner.admit()?;
        let place = self.inner.router.place(request.domain, deadline).await?;
        let shard = place.shard;
        for there in destinations::destinations(&request.command) {
            if self.inner.router.place(there, deadline).await?.account != place.account {
                let why = format!("{there} belongs to another account");
                return Err(Rejected::NotAllowed { why }.into());
            }
        }
        self.inner.router.execute_in(shard, request, deadline).await
    }

    /// Reads, linearizably: sees everything that was acknowledged before the call.
    ///
    /// # Errors
    /// See [`CallError`]; unknown ids are `Rejected`.
    pub async fn query(&self, query: Query, deadline: Duration) -> Result<Answer, CallError> {
        let _permit = self.inner.admit()?;
        if self.inner.router.leader.seeded.has(SeededBug::ReadsOwnReplica)
            && self.inner.shard_here(query.domain()).is_some()
        {
            return self.query_local(&query);
        }
        let shard = self.inner.router.place(query.domain(), deadline).await?.shard;
        let call = |shard| PeerCall::Query { shard, query: query.clone() };
        let answer = self.inner.router.where_it_is(shard, deadline, true, call).await?;
        answer.whole().map_err(|other| odd(&other))
    }

    /// Reads this node's replica, which may lag behind.
    ///
    /// # Errors
    /// See [`CallError`]; unknown ids are `Rejected`.
    pub fn query_local(&self, query: &Query) -> Result<Answer, CallError> {
        let shard = self.inner.shard_here(query.domain()).ok_or(Rejected::UnknownDomain)?;
        Ok(read(&shard.replica.read().shard, query)?)
    }

    /// Reads this node's replica, which may lag behind, or at the leader where there is none here.
    ///
    /// # Errors
    /// See [`CallError`]; unknown ids are `Rejected`.
    pub async fn query_near(&self, query: Query, deadline: Duration) -> Result<Answer, CallError> {
        match self.inner.shard_here(query.domain()).map(|_| self.query_local(&query)) {
            // It moves, or has moved, by what this replica knows.
            None | Some(Err(CallError::Unavailable { .. })) => self.query(query, deadline).await,
            Some(answer) => answer,
        }
    }

    /// Makes an account. Again with the same request id: the same account.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn create_account(
        &self,
        request_id: RequestId,
        name: String,
        deadline: Duration,
    ) -> Result<Account, CallError> {
        let _permit = self.inner.admit()?;
        match self.inner.meta(request_id, MetaCommand::CreateAccount { name }, deadline).await? {
            MetaDone::Account(account) => Ok(account),
            other => Err(CallError::Bug(format!("creating an account answered {other:?}"))),
        }
    }

    /// All accounts, in the order of ids, as this node knows them.
    #[must_use]
    pub fn accounts(&self) -> Vec<Account> {
        self.inner.meta_state().accounts()
    }

    /// Makes a domain and places it on a shard. Again with the same request id: the same domain.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn create_domain(
        &self,
        request_id: RequestId,
        account: AccountId,
        settings: DomainSettings,
        deadline: Duration,
    ) -> Result<DomainId, CallError> {
        let _permit = self.inner.admit()?;
        let inner = &self.inner;
        let placed = match inner.meta(request_id, MetaCommand::PlaceDomain { account }, deadline).await? {
            MetaDone::Placed(placed) => placed,
            other => return Err(CallError::Bug(format!("placing a domain answered {other:?}"))),
        };
        let domain = placed.domain;
        let command = Command::CreateDomain { account, settings };
        let request = Request { id: Some(request_id), domain, expected_version: None, command };
        inner.router.execute(placed.shard, request, deadline).await?;
        let confirm = MetaCommand::ConfirmDomain { domain };
        inner.meta(RequestId(request_id.0 ^ CONFIRM), confirm, deadline).await?;
        Ok(domain)
    }

    /// All domains with their places, in the order of ids, as this node knows them.
    #[must_use]
    pub fn domains(&self) -> Vec<PlacedDomain> {
        self.inner.meta_state().domains()
    }

    /// Where a domain is, also when this node has not heard of it yet.
    ///
    /// # Errors
    /// See [`CallError`]; an unknown domain is `Rejected`.
    pub async fn place(&self, domain: DomainId, deadline: Duration) -> Result<PlacedDomain, CallError> {
        self.inner.router.place(domain, deadline).await
    }

    /// Opens (or resumes) a desk's session, wherever its domain is led.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn open_session(&self, hello: SessionHello, deadline: Duration) -> Result<Session, CallError> {
        let _permit = self.inner.admit()?;
        let inner = &self.inner;
        let shard = inner.router.place(hello.agent.domain, deadline).await?.shard;
        let Opened { session, mut messages } = inner.front.register(hello.agent, shard);
        // From here on whatever ends this call takes the session off this node.
        let early = inner.known_desk(shard, &hello);
        let call = |shard| {
            inner.front.rehome(&session, shard);
            PeerCall::Open { shard, hello: hello.clone(), seat: session.opening_seat() }
        };
        let opened = inner.router.where_it_is(shard, deadline, true, call).await;
        let epoch = match opened {
            Ok(PeerAnswer::Opened(epoch)) => epoch,
            other => {
                self.leave(&session);
                return Err(match other {
                    Err(error) => error,
                    Ok(other) => odd(&other),
                });
            }
        };
        let handle = SessionHandle::new(session.clone(), epoch, self.clone());
        session.opened(epoch);
        inner.front.settle(&session);
        match tokio::time::timeout(deadline, messages.recv()).await {
            Ok(Some(SessionMessage::Welcome(welcome))) => {
                handle.heartbeat();
                let early = early.filter(|early| early.agent.epoch == epoch);
                let welcome = early.unwrap_or(*welcome);
                Ok(Session { epoch, welcome, messages, handle })
            }
            Ok(Some(SessionMessage::Ended(SessionEnd::Replaced))) => {
                Err(CallError::Unknown { why: "a newer session of the same agent was opened".to_owned() })
            }
            Ok(other) => Err(CallError::Unknown { why: format!("the session began with {other:?}") }),
            Err(_) => Err(CallError::Unknown { why: "no welcome came in time".to_owned() }),
        }
    }

    pub(crate) fn heard(&self, session: &Arc<FrontSession>) {
        self.inner.front.hear(session);
    }

    /// A session is gone from this node; its lease goes on.
    pub(crate) fn leave(&self, session: &FrontSession) {
        let inner = &self.inner;
        inner.front.forget(session);
        let seat = session.present_seat();
        let this = inner.router.this;
        match inner.leader(session.shard()) {
            Some(leader) if leader == this => {
                if let Some(shard) = inner.shards.get(session.shard()) {
                    shard.desks.detach(seat, this);
                }
            }
            Some(leader) => {
                let detach = PeerCast::Detach { shard: session.shard(), seats: vec![seat] };
                // If it does not arrive, parcels for the seat find nobody here, which is harmless.
                let _ = inner.router.peers.cast(leader, codec::encode(&detach).into());
            }
            None => {}
        }
    }

    /// Watches a domain's events from sequence `from` on (0: only what is new), then live: from this
    /// node's store, or at the leader where this node has no replica of the domain's shard.
    ///
    /// # Errors
    /// See [`WatchError`].
    pub async fn watch(&self, domain: DomainId, from: Sequence) -> Result<Watch, WatchError> {
        let shard = self.inner.shard_of(domain).ok_or(WatchError::UnknownDomain(domain))?;
        let Some(shard) = self.inner.replica_here(shard) else {
            return Watch::far(self.inner.router.clone(), shard, domain, from).await;
        };
        let skips = shard.seeded.has(SeededBug::WatchSkipsOnResume) && from.0 > 1;
        let watch = shard.events.watch(domain, if skips { Sequence(from.0 + 1) } else { from });
        // After that: if it goes from here now, the watch is ended.
        check_watched(&shard, domain)?;
        watch
    }

    /// A domain as this node's replica has it, to go on from: a watch from the event after it, here or at
    /// another node, misses nothing and repeats nothing. It may be behind the leader's; where somebody has
    /// seen event `not_before`, it must not be behind that.
    ///
    /// The replica is held for a copy that shares its memory, and not for what is read of it.
    ///
    /// # Errors
    /// See [`WatchError`].
    pub fn picture(&self, domain: DomainId, not_before: Sequence) -> Result<Picture, WatchError> {
        let unknown = || WatchError::UnknownDomain(domain);
        let shard = self.inner.shard_of(domain).ok_or_else(unknown)?;
        let Some(shard) = self.inner.replica_here(shard) else {
            return Err(WatchError::NotHere { ask: self.leader_of(domain) });
        };
        let at = shard.replica.read().shard.domain(domain).ok_or_else(unknown)?.sequence;
        if at < not_before {
            return Err(WatchError::Behind { at });
        }
        shard.replica.picture(domain).ok_or_else(unknown)
    }

    /// Watches one conversation from now on: its events, in order, on this node's replica. The
    /// stream ends after the conversation has ended, and for a watcher that does not keep up; it
    /// then watches again. Whatever is not in a state read after this call comes as an event.
    ///
    /// # Errors
    /// See [`CallError`]; `Overloaded` when too many are watched here.
    pub async fn watch_conversation(
        &self,
        conversation: ConversationId,
    ) -> Result<mpsc::Receiver<Arc<Event>>, CallError> {
        let shard = self.inner.shard_of(conversation.domain).ok_or(Rejected::UnknownDomain)?;
        let Some(shard) = self.inner.replica_here(shard) else {
            return self.watch_conversation_far(conversation, CONVERSATION_EVENTS_MAX).await;
        };
        let _permit = self.inner.admit()?;
        refuse_ended(conversation, &read(&shard.replica.read().shard, &Query::Conversation(conversation))?)?;
        let overloaded = CallError::Overloaded { retry_after_ms: RETRY_AFTER_MS };
        if shard.subscribers.len() >= CONVERSATIONS_WATCHED_MAX {
            return Err(overloaded);
        }
        let (watcher, events) = mpsc::channel(CONVERSATION_EVENTS_MAX);
        let (ready, told) = oneshot::channel();
        let watching = NodeMessage::Watch(shard.id, conversation, Watcher { events: watcher, ready });
        let _ = self.inner.node.cast(watching);
        told.await.map_err(|_| overloaded)?;
        Ok(events)
    }

    /// Tells that a domain changed on this node's replica, or at the leader where there is none here: the
    /// value is its last event. Changes in quick succession are told as one.
    ///
    /// # Errors
    /// See [`WatchError`].
    pub async fn changes(&self, domain: DomainId) -> Result<watch::Receiver<Sequence>, WatchError> {
        let shard = self.inner.shard_of(domain).ok_or(WatchError::UnknownDomain(domain))?;
        match self.inner.replica_here(shard) {
            Some(shard) => {
                let changes = shard.events.changes(domain);
                check_watched(&shard, domain)?;
                Ok(changes)
            }
            None => self.changes_far(domain).await,
        }
    }

    /// The cluster's id.
    #[must_use]
    pub fn cluster_id(&self) -> String {
        self.inner.consensus_config.cluster_id.clone()
    }

    /// The address of the node that leads a domain's shard, as far as this node knows; it may have
    /// changed.
    #[must_use]
    pub fn leader_of(&self, domain: DomainId) -> Option<String> {
        let shard = self.inner.meta_state().place(domain)?.shard;
        let leader = self.inner.leader(shard)?;
        let meta = self.inner.meta_state();
        let known = meta.members().get(&leader).map(|member| member.address.clone());
        known.or_else(|| self.inner.consensus_config.members.get(&leader).cloned())
    }

    /// What a place in a domain's record of events belongs to: the same for the life of the cluster,
    /// another one when a backup of it is restored. Never 0.
    #[must_use]
    pub fn incarnation(&self) -> u64 {
        twox_hash::XxHash3_64::oneshot(self.inner.consensus_config.cluster_id.as_bytes()).max(1)
    }

    /// A request id for what this node asks for by itself: a UUIDv7 of the node's own clock and
    /// entropy.
    #[must_use]
    pub fn new_request_id(&self) -> RequestId {
        let from_ms = self.inner.meta_state().asked_from_ms();
        new_request_id(&self.inner.clock, &self.inner.entropy, from_ms)
    }

    /// This node's wall clock, Unix milliseconds.
    #[must_use]
    pub fn wall_ms(&self) -> u64 {
        self.inner.clock.wall_ms()
    }

    /// Log time of the shard that holds a domain, now: on its leader as it would stamp, elsewhere
    /// that of the last entry.
    #[must_use]
    pub fn log_time(&self, domain: DomainId) -> Option<LogTime> {
        let shard = self.inner.shard_here(domain)?;
        let at = LogTime(shard.group.log_time_us());
        Some(shard.replica.read().shard.time_in(domain, at))
    }

    /// The service by which the other nodes reach this one, for the node's server.
    #[must_use]
    pub fn transport_service(&self) -> PeerService {
        self.inner.consensus.transport_service()
    }

    /// Asks another node to lead a group that this node leads. Returns when it was asked; who leads
    /// in the end is seen in [`Engine::cluster`].
    ///
    /// # Errors
    /// When this node does not lead the group, or the other cannot be asked.
    pub async fn transfer_leadership(&self, group: GroupId, to: NodeId) -> Result<(), CallError> {
        let unavailable = |why: String| CallError::Unavailable { why, retry_after_ms: RETRY_AFTER_MS };
        let group =
            self.inner.consensus.group(group).ok_or_else(|| unavailable(format!("no {group} here")))?;
        group.transfer_leadership(to).await.map_err(unavailable)
    }

    /// Becomes `Some` when this node must stop, with the reason.
    #[must_use]
    pub fn failure(&self) -> watch::Receiver<Option<String>> {
        self.inner.consensus.failure()
    }

    /// Whether this node stops because it was removed from the cluster while it ran: as it should, and not by
    /// a failure.
    #[must_use]
    pub fn has_left(&self) -> bool {
        self.inner.consensus.has_left()
    }

    /// Stops at once, as a crash would as far as that is possible: nobody is told.
    #[doc(hidden)]
    pub async fn kill(&self) {
        self.inner.stop.cancel();
        self.inner.node.stop(None);
        self.inner.consensus.stop().await;
    }

    /// Stops: gives leadership away, ends sessions with a reason, writes what is due.
    pub async fn stop(&self) {
        let inner = &self.inner;
        inner.hand_over().await;
        inner.stop.cancel();
        inner.front.end_all(SessionEnd::Stopping);
        inner.node.stop(None);
        inner.consensus.stop().await;
        for shard in inner.shards.all() {
            shard.desks.follow();
            shard.leases.disarm();
            shard.events.close().await;
        }
    }
}

/// A UUIDv7 of a node's own clock and entropy, with a time of at least `from_ms` (Unix milliseconds):
/// where this node's clock is behind, its own time would be refused as too old for as long as nobody
/// sets it right.
pub(crate) fn new_request_id(clock: &SharedClock, entropy: &SharedEntropy, from_ms: u64) -> RequestId {
    let (ms, random) = (clock.wall_ms().max(from_ms), entropy.next_u64());
    // 48 bits of time, the version (7), 12 random bits; the variant (2), 62 random bits.
    let high = ms << 16 | 7 << 12 | random >> 52;
    let low = 2 << 62 | random & (u64::MAX >> 2);
    RequestId(u128::from(high) << 64 | u128::from(low))
}

/// Makes the request id of the confirmation from that of the creation.
const CONFIRM: u128 = 0x5555_5555;

/// A conversation that has ended, or that there is none of, cannot be watched.
pub(crate) fn refuse_ended(conversation: ConversationId, known: &Answer) -> Result<(), CallError> {
    match &known.found {
        Found::Conversation(view) if !view.stage.is_terminal() => Ok(()),
        _ => {
            let (kind, id) = ("live conversation".to_owned(), conversation.to_string());
            Err(Rejected::Unknown { kind, id }.into())
        }
    }
}

impl Inner {
    fn admit(&self) -> Result<SemaphorePermit<'_>, CallError> {
        if self.stop.is_cancelled() {
            let why = "this node is stopping".to_owned();
            return Err(CallError::Unavailable { why, retry_after_ms: RETRY_AFTER_MS });
        }
        self.calls.try_acquire().map_err(|_| {
            self.replicas.counters.overloaded.fetch_add(1, Ordering::Relaxed);
            CallError::Overloaded { retry_after_ms: RETRY_AFTER_MS }
        })
    }

    pub(crate) fn meta_state(&self) -> RwLockReadGuard<'_, MetaState> {
        self.router.leader.meta.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shard of a domain that this node's replica of the meta group knows.
    fn shard_here(&self, domain: DomainId) -> Option<Arc<ShardRuntime>> {
        self.replica_here(self.shard_of(domain)?)
    }

    /// The shard of a domain, as this node's replica of the meta group knows it.
    fn shard_of(&self, domain: DomainId) -> Option<ShardId> {
        Some(self.meta_state().place(domain)?.shard)
    }

    /// This node's replica of a shard, if by its own log it is a member of the shard's group: one that
    /// was just opened knows nothing yet.
    pub(crate) fn replica_here(&self, shard: ShardId) -> Option<Arc<ShardRuntime>> {
        let shard = self.shards.get(shard)?;
        shard.group.members().members.contains_key(&self.router.this).then_some(shard)
    }

    /// Who leads a shard, as this node knows it.
    fn leader(&self, shard: ShardId) -> Option<NodeId> {
        self.consensus.leader(GroupId(shard.0))?.borrow().leader
    }

    /// What this node's replica has for a desk that comes back.
    fn known_desk(&self, shard: ShardId, hello: &SessionHello) -> Option<DeskView> {
        let shard = self.shards.get(shard)?;
        if !shard.seeded.has(SeededBug::WelcomeBeforeAttach) || hello.epoch.is_none() {
            return None;
        }
        shard.replica.read().shard.desk(hello.agent)
    }

    async fn meta(
        &self,
        id: RequestId,
        command: MetaCommand,
        deadline: Duration,
    ) -> Result<MetaDone, CallError> {
        let call = PeerCall::Meta(MetaRequest { id, command });
        match self.router.to_leader_of(GroupId::META, call, deadline, true).await? {
            PeerAnswer::Meta(done) => Ok(done),
            other => Err(odd(&other)),
        }
    }

    /// Asks a reachable node to take over each group led here, and waits for that, for a while.
    async fn hand_over(&self) {
        let this = self.router.this;
        let drained = self.meta_state().drained().clone();
        let mut led = self.consensus.groups();
        led.retain(|group| group.status().leading);
        if led.is_empty() {
            return;
        }
        let handed = led.iter().enumerate().filter_map(|(place, group)| {
            let mut heirs = group.status().voters;
            heirs.retain(|id| *id != this && self.router.peers.connected(*id));
            // One that would give it on again at once only where there is no other.
            if heirs.iter().any(|id| !drained.contains(id)) {
                heirs.retain(|id| !drained.contains(id));
            }
            let heir = *heirs.get(place % heirs.len().max(1))?;
            Some(async move {
                let mut leadership = group.leadership();
                if group.transfer_leadership(heir).await.is_ok() {
                    let _ = leadership.wait_for(|now| now.leader != Some(this)).await;
                }
            })
        });
        let _ = tokio::time::timeout(HAND_OVER_MAX, futures::future::join_all(handed)).await;
        let given = led.iter().filter(|group| !group.status().leading).count();
        tracing::info!("handed over {given} of {} groups that were led here", led.len());
    }
}
