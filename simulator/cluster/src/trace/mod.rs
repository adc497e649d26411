//! What a run logs, with simulated time and an event number, and the first difference of two logs.

mod difference;
mod sink;

pub use difference::{Difference, first_difference};
pub use sink::{Trace, start};
