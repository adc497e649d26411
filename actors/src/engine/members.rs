//! Who belongs to the cluster, where domains are, how many replicas and which level: decided by the meta group.

use super::{Engine, FOUNDING_LOOK};
use crate::meta::{MetaCommand, MetaDone};
use crate::{CallError, Joined};
use consensus::NodeId;
use routing::{DomainId, RequestId, ShardId};
use std::time::Duration;

impl Engine {
    /// Takes a node into the cluster. With the same `nonce`, a number that the node has drawn and
    /// keeps: the same node. It is a member of every group soon after it runs.
    ///
    /// # Errors
    /// See [`CallError`]; `Rejected` when another node is at the address.
    pub async fn join(&self, nonce: u128, address: String, deadline: Duration) -> Result<Joined, CallError> {
        let _permit = self.inner.admit()?;
        let until = tokio::time::Instant::now() + deadline;
        loop {
            // A request of its own each time: what is refused now may be taken later.
            let id = self.new_request_id();
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            let command = MetaCommand::Join { nonce, address: address.clone() };
            match self.inner.meta(id, command, left).await? {
                MetaDone::Joined { node, members } => {
                    let config = &self.inner.consensus_config;
                    let (cluster, shards, speed) = (config.cluster_id.clone(), config.shards, config.speed);
                    return Ok(Joined { node, cluster, shards, speed, members });
                }
                MetaDone::Unfounded => tokio::time::sleep(FOUNDING_LOOK).await,
                other => return Err(CallError::Bug(format!("joining answered {other:?}"))),
            }
        }
    }

    /// Has a node leave all groups: others lead and vote in its place, then it is no member any more
    /// and stops. Returns when that is decided; [`Engine::cluster`] shows how far it is. A node that
    /// is dead for good leaves the same way. Again: the same.
    ///
    /// # Errors
    /// See [`CallError`]; `Rejected` for an unknown node, and for the last one.
    pub async fn remove_node(
        &self,
        request_id: RequestId,
        node: NodeId,
        deadline: Duration,
    ) -> Result<(), CallError> {
        self.decide(request_id, MetaCommand::Leave { node }, deadline).await
    }

    /// Has a node lead nothing as long as others can, or lets it lead again. It stays a member, with all its
    /// replicas. Returns when that is decided; [`Engine::cluster`] shows how far it is. Again: the same.
    ///
    /// # Errors
    /// See [`CallError`]; `Rejected` for an unknown node, for the last one that may lead, and in a cluster
    /// whose level does not know of this.
    pub async fn drain_node(
        &self,
        request_id: RequestId,
        node: NodeId,
        drained: bool,
        deadline: Duration,
    ) -> Result<(), CallError> {
        self.decide(request_id, MetaCommand::Drain { node, drained }, deadline).await
    }

    /// Says how many replicas every shard should have, as far as there are nodes: 1, 3 or 5. Returns when
    /// that is decided; [`Engine::cluster_with_lag`] shows how far it is.
    ///
    /// # Errors
    /// See [`CallError`]; `Rejected` for another number.
    pub async fn set_replicas(
        &self,
        request_id: RequestId,
        replicas: u8,
        deadline: Duration,
    ) -> Result<(), CallError> {
        self.decide(request_id, MetaCommand::SetReplicas { replicas }, deadline).await
    }

    /// The feature level that the cluster runs at, as this node knows.
    #[must_use]
    pub fn level(&self) -> u32 {
        self.inner.meta_state().level()
    }

    /// Says whether the cluster stays at its feature level though all nodes know a higher one. It can be
    /// given back to the release before as long as it does.
    ///
    /// # Errors
    /// See [`CallError`]; `Rejected` in a cluster whose level does not know of this.
    pub async fn hold_level(
        &self,
        request_id: RequestId,
        hold: bool,
        deadline: Duration,
    ) -> Result<(), CallError> {
        self.decide(request_id, MetaCommand::HoldLevel { hold }, deadline).await
    }

    /// Has a domain move to another shard while it works. Returns when that is decided;
    /// [`Engine::cluster`] shows how far it is. Again, or where it is there already: nothing.
    ///
    /// # Errors
    /// See [`CallError`]; `Rejected` for an unknown domain or shard, and while one of the two shards takes
    /// part in another move.
    pub async fn move_domain(
        &self,
        request_id: RequestId,
        domain: DomainId,
        to: ShardId,
        deadline: Duration,
    ) -> Result<(), CallError> {
        self.decide(request_id, MetaCommand::MoveDomain { domain, to }, deadline).await
    }

    /// Gives up a domain's move, if it has no new place yet. Where none is under way: nothing.
    ///
    /// # Errors
    /// See [`CallError`]; `Rejected` when it has its new place.
    pub async fn cancel_move(
        &self,
        request_id: RequestId,
        domain: DomainId,
        deadline: Duration,
    ) -> Result<(), CallError> {
        self.decide(request_id, MetaCommand::CancelMove { domain }, deadline).await
    }

    /// Has the meta group carry out what needs no answer but that it is done.
    async fn decide(&self, id: RequestId, command: MetaCommand, deadline: Duration) -> Result<(), CallError> {
        let _permit = self.inner.admit()?;
        let asked = format!("{command:?}");
        match self.inner.meta(id, command, deadline).await? {
            MetaDone::Ok => Ok(()),
            other => Err(CallError::Bug(format!("{asked} answered {other:?}"))),
        }
    }
}
