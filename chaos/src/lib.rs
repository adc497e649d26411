//! Chaos on a real cluster: processes on this machine, killed and restarted under load, and what
//! callers and desks notice of it.

mod behind;
pub mod cli;
mod crowd;
mod experiment;
mod gaps;
mod members;
mod nodes;
mod probe;
mod realm;
mod report;
mod settled;
mod stop;
mod verdict;
