//! What makes a run a function of its seed: time and entropy of the process, and seeded draws.

mod draw;
mod overrides;

pub use draw::Draw;
pub use overrides::{elapsed, end_with_parent, enter, processor_time, real_time, set_origin};
