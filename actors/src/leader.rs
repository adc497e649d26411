//! What the leader of a group does for calls from any node.

use crate::alarms::Alarms;
use crate::far::NEWS_MAX;
use crate::meta::{MetaDone, MetaRequest, SharedMeta};
use crate::seeded::{Seeded, SeededBug};
use crate::shard::{ShardRuntime, ShardTable, read};
use crate::wire::{Attached, EventsPart, PeerAnswer, PeerCall, Seat, ShardAnswer};
use crate::{CallError, Query, SessionEnd, SessionHello, WatchError};
use consensus::env::SharedClock;
use consensus::{Group, NodeId, ProposeError};
use proto::codec;
use routing::entry::Request;
use routing::outcome::DoneWhat;
use routing::view::Lease;
use routing::{Command, DomainId, Epoch, Rejected, Sequence, ShardId, Whereabouts};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

/// The groups of this node, as a leader serves them.
pub(crate) struct Leader {
    pub(crate) shards: ShardTable,
    pub(crate) meta: SharedMeta,
    pub(crate) meta_group: Group,
    pub(crate) clock: SharedClock,
    pub(crate) alarms: Alarms,
    /// Whether commands that panic on purpose are let through.
    pub(crate) allow_panic: bool,
    pub(crate) command_bytes_max: usize,
    pub(crate) seeded: Seeded,
}

fn not_proposed(error: ProposeError) -> PeerAnswer {
    match error {
        ProposeError::NotLeader { leader } => PeerAnswer::NotLeader(leader),
        ProposeError::Overloaded { retry_after_ms } => {
            PeerAnswer::Failed(CallError::Overloaded { retry_after_ms })
        }
        ProposeError::Unknown(why) => PeerAnswer::Failed(CallError::Unknown { why }),
    }
}

fn rejected(rejected: Rejected) -> PeerAnswer {
    PeerAnswer::Failed(CallError::Rejected(rejected))
}

fn bug(what: impl ToString) -> PeerAnswer {
    PeerAnswer::Failed(CallError::Bug(what.to_string()))
}

/// Refuses to tell events of a domain that is on another shard, as this replica knows.
pub(crate) fn check_watched(shard: &ShardRuntime, domain: DomainId) -> Result<(), WatchError> {
    match shard.replica.read().shard.whereabouts(domain) {
        Whereabouts::Gone(_) => Err(WatchError::Moved),
        Whereabouts::Here | Whereabouts::Moving | Whereabouts::Unknown => Ok(()),
    }
}

/// Events of this node's replica, whether it leads or not.
async fn events(
    shard: &ShardRuntime,
    domain: DomainId,
    from: Sequence,
    wait: bool,
) -> Result<EventsPart, WatchError> {
    check_watched(shard, domain)?;
    let watch = shard.events.watch(domain, from)?;
    let (next, present) = (watch.next_sequence(), watch.present());
    let mut changes = shard.events.changes(domain);
    let news = async {
        loop {
            changes.mark_unchanged();
            let events = shard.events.read(domain, next).await?;
            if !events.is_empty() || changes.changed().await.is_err() {
                return Ok(events);
            }
        }
    };
    let events = match wait {
        false => Vec::new(),
        true => tokio::time::timeout(NEWS_MAX, news).await.unwrap_or(Ok(Vec::new()))?,
    };
    Ok(EventsPart { events: events.into_iter().map(Arc::unwrap_or_clone).collect(), next, present })
}

/// Spares the log a command that this replica knows to be for another shard, or for later.
fn check_moves(shard: &ShardRuntime, domain: DomainId) -> Result<(), Rejected> {
    match shard.replica.read().shard.check_here(domain) {
        Err(moves @ (Rejected::Moving | Rejected::Moved { .. })) => Err(moves),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Refuses a command of a level that the shard is not at, before it is in the log: replicas of an earlier
/// release could not read it there.
async fn check_level(shard: &ShardRuntime, command: &Command) -> Result<(), PeerAnswer> {
    if command.level() == routing::level::FIRST {
        return Ok(());
    }
    let level = || shard.replica.read().shard.level();
    if command.level() <= level() {
        return Ok(());
    }
    // Who has just begun to lead may not have applied yet that it rose.
    shard.group.read_barrier().await.map_err(not_proposed)?;
    let level = level();
    if command.level() <= level { Ok(()) } else { Err(rejected(Rejected::Level { level })) }
}

impl Leader {
    /// Answers a call that came from `from`.
    pub(crate) async fn answer(&self, from: NodeId, call: PeerCall) -> PeerAnswer {
        match call {
            PeerCall::Execute { shard, request } => match self.shard(shard) {
                Ok(shard) => self.execute(&shard, *request).await,
                Err(answer) => answer,
            },
            PeerCall::Query { shard, query } => match self.shard(shard) {
                Ok(shard) => self.query(&shard, &query).await,
                Err(answer) => answer,
            },
            PeerCall::Meta(request) => self.meta(&request).await,
            PeerCall::Place(domain) => self.place(domain).await,
            PeerCall::Open { shard, hello, seat } => match self.shard(shard) {
                Ok(shard) => self.open(&shard, from, hello, seat).await,
                Err(answer) => answer,
            },
            PeerCall::Attach { shard, seats } => match self.shard(shard) {
                Ok(shard) => self.attach_all(&shard, from, &seats).await,
                Err(answer) => answer,
            },
            PeerCall::Events { shard, domain, from, wait } => match self.shard(shard) {
                Ok(shard) => PeerAnswer::Events(events(&shard, domain, from, wait).await),
                Err(answer) => answer,
            },
            PeerCall::Members(shard) => match self.shard(shard) {
                Ok(shard) if shard.group.status().leading => {
                    PeerAnswer::Members(shard.group.members().members.into_keys().collect())
                }
                Ok(shard) => PeerAnswer::NotLeader(shard.group.status().leader),
                Err(answer) => answer,
            },
            // Whoever answers for this node as a whole does that.
            PeerCall::OpenReplica { .. } | PeerCall::CloseReplica { .. } | PeerCall::Look => {
                bug("a call to a node came to a leader")
            }
            PeerCall::Status => {
                let shards = self.shards.all();
                let groups = std::iter::once(&self.meta_group).chain(shards.iter().map(|shard| &shard.group));
                PeerAnswer::Status(groups.map(|group| (group.id().0, group.status().applied)).collect())
            }
        }
    }

    fn shard(&self, id: ShardId) -> Result<Arc<ShardRuntime>, PeerAnswer> {
        self.shards.get(id).ok_or(PeerAnswer::NotLeader(None))
    }

    async fn execute(&self, shard: &ShardRuntime, request: Request) -> PeerAnswer {
        if matches!(request.command, Command::Panic { .. }) && !self.allow_panic {
            let why = "this node was not started to allow faults on purpose".to_owned();
            return rejected(Rejected::NotAllowed { why });
        }
        let command = codec::encode(&request);
        if command.len() > self.command_bytes_max {
            let problem = format!("{} bytes, at most {}", command.len(), self.command_bytes_max);
            return rejected(Rejected::Invalid { field: "command".to_owned(), problem });
        }
        if !matches!(request.command, Command::Move(_))
            && let Err(moves) = check_moves(shard, request.domain)
        {
            return rejected(moves);
        }
        if let Err(answer) = check_level(shard, &request.command).await {
            return answer;
        }
        let answer = match shard.group.propose(command).await {
            Ok(answer) => answer,
            Err(error) => {
                if matches!(error, ProposeError::Overloaded { .. }) {
                    shard.counters.overloaded.fetch_add(1, Ordering::Relaxed);
                }
                return not_proposed(error);
            }
        };
        match codec::decode::<ShardAnswer>(&answer) {
            Ok(Ok(Ok(done))) => PeerAnswer::Done(done),
            Ok(Ok(Err(refused))) => rejected(refused),
            Ok(Err(text)) => bug(text),
            Err(error) => bug(error),
        }
    }

    async fn query(&self, shard: &ShardRuntime, query: &Query) -> PeerAnswer {
        if let Err(error) = shard.group.read_barrier().await {
            return not_proposed(error);
        }
        match read(&shard.replica.read().shard, query) {
            Ok(answer) => answer.into(),
            Err(refused) => rejected(refused),
        }
    }

    async fn meta(&self, request: &MetaRequest) -> PeerAnswer {
        // Before it is in the log: replicas of an earlier release could not read it there.
        let level = self.meta.read().unwrap_or_else(PoisonError::into_inner).level();
        if request.command.level() > level {
            return PeerAnswer::Failed(CallError::Rejected(Rejected::Level { level }));
        }
        let answer = match self.meta_group.propose(codec::encode(request)).await {
            Ok(answer) => answer,
            Err(error) => return not_proposed(error),
        };
        match codec::decode::<Result<Result<MetaDone, Rejected>, String>>(&answer) {
            Ok(Ok(Ok(done))) => PeerAnswer::Meta(done),
            Ok(Ok(Err(refused))) => rejected(refused),
            Ok(Err(text)) => bug(text),
            Err(error) => bug(error),
        }
    }

    async fn place(&self, domain: DomainId) -> PeerAnswer {
        if let Err(error) = self.meta_group.read_barrier().await {
            return not_proposed(error);
        }
        let meta = self.meta.read().unwrap_or_else(PoisonError::into_inner);
        PeerAnswer::Place(meta.place(domain).cloned())
    }

    async fn open(&self, shard: &ShardRuntime, from: NodeId, hello: SessionHello, seat: Seat) -> PeerAnswer {
        let epoch = match self.resumed(shard, &hello).await {
            Ok(Some(epoch)) => epoch,
            Ok(None) => {
                let command = Command::OpenSession { agent: hello.agent };
                let domain = hello.agent.domain;
                let request = Request { id: Some(hello.request_id), domain, expected_version: None, command };
                match self.execute(shard, request).await {
                    PeerAnswer::Done(done) => match done.what {
                        DoneWhat::Session(epoch) => epoch,
                        other => return bug(format!("opening a session answered {other:?}")),
                    },
                    failed => return failed,
                }
            }
            Err(answer) => return answer,
        };
        match self.attach(shard, from, seat, epoch) {
            Some(Attached::Yes) => PeerAnswer::Opened(epoch),
            Some(Attached::Ended(_)) => {
                let current = shard.replica.read().shard.agent(hello.agent).map(|view| view.epoch);
                rejected(match current {
                    Some(current) if current == epoch => Rejected::NoLease,
                    Some(current) => Rejected::StaleEpoch { current },
                    None => Rejected::Unknown { kind: "agent".to_owned(), id: hello.agent.to_string() },
                })
            }
            Some(Attached::TryAgain) | None => PeerAnswer::NotLeader(None),
            Some(Attached::Moved(to)) => rejected(Rejected::Moved { to }),
        }
    }

    /// The epoch of a session that goes on, if it is still the agent's present one.
    async fn resumed(&self, shard: &ShardRuntime, hello: &SessionHello) -> Result<Option<Epoch>, PeerAnswer> {
        if hello.epoch.is_none() && hello.cursor.is_none() {
            return Ok(None);
        }
        shard.group.read_barrier().await.map_err(not_proposed)?;
        let replica = shard.replica.read();
        replica.shard.check_here(hello.agent.domain).map_err(rejected)?;
        let last = replica.shard.domain(hello.agent.domain).map(|domain| domain.sequence);
        if let (Some(cursor), Some(last)) = (hello.cursor, last)
            && cursor > last
        {
            self.alarms.raise(format!(
                "the desk of {} says it saw event {}, the log of {} ends at {}: acknowledged work may be lost, \
                 compare with the other nodes before anything else",
                hello.agent, cursor.0, hello.agent.domain, last.0
            ));
        }
        let agent = replica.shard.agent(hello.agent);
        Ok(agent
            .filter(|view| view.lease == Lease::Live)
            .map(|view| view.epoch)
            .filter(|epoch| Some(*epoch) == hello.epoch || self.seeded.has(SeededBug::ResumeIgnoresEpoch)))
    }

    async fn attach_all(&self, shard: &ShardRuntime, from: NodeId, seats: &[(Seat, Epoch)]) -> PeerAnswer {
        // A desk's first picture is a read: one who was deposed and has not heard of it must not show what it
        // had, to a desk that has seen more already.
        if let Err(error) = shard.group.read_barrier().await {
            return not_proposed(error);
        }
        let attached = seats.iter().map(|(seat, epoch)| self.attach(shard, from, *seat, *epoch));
        match attached.collect() {
            Some(attached) => PeerAnswer::Attached(attached),
            None => PeerAnswer::NotLeader(shard.group.leadership().borrow().leader),
        }
    }

    /// `None` if this node does not lead.
    fn attach(&self, shard: &ShardRuntime, from: NodeId, seat: Seat, epoch: Epoch) -> Option<Attached> {
        let leadership = *shard.group.leadership().borrow();
        if !leadership.leading {
            return None;
        }
        let replica = shard.replica.read();
        match replica.shard.whereabouts(seat.agent.domain) {
            Whereabouts::Here | Whereabouts::Unknown => {}
            Whereabouts::Moving => return Some(Attached::TryAgain),
            Whereabouts::Gone(to) => return Some(Attached::Moved(to)),
        }
        let agent = replica.shard.agent(seat.agent);
        drop(replica);
        let Some(agent) = agent else { return Some(Attached::Ended(SessionEnd::AgentDeleted)) };
        if agent.epoch < epoch {
            return Some(Attached::TryAgain);
        }
        if agent.epoch > epoch {
            let logged_out = agent.lease == Lease::None;
            let end = if logged_out { SessionEnd::LoggedOut } else { SessionEnd::Replaced };
            return Some(Attached::Ended(end));
        }
        if agent.lease != Lease::Live {
            return Some(Attached::Ended(SessionEnd::LeaseLost));
        }
        if !shard.desks.attach(seat, epoch, from, leadership.term) {
            return Some(Attached::TryAgain);
        }
        shard.leases.heard(seat.agent, epoch, from, self.clock.monotonic_us());
        Some(Attached::Yes)
    }
}
