//! A simulated machine: clock, entropy, disk, and the node that runs on it.

mod clock;
mod entropy;
mod parts;
mod process;

pub use clock::SimClock;
pub use entropy::SeededEntropy;
pub use parts::{Birth, Life, Machine, State};
pub use process::{DATA, PORT, Served, address, boot, peer_of};
