//! The two stacks.

pub mod fast;
pub mod full;
