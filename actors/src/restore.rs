//! The cluster's own group made again from a backup, offline.

use crate::export::META;
use crate::meta::{MetaMachine, MetaState, SharedMeta, hash_of};
use crate::{Account, PlacedDomain};
use consensus::{Batch, BatchPosition, GroupId, NodeId, StateMachine};
use proto::log_file::{Item, LogFileError, LogReader};
use routing::{DomainId, ShardId, level};
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, PoisonError, RwLock};

/// Why the cluster's own group cannot be made again.
#[derive(Debug, thiserror::Error)]
pub enum MetaReplayError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] LogFileError),
    /// The files are not of one log, in order.
    #[error("{0}")]
    Order(String),
    /// The snapshot or a command does not decode.
    #[error("{what} does not decode: {why}; use build {version}")]
    Undecodable {
        /// Which.
        what: String,
        /// Why.
        why: String,
        /// The build that exported it.
        version: String,
    },
    /// The state is another than the node's.
    #[error("the state after index {index} differs: the node had {expected:016x}, here it is {found:016x}")]
    Differs {
        /// The index.
        index: u64,
        /// The node's hash.
        expected: u64,
        /// The hash here.
        found: u64,
    },
}

/// Accounts, domains and where they are, as files of the group's log say.
pub struct MetaReplay {
    state: SharedMeta,
    machine: MetaMachine,
    /// Index and term of the last entry.
    at: Option<(u64, u64)>,
}

impl MetaReplay {
    /// Of a cluster with so many shards, before its first entry.
    #[must_use]
    pub fn new(shards: u32) -> Self {
        let state: SharedMeta = Arc::new(RwLock::new(MetaState::new(shards)));
        Self { machine: MetaMachine::new(state.clone(), level::REHEARSAL), state, at: None }
    }

    /// Applies the next file, as long as `goes_on` says so of an entry's index and the wall time of
    /// its batch (Unix milliseconds), if it is one; whether it went to the file's end.
    ///
    /// # Errors
    /// See [`MetaReplayError`].
    pub fn apply(
        &mut self,
        from: impl Read,
        goes_on: impl Fn(u64, Option<u64>) -> bool,
    ) -> Result<bool, MetaReplayError> {
        let mut reader = LogReader::open(from)?;
        let header = reader.header().clone();
        let follows = reader.goes_on() && self.at.is_some_and(|(index, _)| index + 1 == header.first);
        if header.shard != META.0 || (reader.goes_on() || self.at.is_some()) && !follows {
            let what =
                format!("entries from {} of {} do not go on here", header.first, ShardId(header.shard));
            return Err(MetaReplayError::Order(what));
        }
        let undecodable = |what: String, why: String| MetaReplayError::Undecodable {
            what,
            why,
            version: header.version.clone(),
        };
        if let Some(snapshot) = reader.take_snapshot() {
            let (index, term) = (snapshot.head.index, snapshot.head.term);
            same(index, snapshot.head.hash, hash_of(&snapshot.data))?;
            self.machine
                .restore(position(index, term), &snapshot.data)
                .map_err(|why| undecodable(format!("the snapshot after {index}"), why))?;
            self.at = Some((index, term));
        }
        while let Some(item) = reader.next_item()? {
            match item {
                Item::Batch(batch) if !goes_on(batch.index, Some(batch.wall_ms)) => return Ok(false),
                Item::Passed { index, .. } if !goes_on(index, None) => return Ok(false),
                Item::Batch(batch) => {
                    let (index, term) = (batch.index, batch.term);
                    let commands = batch.commands.iter().map(|command| command.to_vec()).collect();
                    let batch = Batch { time_us: batch.time_us, wall_ms: batch.wall_ms, commands };
                    self.machine
                        .apply(position(index, term), &batch)
                        .map_err(|why| undecodable(format!("a command of index {index}"), why))?;
                    self.at = Some((index, term));
                }
                Item::Passed { index, term } => {
                    self.machine.passed(position(index, term));
                    self.at = Some((index, term));
                }
                Item::StateHash { index, hash, .. } => same(index, hash, self.hash())?,
            }
        }
        Ok(true)
    }

    /// Index and term of the last entry; none before the first.
    #[must_use]
    pub fn at(&self) -> Option<(u64, u64)> {
        self.at
    }

    /// Hash of the state, as the nodes have it.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.state().hash()
    }

    /// All accounts.
    #[must_use]
    pub fn accounts(&self) -> Vec<Account> {
        self.state().accounts()
    }

    /// All domains and where they are.
    #[must_use]
    pub fn domains(&self) -> Vec<PlacedDomain> {
        self.state().domains()
    }

    /// The state of a new cluster that has what this one had, with one node and domains where they were
    /// found; encoded as the group's snapshots are.
    #[must_use]
    pub fn reborn(&self, founder: NodeId, address: &str, places: &BTreeMap<DomainId, ShardId>) -> Vec<u8> {
        let mut state = self.state();
        state.reborn(founder, address, places);
        state.encode()
    }

    fn state(&self) -> MetaState {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn position(index: u64, term: u64) -> BatchPosition {
    BatchPosition { group: GroupId::META, index, term }
}

fn same(index: u64, expected: u64, found: u64) -> Result<(), MetaReplayError> {
    if expected == found { Ok(()) } else { Err(MetaReplayError::Differs { index, expected, found }) }
}
