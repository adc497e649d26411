//! The engine: what the node's services call.

use crate::{
    Account, Answer, CallError, ClusterState, PlacedDomain, Query, Session, SessionHello, Watch, WatchError,
};
use routing::entry::Request;
use routing::settings::DomainSettings;
use routing::{AccountId, AgentId, DomainId, Done, Epoch, RequestId, Sequence};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// One node's engine. Cheap to clone; all clones are the same engine.
#[derive(Debug, Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    cluster: ClusterState,
}

fn unavailable<T>() -> Result<T, CallError> {
    Err(CallError::Unavailable { why: "not started".to_owned(), retry_after_ms: 1_000 })
}

impl Engine {
    /// Carries out a command, wherever its domain is led. Tries again inside the deadline where
    /// that is safe: always when it was certainly not done, and when the outcome is unknown only
    /// if the request has an id.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn execute(&self, request: Request, deadline: Duration) -> Result<Done, CallError> {
        let _ = (request, deadline, &self.inner);
        unavailable()
    }

    /// Reads, linearizably: sees everything that was acknowledged before the call.
    ///
    /// # Errors
    /// See [`CallError`]; unknown ids are `Rejected`.
    pub async fn query(&self, query: Query, deadline: Duration) -> Result<Answer, CallError> {
        let _ = (query, deadline);
        unavailable()
    }

    /// Reads this node's replica, which may lag behind.
    ///
    /// # Errors
    /// See [`CallError`]; unknown ids are `Rejected`.
    pub fn query_local(&self, query: &Query) -> Result<Answer, CallError> {
        let _ = query;
        unavailable()
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
        let _ = (request_id, name, deadline);
        unavailable()
    }

    /// All accounts, in the order of ids, as this node knows them.
    #[must_use]
    pub fn accounts(&self) -> Vec<Account> {
        Vec::new()
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
        let _ = (request_id, account, settings, deadline);
        unavailable()
    }

    /// All domains with their places, in the order of ids, as this node knows them.
    #[must_use]
    pub fn domains(&self) -> Vec<PlacedDomain> {
        Vec::new()
    }

    /// Opens (or resumes) a desk's session, wherever its domain is led.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn open_session(&self, hello: SessionHello, deadline: Duration) -> Result<Session, CallError> {
        let _ = (hello, deadline);
        unavailable()
    }

    pub(crate) fn session_heard(&self, agent: AgentId, epoch: Epoch) {
        let _ = (agent, epoch);
    }

    pub(crate) async fn close_session(
        &self,
        agent: AgentId,
        epoch: Epoch,
        request_id: RequestId,
        deadline: Duration,
    ) -> Result<Done, CallError> {
        let _ = (agent, epoch, request_id, deadline);
        unavailable()
    }

    /// Watches a domain's events from this node's store: from sequence `from` on (0: only what is
    /// new), then live.
    ///
    /// # Errors
    /// See [`WatchError`].
    pub fn watch(&self, domain: DomainId, from: Sequence) -> Result<Watch, WatchError> {
        let _ = from;
        Err(WatchError::UnknownDomain(domain))
    }

    /// Tells that a domain changed on this node's replica: the value is its last event. Changes in
    /// quick succession are told as one.
    ///
    /// # Errors
    /// See [`WatchError`].
    pub fn changes(&self, domain: DomainId) -> Result<watch::Receiver<Sequence>, WatchError> {
        Err(WatchError::UnknownDomain(domain))
    }

    /// The cluster as this node sees it.
    #[must_use]
    pub fn cluster(&self) -> ClusterState {
        self.inner.cluster.clone()
    }

    /// Stops: gives leadership away, ends sessions with a reason, writes what is due.
    pub async fn stop(&self) {}
}
