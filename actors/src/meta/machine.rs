//! The meta group's place in replication.

use super::state::{MetaCommand, MetaOutcome, MetaRequest, MetaState};
use crate::shard::unreadable;
use consensus::{Batch, BatchPosition, StateMachine};
use futures::FutureExt;
use futures::future::BoxFuture;
use proto::codec;
use routing::level;
use std::sync::{Arc, PoisonError, RwLock};

/// The meta group's state on this node.
pub(crate) type SharedMeta = Arc<RwLock<MetaState>>;

pub(crate) struct MetaMachine {
    state: SharedMeta,
    /// The highest level that this node knows.
    knows: u32,
}

impl MetaMachine {
    pub(crate) fn new(state: SharedMeta, knows: u32) -> Self {
        Self { state, knows }
    }
}

impl StateMachine for MetaMachine {
    fn apply(&mut self, at: BatchPosition, batch: &Batch) -> Result<Vec<Vec<u8>>, String> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.index = Some(at.index);
        let answer = |command: &Vec<u8>| -> Result<Vec<u8>, String> {
            let request: MetaRequest =
                codec::decode(command).map_err(|error| unreadable(&error.to_string()))?;
            if let MetaCommand::SetLevel { level } = request.command {
                level::check(level, self.knows).map_err(|error| error.to_string())?;
            }
            let outcome = state.apply(request, batch.time_us, batch.wall_ms);
            Ok(codec::encode(&Result::<MetaOutcome, String>::Ok(outcome)))
        };
        batch.commands.iter().map(answer).collect()
    }

    fn passed(&mut self, at: BatchPosition) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).index = Some(at.index);
    }

    fn snapshot(&mut self) -> BoxFuture<'static, std::io::Result<Vec<u8>>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner).clone();
        async move { Ok(state.encode()) }.boxed()
    }

    fn restore(&mut self, at: BatchPosition, snapshot: &[u8]) -> Result<(), String> {
        let mut restored = MetaState::decode(snapshot).map_err(|error| error.to_string())?;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if restored.shards() != state.shards() {
            return Err(format!(
                "the cluster was born with {} shards, the configuration says {}: set it back",
                restored.shards(),
                state.shards()
            ));
        }
        level::check(restored.level(), self.knows).map_err(|error| error.to_string())?;
        restored.index = Some(at.index);
        *state = restored;
        Ok(())
    }

    fn log_time_us(&self) -> u64 {
        self.state.read().unwrap_or_else(PoisonError::into_inner).log_time_us
    }
}
