//! Building a node's engine.

use crate::alarms::Alarms;
use crate::engine::Inner;
use crate::events::EventStore;
use crate::front::Front;
use crate::handler::Handler;
use crate::leader::Leader;
use crate::membership::Tender;
use crate::meta::{MetaMachine, MetaState, SharedMeta};
use crate::post::Post;
use crate::router::Router;
use crate::seeded::Seeded;
use crate::shard::{Counters, Desks, Leases, Parts, ShardMachine, ShardRuntime, SharedReplica};
use crate::tree::{NodeActor, NodeArguments, NodeMessage};
use crate::{Engine, EngineConfig, StartError};
use consensus::{Consensus, Group, GroupId, Leadership, StateMachine, World};
use ractor::{Actor, ActorRef};
use routing::{Shard, ShardId};
use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// A beat every so many parts of a lease, so that one may be lost and another be late.
const BEATS_PER_LEASE: u32 = 5;
/// Bits of a session's number that count; the ones above differ from run to run.
const SESSION_COUNT_BITS: u32 = 32;

impl Engine {
    /// Opens what the node has on disk, joins the other nodes and starts the actors.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(
        config: EngineConfig,
        consensus_config: consensus::Config,
        world: World,
    ) -> Result<Engine, StartError> {
        config.check().map_err(StartError::Config)?;
        let seeded = Seeded::of(&config);
        let clock = world.clock.clone();
        let alarms = Alarms::new(clock.clone());
        let meta: SharedMeta = Arc::new(RwLock::new(MetaState::new(consensus_config.shards)));
        let lease_us = u64::try_from(config.lease.as_micros()).unwrap_or(u64::MAX);
        let mut parts = BTreeMap::new();
        let first_session = world.entropy.next_u64() << SESSION_COUNT_BITS;

        // The machines are asked for when the data folder is locked, so that only one process
        // touches the event stores.
        let machine = |group: GroupId| -> Box<dyn StateMachine> {
            if group == GroupId::META {
                return Box::new(MetaMachine::new(meta.clone()));
            }
            let id = ShardId(group.0);
            let folder = consensus_config.data.join("events").join(id.to_string());
            let part = Parts {
                replica: SharedReplica::new(Shard::new(id), config.planted),
                events: EventStore::begin(world.disk.clone(), folder, config.events.clone(), alarms.clone()),
                desks: Arc::new(Desks::new(seeded, first_session)),
                leases: Arc::new(Leases::new(lease_us)),
                subscribers: Arc::default(),
            };
            let machine =
                ShardMachine::new(consensus_config.node, &part, clock.clone(), alarms.clone(), &config);
            parts.insert(id, part);
            Box::new(machine)
        };
        let consensus = Consensus::start(consensus_config.clone(), world.clone(), machine).await?;
        for (id, part) in &parts {
            if let Err(error) = part.events.opened().await {
                consensus.stop().await;
                return Err(StartError::Events(error));
            }
            for (domain, from, to) in part.events.lacking() {
                tracing::warn!(
                    shard = %id, %domain, from = from.0, to = to.0,
                    "this node does not have these events, as after a snapshot from the leader: watch them at another node"
                );
                if let Some(probe) = &config.probe {
                    probe.events_lacking(consensus_config.node, *id, domain, (from, to));
                }
            }
        }
        let counters = Arc::new(Counters::default());
        let runtime = |(id, part): (ShardId, Parts)| {
            let group = consensus.group(GroupId(id.0))?;
            let Parts { replica, events, desks, leases, subscribers } = part;
            let counters = counters.clone();
            let shard =
                ShardRuntime { id, group, replica, events, desks, leases, subscribers, counters, seeded };
            Some((id, Arc::new(shard)))
        };
        let shards: BTreeMap<ShardId, Arc<ShardRuntime>> = parts.into_iter().filter_map(runtime).collect();
        let meta_group = consensus
            .group(GroupId::META)
            .ok_or_else(|| StartError::Config("consensus runs without a meta group".to_owned()))?;

        let front =
            Arc::new(Front::new(shards.keys().copied(), config.session_messages_max, first_session, seeded));
        let (this, peers) = (consensus_config.node, consensus.peers());
        let leader = Leader {
            shards: shards.clone(),
            meta: meta.clone(),
            meta_group,
            clock: clock.clone(),
            alarms: alarms.clone(),
            allow_panic: config.allow_panic,
            command_bytes_max: consensus_config.limits.command_bytes,
            seeded,
        };
        let router = Router { this, peers: peers.clone(), leader: Arc::new(leader) };
        let post = Post { this, peers, front: front.clone() };
        let arguments = NodeArguments {
            shards: shards.clone(),
            post: post.clone(),
            clock: clock.clone(),
            alarms: alarms.clone(),
            speed: consensus_config.speed,
            router: router.clone(),
        };
        let (node, _) = NodeActor::spawn(None, NodeActor, arguments)
            .await
            .map_err(|error| StartError::Config(format!("the node's actor does not start: {error}")))?;
        let calls = Semaphore::new(config.calls_max);
        let tender = Tender {
            this,
            consensus: consensus.clone(),
            meta,
            clock: clock.clone(),
            entropy: world.entropy.clone(),
            alarms: alarms.clone(),
            lost_after: config.lost_after,
        };
        let inner = Arc::new(Inner {
            config,
            consensus_config,
            consensus,
            clock,
            entropy: world.entropy,
            alarms,
            shards,
            router,
            front,
            counters,
            calls,
            node,
            stop: CancellationToken::new(),
        });
        inner.consensus.set_handler(Arc::new(Handler(Arc::downgrade(&inner))));
        inner.run(tender);
        Ok(Engine { inner })
    }
}

impl Inner {
    /// Starts what goes on as long as the engine lives.
    fn run(&self, tender: Tender) {
        self.spawn(tender.run());
        let lease = self.config.lease;
        for shard in self.shards.values() {
            let follow = follow_leadership(shard.group.clone(), self.front.clone(), self.node.clone());
            self.spawn(follow);
            self.spawn(self.front.clone().keep_attached(shard.id, self.router.clone(), lease));
            self.spawn(stop_without_events(shard.events.clone(), self.consensus.clone()));
        }
        let (this, peers) = (self.router.this, self.router.peers.clone());
        let every = lease / BEATS_PER_LEASE;
        let beat = self.front.clone().beat(this, peers, self.shards.clone(), self.clock.clone(), every);
        self.spawn(beat);
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.stop.clone().run_until_cancelled_owned(task));
    }
}

/// A node that stores no events would go on, and those who watch at it would wait for ever.
async fn stop_without_events(events: EventStore, consensus: Arc<Consensus>) {
    consensus.fail(events.failed().await);
}

/// Tells the actors and the sessions of this node who leads a shard.
async fn follow_leadership(group: Group, front: Arc<Front>, node: ActorRef<NodeMessage>) {
    let shard = ShardId(group.id().0);
    let mut leadership: watch::Receiver<Leadership> = group.leadership();
    let mut leads = None;
    loop {
        let now = *leadership.borrow_and_update();
        // By term: between two looks another node may have led, and this one been elected again.
        let term = now.leading.then_some(now.term);
        if term != leads {
            leads = term;
            let _ = node.cast(NodeMessage::Leads(shard, term));
        }
        front.leader_changed(shard, now.term, now.leader);
        if leadership.changed().await.is_err() {
            return;
        }
    }
}
