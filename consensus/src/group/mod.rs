//! One replicated group on this node.

mod activity;
mod batcher;
mod clock;
mod export;
mod handle;
mod leadership;
mod machine;
mod members;
mod meter;
mod quiet;
mod replica;
mod standing;
mod view;

pub(crate) use activity::Activity;
pub(crate) use clock::LogClock;
pub use export::{Export, Exported};
pub use handle::{Group, GroupStatus};
pub(crate) use machine::Machine;
pub use members::{GroupMember, GroupMembers, MemberChange};
pub(crate) use meter::LOAD_IDLE;
pub(crate) use quiet::{Line, Lines, Orders, Push, Quiet, Rules, Timers};
pub(crate) use replica::{Started, start};
pub(crate) use standing::Standing;
pub(crate) use view::View;
