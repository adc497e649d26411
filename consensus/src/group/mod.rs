//! One replicated group on this node.

mod batcher;
mod clock;
mod export;
mod handle;
mod leadership;
mod machine;
mod members;
mod replica;

pub(crate) use clock::LogClock;
pub use export::{Export, Exported};
pub use handle::{Group, GroupStatus};
pub(crate) use machine::Machine;
pub use members::{GroupMember, GroupMembers, MemberChange};
pub(crate) use replica::{Started, start};
