//! Chaos on a real cluster: processes on this machine, killed and restarted under load, and what
//! callers and desks notice of it.

mod behind;
pub mod cli;
mod crossing;
mod crowd;
mod experiment;
mod gaps;
mod late;
mod ledger;
mod members;
mod moves;
mod nodes;
mod probe;
mod realm;
mod report;
mod settled;
mod stop;
mod verdict;
