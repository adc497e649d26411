//! A desk's session, as the node at which the desk is connected holds it.

use crate::front::FrontSession;
use crate::{CallError, Engine};
use routing::command::Desk;
use routing::entry::Request;
use routing::view::DeskView;
use routing::{AgentId, Command, Done, Epoch, Event, RequestId, Sequence};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How a desk asks for a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionHello {
    /// Which agent.
    pub agent: AgentId,
    /// Made once per session intent: a retry of the same hello gets the same epoch.
    pub request_id: RequestId,
    /// Resume: the last cursor this desk saw.
    pub cursor: Option<Sequence>,
    /// Resume: the epoch this desk had. Kept if it is still the agent's present, live one.
    pub epoch: Option<Epoch>,
}

/// What a desk is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionMessage {
    /// Everything the desk must show, again (after a leader change); what it shows beyond that
    /// is over.
    Welcome(Box<DeskView>),
    /// Something happened that concerns this desk. In order, each once, all after the last
    /// welcome's cursor.
    Event(Box<Event>),
    /// The inbox of one of the agent's queues changed; list it again if it is shown. Told at most
    /// once until the desk has taken it, whatever number of changes there were.
    InboxChanged,
    /// The session is over; nothing follows.
    Ended(SessionEnd),
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum SessionEnd {
    /// The desk closed it.
    #[error("closed")]
    Closed,
    /// A newer session of the same agent took over.
    #[error("replaced by a newer session")]
    Replaced,
    /// A supervisor logged the agent out.
    #[error("logged out")]
    LoggedOut,
    /// Nothing was heard from the desk for the time of the lease.
    #[error("the desk was silent for longer than its lease")]
    LeaseLost,
    /// The agent was deleted.
    #[error("the agent was deleted")]
    AgentDeleted,
    /// The desk did not take its messages fast enough; connect again to get the present state.
    #[error("the desk reads too slowly: connect again")]
    TooSlow,
    /// The shard's leader cannot be reached for longer than the lease; connect again.
    #[error("the shard has no reachable leader: connect again")]
    Unreachable,
    /// The node stops; connect to another one.
    #[error("this node is stopping: connect to another one")]
    Stopping,
}

/// An open session. Dropping it without [`SessionHandle::close`] leaves the lease to run out, so
/// that the desk may come back with its epoch, at this node or another.
#[derive(Debug)]
pub struct Session {
    /// What the desk must send with everything.
    pub epoch: Epoch,
    /// Everything the desk must show at first.
    pub welcome: DeskView,
    /// What follows; bounded. Ends after `Ended`.
    pub messages: mpsc::Receiver<SessionMessage>,
    /// For what the desk sends.
    pub handle: SessionHandle,
}

/// The sending half of a session; cheap to clone. With the last clone the session leaves this
/// node.
#[derive(Debug, Clone)]
pub struct SessionHandle {
    seated: Arc<Seated>,
}

#[derive(Debug)]
struct Seated {
    session: Arc<FrontSession>,
    epoch: Epoch,
    engine: Engine,
}

impl Drop for Seated {
    fn drop(&mut self) {
        self.engine.leave(&self.session);
    }
}

impl SessionHandle {
    pub(crate) fn new(session: Arc<FrontSession>, epoch: Epoch, engine: Engine) -> Self {
        Self { seated: Arc::new(Seated { session, epoch, engine }) }
    }

    /// Whose session it is.
    #[must_use]
    pub fn agent(&self) -> AgentId {
        self.seated.session.agent
    }

    /// Its epoch.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.seated.epoch
    }

    /// The desk was heard of: renews the lease. Any message of the desk counts. Never waits; beats
    /// of a node's sessions travel together.
    pub fn heartbeat(&self) {
        self.seated.engine.heard(&self.seated.session);
    }

    /// Carries out a command of the desk; counts as a heartbeat. Events of it come as messages.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn submit(&self, request: Request, deadline: Duration) -> Result<Done, CallError> {
        self.heartbeat();
        self.seated.engine.execute(request, deadline).await
    }

    /// The desk leaves on purpose.
    ///
    /// # Errors
    /// See [`CallError`]; then the lease runs out by itself once the session is dropped.
    pub async fn close(&self, request_id: RequestId, deadline: Duration) -> Result<Done, CallError> {
        let desk = Desk { agent: self.agent(), epoch: self.epoch() };
        let command = Command::CloseSession { desk };
        let domain = desk.agent.domain;
        let request = Request { id: Some(request_id), domain, expected_version: None, command };
        self.seated.engine.execute(request, deadline).await
    }
}
