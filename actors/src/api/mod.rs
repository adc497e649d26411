//! What the node's services use.

mod cluster;
mod error;
mod query;
mod session;
mod watch;

pub use cluster::{
    Account, AlarmNote, ClusterState, Figures, Joined, MoveProgress, MoveState, NodeStage, NodeState,
    PlacedDomain, Replica, ShardState,
};
pub use error::{CallError, StartError, WatchError};
pub use query::{Answer, Found, Query};
pub use session::{Session, SessionEnd, SessionHandle, SessionHello, SessionMessage};
pub use watch::Watch;
