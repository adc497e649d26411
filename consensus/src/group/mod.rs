//! One replicated group on this node.

mod clock;
mod handle;

pub use handle::{Group, GroupStatus};
