//! A simulated machine: clock, entropy, disk, and the node that runs on it.

mod clock;
mod entropy;
mod parts;
mod process;

pub use clock::SimClock;
pub use entropy::SeededEntropy;
pub use parts::{Life, Machine};
pub use process::{Served, boot};
