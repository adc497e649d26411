//! The meta group's place in replication.

use super::state::{MetaOutcome, MetaRequest, MetaState};
use consensus::{Batch, BatchPosition, StateMachine};
use futures::FutureExt;
use futures::future::BoxFuture;
use proto::codec;
use std::sync::{Arc, PoisonError, RwLock};

/// The meta group's state on this node.
pub(crate) type SharedMeta = Arc<RwLock<MetaState>>;

pub(crate) struct MetaMachine {
    state: SharedMeta,
}

impl MetaMachine {
    pub(crate) fn new(state: SharedMeta) -> Self {
        Self { state }
    }
}

impl StateMachine for MetaMachine {
    fn apply(&mut self, at: BatchPosition, batch: &Batch) -> Vec<Vec<u8>> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.index = Some(at.index);
        let mut answer = |command: &Vec<u8>| -> Result<MetaOutcome, String> {
            let request: MetaRequest = codec::decode(command).map_err(|error| error.to_string())?;
            Ok(state.apply(request, batch.time_us, batch.wall_ms))
        };
        batch.commands.iter().map(|command| codec::encode(&answer(command))).collect()
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
        restored.index = Some(at.index);
        *state = restored;
        Ok(())
    }

    fn log_time_us(&self) -> u64 {
        self.state.read().unwrap_or_else(PoisonError::into_inner).log_time_us
    }
}
