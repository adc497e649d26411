//! The meta group: nodes, accounts, domains and where they are.

mod machine;
mod moves;
mod state;

pub(crate) use machine::{MetaMachine, SharedMeta};
pub(crate) use moves::{DomainMove, MoveStage};
pub(crate) use state::{Member, MetaCommand, MetaDone, MetaRequest, MetaState, hash_of};
