//! The meta group: accounts, domains and where they are.

mod machine;
mod state;

pub(crate) use machine::{MetaMachine, SharedMeta};
pub(crate) use state::{MetaCommand, MetaDone, MetaRequest, MetaState};
