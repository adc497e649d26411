//! How a node takes part.

use crate::api::{GroupId, NodeId};
use crate::disk::SharedDisk;
use crate::env::{SharedClock, SharedEntropy};
use crate::figures::Figures;
use crate::transport::{PART_BYTES_MAX, SharedDial};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Fastest log time, per real time.
pub const SPEED_MAX: u32 = 10_000;
/// Most shards; the meta group comes on top.
pub const SHARDS_MAX: u32 = 1_024;
/// Most members that found a cluster together.
pub const MEMBERS_MAX: usize = 9;

/// The feature level of builds that say nothing of levels.
pub const LEVEL_FIRST: u32 = 1;
/// From this feature level on, nodes take snapshots in parts.
pub const LEVEL_PARTS: u32 = 5;
/// Longest zone in bytes.
pub const ZONE_BYTES_MAX: usize = 100;

/// Most nodes of a cluster.
pub const NODES_MAX: usize = 64;

/// What a node says of itself when it introduces itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The highest feature level that its build knows, from [`LEVEL_FIRST`].
    pub level: u32,
    /// What it shares its fate with (a rack, an availability zone): up to [`ZONE_BYTES_MAX`] letters, digits,
    /// `.`, `_`, `/` and `-`; empty where that is not said.
    pub zone: String,
}

impl Default for About {
    fn default() -> Self {
        About { level: LEVEL_FIRST, zone: String::new() }
    }
}

/// Whether a text can be a zone: see [`About::zone`].
#[must_use]
pub fn is_zone(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
    text.len() <= ZONE_BYTES_MAX && text.bytes().all(good)
}

/// What a node is told about the cluster and itself.
#[derive(Debug, Clone)]
pub struct Config {
    /// This node, from 1; must be among the members.
    pub node: NodeId,
    /// Any text that differs between clusters. Nodes and data of another cluster are refused.
    pub cluster_id: String,
    /// The members this node is told of at its start, with the address (`host:port`) their peers
    /// reach them at. Who they are later is in the groups' logs, which go before this.
    pub members: BTreeMap<NodeId, String>,
    /// Whether these members found the cluster: then this list is the same on all of them, and
    /// they vote in every group at first. A node that joins a cluster founds nothing and waits
    /// until the others have taken it in.
    pub founding: bool,
    /// Shards, 1 to [`SHARDS_MAX`]: groups 1 to this number, besides the meta group. The same on
    /// every node, fixed when the cluster is born.
    pub shards: u32,
    /// Folder of this node's log and snapshots.
    pub data: PathBuf,
    /// Raft's timers; real time always.
    pub timing: Timing,
    /// Log time per real time, 1 to [`SPEED_MAX`]; the same on every node. Above 1 only for
    /// demonstrations and load tests: log time then leaves the wall clock.
    pub speed: u32,
    /// What peers are told of this node.
    pub about: About,
    /// Bounds.
    pub limits: Limits,
    /// Where what happens is counted.
    pub figures: Arc<Figures>,
    /// A mistake on purpose, for proofs of the cluster simulator.
    #[cfg(feature = "seeded-bugs")]
    pub seeded_bug: Option<crate::SeededBug>,
}

impl Config {
    /// A configuration with the usual timers and bounds.
    #[must_use]
    pub fn new(
        node: NodeId,
        cluster_id: impl Into<String>,
        members: BTreeMap<NodeId, String>,
        shards: u32,
        data: impl Into<PathBuf>,
    ) -> Config {
        Config {
            node,
            cluster_id: cluster_id.into(),
            members,
            shards,
            data: data.into(),
            founding: true,
            timing: Timing::default(),
            speed: 1,
            about: About::default(),
            limits: Limits::default(),
            figures: Arc::default(),
            #[cfg(feature = "seeded-bugs")]
            seeded_bug: None,
        }
    }

    /// All groups, the meta group first.
    pub fn groups(&self) -> impl Iterator<Item = GroupId> + use<> {
        (0..=self.shards).map(GroupId)
    }

    /// The founder that should lead a group first, so that leaders are spread.
    pub(crate) fn first_leader(&self, group: GroupId) -> NodeId {
        let position = group.0 as usize % self.members.len().max(1);
        self.members.keys().nth(position).copied().unwrap_or(self.node)
    }

    pub(crate) fn check(&self) -> Result<(), StartError> {
        let refuse = |text: String| Err(StartError::Config(text));
        let most = if self.founding { MEMBERS_MAX } else { NODES_MAX };
        if self.members.is_empty() || self.members.len() > most {
            return refuse(format!("{} members: 1 to {most} are possible", self.members.len()));
        }
        if self.members.contains_key(&NodeId(0)) {
            return refuse("node ids start at 1".into());
        }
        if !self.members.contains_key(&self.node) {
            return refuse(format!("{} is not in the list of members", self.node));
        }
        if self.shards == 0 || self.shards > SHARDS_MAX {
            return refuse(format!("{} shards: 1 to {SHARDS_MAX} are possible", self.shards));
        }
        if self.speed == 0 || self.speed > SPEED_MAX {
            return refuse(format!("speed {}: 1 to {SPEED_MAX} are possible", self.speed));
        }
        if self.cluster_id.is_empty() || self.cluster_id.len() > 200 {
            return refuse("the cluster's id must have 1 to 200 bytes".into());
        }
        if !is_zone(&self.about.zone) {
            let most = ZONE_BYTES_MAX;
            return refuse(format!("zone '{}': up to {most} letters, digits, . _ / and -", self.about.zone));
        }
        self.timing.check()?;
        self.limits.check()
    }
}

/// Raft's timers, in real milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// The leader's heartbeat.
    pub heartbeat_ms: u64,
    /// A follower waits at least this long without a heartbeat before it asks for votes.
    pub election_min_ms: u64,
    /// And at most this long; it is also how long a leader's lease lasts, so keep both close.
    pub election_max_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self { heartbeat_ms: 100, election_min_ms: 300, election_max_ms: 400 }
    }
}

impl Timing {
    fn check(self) -> Result<(), StartError> {
        let Timing { heartbeat_ms, election_min_ms, election_max_ms } = self;
        if heartbeat_ms == 0 || election_min_ms < 2 * heartbeat_ms || election_max_ms <= election_min_ms {
            return Err(StartError::Config(format!(
                "timers: heartbeat {heartbeat_ms} ms, election {election_min_ms} to {election_max_ms} ms: \
                 the election's minimum must be at least twice the heartbeat, its maximum above its minimum"
            )));
        }
        Ok(())
    }
}

/// Bounds on everything that queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Commands of one group proposed and not yet answered; more are refused as overloaded.
    pub pending_commands: usize,
    /// Commands in one batch.
    pub batch_commands: usize,
    /// Bytes of commands in one batch; a larger single command still goes alone.
    pub batch_bytes: usize,
    /// Largest command in bytes.
    pub command_bytes: usize,
    /// Batches of one group that are appended and not yet committed.
    pub batches_in_flight: usize,
    /// Largest message between nodes other than a snapshot, in bytes.
    pub message_bytes: usize,
    /// Largest snapshot in bytes.
    pub snapshot_bytes: usize,
    /// Bytes of a snapshot that are sent as one part, up to a frame's (some 128 KiB). What of a part has come
    /// when a link breaks is sent again.
    pub snapshot_part_bytes: usize,
    /// Entries of a group between two snapshots. Each group adds up to half of it at random, so
    /// that they do not all write at once.
    pub snapshot_entries: u64,
    /// Bytes after which the log begins a new file, up to 1 GiB. Files go when all entries in them are in snapshots.
    pub log_segment_bytes: u64,
    /// Calls from one peer that are being answered; more are refused as unreachable.
    pub calls_per_peer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pending_commands: 8_192,
            batch_commands: 512,
            batch_bytes: 1 << 20,
            command_bytes: 4 << 20,
            batches_in_flight: 4,
            message_bytes: 64 << 20,
            snapshot_bytes: 4 << 30,
            snapshot_part_bytes: PART_BYTES_MAX,
            snapshot_entries: 20_000,
            log_segment_bytes: 64 << 20,
            calls_per_peer: 4_096,
        }
    }
}

impl Limits {
    fn check(self) -> Result<(), StartError> {
        let least = [
            self.pending_commands,
            self.batch_commands,
            self.batch_bytes,
            self.command_bytes,
            self.batches_in_flight,
            self.calls_per_peer,
            self.snapshot_part_bytes,
            usize::try_from(self.snapshot_entries).unwrap_or(usize::MAX),
            usize::try_from(self.log_segment_bytes).unwrap_or(usize::MAX),
        ];
        if least.contains(&0) {
            return Err(StartError::Config("no limit may be 0".into()));
        }
        if self.snapshot_part_bytes > PART_BYTES_MAX {
            return Err(StartError::Config(format!("a part of a snapshot has up to {PART_BYTES_MAX} bytes")));
        }
        if self.message_bytes < 4 * self.command_bytes.max(self.batch_bytes) {
            return Err(StartError::Config(
                "the largest message must hold four batches or commands of the largest size".into(),
            ));
        }
        Ok(())
    }
}

/// What a node is built on.
#[derive(Clone)]
pub struct World {
    /// Time.
    pub clock: SharedClock,
    /// Randomness.
    pub entropy: SharedEntropy,
    /// Files.
    pub disk: SharedDisk,
    /// Connections to peers; [`TcpDial`](crate::TcpDial) outside of tests.
    pub dial: SharedDial,
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is wrong.
    #[error("configuration: {0}")]
    Config(String),
    /// The data folder cannot be used; the message says what to do.
    #[error("data folder {folder}: {error}")]
    Data {
        /// Which.
        folder: PathBuf,
        /// Why.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A group did not start.
    #[error("{group}: {text}")]
    Group {
        /// Which.
        group: GroupId,
        /// Why.
        text: String,
    },
}
