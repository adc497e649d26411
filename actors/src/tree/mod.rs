//! The tree of actors: the node supervises the shards it leads and the conversations somebody
//! watches here; a shard supervises its agents and queues. All but the node and its shards are
//! started on first need and stopped when idle.
//!
//! Mailboxes have no bound of their own, so none is filled by the outside: what wakes an actor is
//! a flag that is set once until the actor has looked ([`crate::shard::Desks`]). No actor has a
//! registered name, since names are process-wide.

mod agent;
mod carrier;
mod conversation;
mod node;
mod queue;
mod restarts;
mod shard;

pub(crate) use agent::AgentMessage;
pub(crate) use conversation::{ConversationMessage, Watcher};
pub(crate) use node::{NodeActor, NodeArguments, NodeMessage};
pub(crate) use queue::QueueMessage;
pub(crate) use shard::ShardMessage;
