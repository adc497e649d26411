//! Building a node's engine.

use crate::alarms::Alarms;
use crate::engine::Inner;
use crate::front::Front;
use crate::handler::Handler;
use crate::leader::Leader;
use crate::membership::{Mover, Tender};
use crate::meta::{MetaMachine, MetaState, SharedMeta};
use crate::post::Post;
use crate::router::Router;
use crate::seeded::Seeded;
use crate::shard::{Replicas, ShardTable};
use crate::tree::{NodeActor, NodeArguments, NodeMessage};
use crate::{Engine, EngineConfig, StartError};
use consensus::{About, Consensus, GroupId, Leadership, StateMachine, World};
use ractor::{Actor, ActorRef};
use routing::ShardId;
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
        let about = About { level: config.level, zone: config.zone.clone() };
        let consensus_config = consensus::Config { about: about.clone(), ..consensus_config };
        let seeded = Seeded::of(&config);
        let clock = world.clock.clone();
        let alarms = Alarms::new(clock.clone());
        let meta: SharedMeta = Arc::new(RwLock::new(MetaState::new(consensus_config.shards)));
        let first_session = world.entropy.next_u64() << SESSION_COUNT_BITS;
        let stop = CancellationToken::new();
        let replicas = Arc::new(Replicas {
            node: consensus_config.node,
            config: config.clone(),
            disk: world.disk.clone(),
            clock: clock.clone(),
            alarms: alarms.clone(),
            counters: Arc::default(),
            seeded,
            first_session,
            events: consensus_config.data.join("events"),
            table: ShardTable::default(),
            stop: stop.clone(),
            changing: tokio::sync::Mutex::default(),
        });
        let mut parts = BTreeMap::new();

        // The machines are asked for when the data folder is locked, so that only one process
        // touches the event stores.
        let machine = |group: GroupId| -> Box<dyn StateMachine> {
            if group == GroupId::META {
                return Box::new(MetaMachine::new(meta.clone(), config.level));
            }
            let (part, machine) = replicas.make(ShardId(group.0));
            parts.insert(group, part);
            Box::new(machine)
        };
        let consensus = Consensus::start(consensus_config.clone(), world.clone(), machine).await?;
        for (id, part) in parts {
            let Some(group) = consensus.group(id) else { continue };
            if let Err(error) = replicas.take(ShardId(id.0), part, group, &consensus).await {
                consensus.stop().await;
                return Err(error);
            }
        }
        let shards = replicas.table.clone();
        let meta_group = consensus
            .group(GroupId::META)
            .ok_or_else(|| StartError::Config("consensus runs without a meta group".to_owned()))?;

        let front = Arc::new(Front::new(
            all_shards(&consensus_config),
            config.session_messages_max,
            first_session,
            seeded,
        ));
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
        let router = Router {
            this,
            peers: peers.clone(),
            consensus: consensus.clone(),
            leader: Arc::new(leader),
            stop: stop.clone(),
        };
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
        let mover = Mover {
            router: router.clone(),
            meta: meta.clone(),
            shards: shards.clone(),
            clock: clock.clone(),
            entropy: world.entropy.clone(),
            moving: Arc::default(),
        };
        let tender = Tender {
            this,
            consensus: consensus.clone(),
            meta,
            clock: clock.clone(),
            entropy: world.entropy.clone(),
            alarms: alarms.clone(),
            lost_after: config.lost_after,
            shards: consensus_config.shards,
            about,
            replicas: shards.clone(),
            seeded,
            mover,
        };
        let inner = Arc::new(Inner {
            config,
            consensus_config,
            consensus,
            clock,
            entropy: world.entropy,
            alarms,
            shards,
            replicas,
            router,
            front,
            calls,
            node,
            stop,
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
        for shard in all_shards(&self.consensus_config) {
            if let Some(leader) = self.consensus.leader(GroupId(shard.0)) {
                self.spawn(follow_leadership(shard, leader, self.front.clone(), self.node.clone()));
            }
            self.spawn(self.front.clone().keep_attached(shard, self.router.clone(), lease));
        }
        let every = lease / BEATS_PER_LEASE;
        let beat = self.front.clone().beat(self.router.clone(), self.shards.clone(), every);
        self.spawn(beat);
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.stop.clone().run_until_cancelled_owned(task));
    }
}

/// The shards of the cluster, wherever their replicas are.
fn all_shards(config: &consensus::Config) -> impl Iterator<Item = ShardId> + use<> {
    (1..=config.shards).map(ShardId)
}

/// Tells the actors and the sessions of this node who leads a shard.
async fn follow_leadership(
    shard: ShardId,
    mut leadership: watch::Receiver<Leadership>,
    front: Arc<Front>,
    node: ActorRef<NodeMessage>,
) {
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
